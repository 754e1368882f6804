"""Types of the guideline corpus: `Guideline`, `Passage`, and what a search returns.

One passage is one citable recommendation or table of a guideline, written in our own words, English and Chinese.
"""

from dataclasses import dataclass, field
from typing import Literal

Strength = Literal["strong", "conditional", "good practice", "not graded"]
Certainty = Literal["high", "moderate", "low", "very low", "not graded"]


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
    """One citable recommendation or table; `key` is `G-` and six hex digits of the hash of `id`."""

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
    """One passage found; `score` is calibrated to 0..1; `conflicts` are keys of passages that disagree."""

    passage: Passage
    score: float
    conflicts: tuple[str, ...] = ()
    superseded_by: str | None = None


@dataclass(frozen=True)
class SearchResult:
    """What a search did: the query as understood, counts at each step, and the hits (at most five reach a model)."""

    query: str
    language: Literal["en", "zh"]
    rendered: str
    filters: Filters
    hits: tuple[Hit, ...]
    counts: dict[str, int] = field(default_factory=dict)
    reason: str | None = None
