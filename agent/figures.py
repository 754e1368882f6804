"""Figures with their uncertainty, as every `eval` command reports them."""

import math
from collections.abc import Sequence

from pydantic import BaseModel

# Two-sided 95 % interval.
_Z = 1.96


class Figure(BaseModel):
    """A figure with its 95 % interval over `n` cases."""

    value: float
    low: float
    high: float
    n: int


def mean(values: Sequence[float]) -> Figure:
    """A mean with its normal interval."""
    n = len(values)
    if n == 0:
        return Figure(value=0.0, low=0.0, high=0.0, n=0)
    mean = sum(values) / n
    half = _Z * math.sqrt(sum((v - mean) ** 2 for v in values) / max(n - 1, 1) / n)
    return Figure(value=round(mean, 4), low=round(mean - half, 4), high=round(mean + half, 4), n=n)


def share(parts: Sequence[tuple[int, int]]) -> Figure:
    """A proportion with its Wilson interval."""
    hits, n = sum(a for a, _ in parts), sum(b for _, b in parts)
    if n == 0:
        return Figure(value=0.0, low=0.0, high=0.0, n=0)
    p, z2 = hits / n, _Z**2
    centre, half = (p + z2 / (2 * n)) / (1 + z2 / n), _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Figure(value=round(p, 4), low=round(max(0.0, centre - half), 4), high=round(min(1.0, centre + half), 4), n=n)
