"""Heights of vertebral bodies: discs found along the straight spine, endplates fitted in front, middle and back."""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from medmpt_backend.imaging.asked.spine import ACROSS_MM, ALONG_MM, ASIDE_MM, Column

Floats = NDArray[np.float64]
Three = tuple[float, float, float]

LOW_HU, HIGH_HU = -50.0, 350.0
# Planes of discs against the canal: mm per mm, to the front and to the side.
LEAN, TILT = tuple(np.linspace(-0.4, 0.4, 9)), tuple(np.linspace(-0.32, 0.32, 5))
# From a disc to the next one, mm.
NEXT_MM = (9.0, 42.0)
# Lines of the column that lie inside every body, mm from the canal's middle to the front and to the side.
INSIDE_MM, BESIDE_MM = (9.0, 25.0), 9.0
PIVOT_MM = 20.0
# A disc is measured against the clearest within this distance, and against this share of the clear ones of the spine; what is
# below the last figure counts against it.
AROUND_MM, FAINT, GAIN_FROM = 20.0, 0.25, 0.5
# What an unusual distance costs: per squared 3 mm, and at most.
COST, COST_LIMIT = 0.05, 8.0


@dataclass(frozen=True)
class Disc:
    """One disc: its middle in steps of the column, its lean to the front and tilt to the side, and how clear it is."""

    step: float
    lean: float
    tilt: float
    clear: float


def discs(found: Column) -> list[Disc]:
    """Discs from the head downwards.

    Args:
        found: The straight spine.
    """
    score, lean, tilt = _planes(found)
    edge = WINDOW_MM / ALONG_MM  # nearer to an end the endplates are not seen on both sides
    chain = [k for k in _chain(score) if edge <= k <= len(score) - edge]
    return [Disc(float(k), float(lean[k]), float(tilt[k]), float(score[k])) for k in chain]


def _planes(found: Column) -> tuple[Floats, Floats, Floats]:
    """For every step the best plane through it: how much it looks like a disc, its lean and its tilt."""
    ahead = np.arange(INSIDE_MM[0], INSIDE_MM[1] + 0.1, 3.0)
    side = np.arange(-BESIDE_MM, BESIDE_MM + 0.1, 3.0)
    lines = found.hu[:, np.rint(ahead / ACROSS_MM).astype(int)][:, :, np.rint((side + ASIDE_MM) / ACROSS_MM).astype(int)]
    look = _look(np.clip(ndimage.uniform_filter(lines, (1, 1, 1)), LOW_HU, HIGH_HU).astype(np.float64))
    steps = np.arange(len(look), dtype=np.float64)
    every = []
    for a in LEAN:
        for b in TILT:
            shift = (a * (ahead - PIVOT_MM)[:, None] + b * side[None]) / ALONG_MM
            at = [np.interp(steps + shift[i, j], steps, look[:, i, j]) for i in range(len(ahead)) for j in range(len(side))]
            every.append(np.mean(at, axis=0) - 8 * (a * a + b * b))
    best = np.argmax(every, axis=0)
    score: Floats = np.array(every)[best, np.arange(len(look))]
    return score, np.array(LEAN)[best // len(TILT)], np.array(TILT)[best % len(TILT)]


def _look(x: Floats) -> Floats:
    """Dark between two bright plates, and a bright band in less bright bone."""

    def box(mm: float) -> Floats:
        out: Floats = ndimage.uniform_filter1d(x, max(1, 2 * round(mm / 2 / ALONG_MM) + 1), axis=0, mode="nearest")
        return out

    def moved(values: Floats, mm: float) -> Floats:
        k = round(mm / ALONG_MM)
        return np.take(values, np.clip(np.arange(len(values)) + k, 0, len(values) - 1), axis=0)

    small, wide = box(1.5), box(4.5)
    dark = np.minimum(moved(small, -3.75), moved(small, 3.75)) - small
    band = box(9.0) - 0.5 * (moved(wide, -9.0) + moved(wide, 9.0))
    return dark + band


def _chain(score: Floats) -> list[int]:
    """The discs whose scores and distances fit best."""
    near = 2 * round(AROUND_MM / ALONG_MM) + 1
    usual = ndimage.gaussian_filter1d(ndimage.maximum_filter1d(score, near, mode="nearest"), near / 4, mode="nearest")
    gain = score / np.maximum(usual, FAINT * float(np.percentile(score, 95))) - GAIN_FROM
    best: tuple[float, list[int]] = (-np.inf, [])
    for scale in np.arange(0.8, 1.3, 0.05):
        best = max(best, _fitted(gain, scale), key=lambda pair: pair[0])
    return best[1]


def _fitted(gain: Floats, scale: float) -> tuple[float, list[int]]:
    """The best chain at this size of person: distances grow downwards, a squeezed body costs no more than a limit."""
    count = len(gain)
    total, before = gain.copy(), np.full(count, -1)
    low, high = round(NEXT_MM[0] / ALONG_MM), round(NEXT_MM[1] / ALONG_MM)
    from_end = (count - np.arange(count)) * ALONG_MM
    for k in range(low, count):
        earlier = np.arange(max(0, k - high), k - low + 1)
        expected = scale * (28.0 - 0.03 * from_end[k])
        miss = ((k - earlier) * ALONG_MM - expected) / 3.0
        value = total[earlier] - COST * np.minimum(miss**2, COST_LIMIT)
        pick = int(np.argmax(value))
        if value[pick] > 0:
            total[k], before[k] = gain[k] + value[pick], earlier[pick]
    at = int(np.argmax(total))
    out = [at]
    while before[out[-1]] >= 0:
        out.append(int(before[out[-1]]))
    return float(total[at]), out[::-1]


# Endplates around the middle of a disc, mm: how far apart, how far from the middle, how blurred, what is looked at, steps.
APART_MM, REACH_MM, BLUR_MM, WINDOW_MM, FINE_MM = (2.0, 13.0), 8.0, 1.4, 12.0, 0.5
# Thickness of discs of the thorax (Genant's readers see 3 to 7 mm), and how strongly a fit is held to it.
DISC_MM, HELD = 4.5, 0.004
# Spurs at the front of a disc and dense edges are brighter than bone within; lines through them count less.
SPUR_HU = 25.0
# Parts of a body's depth from its back to its front.
PARTS = ((0.06, 0.30), (0.36, 0.64), (0.70, 0.94))
# Thirds of its width that are measured apart, mm to the side.
STRIPS = ((-9.0, -4.0), (-3.0, 3.0), (4.0, 9.0))


@dataclass(frozen=True, eq=False)
class Body:
    """One vertebral body between two discs.

    Attributes:
        step: Its middle in steps of the column.
        back_mm: Its back from the canal's middle.
        front_mm: Its front.
        heights: mm: back, middle, front.
        top: Steps of its upper endplate: back, middle, front.
        bottom: Of its lower one.
    """

    step: float
    back_mm: float
    front_mm: float
    heights: Three
    top: Three
    bottom: Three


def bodies(found: Column, plates: list[Disc]) -> list[Body]:
    """Bodies between neighbouring discs, from the head downwards.

    Args:
        found: The straight spine.
        plates: Its discs.
    """
    if len(plates) < 2:
        return []
    x = np.clip(found.hu, LOW_HU, HIGH_HU).astype(np.float64)
    edges = [_depth(x, (upper.step + lower.step) / 2) for upper, lower in itertools.pairwise(plates)]
    fronts = ndimage.median_filter([front for _, front in edges], 3, mode="nearest")
    backs = ndimage.median_filter([back for back, _ in edges], 3, mode="nearest")
    out = []
    for k, (back, front) in enumerate(zip(backs, fronts, strict=True)):
        top = _three([_plate(x, plates[k], back, front, part)[1] for part in PARTS])
        bottom = _three([_plate(x, plates[k + 1], back, front, part)[0] for part in PARTS])
        heights = _three([(low - high) * ALONG_MM for high, low in zip(top, bottom, strict=True)])
        middle = (plates[k].step + plates[k + 1].step) / 2
        out.append(Body(middle, float(back), float(front), heights, top, bottom))
    return out


def _three(values: list[float]) -> Three:
    """Back, middle and front."""
    back, middle, front = values
    return float(back), float(middle), float(front)


def _depth(x: Floats, step: float) -> tuple[float, float]:
    """Back and front of a body in its middle, mm from the canal's middle."""
    half, side = round(4 / ALONG_MM), round(6 / ACROSS_MM)
    k, middle = round(step), x.shape[2] // 2
    line = x[max(0, k - half) : k + half + 1, :, middle - side : middle + side + 1].mean(axis=(0, 2))
    slope = np.gradient(ndimage.gaussian_filter1d(line, 1.0))
    back = 4 + int(np.argmax(slope[4:14]))
    ahead = slice(back + 14, len(line) - 2)
    front = back + 14 + int(np.argmin(slope[ahead]))
    return back * ACROSS_MM, front * ACROSS_MM


def _plate(x: Floats, disc: Disc, back: float, front: float, part: tuple[float, float]) -> tuple[float, float]:
    """Steps of both endplates at a disc in one part of its depth: the medians of three strips."""
    depth = front - back
    ahead = np.arange(back + part[0] * depth, back + part[1] * depth, ACROSS_MM)
    half, near = round(WINDOW_MM / ALONG_MM), round(BESIDE_MM / ACROSS_MM)
    k, side = round(disc.step), round(ASIDE_MM / ACROSS_MM)
    around = x[max(0, k - half) : k + half + 1, int(back + 0.15 * depth) : int(back + 0.6 * depth), side - near : side + near + 1]
    bright = float(np.median(around.mean(axis=0)))
    found = [_pair(x, disc, ahead, np.arange(*strip), bright) for strip in STRIPS]
    middle = float(np.mean(ahead)) - PIVOT_MM
    shift = disc.step + disc.lean * middle / ALONG_MM
    upper, lower = np.median(found, axis=0)
    return shift + upper / ALONG_MM, shift + lower / ALONG_MM


def _pair(x: Floats, disc: Disc, ahead: Floats, side: Floats, bright: float) -> tuple[float, float]:
    """Upper and lower endplate beside the disc's plane in one strip, mm."""
    rel = np.arange(-WINDOW_MM, WINDOW_MM + 0.01, FINE_MM)
    a, s = np.meshgrid(ahead, side, indexing="ij")
    shift = disc.step + (disc.lean * (a - PIVOT_MM) + disc.tilt * s) / ALONG_MM
    at = np.broadcast_arrays(shift[None] + rel[:, None, None] / ALONG_MM, a[None] / ACROSS_MM, (s[None] + ASIDE_MM) / ACROSS_MM)
    lines = ndimage.map_coordinates(x, at, order=1, mode="nearest").reshape(len(rel), -1)
    weight = np.exp(-np.maximum(0, lines.mean(axis=0) - bright) / SPUR_HU) + 1e-3
    line = lines @ (weight / weight.sum())
    pairs, clear, design = _designs()
    kept = np.einsum("pij,j->pi", clear, line)
    left = np.mean((line - np.einsum("pji,pi->pj", design, kept)) ** 2, axis=1) / np.var(line)
    left[kept[:, 2] < 0] = np.inf  # endplates are brighter than bone
    cost = left + HELD * (pairs[:, 1] - pairs[:, 0] - DISC_MM) ** 2
    best = pairs[int(np.argmin(cost))]
    return float(best[0]), float(best[1])


@cache
def _designs() -> tuple[Floats, Floats, Floats]:
    """All pairs of endplates, and for each the least-squares solution and the shapes: bone above, bone below, endplates, disc."""
    rel = np.arange(-WINDOW_MM, WINDOW_MM + 0.01, FINE_MM)
    grid = np.arange(-REACH_MM, REACH_MM + 0.01, FINE_MM)
    pairs = np.array([(u, v) for u in grid for v in grid if APART_MM[0] <= v - u <= APART_MM[1]])
    out, shapes = [], []
    for u, v in pairs:
        above, below = erf_step((u - rel) / BLUR_MM), erf_step((rel - v) / BLUR_MM)
        ridge = np.exp(-(((rel - u) / BLUR_MM) ** 2) / 2) + np.exp(-(((rel - v) / BLUR_MM) ** 2) / 2)
        shape = np.column_stack([above, below, ridge, 1 - above - below])
        shapes.append(shape)
        out.append(np.linalg.pinv(shape))
    return pairs, np.array(out), np.array(shapes)


def erf_step(x: Floats) -> Floats:
    """A blurred step from 0 to 1."""
    out: Floats = 0.5 * (1 + special.erf(x / np.sqrt(2)))
    return out
