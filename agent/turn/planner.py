"""`Planner`: the built-in chat model, a `BaseChatModel` like any other, without weights and without a server."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import JsonValue

from agent.answering.compose import compose
from agent.answering.draft import ANSWER_TOOL, Draft
from agent.effort.gaps import gap_calls
from agent.effort.weigh import best
from agent.reading.dialogue import asked_language
from agent.reading.lexicon import language_of
from agent.reading.plan import Plan, make_plan, second_round, surely_outside
from agent.reading.thread.unwind import standing
from agent.turn.again import again, earlier_answers
from agent.turn.ledger import is_aside, read_ledger, this_turn
from agent.turn.prompts import CaseCard
from tools.evidence import Language, ToolName

# A turn asks tools at most this often: what is known, then what depends on it.
_MAX_ROUNDS = 2
# Calls for what the first draft left open, with high effort.
_GAP = "gap"


class Planner(BaseChatModel):
    """Routes a question to tools by rules and composes the answer out of their evidence; the same input gives the same output.

    The case card reaches it in `additional_kwargs["card"]` of the system message, typed evidence in the artifacts of tool messages.
    """

    @property
    def _llm_type(self) -> str:
        return "planner"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Remember which tools may be called."""
        names = [t.name for t in tools if isinstance(t, BaseTool)]
        return self.bind(tool_names=names, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        allowed = kwargs.get("tool_names")
        message = self._next(list(messages), frozenset(allowed) if allowed is not None else None)  # type: ignore[arg-type]
        return ChatResult(generations=[ChatGeneration(message=message)])

    def out_of_scope(self, messages: list[AnyMessage]) -> AIMessage | None:
        """The refusal of a message that is surely of another field, whatever another model would ask tools about it; None otherwise."""
        questions = [str(m.text) for m in messages if isinstance(m, HumanMessage) and not is_aside(m)]
        plan = make_plan(questions[-1], _card(messages), questions[:-1], [])
        return _hand_in(Draft(notice="out_of_scope"), questions[-1]) if surely_outside(plan) else None

    def _next(self, messages: list[AnyMessage], allowed: frozenset[str] | None) -> AIMessage:
        card = _card(messages)
        questions = [str(m.text) for m in messages if isinstance(m, HumanMessage) and not is_aside(m)]
        language = _language(messages) or asked_language(questions[-1]) or language_of(questions[-1])
        now = standing(questions)
        asked, told = now[-1].text, earlier_answers(messages)
        said = [told[s.index] for s in now[:-1]]
        effort = _effort(messages)
        plan = make_plan(asked, card, [s.text for s in now[:-1]], [" ".join(s.text for s in one) for one in said])
        if plan.about:
            return _hand_in(again(plan.about, said[-1] if said else (), read_ledger(messages), asked, language), questions[-1])
        if plan.notice:
            return _hand_in(Draft(notice=plan.notice), questions[-1])
        turn = this_turn(messages)
        steps = read_ledger(messages).steps
        rounds = sum(1 for m in turn if isinstance(m, AIMessage) and any(c["name"] != ANSWER_TOOL for c in m.tool_calls))
        calls = _wanted(plan, rounds, lambda: second_round(plan, steps, card), allowed, 1 if effort == "low" else _MAX_ROUNDS)
        if calls:
            return _ask(calls, len(questions), rounds)
        draft = compose(plan, steps, card, language, _objected(turn))
        if effort == "high":
            ordinary = tuple(s for s in steps if not s.call_id.startswith(_GAP))
            more = gap_calls(plan.reading.text, draft) if len(ordinary) == len(steps) and _may_search(allowed) else ()
            if more:
                return _ask(list(more), len(questions), rounds, _GAP)
            if len(ordinary) < len(steps):
                drafts = [compose(plan, ordinary, card, language, _objected(turn)), draft]
                draft = drafts[best(drafts, plan.reading.text, read_ledger(messages).evidence)]
        return _hand_in(draft, questions[-1])


def _wanted(
    plan: Plan,
    rounds: int,
    follow: Callable[[], tuple[tuple[ToolName, dict[str, JsonValue]], ...]],
    allowed: frozenset[str] | None,
    most: int,
) -> list[tuple[ToolName, dict[str, JsonValue]]]:
    if rounds >= most:
        return []
    calls = plan.calls if rounds == 0 else follow()
    return [(name, args) for name, args in calls if allowed is None or name in allowed]


def _ask(calls: list[tuple[ToolName, dict[str, JsonValue]]], turn: int, rounds: int, kind: str = "call") -> AIMessage:
    made = [
        {"name": name, "args": args, "id": f"{kind}-{turn}-{rounds + 1}-{i + 1}", "type": "tool_call"}
        for i, (name, args) in enumerate(calls)
    ]
    return AIMessage(content="", tool_calls=made)


def _hand_in(draft: Draft, question: str) -> AIMessage:
    ident = hashlib.sha256(question.encode()).hexdigest()[:8]
    call = {"name": ANSWER_TOOL, "args": draft.model_dump(mode="json"), "id": f"answer-{ident}", "type": "tool_call"}
    return AIMessage(content="", tool_calls=[call])


def _card(messages: list[AnyMessage]) -> CaseCard | None:
    for message in messages:
        if isinstance(message, SystemMessage) and message.additional_kwargs.get("card"):
            return CaseCard.model_validate(message.additional_kwargs["card"])
    return None


def _language(messages: list[AnyMessage]) -> Language | None:
    """The language that the person chose, where the turn says so."""
    told = next((m.additional_kwargs.get("language") for m in messages if isinstance(m, SystemMessage)), None)
    return "zh" if told == "zh" else "en" if told == "en" else None


def _may_search(allowed: frozenset[str] | None) -> bool:
    return allowed is None or "search_guidelines" in allowed


def _effort(messages: list[AnyMessage]) -> str:
    """How hard the turn tries, where the system message says so."""
    return str(next((m.additional_kwargs.get("effort") for m in messages if isinstance(m, SystemMessage)), None) or "medium")


def _objected(turn: list[AnyMessage]) -> frozenset[str]:
    return frozenset(text for m in turn for text in m.additional_kwargs.get("objected", []))
