"""Figures with their uncertainty, as every `eval` command reports them."""

import math
import random
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

# Two-sided 95 % interval.
_Z = 1.96
_DRAWS = 2000
_SEED = 20261122

Interval = Literal["normal", "wilson", "cluster_bootstrap"]


class Figure(BaseModel):
    """A figure with its 95 % interval over `n` cases.

    `interval` says how it was made. `normal`: mean of one value per case. `wilson`: proportion of independent cases (E. B. Wilson,
    J Am Stat Assoc 1927;22:209-212). `cluster_bootstrap`: proportion of sentences, whose questions were drawn anew 2000 times with all
    their sentences, because sentences of one answer go wrong together; where no sentence fails (or every one) that interval has no
    width, and `wilson` over the questions is given in its place.
    """

    value: float
    low: float
    high: float
    n: int
    interval: Interval = "normal"


def mean(values: Sequence[float]) -> Figure:
    """A mean with its normal interval."""
    n = len(values)
    if n == 0:
        return Figure(value=0.0, low=0.0, high=0.0, n=0)
    mean = sum(values) / n
    half = _Z * math.sqrt(sum((v - mean) ** 2 for v in values) / max(n - 1, 1) / n)
    return Figure(value=round(mean, 4), low=round(mean - half, 4), high=round(mean + half, 4), n=n)


def share(hits: Sequence[bool]) -> Figure:
    """A proportion of independent cases with its Wilson interval."""
    return _wilson(sum(hits), len(hits), len(hits))


def share_in_clusters(parts: Sequence[tuple[int, int]]) -> Figure:
    """A proportion of members that come in clusters.

    Args:
        parts: Hits and members of each cluster; empty clusters say nothing and are left out.
    """
    filled = [(a, b) for a, b in parts if b]
    hits, n = sum(a for a, _ in filled), sum(b for _, b in filled)
    if hits in (0, n):
        return _wilson(len(filled) if hits else 0, len(filled), n)
    draw = random.Random(_SEED)
    drawn = sorted(_ratio(draw.choices(filled, k=len(filled))) for _ in range(_DRAWS))
    low, high = drawn[round(0.025 * (_DRAWS - 1))], drawn[round(0.975 * (_DRAWS - 1))]
    return Figure(value=round(hits / n, 4), low=round(low, 4), high=round(high, 4), n=n, interval="cluster_bootstrap")


def _ratio(parts: Sequence[tuple[int, int]]) -> float:
    return sum(a for a, _ in parts) / sum(b for _, b in parts)


def _wilson(hits: int, of: int, n: int) -> Figure:
    """Interval of `hits` in `of`, reported over `n` members."""
    if of == 0:
        return Figure(value=0.0, low=0.0, high=0.0, n=0, interval="wilson")
    p, z2 = hits / of, _Z**2
    centre, half = (p + z2 / (2 * of)) / (1 + z2 / of), _Z * math.sqrt(p * (1 - p) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    low, high = round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4)
    return Figure(value=round(p, 4), low=low, high=high, n=n, interval="wilson")
