"""Types of the guideline corpus: `Guideline`, `Passage`, and what a search returns.

One passage is one citable recommendation or table of a guideline, written in our own words, English and Chinese.
"""

from dataclasses import dataclass, field
from typing import Literal

from retrieval.messages.catalogue import Pair

Strength = Literal["strong", "conditional", "good practice", "not graded"]
Certainty = Literal["high", "moderate", "low", "very low", "not graded"]
PassageKind = Literal["recommendation", "criteria", "signs", "practice"]


@dataclass(frozen=True)
class Guideline:
    """One edition of one guideline."""

    id: str
    issuer: str
    title: str
    year: int
    topic: str
    status: Literal["current", "superseded"]
    superseded_by: str | None = None
    doi: str | None = None
    pmid: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Passage:
    """One citable recommendation or table; `key` is `G-` and six hex digits of the hash of `id`.

    A piece of a hospital's own document has `kind` "document", a key `X-` and ten hex digits, a stand-in guideline (issuer "Own documents",
    the document's title, the year the file was last changed), its one text in both languages' fields and that text's `language`; guideline
    passages have None there, because they exist in both. `genre` says what a guideline passage holds: a recommendation, criteria
    (definitions, score tables, cut-offs), signs (an image or laboratory sign) or practice (how to do it); the corpus files name it `kind`.
    """

    key: str
    id: str
    guideline: Guideline
    section: str
    text: str
    text_zh: str
    strength: Strength = "not graded"
    certainty: Certainty = "not graded"
    population: str | None = None
    tags: tuple[str, ...] = ()
    kind: Literal["guideline", "document"] = "guideline"
    language: Literal["en", "zh"] | None = None
    genre: PassageKind = "recommendation"

    @property
    def source(self) -> str:
        """Issuer, title and year as shown beside a citation."""
        return f"{self.guideline.issuer}: {self.guideline.title} ({self.guideline.year})"

    @property
    def locator(self) -> str:
        """Section and identifier that let a reader open the source."""
        doi = f" · doi:{self.guideline.doi}" if self.guideline.doi else ""
        pmid = f" · PMID {self.guideline.pmid}" if self.guideline.pmid and not doi else ""
        return f"{self.section}{doi}{pmid}"


@dataclass(frozen=True)
class Filters:
    """Narrowing of a search; narrowing never increases the hits."""

    year_from: int | None = None
    year_to: int | None = None
    issuer: str | None = None
    topic: str | None = None
    language: Literal["en", "zh"] | None = None
    current_only: bool = False


@dataclass(frozen=True)
class Hit:
    """One passage found.

    Attributes:
        passage: What was found.
        score: Calibrated probability, 0..1, that it answers the question.
        conflicts: Keys of passages that disagree with it.
        superseded_by: Id of the guideline that replaced this edition.
        successor: Key of the passage of that newer guideline that answers the question best; None when there is none.
    """

    passage: Passage
    score: float
    conflicts: tuple[str, ...] = ()
    superseded_by: str | None = None
    successor: str | None = None


@dataclass(frozen=True)
class SearchResult:
    """What a search did: the query as understood, counts at each step, and the hits (at most five reach a model).

    `reason` says in English and Chinese why there is no answer.
    `direct` is False where there are hits but none of them passes for an answer: nearest passages, to be shown as such.
    `unknown` are names that the question is about and nobody here knows: then there are no hits.
    """

    query: str
    language: Literal["en", "zh"]
    rendered: str
    filters: Filters
    hits: tuple[Hit, ...]
    counts: dict[str, int] = field(default_factory=dict)
    reason: Pair | None = None
    direct: bool = False
    unknown: tuple[str, ...] = ()
