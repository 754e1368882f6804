"""A report as a page to print: watermarked while it is preliminary, with the signature once it is signed."""

from datetime import UTC, datetime

from tools.evidence import Language
from tools.reports.document.record import Comparison, DocSentence, Origin, ReportDocument
from tools.reports.export.sheet import Block, Heading, Line, Rows, Sheet
from tools.reports.export.words import both, case_name, say

_ORIGINS: dict[Origin, str] = {
    "measured": "measured",
    "model": "model",
    "metadata": "metadata",
    "template": "own_template",
    "record": "record",
    "mark": "mark",
    "prior": "prior",
    "person": "person",
}


def sheet_of(document: ReportDocument, signed: bool) -> Sheet:
    """The page of a report.

    Args:
        document: The report or addendum.
        signed: Whether its signature is in this installation's register; without that it prints as preliminary.
    """
    language = document.language
    blocks: list[Block] = []
    if document.amends is not None:
        a = document.amends
        blocks.append(Line(say("amends", language, id=a.id, name=a.name, at=when(a.at)), look="strong"))
    for section, said in document.printed():
        blocks.append(Heading(section.heading))
        blocks += [_line(s, signed, language) for s in said]
    if document.comparison is not None and document.comparison.rows:
        blocks += _compared(document.comparison, language)
    blocks += _end(document, signed)
    return Sheet(
        title=f"{document.title} — {say(document.kind, language)}",
        language=language,
        banner=None if signed else both("preliminary"),
        head=_head(document),
        blocks=tuple(blocks),
        foot=_foot(document, signed),
    )


def origin_name(origin: Origin, language: Language) -> str:
    """Where a sentence comes from, for people."""
    return say(_ORIGINS[origin], language)


def when(at: str) -> str:
    """A time for people, in UTC."""
    return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _line(sentence: DocSentence, signed: bool, language: Language) -> Line:
    """A sentence; while the report is preliminary with its origin before it."""
    return Line(sentence.text, tag=None if signed else origin_name(sentence.origin, language))


def _head(document: ReportDocument) -> tuple[tuple[str, str], ...]:
    language, s, t = document.language, document.subject, document.study
    who = [say("years", language, n=f"{s.age_years:g}")] if s.age_years is not None else []
    who.append(say(s.sex, language))
    if s.synthetic:
        who.append(say("synthetic", language))
    study = t.study + (f" {say('dated', language, date=t.date)}" if t.date else "")
    comma = "，" if language == "zh" else ", "
    return (
        (say("case", language), case_name(s.case_id, language)),
        (say("patient", language), comma.join(who)),
        (say("study", language), study),
        (say("report", language), f"{document.id}, {say('version', language, n=document.version)}"),
    )


def _compared(comparison: Comparison, language: Language) -> list[Block]:
    zh = language == "zh"
    head = tuple(say(k, language) for k in ("finding", "change", "before", "now"))
    rows = tuple((r.finding_zh if zh else r.finding, say(r.status, language), r.before or "–", r.now or "–") for r in comparison.rows)
    return [Heading(say("compared", language, date=comparison.date or "–")), Rows(head, rows)]


def _end(document: ReportDocument, signed: bool) -> list[Block]:
    """How much of it is the machine's, and who signed."""
    language = document.language
    said = [s for _, sentences in document.printed() for s in sentences]
    rows = [s for section in document.sections if section.printed for s in section.sentences]
    count = {
        "accepted": sum(s.state == "accepted" and s.drafted is not None for s in said),
        "edited": sum(s.state == "edited" for s in said),
        "own": sum(s.drafted is None for s in said),
        "struck": sum(s.state == "struck" for s in rows),
    }
    blocks: list[Block] = [Line(say("made_of", language, **count), look="small")]
    open_now = sum(s.state == "proposed" for s in said)
    if open_now:
        blocks.append(Line(say("undecided", language, n=open_now), look="small"))
    if signed and document.signature is not None:
        s = document.signature
        blocks.append(Line(f"{say('signed', language, name=s.name)} {say('signed_at', language, at=when(s.at))}", look="strong"))
        blocks.append(Line(say("digest", language, sha=s.sha256), look="small"))
        if s.ledger is not None:
            blocks.append(Line(say("ledger", language, sha=s.ledger), look="small"))
    return blocks


def _foot(document: ReportDocument, signed: bool) -> str:
    note = say("device", document.language)
    short = f" · sha256 {document.signature.sha256[:16]}" if signed and document.signature is not None else ""
    return f"{note}{short}"
