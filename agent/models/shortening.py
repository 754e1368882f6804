"""What of a long conversation is sent to a model: older tool results are cleared first, then older turns become a summary.

Both steps are LangChain's (`ClearToolUsesEdit`, `SummarizationMiddleware`), applied to the copy that is sent; the thread keeps everything.
The summary is composed here from what was asked, which tools were used and what was answered: no model writes it, and it holds no numbers,
so that a value can only reach an answer from a tool's record.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain.agents.middleware import ClearToolUsesEdit, SummarizationMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.runtime import Runtime

from agent.turn.ledger import is_aside, this_turn

CLEARED = "[cleared to save room: ask the tool again where you need its result]"
_HEAD = "Values are left out (…): ask the tool again where you need one."
# A summary of this many turns is about a thousand tokens.
_TURNS = 12
_LONGEST = 400
# A number that is no part of a name such as CURB-65 or CD4; ranges and dates are one.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_])(?<![A-Za-z]-)(?:[-−<>≤≥±]\s?)?\d+(?:[.,:/–-]\d+)*")


def sendable(model: BaseChatModel, messages: Sequence[AnyMessage], limit: int) -> Iterator[list[AnyMessage]]:
    """What to send, and what to send instead when that was too long for the model: each one is shorter than the one before.

    Args:
        model: The model; it is not called.
        messages: The conversation without the system prompt.
        limit: Tokens that the conversation may take, roughly.
    """
    last = 0
    for wanted in (fitted(model, messages, limit), fitted(model, messages, 0), this_turn(messages)):
        size = tokens_of(wanted)
        if not last or size < last:
            yield list(wanted)
            last = size


def fitted(model: BaseChatModel, messages: Sequence[AnyMessage], limit: int) -> list[AnyMessage]:
    """The conversation in about `limit` tokens; the present turn is left as it is."""
    turn = this_turn(messages)
    mine = sum(isinstance(m, ToolMessage) for m in turn)
    kept = list(messages)
    ClearToolUsesEdit(trigger=limit, keep=mine, placeholder=CLEARED).apply(kept, count_tokens=tokens_of)
    summariser: SummarizationMiddleware[Any, Any] = SummarizationMiddleware(
        model,
        trigger=("tokens", max(limit, 1)),
        keep=("messages", len(turn)),
        token_counter=tokens_of,
        trim_tokens_to_summarize=None,
        summarizer=summary,
    )
    update = summariser.before_model({"messages": kept}, Runtime())
    if update is None:
        return kept
    told, question, *rest = update["messages"][1:]
    # One message: templates of some families want questions and answers to alternate.
    return [HumanMessage(content=f"{told.text}\n\n{question.text}", id=question.id), *rest]


def summary(messages: Sequence[AnyMessage]) -> str:
    """Turns as lines: question, tools, answer without its numbers."""
    lines = [_line(turn) for turn in _turns(messages)]
    left_out = len(lines) - _TURNS
    more = [f"({left_out} earlier questions are left out.)"] if left_out > 0 else []
    return "\n".join([_HEAD, *more, *lines[-_TURNS:]])


def _turns(messages: Sequence[AnyMessage]) -> list[list[AnyMessage]]:
    turns: list[list[AnyMessage]] = []
    for message in messages:
        if isinstance(message, HumanMessage) and not is_aside(message):
            turns.append([])
        if turns:
            turns[-1].append(message)
    return turns


def _line(turn: Sequence[AnyMessage]) -> str:
    question = " ".join(turn[0].text.split())[:_LONGEST]
    tools = dict.fromkeys(c["name"] for m in turn if isinstance(m, AIMessage) for c in m.tool_calls)
    answers = [m.text for m in turn if isinstance(m, AIMessage) and not m.tool_calls]
    answer = without_numbers(" ".join(answers[-1].split())) if answers else "none"
    return f"- Asked: {question}\n  Tools: {', '.join(tools) or 'none'}\n  Answered: {answer[:_LONGEST]}"


def without_numbers(text: str) -> str:
    """`text` with every number that is no part of a name or of a citation key replaced by an ellipsis."""
    return _NUMBER.sub("…", text)


def tokens_of(messages: Iterable[Any]) -> int:
    """Tokens, roughly: three characters of Latin text, or one Chinese character, are one."""
    texts = [f"{m.text}{m.tool_calls if isinstance(m, AIMessage) else ''}" for m in messages]
    return sum(4 + _latin(t) // 3 + len(t) - _latin(t) for t in texts)


def _latin(text: str) -> int:
    return sum(c < "\u2e80" for c in text)
