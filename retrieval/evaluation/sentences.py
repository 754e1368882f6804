"""Fits the sentence selector on `data/asks`: which sentences of a passage answer a question that was written for it."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import normalise
from retrieval.evaluation.rankers import FOLDS, interval
from retrieval.guidelines.passages import Passage
from retrieval.guidelines.sentences import split_sentences
from retrieval.index.selector import FEATURES, MODEL, Selector, features, tokens_of

_PENALTY = 1e-3
_SPACE = re.compile(r"\s|[。.;；]")


@dataclass(frozen=True)
class Labelled:
    """The sentences of a question's own passage with their features, and which of them answer it."""

    passage: str
    language: str
    x: NDArray[np.float64]
    answers: NDArray[np.bool_]

    @property
    def fold(self) -> int:
        """Fold of the passage: all its questions together."""
        return hashlib.sha256(self.passage.encode()).digest()[0] % FOLDS


def idf_of(passages: Sequence[Passage]) -> dict[str, float]:
    """Inverse document frequency of every token that stands in more than one passage; a rarer one weighs as much as the rarest."""
    found = Counter(t for p in passages for t in tokens_of(normalise(p.text)) | tokens_of(normalise(p.text_zh)))
    return {t: math.log(1 + (len(passages) - n + 0.5) / (n + 0.5)) for t, n in found.items() if n > 1}


def labelled(asks: Sequence[Mapping[str, object]], passages: Sequence[Passage], idf: Mapping[str, float]) -> Iterator[Labelled]:
    """Rows of `asks` on passages of several sentences, of which some but not all answer: a passage of one teaches nothing."""
    by_id = {p.id: p for p in passages}
    for ask in asks:
        passage = by_id.get(str(ask["id"]))
        if passage is None:
            continue
        sentences = split_sentences(passage.text_zh if ask["lang"] == "zh" else passage.text)
        marked = [_SPACE.sub("", str(a)) for a in ask["answers"]]  # type: ignore[attr-defined]
        flat = [_SPACE.sub("", s) for s in sentences]
        answers = np.asarray([any(m in s or s in m for m in marked) for s in flat])
        if answers.any() and not answers.all():
            yield Labelled(passage.id, str(ask["lang"]), features(str(ask["q"]), sentences, idf), answers)


def fit_selector(rows: Sequence[Labelled], idf: Mapping[str, float]) -> Selector:
    """A conditional logistic model over standardised features, calibrated: one of the sentences of its passage answers."""
    from sklearn.linear_model import LogisticRegression

    x, y = np.concatenate([r.x for r in rows]), np.concatenate([r.answers for r in rows])
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    weights = _conditional((x - mean) / scale, y.astype(np.float64), np.asarray([len(r.answers) for r in rows]))
    calibrated = LogisticRegression(C=1e6, max_iter=1000).fit(((x - mean) / scale @ weights)[:, None], y)
    slope = float(calibrated.coef_[0, 0])
    return Selector(mean, scale, weights * slope, float(calibrated.intercept_[0]), idf)


def _conditional(x: NDArray[np.float64], y: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights that make the answering sentences of each passage the most likely; a slight penalty keeps them small."""
    from scipy.optimize import minimize

    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    group = np.repeat(np.arange(len(sizes)), sizes)

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = x @ w
        odds = np.exp(z - np.maximum.reduceat(z, starts)[group])
        p = odds / np.add.reduceat(odds, starts)[group]
        right = np.maximum(np.add.reduceat(y * p, starts), 1e-12)
        value = -float(np.log(right).sum()) / len(sizes) + _PENALTY * float(w @ w)
        slope: NDArray[np.float64] = x.T @ (p - y * p / right[group]) / len(sizes) + 2 * _PENALTY * w
        return value, slope

    found: NDArray[np.float64] = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def first_right(rows: Sequence[Labelled]) -> dict[str, tuple[float, float, float, int]]:
    """How often the best sentence answers, by language, cross-validated over passages; and for the passage's first sentence instead."""
    fitted = {k: fit_selector([r for r in rows if r.fold != k], {}) for k in {r.fold for r in rows}}
    found: dict[str, list[float]] = {}
    for r in rows:
        model = fitted[r.fold]
        best = int(np.argmax((r.x - model.mean) / model.scale @ model.weights))
        found.setdefault(f"sentences_{r.language}/selector/first_right", []).append(float(r.answers[best]))
        found.setdefault(f"sentences_{r.language}/first_of_passage/first_right", []).append(float(r.answers[0]))
    return {name: interval(values) for name, values in found.items()}


def save(model: Selector, rows: Sequence[Labelled]) -> None:
    """Write the fitted file with its card."""
    columns = zip(FEATURES, model.mean, model.scale, model.weights, strict=True)
    figures = {name: round(value, 3) for name, (value, *_) in first_right(rows).items()}
    data = {
        "card": f"sentence selector; {len(rows)} questions of data/asks on {len({r.passage for r in rows})} passages; "
        "conditional logistic regression, calibrated",
        "cross_validated": figures,
        "features": {name: [round(float(v), 4) for v in values] for name, *values in columns},
        "bias": round(model.bias, 4),
        "idf": {token: round(value, 2) for token, value in sorted(model.idf.items())},
    }
    MODEL.write_text(json.dumps(data, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
