"""Figures with confidence intervals: one seeded bootstrap over studies, shared by every part, so that differences are paired."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Array = NDArray[np.float64]
_LOW, _HIGH = 2.5, 97.5


class Figure(BaseModel):
    """A figure with its 95 % percentile interval; `n` studies entered it. Without an interval low and high are None."""

    model_config = ConfigDict(frozen=True)

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


class PartResult(BaseModel):
    """What one part measured.

    Attributes:
        name: Name of the part.
        figures: `what/measure` to its figure.
        notes: What was left out and why, and how figures are to be read.
        cases: Case-by-case rows, where a part has them.
    """

    name: str
    figures: dict[str, Figure] = {}
    notes: list[str] = []
    cases: list[dict[str, str | float | bool | None]] = []

    def value(self, name: str) -> float:
        """Value of one figure; NaN where it could not be computed."""
        found = self.figures[name].value
        return float("nan") if found is None else found


class Resampler:
    """Weights `(1 + times, N)` of studies: all once, then how often each bootstrap sample drew them."""

    def __init__(self, count: int, seed: int = 0, times: int = 500) -> None:
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), times) if count else np.zeros((times, 0))
        self.count = count
        self.weights: Array = np.concatenate([np.ones((1, count)), drawn]).astype(np.float64)

    def mean(self, values: Array) -> Array:
        """Mean of one value per study; NaN values are left out."""
        return self.ratio(values, np.ones(self.count))

    def ratio(self, over: Array, under: Array) -> Array:
        """Sum of `over` over sum of `under`; studies where either is NaN are left out."""
        known = ~(np.isnan(over) | np.isnan(under))
        total = self.weights[:, known] @ under[known]
        with np.errstate(invalid="ignore", divide="ignore"):
            out: Array = (self.weights[:, known] @ over[known]) / total
        return out

    def auc(self, scores: Array, target: Array) -> Array:
        """Area under the ROC curve of each sample; NaN where a sample lacks a class. NaN targets are left out; ties count half."""
        known = ~np.isnan(target)
        return weighted_auc(scores[known], target[known], self.weights[:, known])

    def average_precision(self, scores: Array, target: Array) -> Array:
        """Area under the precision-recall curve as average precision; NaN targets are left out."""
        known = ~np.isnan(target)
        order = np.argsort(-scores[known], kind="stable")
        truth, weights = target[known][order], self.weights[:, known][:, order]
        hits = np.cumsum(weights * truth, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = hits / np.cumsum(weights, 1)
            out: Array = np.nansum(precision * weights * truth, 1) / hits[:, -1]
        return out


def weighted_auc(scores: Array, target: Array, weights: Array) -> Array:
    """AUC of weighted studies, `(N,)`, `(N,)` 0 or 1, `(T, N)` to `(T,)`."""
    if not len(scores):
        return np.full(len(weights), np.nan)
    order = np.argsort(scores, kind="stable")
    ordered, truth, weights = scores[order], target[order], weights[:, order]
    starts = np.flatnonzero(np.r_[True, np.diff(ordered) > 0])
    positive = np.add.reduceat(weights * truth, starts, 1)
    negative = np.add.reduceat(weights * (1 - truth), starts, 1)
    below = np.cumsum(negative, 1) - negative
    wins = (positive * (below + negative / 2)).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Array = wins / (positive.sum(1) * negative.sum(1))
    return out


def figure(samples: Array, count: int) -> Figure:
    """The first sample is the value, the others make the interval."""
    value, rest = float(samples[0]), samples[1:][np.isfinite(samples[1:])]
    if not np.isfinite(value):
        return Figure(value=None, n=count)
    if len(rest) < 20:
        return Figure(value=round(value, 4), n=count)
    low, high = np.percentile(rest, [_LOW, _HIGH])
    return Figure(value=round(value, 4), low=round(float(low), 4), high=round(float(high), 4), n=count)


def average(samples: Mapping[str, Array]) -> Array:
    """Mean over names of each sample; what is NaN in the whole set is left out everywhere."""
    usable = [s for s in samples.values() if np.isfinite(s[0])]
    if not usable:
        return np.array([np.nan])
    stacked = np.stack(usable)
    known = np.isfinite(stacked)
    with np.errstate(invalid="ignore"):
        out: Array = np.where(known, stacked, 0.0).sum(0) / known.sum(0)
    return out


def known_count(target: Array) -> int:
    """Studies with a known target."""
    return int((~np.isnan(target)).sum())
