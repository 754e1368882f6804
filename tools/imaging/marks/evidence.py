"""What the tools say of a study's marks: the marks themselves, their growth, and what is missing to answer a question about them."""

from dataclasses import dataclass

from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.evidence import Evidence
from tools.imaging.marks.growth import Growth, growth_of
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.measuring import marks_of
from tools.imaging.marks.statements import limits_of, mark_statements
from tools.imaging.marks.words import asks_growth, asks_of_marks

pair = messages("tools.imaging").pair
_NO_MARK = Said(*pair("a marked lesion"))


@dataclass(frozen=True)
class Marked:
    """Marks of a study as a tool result takes them up."""

    marks: tuple[Mark, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def marked(deps: Deps, study: str) -> Marked:
    """Marks and growth of a study; that there is none where the question names marks."""
    marks = marks_of(deps, study)
    if not marks:
        asked = deps.marks is not None and asks_of_marks(deps.question)
        return Marked(evidence=(_none(study),), missing=(_NO_MARK,)) if asked else Marked()
    # Growth needs both scans segmented: only where it is asked for, or where no question stands behind the call.
    growth = growth_of(deps, study) if not deps.question or asks_growth(deps.question) else Growth()
    said = (*mark_statements(marks, study), *growth.statements)
    return Marked(marks, said, growth.missing, (*limits_of(marks), *growth.warnings))


def _none(study: str) -> Evidence:
    text, text_zh = pair("No lesion is marked on {study}: click it in the viewer to measure it.", study=study)
    return Evidence(
        key=f"CT-{study}-mark-none",
        kind="ct",
        text=text,
        text_zh=text_zh,
        source=f"marks of {study}",
        subjects=("mark", "lesion", study),
    )
