"""What a question supposes: the tools of the turn run on a patched copy of the case, and the answer says so first."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.answering.answer import Answer
from agent.reading.thread.hold import held
from agent.turn.prompts import CaseCard
from retrieval.messages.catalogue import messages
from tools.case.patches import Patch, patched, told
from tools.case.record import Case
from tools.evidence import Language
from tools.labs.analytes import analytes

each = messages("agent.turn").each

_HEAD: dict[Language, str] = each("Supposed, not recorded: {what}.")
_UNIT: dict[Language, str] = each("In which unit is the {what}? The record has none to go by, for example {unit}.")
# Input of the calculators that a vital sign or field of the patient answers, where the names differ.
_INPUT = {
    "temperature_c": "temperature", "sbp_mmhg": "sbp", "dbp_mmhg": "dbp", "spo2_pct": "spo2", "age_years": "age", "weight_kg": "weight",
    "height_cm": "height", "confused": "confusion",
}  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """The patient as the question has it.

    Attributes:
        case: The record, or the copy in which the suppositions hold.
        card: Its card.
        assumptions: What was supposed, in words.
        ask: The question back where a unit is needed.
    """

    case: Case | None
    card: CaseCard | None
    assumptions: tuple[str, ...] = ()
    ask: str | None = None


def scene(question: str, case: Case | None, card: CaseCard | None, earlier: Sequence[str], language: Language) -> Scene:
    """Apply what `question` supposes, and what it goes on from supposed, to a copy of the case.

    Args:
        question: What is asked.
        case: The record.
        card: Its card.
        earlier: The questions before it that still count (`thread.unwind`), oldest first.
        language: Of the answer.
    """
    found = held([*earlier, question], case)
    if found.unit_of:
        analyte = analytes()[found.unit_of[0]]
        return Scene(case, card, ask=_UNIT[language].format(what=analyte.name(language), unit=analyte.canonical.shown))
    if case is None or not found.patches:
        return Scene(case, card)
    said = tuple(told(p, case, language) for p in found.patches)
    changed = patched(case, found.patches)
    keys = tuple(_input(p) for p in found.patches)
    return Scene(changed, CaseCard.of(changed).model_copy(update={"assumed": said, "assumed_keys": keys}), said)


def _input(patch: Patch) -> str:
    return _INPUT.get(patch.name, patch.name)


def headed(answer: Answer, assumptions: tuple[str, ...]) -> Answer:
    """The answer with its suppositions in front."""
    if not assumptions:
        return answer
    head = _HEAD[answer.language].format(what=("；" if answer.language == "zh" else "; ").join(assumptions))
    return answer.model_copy(update={"assumptions": assumptions, "answer": f"{head}\n\n{answer.answer}"})
