"""What a tool may use: `Deps`, made once per turn by the agent and handed to every tool through LangChain's `ToolRuntime`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.case.record import Case
from tools.evidence import Language

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from retrieval.drugs.graph import DrugGraph
    from retrieval.index.guideline_index import GuidelineIndex
    from tools.imaging.marks.store import OwnMarks
else:
    # LangChain builds a pydantic schema of every tool, which resolves these names when it runs.
    MedMPTEngine = DrugGraph = GuidelineIndex = OwnMarks = Any


@dataclass(frozen=True)
class Deps:
    """Everything a tool may reach; nothing in here is shown to a model.

    Attributes:
        case: The one patient of this thread; None when the conversation has no case.
        case_dir: Folder that study paths are relative to.
        cache_dir: For derived things.
        language: Language of the question.
        index: Guideline passages and documents.
        drugs: Drug knowledge graph.
        engine: MedMPT; None when no weights are installed.
        studies: Study handle (`ct-1`) to absolute path.
        cases_dir: Folder of own cases for similar-case search; None where none are kept.
        question: The question as asked; empty for a command that asks none.
        wordings: Of a message that goes on from another: in which words to look for what it is about, the first that raises anything
            counts; empty for a question that stands alone.
        marks: Lesions that the person has measured; None where none are kept.
    """

    cache_dir: Path
    case: Case | None = None
    case_dir: Path | None = None
    language: Language = "en"
    index: "GuidelineIndex | None" = None
    drugs: "DrugGraph | None" = None
    engine: "MedMPTEngine | None" = None
    studies: dict[str, Path] = field(default_factory=dict)
    cases_dir: Path | None = None
    question: str = ""
    wordings: tuple[str, ...] = ()
    marks: "OwnMarks | None" = None

    @property
    def asked(self) -> tuple[str, ...]:
        """The wordings, or the question alone; none where nothing is asked."""
        return self.wordings or ((self.question,) if self.question else ())
