"""The graph as LangGraph's own tools load it (`langgraph.json`): plain messages in, JSON context, no checkpointer.

A server of LangGraph brings its own checkpoints and hands over what JSON can hold; the turn inside is `agent.turn.graph`, unchanged.
For developers: LangGraph's Studio page lives on its maker's site, and its dev server reports its use there.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from langgraph.runtime import Runtime

from agent.errors import BadInput
from agent.models.factory import make_model, shown_name
from agent.parts import OpenedCase, Parts
from agent.reading.dialogue import asked_language
from agent.reading.lexicon import language_of
from agent.resources import House
from agent.settings import Settings
from agent.turn.contexts import in_thread, on_record
from agent.turn.graph import Graph, build_graph
from agent.turn.prompts import CaseCard
from agent.turn.state import ThreadState
from tools.evidence import Language


@dataclass(frozen=True)
class Wanted:
    """Context of a run, as JSON.

    Attributes:
        case: Id of a demo case; one thread is about one patient, so it stays the same.
        language: Of the answer; None takes the question's.
    """

    case: str | None = None
    language: Language | None = None


class StudioState(ThreadState, total=False):
    """What a thread remembers, and whom it is about."""

    patient: str | None


def make_graph() -> Any:
    """The graph with the model of the settings, for `langgraph.json`."""
    settings = Settings.from_environment()
    return graph_of(settings, House(settings))


def graph_of(settings: Settings, parts: Parts) -> Any:
    """The same on given parts."""
    room = settings.llm_context // 2
    model = make_model(settings.llm, settings.llm_seconds)
    inner: Graph = build_graph(model, parts.tools(), None, shown_name(settings.llm), settings.llm_seconds, room)

    @lru_cache(maxsize=8)
    def opened(name: str) -> OpenedCase:
        known = [c.id for c in parts.demo_cases()]
        if name not in known:
            raise BadInput(f"no such case: {name!r}; one of {', '.join(known)}")
        return parts.load_case(name)

    def turn(state: StudioState, runtime: Runtime[Wanted]) -> dict[str, Any]:
        wanted = runtime.context or Wanted()
        held: Any = {k: v for k, v in state.items() if k != "patient"}
        if state.get("answers") and state.get("patient") != wanted.case:
            raise BadInput("this thread is about one patient: pass the same case, or start a new thread")
        messages = state.get("messages", [])
        if not messages or not isinstance(messages[-1], HumanMessage):
            raise BadInput("the last message is the question and must be a human's")
        question = str(messages[-1].text).strip()
        earlier = state.get("answers", [])
        loaded = opened(wanted.case) if wanted.case else None
        card = CaseCard.of(loaded.case) if loaded else None
        language = wanted.language or asked_language(question) or language_of(question)
        context, ask = in_thread(on_record(settings, parts, loaded, card, language, question), earlier)
        if ask is not None:
            return {"messages": [AIMessage(content=ask)], "patient": wanted.case}
        before_it: Any = {**held, "messages": messages[:-1]}
        said: Any = inner.invoke(before_it, context=context)
        return {**said, "messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *said["messages"]], "patient": wanted.case}

    outer = StateGraph(StudioState, context_schema=Wanted)
    outer.add_node("turn", turn)
    outer.add_edge(START, "turn")
    outer.add_edge("turn", END)
    return outer.compile(name="medmpt")
