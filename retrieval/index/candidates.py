"""Candidates of one shard for one question: the nearest by vector, the best by words, and the features that the reranker weighs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.guidelines.question import Question
from retrieval.index.embed import Vectors
from retrieval.index.rerank import Features, stack
from retrieval.index.shard import Shard
from retrieval.index.store import Condition

# Candidates per ranker; far beyond the rank at which anything passes the threshold.
POOL = 100
ASKED = 30
# Weight of an unknown word of general language ("getting", "worries") beside that of an unknown name.
PASSING = 0.05


@dataclass(frozen=True)
class Candidates:
    """Candidates with both scores.

    Attributes:
        shard: Where they are from.
        question: What they may answer.
        rows: Their rows, `(n,)`.
        dense: Cosines, `(n,)`.
        lexical: BM25 as a share of the best possible for the question, `(n,)`.
        asks: Cosines of the nearest question that each passage answers, `(n,)`.
    """

    shard: Shard
    question: Question
    rows: NDArray[np.int64]
    dense: NDArray[np.float64]
    lexical: NDArray[np.float64]
    asks: NDArray[np.float64]

    def features(self, named: Sequence[float] | None = None) -> Features:
        """Features in the order of `rerank.FEATURES`; `named` says whether the question names each candidate's issuer (1, 0, -1)."""
        cover = Coverage(self.shard, self.question)
        year = self.question.year
        old = [float(self.shard.passages[r].guideline.status == "superseded" and year is None) for r in self.rows]
        columns = [
            np.maximum(self.dense, 0.0),
            self.lexical,
            cover.share(cover.units)[self.rows],
            cover.share(cover.entities)[self.rows],
            cover.focus(self.question.entities)[self.rows],
            np.full(len(self.rows), cover.unknown_share),
            np.asarray(named if named is not None else np.zeros(len(self.rows))),
            np.asarray(old),
            np.maximum(self.asks, 0.0),
        ]
        return stack(columns)


def gather(
    shard: Shard, question: Question, vector: Vectors, where: Sequence[Condition], mask: NDArray[np.bool_], *, itself: bool = True
) -> Candidates:
    """The `POOL` nearest, the `POOL` best by words and the `ASKED` whose own questions are nearest among the rows of `mask`.

    `where` is what the store itself can apply of the mask; without `itself` the question's twin among the asks does not count.
    """
    lexical = shard.lexical.scores(question.tokens)
    near = shard.near(vector, POOL, mask, where)
    order = np.argsort(-np.where(mask, lexical, -1.0), kind="stable")[:POOL]
    asked = shard.asked(vector, itself)
    alike = np.argsort(-np.where(mask, asked, -1.0), kind="stable")[:ASKED]
    best_rows = (*near, *(int(r) for r in order if lexical[r] > 0), *(int(r) for r in alike if asked[r] > 0))
    rows = np.asarray(sorted({r for r in best_rows if mask[r]}), np.int64)
    if not rows.size:
        return Candidates(shard, question, rows, np.zeros(0), np.zeros(0), np.zeros(0))
    dense = shard.cosines(rows, vector)
    best = sum(shard.lexical.idf(token) for token in question.tokens)
    known = np.where(asked[rows] > 0, asked[rows], dense)
    words = (lexical[rows] / max(best, 1e-9)).astype(np.float64)
    return Candidates(shard, question, rows, dense.astype(np.float64), words, known.astype(np.float64))


class Coverage:
    """Which parts of a question stand in which rows of a shard, weighted by idf."""

    def __init__(self, shard: Shard, question: Question) -> None:
        lexical = shard.lexical
        self._shard = shard
        tokens = {*("c:" + name for name in question.concepts), *question.plain}
        self.units = {token: lexical.idf(token) for token in sorted(tokens)}
        self.entities = {token: weight for token, weight in self.units.items() if token[2:] in question.entities}
        passing = len(question.unknown) - len(question.strange)
        self._lost = (len(question.strange) + PASSING * max(passing, 0)) * lexical.idf("\0")
        self.unknown_share = self._lost / max(self._lost + sum(self.units.values()), 1e-9)

    def share(self, units: dict[str, float]) -> NDArray[np.float64]:
        """Weighted share of `units` and the unknown words in each row, `(rows,)`; 1 for a question with neither."""
        total = np.zeros(len(self._shard.passages))
        if not units and not self._lost:
            return total + 1.0
        for token, weight in units.items():
            total += weight * self._shard.presence(token)
        return total / (sum(units.values()) + self._lost)

    def focus(self, entities: Collection[str]) -> NDArray[np.float64]:
        """Share of `entities` in each row's heading."""
        total = np.zeros(len(self._shard.passages))
        for name in entities:
            total[list(self._shard.headings.get(name, ()))] += 1.0
        return total / max(len(entities), 1)
