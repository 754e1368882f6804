"""The report as a typed record: what is said, where each sentence comes from, what became of it, and who signed.

A signed document carries the sha256 of its frozen text, name and time; one whose text does not give that digest does not load.
"""

import hashlib
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.evidence import Evidence, Language, Quantity
from tools.reports.document.template import Reads

Origin = Literal["measured", "model", "metadata", "template", "record", "mark", "prior", "person"]
State = Literal["proposed", "accepted", "edited", "struck"]
Kind = Literal["drafted", "accepted", "edited", "struck", "restored", "inserted", "signed"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DocSentence(_Model):
    """One sentence.

    Attributes:
        id: Stays with the sentence through every change.
        text: As it reads now.
        origin: Where it came from first; `person` for what was typed.
        evidence: Keys of `ReportDocument.evidence` that it rests on.
        state: What became of the proposal.
        drafted: As it was proposed; None for what a person added.
        by: Who changed it last; None for an untouched proposal.
    """

    id: str
    text: str
    origin: Origin
    evidence: tuple[str, ...] = ()
    state: State = "proposed"
    drafted: str | None = None
    by: str | None = None

    @property
    def said(self) -> bool:
        """Whether it is part of the report."""
        return self.state != "struck"


class DocSection(_Model):
    """One section; `printed` is False for what stands beside the report and is no part of it."""

    name: str
    heading: str
    reads: Reads
    printed: bool = True
    phrases: tuple[str, ...] = ()
    sentences: tuple[DocSentence, ...] = ()


class Change(_Model):
    """One change, kept for good: the tracked history of the document."""

    number: int
    at: str
    by: str
    kind: Kind
    sentence: str | None = None
    before: str | None = None
    after: str | None = None


class Subject(_Model):
    """Whose report this is: no name, no number, as the case itself holds none."""

    case_id: str
    synthetic: bool
    age_years: float | None = None
    sex: Literal["male", "female", "other", "unknown"] = "unknown"


class Examined(_Model):
    """The study: its handle in the case, its date, and how the series was taken."""

    study: str
    date: str | None = None
    prior_dates: tuple[str, ...] = ()


class Compared(_Model):
    """One finding in the prior report and in this one."""

    finding: str
    finding_zh: str
    status: Literal["new", "larger", "smaller", "unchanged", "in_both", "not_mentioned", "denied_now"]
    before: str | None = None
    now: str | None = None
    sentence: str | None = None


class Comparison(_Model):
    """What changed since the prior report, by finding."""

    date: str | None
    text: str
    rows: tuple[Compared, ...] = ()


class Signature(_Model):
    """Who signed what, and when: `sha256` is of the frozen text with name and time, `ledger` the hash of the entry that records it."""

    name: str = Field(min_length=2, max_length=120)
    at: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    ledger: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class Amends(_Model):
    """The signed report that an addendum belongs to."""

    id: str
    sha256: str
    name: str
    at: str


class ReportDocument(_Model):
    """A report: drafted, worked on, signed, exported.

    Attributes:
        id: Random; the name of the document in the store.
        version: Grows by one with every change.
        kind: A report, or an addendum to a signed one.
        withheld: Drafted sentences that the detectors contradict, `(text, because)`: shown beside, never printed.
        evidence: Every statement that a sentence rests on.
        changes: The history, oldest first.
        signature: None until it is signed.
        amends: For an addendum, the report it belongs to.
    """

    schema_version: Literal[1] = 1
    id: str
    version: int = 1
    kind: Literal["report", "addendum"] = "report"
    language: Language
    template: str
    edition: str
    title: str
    subject: Subject
    study: Examined
    sections: tuple[DocSection, ...]
    withheld: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    comparison: Comparison | None = None
    changes: tuple[Change, ...] = ()
    signature: Signature | None = None
    amends: Amends | None = None

    @model_validator(mode="after")
    def _untouched(self) -> Self:
        if self.signature is not None and digest(self, self.signature.name, self.signature.at) != self.signature.sha256:
            raise ValueError("the signed text of this report was changed after it was signed")
        return self

    @property
    def signed(self) -> bool:
        """Whether the text is frozen."""
        return self.signature is not None

    def sentence(self, sentence_id: str) -> DocSentence | None:
        """The sentence of this id."""
        return next((s for section in self.sections for s in section.sentences if s.id == sentence_id), None)

    def cited(self, key: str) -> Evidence | None:
        """The evidence of this key."""
        return next((e for e in self.evidence if e.key == key), None)

    def printed(self) -> tuple[tuple[DocSection, tuple[DocSentence, ...]], ...]:
        """Sections that are part of the report, with the sentences that are said; sections without any are left out."""
        rows = ((s, tuple(x for x in s.sentences if x.said)) for s in self.sections if s.printed)
        return tuple((section, said) for section, said in rows if said)

    def measured(self) -> tuple[tuple[DocSentence, Quantity], ...]:
        """Numbers that stand unedited in the report, each with the first sentence that says it: what may leave as a coded value."""
        said = [x for _, sentences in self.printed() for x in sentences if x.state != "edited" and x.origin in ("measured", "mark")]
        first: dict[str, DocSentence] = {}
        for sentence in said:
            for key in sentence.evidence:
                first.setdefault(key, sentence)
        return tuple((s, q) for key, s in first.items() if (e := self.cited(key)) is not None for q in e.quantities)


def frozen_text(document: ReportDocument) -> str:
    """The report as the plain text that is signed: head, headings, sentences; nothing else counts."""
    s, t = document.subject, document.study
    head = [
        document.title,
        f"{document.kind} {document.id}",
        f"case {s.case_id}",
        f"age {s.age_years} sex {s.sex}",
        f"study {t.study} {t.date}",
    ]
    if document.amends is not None:
        head.append(f"amends {document.amends.id} {document.amends.sha256}")
    body = [line for section, said in document.printed() for line in (f"## {section.heading}", *(x.text for x in said))]
    return "\n".join([*head, *body])


def digest(document: ReportDocument, name: str, at: str) -> str:
    """sha256 of the frozen text with the name and the time of the signature."""
    return hashlib.sha256(f"{frozen_text(document)}\n\n{name}\n{at}".encode()).hexdigest()


def text_digest(document: ReportDocument) -> str:
    """sha256 of the frozen text alone: what a person is shown before signing is compared with what is signed."""
    return hashlib.sha256(frozen_text(document).encode()).hexdigest()
