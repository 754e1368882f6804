"""Tool `check_report`: a pasted CT report against itself, against the case, and against what was measured on the study."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from pydantic import JsonValue

from retrieval.documents.orders import without_orders
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.deps import Deps
from tools.evidence import Evidence, Language, ToolResult
from tools.imaging.marks.measuring import marks_of
from tools.imaging.quantify import quantify_ct
from tools.quantities import fill
from tools.reports.lint import Kind, Lint, Remark, lint
from tools.reports.lint.reading.parts import sentences_of
from tools.reports.marked import against_marks
from tools.reports.measured import Issue, disagreements
from tools.reports.payload import CheckData, RemarkRow

each = messages("tools.reports").each

pair = messages("tools.reports").pair

_MEASURED = pair("numbers and sides against what was measured on the study")
_MARKED = pair("lesions against those that were marked on the study")
_NOT_A_BILL: dict[Language, str] = each("no remark is not a clean bill: the images were not read")


@dataclass(frozen=True)
class Checked:
    """Everything that was said about a report.

    Attributes:
        remarks: Of the linter and of the measurement, in the order of a reader's concern.
        look: Remarks of the linter that are more likely wrong than right: worth a look, no error.
        checked: What was compared, `(English, Chinese)`.
        not_checked: What was not, `(English, Chinese)`.
        warnings: Limits of the measurement.
        sentences: How many sentences were read.
        chinese: Whether the report is written in Chinese.
    """

    remarks: tuple[Remark, ...]
    look: tuple[Remark, ...]
    checked: tuple[tuple[str, str], ...]
    not_checked: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    sentences: int
    chinese: bool


def check_report(deps: Deps, text: str | None = None, study: str = "ct-1") -> ToolResult:
    """Check a pasted report: findings against impression, against itself, the case and the measured study."""
    body = text or (next((s.report for s in deps.case.studies if s.id == study), None) if deps.case else None)
    query: dict[str, JsonValue] = {"study": study}
    if not (body or "").strip():
        return ToolResult(
            tool="check_report", status="empty", reason="there is no report text to check: paste one", query=query, missing=("report text",)
        )
    # An order to whoever reads a report is no part of it, and is not quoted as one of its places.
    found = checked(without_orders(body or ""), deps, study)
    rows = tuple(remark_row(r, "zh" if found.chinese else "en") for r in found.remarks)
    zh = deps.language == "zh"
    return ToolResult(
        tool="check_report",
        status="ok",
        query=query,
        counts={"sentences": found.sentences, "remarks": len(rows), "to_look_at": len(found.look)},
        warnings=(*found.warnings, _NOT_A_BILL[deps.language]),
        evidence=tuple(_evidence(r, n, study) for n, r in enumerate(found.remarks, 1)) or (_none(found, study),),
        data=CheckData(
            remarks=rows,
            look=tuple(remark_row(r, "zh" if found.chinese else "en") for r in found.look),
            checked=tuple(c[1] if zh else c[0] for c in found.checked),
            not_checked=tuple(c[1] if zh else c[0] for c in found.not_checked),
        ),
    )


def checked(body: str, deps: Deps, study: str) -> Checked:
    """Lint a report and, where there is a study of the case, compare it with what was measured."""
    linted = _linted(body, deps.case, study)
    done, left = (
        list(zip(linted.checked, linted.checked_zh, strict=True)),
        list(zip(linted.not_checked, linted.not_checked_zh, strict=True)),
    )
    sentences = [s.text for s in sentences_of(body)]
    remarks = list(linted.remarks)
    warnings: tuple[str, ...] = ()
    measured = quantify_ct(deps, study) if study in deps.studies else None
    if measured is not None and measured.status in ("ok", "partial"):
        remarks += [_measured(issue) for issue in disagreements(sentences, measured)]
        done.append(_MEASURED)
        warnings = measured.warnings
    else:
        left.append(_MEASURED)
    marks = marks_of(deps, study)
    if marks:
        remarks += against_marks(sentences, marks)
        done.append(_MARKED)
    return Checked(tuple(remarks), linted.look, tuple(done), tuple(left), tuple(warnings), len(sentences), linted.chinese)


def _linted(body: str, case: Case | None, study: str) -> Lint:
    told = next((s.date for s in case.studies if s.id == study and s.date), None) if case else None
    return lint(
        body,
        sex=case.patient.sex if case else None,
        age=case.patient.age_years if case else None,
        studied=date.fromisoformat(told[:10]) if told else None,
        today=datetime.now(UTC).date(),
    )


def _measured(issue: Issue) -> Remark:
    kind: Kind = "side" if issue.kind in ("side", "both_sides") else "measurement"
    return Remark(kind, issue.text, issue.text_zh, (issue.sentence,), *pair("Compare with the measurement."))


def remark_row(remark: Remark, language: Language) -> RemarkRow:
    """A remark in the contract's shape."""
    zh = language == "zh"
    return RemarkRow(
        kind=remark.kind,
        text=remark.text_zh if zh else remark.text,
        places=tuple(remark.places),
        suggestion=remark.suggestion_zh if zh else remark.suggestion,
        chance=remark.chance,
    )


def _evidence(remark: Remark, number: int, study: str) -> Evidence:
    return Evidence(
        key=f"R-{study}-{number}",
        kind="report",
        text=f"{remark.text} {remark.suggestion}",
        text_zh=f"{remark.text_zh}{remark.suggestion_zh}",
        source="check of the pasted report",
        locator=" | ".join(p[:120] for p in remark.places[:2]),
        quantities=fill((), remark.text, remark.text_zh),
        subjects=(remark.kind.replace("_", " "), "report"),
    )


def _none(found: Checked, study: str) -> Evidence:
    done, left = "; ".join(c[0] for c in found.checked), "; ".join(c[0] for c in found.not_checked)
    done_zh, left_zh = "、".join(c[1] for c in found.checked), "、".join(c[1] for c in found.not_checked)
    en, zh = pair(
        "No remark in {sentences} sentences of the report. Checked: {done}. Not checked: {left}.",
        sentences=found.sentences,
        done=(done, done_zh),
        left=(left, left_zh),
    )
    return Evidence(
        key=f"R-{study}-0",
        kind="report",
        text=en,
        text_zh=zh,
        source="check of the pasted report",
        quantities=fill((), en, zh),
        subjects=("report",),
    )
