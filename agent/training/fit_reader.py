"""Fit the reader: one logistic regression per label, calibrated and given thresholds on the messages of authors it was not fitted on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from agent.reading.features import VECTOR, WIDTH, row, sentence_vectors
from agent.reading.reader import LABELS, NONE, TOOLS, Weights
from agent.training.joining import joined
from agent.training.logistic import Design, fit_labels
from agent.training.utterances import TOOL_COLUMNS, Utterance

# Weight of the data against the penalty; of 2, 4 and 8 the best across authors (within a thousandth).
PENALTY = 2.0
FOLDS = 5
ALSO_REASONABLE = 0.5
# Thresholds stay near the middle: what gains a row of these authors by leaving it loses as many of the next ones.
_GRID = np.arange(0.3, 0.61, 0.05)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Fitted:
    """The fitted reader and how it does on authors that it had not seen.

    Attributes:
        weights: What ships.
        unseen: Figures across authors.
    """

    weights: Weights
    unseen: dict[str, float]


@dataclass(frozen=True)
class Table:
    """Features and labels of all utterances.

    Attributes:
        x: `(rows, WIDTH)`.
        y: `(rows, labels)` bool.
        weight: `(rows, labels)`: a tool that would also be reasonable is half a no.
        alt: `(rows, tools)`: those tools.
        fold: Fold of each row; an author is in one fold only.
    """

    x: Design
    y: NDArray[np.bool_]
    weight: NDArray[np.float32]
    alt: NDArray[np.bool_]
    fold: NDArray[np.int64]


def table(rows: Sequence[Utterance]) -> Table:
    """Features and labels of `rows`."""
    texts = sorted({t for r in rows for t in (r.q, r.before or "") if t})
    vectors = dict(zip(texts, sentence_vectors(texts), strict=True))
    made = [row(r.message, vectors[r.q], vectors[r.before] if r.before else None) for r in rows]
    ends = np.cumsum([0, *(len(m.index) for m in made)])
    values, columns = np.concatenate([m.value for m in made]), np.concatenate([m.index for m in made])
    every = sparse.csr_matrix((values, columns, ends), shape=(len(rows), WIDTH))
    x = Design(every[:, : 2 * VECTOR].toarray(), every[:, 2 * VECTOR :].tocsr())
    y = np.zeros((len(rows), len(LABELS)), bool)
    alt, weight = np.zeros((len(rows), len(TOOLS)), bool), np.ones(y.shape, np.float32)
    for i, r in enumerate(rows):
        for tool in r.tools:
            y[i, TOOL_COLUMNS[tool]] = True
        for tool in set(r.alt) - set(r.tools):
            alt[i, TOOL_COLUMNS[tool]] = True
            weight[i, TOOL_COLUMNS[tool]] = ALSO_REASONABLE
        y[i, LABELS.index(NONE)] = not r.tools
        y[i, LABELS.index(f"kind:{r.kind}")] = True
        weight[i, len(TOOLS) + 1 :] = 0.0 if r.joined else 1.0
    return Table(x, y, weight, alt, _folds([r.author for r in rows]))


def _folds(authors: Sequence[str]) -> NDArray[np.int64]:
    """Authors dealt to folds, the largest first to the emptiest fold."""
    size = {a: authors.count(a) for a in dict.fromkeys(authors)}
    load = [0] * min(FOLDS, len(size))
    place: dict[str, int] = {}
    for author in sorted(size, key=lambda a: (-size[a], a)):
        place[author] = load.index(min(load))
        load[place[author]] += size[author]
    return np.array([place[a] for a in authors])


def fit(rows: Sequence[Utterance], progress: Progress | None = None) -> Fitted:
    """Fit, calibrate and give thresholds; messages joined out of two or three teach that one can ask for several things."""
    whole = table([*rows, *joined(rows)])
    real = np.arange(len(whole.y)) < len(rows)
    data = Table(whole.x.of(real), whole.y[real], whole.weight[real], whole.alt[real], whole.fold[real])
    folds = sorted(set(data.fold.tolist()))
    scores = np.zeros(data.y.shape, np.float32)
    for done, fold in enumerate(folds):
        outside, inside = data.fold == fold, whole.fold != fold
        coef, bias = fit_labels(whole.x.of(inside), whole.y[inside], whole.weight[inside], PENALTY)
        scores[outside] = data.x.of(outside).score(coef, bias)
        if progress is not None:
            progress(done + 1, len(folds) + 1)
    coef, bias = fit_labels(whole.x, whole.y, whole.weight, PENALTY)
    slope, shift = _calibration(scores, data)
    p = 1.0 / (1.0 + np.exp(-(slope * scores + shift)))
    case = np.array([r.case for r in rows])
    limits = np.stack([_limits(p, data, use) for use in (case, ~case)])
    weights = Weights(coef, bias, slope, shift, limits)
    return Fitted(weights, _figures(p, data, case))


def _calibration(scores: NDArray[np.float32], data: Table) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and shift per label that turn scores on unseen authors into probabilities (Platt)."""
    from sklearn.linear_model import LogisticRegression

    slope, shift = np.ones(len(LABELS), np.float32), np.zeros(len(LABELS), np.float32)
    for j in range(len(LABELS)):
        target = data.y[:, j]
        if 0 < target.sum() < len(target):
            model = LogisticRegression(C=1e3).fit(scores[:, j : j + 1], target, sample_weight=data.weight[:, j])
            slope[j], shift[j] = model.coef_[0, 0], model.intercept_[0]
    return slope, shift


def _decided(p: NDArray[np.float32], limits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """`reader.chosen` for many rows of probabilities at once: `(rows, tools)`."""
    tools, none = p[:, : len(TOOLS)], p[:, LABELS.index(NONE)]
    best = tools.max(axis=1)
    above: NDArray[np.bool_] = tools >= limits[:-1]
    likeliest = np.zeros_like(above)
    likeliest[np.arange(len(p)), tools.argmax(axis=1)] = best > none
    picked = np.where(np.any(above, axis=1, keepdims=True), above, likeliest)
    picked[(none >= limits[-1]) & (none > best)] = False
    return picked


def _counts(picked: NDArray[np.bool_], must: NDArray[np.bool_], alt: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Hits, extras, misses and exact rows; a reasonable tool may stand for a missing one."""
    missing = (must & ~picked).sum(axis=1)
    extra = (picked & ~must & ~alt).sum(axis=1)
    satisfied = missing <= (picked & alt).sum(axis=1)
    hits = np.where(satisfied, must.sum(axis=1), (must & picked).sum(axis=1))
    exact = satisfied & (extra == 0)
    return float(hits.sum()), float(extra.sum()), float(missing[~satisfied].sum()), float(exact.sum())


def _limits(p: NDArray[np.float32], data: Table, use: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Thresholds by coordinate ascent on unseen authors' messages; a threshold leaves the middle only for a gain."""
    limits = np.full(len(TOOLS) + 1, 0.45, np.float32)
    if not use.any():
        return limits
    told, must, alt = p[use], data.y[use][:, : len(TOOLS)], data.alt[use]

    def value(candidate: NDArray[np.float32]) -> float:
        hits, extra, missed, exact = _counts(_decided(told, candidate), must, alt)
        return 2 * hits / max(2 * hits + extra + missed, 1) + exact / len(told) - 0.02 * float(np.abs(candidate - 0.45).mean())

    best = value(limits)
    for _ in range(2):
        for j in range(len(limits)):
            for level in _GRID:
                tried = limits.copy()
                tried[j] = level
                if (new := value(tried)) > best + 1e-9:
                    best, limits = new, tried
    return limits


def _figures(p: NDArray[np.float32], data: Table, case: NDArray[np.bool_]) -> dict[str, float]:
    """Set-F1 and exactness on unseen authors, the thresholds fitted on the other folds; and how often the likeliest kind is the kind."""
    first = len(TOOLS) + 1
    out = {"kind_accuracy": float((p[:, first:].argmax(axis=1) == data.y[:, first:].argmax(axis=1)).mean())}
    for name, open_case in (("case", case), ("no_case", ~case)):
        total = np.zeros(4)
        for fold in np.unique(data.fold):
            mine = (data.fold == fold) & open_case
            limits = _limits(p, data, (data.fold != fold) & open_case)
            total += _counts(_decided(p[mine], limits), data.y[mine][:, : len(TOOLS)], data.alt[mine])
        hits, extra, missed, exact = total
        out[f"set_f1_{name}"] = 2 * hits / max(2 * hits + extra + missed, 1)
        out[f"exact_{name}"] = exact / max(float(open_case.sum()), 1)
    return {k: round(float(v), 4) for k, v in out.items()}
