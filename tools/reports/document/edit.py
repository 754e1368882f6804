"""Changes of a document: accept, edit, strike, restore, insert. Each gives a new version with the change in its history.

A signed document refuses every one of them: what must still be said goes into an addendum.
"""

import secrets
from collections.abc import Callable, Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from retrieval.messages.catalogue import messages
from tools.errors import BadInput, ToolsError
from tools.evidence import Evidence
from tools.reports.document.compose import now
from tools.reports.document.record import Amends, Change, DocSection, DocSentence, Kind, Origin, ReportDocument
from tools.reports.document.template import Template

say = messages("tools.reports").say

_LONGEST = 2000


class Signed(ToolsError):
    """The report is signed: its text is frozen (exit 2)."""

    exit_code = 2


class Edit(BaseModel):
    """One change as the page and the command line ask for it.

    Attributes:
        do: What to do.
        sentence: Its id; for `insert` the sentence after which the new one goes.
        section: For `insert` where the new one goes, for `accept` a whole section; None with no sentence means all.
        text: The new words, for `edit` and `insert`.
        origin: Where an inserted sentence comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: Literal["accept", "edit", "strike", "restore", "insert"]
    sentence: str | None = None
    section: str | None = None
    text: str | None = None
    origin: Literal["person", "template", "prior"] = "person"


def apply(document: ReportDocument, edit: Edit, by: str) -> ReportDocument:
    """The document after one change.

    Raises:
        Signed: It is signed.
        BadInput: No such sentence or section, or words that cannot stand.
    """
    match edit.do:
        case "accept":
            return accept(document, by, edit.sentence, edit.section)
        case "edit":
            return _changed(document, edit.sentence, by, "edited", words(edit.text))
        case "strike":
            return _changed(document, edit.sentence, by, "struck", None)
        case "restore":
            return _changed(document, edit.sentence, by, "restored", None)
        case "insert":
            return insert(document, edit.section or "", words(edit.text), edit.origin, by, after=edit.sentence)


def accept(document: ReportDocument, by: str, sentence: str | None = None, section: str | None = None) -> ReportDocument:
    """Accept one sentence, or every proposal of a section, or of the whole document."""
    if sentence is not None:
        return _changed(document, sentence, by, "accepted", None)
    known = {s.name for s in document.sections}
    if section is not None and section not in known:
        raise BadInput(f"no section {section!r}; there are: {', '.join(sorted(known))}")
    rows = [x for s in document.sections if s.printed and section in (None, s.name) for x in s.sentences if x.state == "proposed"]
    for row in rows:
        document = _changed(document, row.id, by, "accepted", None)
    return document


def insert(
    document: ReportDocument,
    section: str,
    text: str,
    origin: Origin,
    by: str,
    *,
    after: str | None = None,
    evidence: Iterable[Evidence] = (),
) -> ReportDocument:
    """A new sentence of a person, at the end of a section or after another one; it counts as accepted."""
    _open(document)
    if section not in {s.name for s in document.sections if s.printed}:
        raise BadInput(f"no section {section!r}; there are: {', '.join(s.name for s in document.sections if s.printed)}")
    cited = tuple(evidence)
    number = 1 + max((int(x.id[1:]) for s in document.sections for x in s.sentences), default=0)
    row = DocSentence(id=f"s{number}", text=text, origin=origin, evidence=tuple(e.key for e in cited), state="accepted", by=by)
    known = {e.key for e in document.evidence}
    document = document.model_copy(update={"evidence": (*document.evidence, *(e for e in cited if e.key not in known))})
    return _with(document, lambda s: _placed(s, row, after) if s.name == section else s, _log(document, by, "inserted", row.id, None, text))


def addendum_to(document: ReportDocument, template: Template, by: str) -> ReportDocument:
    """An empty addendum to a signed report.

    Raises:
        BadInput: The report is not signed: change it instead.
    """
    if document.signature is None:
        raise BadInput("this report is not signed: change it instead of adding to it")
    s = document.signature
    section = next(x for x in document.sections if x.reads == "impression")
    return document.model_copy(
        update={
            "id": secrets.token_hex(8),
            "version": 1,
            "kind": "addendum",
            "sections": (section.model_copy(update={"name": "addendum", "heading": template_addendum(template), "sentences": ()}),),
            "withheld": (),
            "warnings": (),
            "evidence": (),
            "comparison": None,
            "signature": None,
            "amends": Amends(id=document.id, sha256=s.sha256, name=s.name, at=s.at),
            "changes": (Change(number=1, at=now(), by=by, kind="drafted"),),
        }
    )


def template_addendum(template: Template) -> str:
    """Heading of an addendum."""
    return say(template.language, "Addendum")


def words(text: str | None) -> str:
    """What a person typed, on one line.

    Raises:
        BadInput: Nothing, or more than a sentence can be.
    """
    line = " ".join((text or "").split())
    if not line or len(line) > _LONGEST:
        raise BadInput(f"a sentence has 1 to {_LONGEST} characters, this one has {len(line)}")
    return line


def _open(document: ReportDocument) -> None:
    if document.signature is not None:
        raise Signed(
            f"this report was signed by {document.signature.name} at {document.signature.at} and cannot be changed: write an addendum"
        )


def _changed(document: ReportDocument, sentence: str | None, by: str, kind: Kind, text: str | None) -> ReportDocument:
    _open(document)
    row = document.sentence(sentence or "")
    if row is None:
        raise BadInput(f"the report has no sentence {sentence!r}")
    new = _after(row, kind, by, text)
    if new == row:
        return document
    change = _log(document, by, kind, row.id, row.text, new.text if kind != "struck" else None)
    return _with(document, lambda s: s.model_copy(update={"sentences": tuple(new if x.id == row.id else x for x in s.sentences)}), change)


def _after(row: DocSentence, kind: Kind, by: str, text: str | None) -> DocSentence:
    if kind == "edited" and text is not None:
        state = "accepted" if text == row.drafted or row.drafted is None else "edited"
        return row.model_copy(update={"text": text, "state": state, "by": by})
    if kind == "struck":
        return row.model_copy(update={"state": "struck", "by": by})
    if kind == "restored":
        if row.drafted is None:
            return row.model_copy(update={"state": "accepted", "by": by})
        return row.model_copy(update={"state": "proposed", "text": row.drafted, "by": None})
    return row.model_copy(update={"state": "edited" if row.state == "edited" else "accepted", "by": by})


def _log(document: ReportDocument, by: str, kind: Kind, sentence: str, before: str | None, after: str | None) -> Change:
    return Change(number=len(document.changes) + 1, at=now(), by=by, kind=kind, sentence=sentence, before=before, after=after)


def _with(document: ReportDocument, section: Callable[[DocSection], DocSection], change: Change) -> ReportDocument:
    return document.model_copy(
        update={
            "sections": tuple(section(s) for s in document.sections),
            "changes": (*document.changes, change),
            "version": document.version + 1,
        }
    )


def _placed(section: DocSection, row: DocSentence, after: str | None) -> DocSection:
    at = next((i + 1 for i, x in enumerate(section.sentences) if x.id == after), len(section.sentences))
    return section.model_copy(update={"sentences": (*section.sentences[:at], row, *section.sentences[at:])})
