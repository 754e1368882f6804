"""State of one thread in the graph, and what a turn is given (`TurnContext`)."""

import threading
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.graph.message import add_messages
from typing_extensions import TypedDict

from agent.parts import Parts
from agent.settings import Effort
from agent.turn.prompts import CaseCard
from tools.deps import Deps
from tools.spec import specs

# Turns that a thread can still refer to ("why?", "and in pregnancy?"): what the next turn reads, and what every turn writes.
KEEP_TURNS = 8


class ThreadState(TypedDict, total=False):
    """What a thread remembers.

    `messages` holds the last `KEEP_TURNS` turns and `answers` their answers: older turns stand in the turn log. `turns` counts all finished
    turns, `kept` the messages of those that are held; everything else belongs to one turn and is reset by the `begin` node. The two counts
    of calls bear the names that LangChain's call limit reads.
    """

    messages: Annotated[list[AnyMessage], add_messages]
    answers: list[dict[str, Any]]
    kept: int
    turns: int
    run_model_call_count: int
    thread_model_call_count: int
    retries: int
    objected: bool
    finisher: bool
    verdicts: list[dict[str, Any]]
    notes: list[str]
    tokens: int


@dataclass(frozen=True)
class TurnContext(Deps):
    """`Deps` of the turn plus what the agent itself needs; tools see it as `Deps`.

    Attributes:
        typed: The message as the person typed it; `question` is what it asks (another one where it takes something back).
        thread: Public id of the thread.
        card: What may be said of the case to a model.
        stop: Set when the person pressed stop.
        parts: Opens what a tool needs when it is first needed.
        free_text: What of a person's own words may go to a language model: scrubbed, or nothing.
        assumptions: What the question supposes; `case` is then the copy in which it holds.
        effort: One draft (`low`), a draft with one objection (`medium`), or several that are weighed and read a second time (`high`).
    """

    typed: str = ""
    thread: str = ""
    card: CaseCard | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    parts: Parts | None = None
    free_text: Literal["scrub", "home"] = "scrub"
    assumptions: tuple[str, ...] = ()
    effort: Effort = "medium"

    @property
    def message(self) -> str:
        """What the person typed."""
        return self.typed or self.question

    def furnished(self, tool: str) -> "TurnContext":
        """This context with the parts that `tool` needs opened."""
        spec = specs().get(tool)
        needs = spec.needs if spec else ()
        if self.parts is None or not needs:
            return self
        parts = self.parts
        return replace(
            self,
            index=self.index or (parts.index() if "index" in needs else None),
            drugs=self.drugs or (parts.drugs() if "drugs" in needs else None),
            engine=self.engine or (parts.engine() if "engine" in needs else None),
        )
