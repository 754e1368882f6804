"""What a turn or a single tool is given of a case, as it is on record."""

from agent.parts import OpenedCase, Parts
from agent.settings import Settings
from agent.turn.prompts import CaseCard
from agent.turn.state import TurnContext
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
