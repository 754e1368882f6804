"""What a turn or a single tool is given of a case, as it is on record, and what a message in a thread asks of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent.parts import OpenedCase, Parts
from agent.reading.plan import in_full
from agent.reading.thread.unwind import standing
from agent.settings import Settings
from agent.turn.again import stored_answers
from agent.turn.prompts import CaseCard
from agent.turn.state import TurnContext
from agent.turn.suppose import scene
from tools.evidence import Language


def on_record(
    settings: Settings, parts: Parts, loaded: OpenedCase | None, card: CaseCard | None, language: Language, question: str
) -> TurnContext:
    """The context of `question` about the case `loaded` (None without a patient)."""
    return TurnContext(
        cache_dir=settings.cache_dir,
        case=loaded.case if loaded else None,
        case_dir=loaded.folder if loaded else None,
        studies=loaded.studies if loaded else {},
        cases_dir=settings.data_dir / "cases",
        language=language,
        question=question,
        card=card,
        parts=parts,
        free_text=settings.free_text,
        effort=settings.effort,
    )


def in_thread(record: TurnContext, earlier: Sequence[dict[str, Any]], marked: bool = False) -> tuple[TurnContext, str | None]:
    """The context of a message in its thread, and the question back where it supposes a value without its unit.

    Args:
        record: The context of the message as typed.
        earlier: Stored answers of the thread, oldest first.
        marked: The message is about lesions that the person marked.
    """
    messages = standing([*(str(a["question"]) for a in earlier), record.question])
    asked, before = messages[-1].text, [m.text for m in messages[:-1]]
    shown = scene(asked, record.case, record.card, before, record.language)
    card = shown.card.model_copy(update={"marked": True}) if shown.card is not None and marked else shown.card
    answers = stored_answers(earlier)
    turn = in_full(asked, card, before, [answers[m.index] for m in messages[:-1]]) if before else None
    context = replace(record, question=asked, typed=record.question, case=shown.case, card=card, assumptions=shown.assumptions)
    return replace(context, wordings=turn.wordings if turn is not None else ()), shown.ask
