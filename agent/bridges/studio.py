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
    outer = StateGraph(StudioState, context_schema=Wanted)
    outer.add_node("turn", _Turn(settings, parts).run)
    outer.add_edge(START, "turn")
    outer.add_edge("turn", END)
    return outer.compile(name="medmpt")


class _Turn:
    """The one node of the outer graph."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        self._settings, self._parts = settings, parts
        model, room = make_model(settings.llm, settings.llm_seconds), settings.llm_context // 2
        self._inner: Graph = build_graph(model, parts.tools(), None, shown_name(settings.llm), settings.llm_seconds, room)
        self._opened = lru_cache(maxsize=8)(self._open)

    def run(self, state: StudioState, runtime: Runtime[Wanted]) -> dict[str, Any]:
        """One turn. A server of LangGraph hides what an error says: what cannot be asked is said as an answer."""
        try:
            return self._answered(state, runtime.context or Wanted())
        except BadInput as refusal:
            return {"messages": [AIMessage(content=str(refusal))]}

    def _open(self, name: str) -> OpenedCase:
        known = [c.id for c in self._parts.demo_cases()]
        if name not in known:
            raise BadInput(f"no such case: {name!r}; one of {', '.join(known)}")
        return self._parts.load_case(name)

    def _answered(self, state: StudioState, wanted: Wanted) -> dict[str, Any]:
        held: Any = {k: v for k, v in state.items() if k != "patient"}
        if state.get("answers") and state.get("patient") != wanted.case:
            raise BadInput("this thread is about one patient: pass the same case, or start a new thread")
        messages, earlier = state.get("messages", []), state.get("answers", [])
        if not messages or not isinstance(messages[-1], HumanMessage):
            raise BadInput("the last message is the question and must be a human's")
        question = str(messages[-1].text).strip()
        if not question:
            raise BadInput("the last message holds no text: type the question")
        loaded = self._opened(wanted.case) if wanted.case else None
        card = CaseCard.of(loaded.case) if loaded else None
        language = wanted.language or asked_language(question) or language_of(question)
        context, ask = in_thread(on_record(self._settings, self._parts, loaded, card, language, question), earlier)
        if ask is not None:
            return {"messages": [AIMessage(content=ask)], "patient": wanted.case}
        before_it: Any = {**held, "messages": messages[:-1]}
        said: Any = self._inner.invoke(before_it, context=context)
        return {**said, "messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *said["messages"]], "patient": wanted.case}
