"""What high effort adds to a turn: several drafts before `verify`, a second reading after it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, AnyMessage

from agent.answering.draft import read_draft
from agent.effort.candidates import weighed
from agent.effort.refute import doubted, give_way, other_sources
from agent.models.calling import ModelFailed
from agent.turn.ledger import Ledger
from agent.turn.planner import Planner
from agent.turn.state import TurnContext
from agent.verify import Verdict
from retrieval.messages.catalogue import messages

say = messages("agent.effort").say

if TYPE_CHECKING:
    from agent.models.turn_call import Asking


def several(
    message: AIMessage, messages: Sequence[AnyMessage], planner: Planner, asking: "Asking", context: TurnContext
) -> tuple[AIMessage, str]:
    """The best of the model's draft, a second one and the planner's; and a note where it is not the first."""
    planned = read_draft(planner.bind_tools([]).invoke(list(messages)))
    return weighed(message, messages, planned, lambda m: asking.plain(m, context), context.language)


def second_reading(
    verdicts: list[Verdict], ledger: Ledger, asking: "Asking | None", context: TurnContext
) -> tuple[list[Verdict], list[Verdict], tuple[str, ...]]:
    """The sentences after a second reading, those that gave way, and what other sources of the turn say against them.

    `asking` is None where no language model wrote the draft.
    """
    gone: list[Verdict] = []
    if asking is not None:
        try:
            doubts = doubted(verdicts, ledger.evidence, lambda m: asking.plain(m, context), context.language)
        except ModelFailed as failure:
            return verdicts, gone, (say(context.language, "the second reading did not take place: {because}", because=str(failure)),)
        verdicts, gone = give_way(verdicts, doubts, ledger.evidence, context.language)
    turn = {e.key: e for s in ledger.steps for e in s.result.evidence}
    return verdicts, gone, other_sources(verdicts, turn, context.language)
