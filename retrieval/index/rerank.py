"""The feature-based reranker: a logistic model over a handful of readable features, so that its score is a calibrated probability.

Weights stand in `data/ranker.json`; `medmpt eval retrieval --fit` fits them. No feature depends on the filters or on the other
candidates: that is why a narrower filter can never bring more hits.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.errors import BadInput
from retrieval.guidelines.passages import Passage

RANKER = Path(__file__).parents[1] / "data" / "ranker.json"
FEATURES = ("dense", "lexical", "coverage", "entities", "focus", "unknown", "issuer", "superseded", "asks")
Features = NDArray[np.float64]
# Two passages whose scores differ by less are alike.
_ALIKE = 0.005


class Scored(Protocol):
    """A passage with its score."""

    @property
    def passage(self) -> Passage:
        """The passage."""

    @property
    def score(self) -> float:
        """Its score."""


Ranked = TypeVar("Ranked", bound=Scored)


@dataclass(frozen=True)
class Ranker:
    """Weights of the features, the intercept, and the score below which a passage is not shown.

    The features, all in about 0..1:
        dense: cosine of question and passage.
        lexical: BM25 as a share of the best possible for the question.
        coverage: idf-weighted share of the question's concepts and words that stand in the passage.
        entities: the same over the concepts that say what the question is about.
        focus: share of those concepts in the passage's heading (section, tags, topic, title).
        unknown: idf-weighted share of the question that neither corpus nor lexicon knows.
        issuer: 1 when the question names this passage's issuer, -1 when it names another, else 0.
        superseded: 1 for an edition that has been replaced, when no year is asked for.
        asks: cosine of the question and the nearest of those that the passage was written to answer (`data/asks`); where there are none,
            that of the passage.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float

    @classmethod
    def load(cls, path: Path = RANKER) -> "Ranker":
        """Read the weights.

        Raises:
            BadInput: the file names other features than this code computes.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["weights"]) != FEATURES:
            raise BadInput(
                f"{path.name} has features {list(data['weights'])!r}, expected {list(FEATURES)!r}; run `medmpt eval retrieval --fit`"
            )
        return cls(tuple(map(float, data["weights"].values())), float(data["bias"]), float(data["threshold"]))

    def save(self, path: Path = RANKER, **notes: str | float) -> None:
        """Write the weights, with notes on how they were made."""
        weights = {name: round(weight, 4) for name, weight in zip(FEATURES, self.weights, strict=True)}
        data = {
            "weights": weights,
            "bias": round(self.bias, 4),
            "threshold": round(self.threshold, 4),
            **notes,
        }
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    def score(self, features: Features, shifts: Sequence[float] | None = None) -> Features:
        """Probabilities `(n,)` of rows of features `(n, len(FEATURES))`; `shifts` are added to the log-odds."""
        logits = features @ np.asarray(self.weights) + self.bias + np.asarray(shifts if shifts is not None else 0.0)
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float64)


def stack(columns: Sequence[NDArray[np.floating]]) -> Features:
    """Columns in the order of `FEATURES` as one matrix."""
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def newer_first(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The same order, with the newer guideline first where two that stand side by side are as good as alike.

    For sizes, whose limits newer editions move; for questions of every kind it cost two of 120 of another author.
    """
    out = list(ranked)
    for end in range(len(out) - 1, 0, -1):
        for i in range(end):
            a, b = out[i], out[i + 1]
            if a.score - b.score < _ALIKE and _year(a.passage) < _year(b.passage):
                out[i], out[i + 1] = b, a
    return out


def _year(passage: Passage) -> int:
    return passage.guideline.year if passage.kind == "guideline" else 0
