"""A new document out of a draft: each drafted sentence in its section of the template, detectors beside the sentences that they support."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from medmpt_backend.findings import FINDINGS, MIDLINE, finding
from retrieval.messages.catalogue import messages
from tools.case.summary import summarize_case
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Evidence, Language, ToolResult
from tools.imaging.marks.measuring import marks_of
from tools.reports.document.marks import MOST_IN_IMPRESSION, largest_first, mark_words
from tools.reports.document.prior import compared_with, prior_of
from tools.reports.document.record import Change, DocSection, DocSentence, Examined, Origin, ReportDocument, Subject
from tools.reports.document.template import Part, Template, TemplateSection
from tools.reports.draft_words import named
from tools.reports.payload import DraftData
from tools.wording import in_language

pair = messages("tools.reports").pair

_PARTS: dict[str, Part] = {
    "technique": "technique",
    "measurements": "measurements",
    "impression": "impression",
    "recommendation": "impression",
    "limits": "limits",
}
_LESION = frozenset({"lung_nodule"})
_OF_MARKS = "-draft-impression_mark_"  # the draft's own words for a mark; a template has its own


def now() -> str:
    """The time as documents hold it: UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass
class _Sheet:
    """Sections as they are filled."""

    template: Template
    rows: dict[str, list[DocSentence]] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    count: int = 0

    def put(self, section: str, text: str, origin: Origin, *evidence: Evidence) -> None:
        self.count += 1
        keys = tuple(e.key for e in evidence)
        row = DocSentence(id=f"s{self.count}", text=text, origin=origin, evidence=keys, drafted=text)
        self.rows.setdefault(section, []).append(row)
        self.evidence |= {e.key: e for e in evidence}

    def part(self, name: Part) -> str | None:
        return next((s.name for s in self.template.section if s.part == name), None)


def compose(deps: Deps, study: str, drafted: ToolResult, template: Template, by: str = "draft") -> ReportDocument:
    """The document of a draft.

    Args:
        deps: The case and its studies.
        study: Which study was drafted.
        drafted: The result of `draft_report`; its measured part stands alone where no model speaks.
        template: The department's form.
        by: Who asked for the draft.

    Raises:
        BadInput: Nothing was drafted: the study cannot be read.
    """
    data = drafted.payload(DraftData)
    if deps.case is None or data is None or not data.sections:
        raise BadInput(f"there is nothing to draft for {study!r}: {drafted.reason or 'no case is open'}")
    sheet = _Sheet(template)
    own = _fill_marks(sheet, deps, study)
    _fill_draft(sheet, drafted, data, template.language, own)
    comparison = compared_with(deps, study, _findings_text(sheet))
    for section in template.section:
        _fill_record(sheet, section, deps, study)
    sections = tuple(_section(section, sheet) for section in template.section)
    patient, ref = deps.case.patient, next((s for s in deps.case.studies if s.id == study), None)
    at = now()
    return ReportDocument(
        id=secrets.token_hex(8),
        language=template.language,
        template=template.id,
        edition=template.edition,
        title=template.title,
        subject=Subject(case_id=deps.case.case_id, synthetic=deps.case.synthetic, age_years=patient.age_years, sex=patient.sex),
        study=Examined(study=study, date=ref.date if ref else None, prior_dates=tuple(p.date for p in prior_of(deps, study) if p.date)),
        sections=sections,
        withheld=tuple((row.text, row.because) for row in data.withheld),
        warnings=tuple(in_language(said, template.language) for said in drafted.warnings),
        evidence=tuple(sheet.evidence.values()),
        comparison=comparison,
        changes=(Change(number=1, at=at, by=by, kind="drafted"),),
    )


def words_of(item: Evidence, language: Language) -> str:
    """A statement in the language of the report, on one line."""
    return " ".join(((item.text_zh if language == "zh" else None) or item.text).split())


def _fill_marks(sheet: _Sheet, deps: Deps, study: str) -> frozenset[str]:
    """Lesions that the person has measured on this study: all among the findings, the largest in the impression too. Returns their keys."""
    keys = set()
    place, impression = sheet.template.section_for(_LESION), sheet.part("impression")
    for number, mark in enumerate(largest_first(marks_of(deps, study))):
        text, item = mark_words(mark, study, sheet.template)
        keys.add(item.key)
        sheet.put(place, text, "mark", item)
        if impression is not None and number < MOST_IN_IMPRESSION:
            sheet.put(impression, text, "mark", item)
    return frozenset(keys)


def _fill_draft(sheet: _Sheet, drafted: ToolResult, data: DraftData, language: Language, own: frozenset[str]) -> None:
    """Every drafted sentence in its place; what the template says itself (`own`, and marks in the draft's words) is left out."""
    known = {e.key: e for e in drafted.evidence}
    spoken: list[tuple[str, Evidence]] = [
        (part, known[key]) for part, key in _rows(data) if key in known and key not in own and _OF_MARKS not in key
    ]
    written = [e for part, e in spoken if part == "findings" and ("-draft-" in e.key or e.kind == "ct")]
    covered = {f for e in written for ids in named(words_of(e, language)) for f in ids}
    detectors = [e for part, e in spoken if part == "findings" and e not in written]
    for part, item in spoken:
        target = sheet.part(_PARTS[part]) if part in _PARTS else None
        if target is not None:
            origin: Origin = "measured" if item.kind == "ct" else "model" if item.kind == "model" else _origin(part)
            sheet.put(target, words_of(item, language), origin, item)
    for item in written:
        text = words_of(item, language)
        about = frozenset(f for ids in named(text) for f in ids) or _subjects(item)
        backing = [d for d in detectors if d.present is True and _id(d) in about]
        sheet.put(sheet.template.section_for(about), text, "measured" if item.kind == "ct" else "model", item, *backing)
    machine = sheet.part("machine")
    for item in detectors:
        if item.present is True and _id(item) not in covered:
            sheet.put(sheet.template.section_for(frozenset({_id(item)})), _detected(item, sheet.template), "model", item)
        if machine is not None:
            sheet.put(machine, words_of(item, language), "model", item)


def _subjects(item: Evidence) -> frozenset[str]:
    """Findings that a sentence is about and names in other words, as "air in the pleural space"."""
    return frozenset(s.replace(" ", "_") for s in item.subjects) & FINDINGS.keys()


def _origin(part: str) -> Origin:
    return "metadata" if part == "technique" else "template"


def _rows(data: DraftData) -> Iterable[tuple[str, str]]:
    return ((section.name, row.evidence) for section in data.sections for row in section.sentences)


def _id(item: Evidence) -> str:
    return item.key.rsplit("-", 1)[-1]


def _detected(item: Evidence, template: Template) -> str:
    """What a detector found as a report says it; its score stays with the evidence."""
    about = finding(_id(item))
    side = template.sides.get(item.side or "", "") if _id(item) not in MIDLINE else ""
    return template.detected.format(name=about.zh if template.language == "zh" else about.en, side=side)


def _findings_text(sheet: _Sheet) -> str:
    wanted = {s.name for s in sheet.template.section if s.reads in ("findings", "impression") and s.part != "measurements" and s.printed}
    return "\n".join(row.text for name, rows in sheet.rows.items() if name in wanted for row in rows)


def _fill_record(sheet: _Sheet, section: TemplateSection, deps: Deps, study: str) -> None:
    """What comes from the record, or the words for nothing."""
    language = sheet.template.language
    item: Evidence | None = None
    if section.source == "presentation":
        item = next((e for e in summarize_case(deps).evidence if e.key == "C-presentation"), None)
    elif section.source == "prior" and (prior := prior_of(deps, study)):
        item = _prior_line([p.date or p.id for p in prior])
    if item is not None:
        sheet.put(section.name, words_of(item, language), "record", item)
    elif section.empty and section.name not in sheet.rows:
        sheet.put(section.name, section.empty, "template")


def _prior_line(dates: list[str]) -> Evidence:
    text, text_zh = pair("Compared with CT of {dates}.", dates=(", ".join(dates), "、".join(dates)))
    return Evidence(
        key="C-prior",
        kind="case",
        text=text,
        text_zh=text_zh,
        source="case record",
        subjects=("studies",),
    )


def _section(section: TemplateSection, sheet: _Sheet) -> DocSection:
    return DocSection(
        name=section.name,
        heading=section.heading,
        reads=section.reads,
        printed=section.printed,
        phrases=section.phrases,
        sentences=tuple(sheet.rows.get(section.name, ())),
    )
