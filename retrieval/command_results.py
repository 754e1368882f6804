"""What the commands of this room return, in the contract's shape."""

from typing import Literal

from pydantic import BaseModel

Status = Literal["ok", "partial", "empty", "unavailable", "error"]


class Outcome(BaseModel):
    """Fields of every command."""

    status: Status = "ok"
    reason: str | None = None
    warnings: list[str] = []


class HitOut(BaseModel):
    """One hit in the contract's shape."""

    key: str
    id: str
    kind: str
    text: str
    text_zh: str
    score: float
    source: str
    year: int
    locator: str
    strength: str
    certainty: str
    population: str | None
    superseded_by: str | None
    successor: str | None
    conflicts: list[str]


class SearchOut(Outcome):
    """Result of `search`."""

    query: str
    language: str
    understood: str
    counts: dict[str, int]
    hits: list[HitOut]


class IndexOut(Outcome):
    """Result of `index build` and `index status`."""

    passages: int
    guidelines: int
    documents: int
    embedder: str
    store: str
    cache_dir: str


class ChangesOut(Outcome):
    """Result of `index add` and `index remove`; `skipped` maps a path to the reason."""

    added: list[str]
    replaced: list[str]
    unchanged: list[str]
    removed: list[str]
    skipped: dict[str, str]
    pieces: int


class DocumentOut(BaseModel):
    """One imported document."""

    title: str
    path: str
    year: int
    pieces: int


class ListOut(Outcome):
    """Result of `index list`."""

    documents: list[DocumentOut]


class Metric(BaseModel):
    """A mean over questions with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float
    n: int


class EvalOut(Outcome):
    """Result of `eval retrieval`: `metrics` of fused and reranked, `baselines` of BM25 and dense, keyed `group/ranker/measure`."""

    metrics: dict[str, Metric]
    baselines: dict[str, Metric]


class LintProblem(BaseModel):
    """One fault of the corpus."""

    file: str
    row: str
    what: str
    level: str


class LintOut(Outcome):
    """Result of `corpus lint`."""

    guidelines: int
    passages: int
    topics: dict[str, int]
    conflicts: int
    problems: list[LintProblem]
