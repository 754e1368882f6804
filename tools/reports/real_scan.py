"""The draft of a scan that the model does not judge: technique, comparison, findings, impression, recommendation and limits, measured."""

from typing import TYPE_CHECKING, Literal

from retrieval.messages.catalogue import messages
from tools.deps import Deps
from tools.errors import ToolsError
from tools.evidence import Evidence, Quantity
from tools.imaging.marks.measuring import marks_of
from tools.imaging.marks.statements import KINDS, noun, place
from tools.imaging.studies import study_of
from tools.quantities import fill
from tools.reports.document.prior import prior_of

pair = messages("tools.reports").pair

if TYPE_CHECKING:
    from medmpt_backend.imaging.draft.write import Sentence

Origin = Literal["measured", "metadata", "template"]
Row = tuple[str, Evidence, Origin]
_ORIGINS: dict[str, Origin] = {"measured": "measured", "metadata": "metadata", "rule": "template", "not_assessed": "template"}


def sentences(deps: Deps, study: str) -> list[Row]:
    """Section, statement and origin of every sentence, in the order of a report; none where the study cannot be measured."""
    from medmpt_backend.errors import BackendError
    from medmpt_backend.imaging.draft.write import measured_draft

    try:
        drafted = measured_draft(study_of(deps, study).measured)
    except BackendError:
        return []
    marked = _marked(deps, study)
    said = [s for s in drafted if not (marked and s.name == "impression_nothing")]
    rows: list[Row] = [(s.section, _evidence(s, study), _ORIGINS[s.origin]) for s in said]
    first = next((i for i, row in enumerate(rows) if row[0] == "impression"), len(rows))
    rows[first:first] = [("impression", item, "measured") for item in marked]
    rules: list[Row] = [("recommendation", item, "template") for item in _nodule_rules(deps)]
    return [*rows, ("comparison", _comparison(deps, study), "metadata"), *rules]


def _evidence(s: "Sentence", study: str) -> Evidence:
    """A sentence as a citable statement."""
    known = tuple(Quantity(name=name, value=value, unit=unit, decimals=decimals) for name, value, unit, decimals in s.figures)
    measured = s.origin == "measured"
    return Evidence(
        key=f"{'CT' if measured else 'R'}-{study}-draft-{s.name}",
        kind="ct" if measured else "guideline" if s.origin == "rule" else "report",
        text=s.en,
        text_zh=s.zh,
        source=s.source or (f"quantitative CT of {study}" if measured else f"report draft of {study}"),
        year=s.year,
        locator=None if s.source else study if s.slice is None else f"{study} slice {s.slice}",
        validity="in" if measured else None,
        quantities=fill(known, s.en, s.zh),
        subjects=tuple(word.replace("_", " ") for word in (s.finding or s.name, "report")),
        present=s.present,
    )


def _marked(deps: Deps, study: str) -> list[Evidence]:
    """The lesions that a person marked, for the impression: the largest first."""
    out = []
    for mark in sorted(marks_of(deps, study), key=lambda mark: -mark.lesion.long_mm):
        text, text_zh = pair(
            "Mark {number}: {kind} {what} of {long_mm:.1f} mm in the {where}.",
            number=mark.number,
            kind=KINDS[mark.lesion.type],
            what=noun(mark.lesion),
            long_mm=mark.lesion.long_mm,
            where=place(mark.lesion),
        )
        known = (
            Quantity(name=f"mark_{mark.number}_long_mm", value=mark.lesion.long_mm, unit="mm", decimals=1),
            Quantity(name=f"mark_{mark.number}_number", value=float(mark.number), unit="", decimals=0),
        )
        out.append(
            Evidence(
                key=f"CT-{study}-draft-impression_mark_{mark.number}",
                kind="ct",
                text=text,
                text_zh=text_zh,
                source=f"measurement of a marked lesion on {study}",
                locator=f"{study} slice {mark.lesion.slice}",
                validity="unknown" if mark.lesion.warnings else "in",
                quantities=fill(known, text, text_zh),
                subjects=(noun(mark.lesion)[0], "lesion", "mark", "report"),
                side=mark.lesion.side,
                present=True,
            )
        )
    return out


def _comparison(deps: Deps, study: str) -> Evidence:
    """Which earlier studies there are."""
    dates = [ref.date or ref.id for ref in prior_of(deps, study)]
    text, text_zh = pair("No earlier study was available for comparison.")
    if dates:
        text, text_zh = pair("An earlier CT is in the record: {dates}.", dates=(", ".join(dates), "、".join(dates)))
    return Evidence(
        key=f"R-{study}-draft-comparison",
        kind="report",
        text=text,
        text_zh=text_zh,
        source=f"report draft of {study}",
        locator=study,
        quantities=fill((), text, text_zh),
        subjects=("report", "comparison"),
    )


def _nodule_rules(deps: Deps) -> list[Evidence]:
    """What the Fleischner Society advises for the lesions that a person marked; nothing without marks or where inputs are missing."""
    if deps.marks is None or deps.case is None:
        return []
    from tools.scores.tool import calculate_score

    try:
        result = calculate_score(deps, "fleischner")
    except ToolsError:
        return []
    return [item for item in result.evidence if item.kind == "score"] if not result.missing else []
