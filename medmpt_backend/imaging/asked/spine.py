"""The spine as a straight column: the canal followed from slice to slice, and the bodies before it sampled along the canal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Grid, ball
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.volume import Volume

Floats = NDArray[np.float64]

BONE_HU = 150
# The canal: soft tissue of this radius, bone around it, and a body before it whose middle lies so far in front.
CANAL_MM, RING_MM, BODY_MM, BEFORE_MM = 5.0, 13.0, 9.0, 22.0
SOFT_HU = (-10.0, 90.0)
# How far the canal may move per mm of height, and how strongly it is held straight.
STEP, SMOOTH_MM = 1.2, 14.0
# What is shorter shows no row of bodies.
SHORT_MM = 60.0
# The straight column: mm along it, from the canal's middle to the front, and to both sides.
ALONG_MM, FRONT_MM, ASIDE_MM = 0.75, 48.0, 15.0
ACROSS_MM = 1.0


@dataclass(frozen=True, eq=False)
class Column:
    """The spine made straight.

    Attributes:
        hu: `(along, front, aside)`: steps of `ALONG_MM` from the head, of `ACROSS_MM` from the canal's middle to the front,
            and from the patient's right to left.
        line: Middle of the canal at every step, mm `(z, y, x)`.
        front: Unit vectors from the canal to the front, mm `(z, y, x)`.
        aside: Unit vectors to the patient's left.
    """

    hu: NDArray[np.float32]
    line: Floats
    front: Floats
    aside: Floats

    def at(self, step: float, front_mm: float, aside_mm: float = 0.0) -> Floats:
        """A place of the column in mm of the volume `(z, y, x)`."""
        k = int(np.clip(round(step), 0, len(self.line) - 1))
        place: Floats = self.line[k] + front_mm * self.front[k] + aside_mm * self.aside[k]
        return place


def column(volume: Volume, lungs: Lungs) -> Column | None:
    """The straight column of a chest.

    Args:
        volume: Full resolution.
        lungs: Its lungs.

    Returns:
        None where no canal was followed through most of the slices.
    """
    path = _canal(lungs)
    if path is None or len(path) * lungs.grid.spacing[0] < SHORT_MM:
        return None
    spacing = np.array(lungs.grid.spacing)
    # middles of the grid's voxels in mm, from the middle of the first voxel of the volume
    line = (path + 0.5) * spacing - 0.5 * np.array(volume.spacing)
    line = _even(ndimage.gaussian_filter1d(line, SMOOTH_MM / spacing[0], axis=0, mode="nearest"))
    along = _unit(np.gradient(line, axis=0))
    ahead = _unit(np.array([0.0, -1.0, 0.0]) + along * along[:, 1:2])
    aside = np.cross(along, ahead)
    turn = _turn(volume, line, ahead, aside)[:, None]
    front = np.cos(turn) * ahead + np.sin(turn) * aside
    aside = np.cos(turn) * aside - np.sin(turn) * ahead
    return Column(_sampled(volume, line, front, aside), line, front, aside)


def _canal(lungs: Lungs) -> Floats | None:
    """Middle of the canal in every slice of the grid, `(z, y, x)` in its voxels: the best chain of places that look like one."""
    grid, labels = lungs.grid, lungs.labels
    spans = np.flatnonzero((labels > 0).any(axis=(1, 2)))
    shadow: NDArray[np.bool_] = np.asarray((labels > 0).any(axis=0))
    rows, columns = np.flatnonzero(shadow.any(axis=1)), np.flatnonzero(shadow.any(axis=0))
    top, bottom = (int(rows[0]) + int(rows[-1])) // 2, min(grid.hu.shape[1], int(rows[-1]) + round(40 / grid.spacing[1]))
    middle, half = int(columns[0] + columns[-1]) // 2, round(45 / grid.spacing[2])
    left = max(0, middle - half)
    first, last = max(0, int(spans[0]) - round(30 / grid.spacing[0])), len(grid.hu)
    crop = grid.hu[first:last, top:bottom, left : middle + half]
    score = _looks(Grid(crop, grid.factors, grid.spacing))
    chain, typical = _chain(score, grid.spacing)
    if typical < 0.25:
        return None
    return np.column_stack([np.arange(first, last), chain[:, 0] + top, chain[:, 1] + left]).astype(np.float64)


def _looks(grid: Grid) -> NDArray[np.float32]:
    """How much every place looks like the middle of the canal: soft inside, bone around, a body in front."""
    spacing = (1.0, *grid.spacing[1:])
    bone = (grid.hu > BONE_HU).astype(np.float32)
    soft = ((grid.hu > SOFT_HU[0]) & (grid.hu < SOFT_HU[1])).astype(np.float32)

    def mean(values: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
        disc = ball(radius, (10 * radius, *spacing[1:])).astype(np.float32)
        out: NDArray[np.float32] = ndimage.convolve(values, disc / disc.sum(), mode="nearest")
        return out

    inner, ring, body = mean(soft, CANAL_MM), mean(bone, RING_MM), mean((np.clip(grid.hu, -100, 250) / 250).astype(np.float32), BODY_MM)
    ahead = np.roll(body, round(BEFORE_MM / spacing[1]), axis=1)
    ahead[:, : round(BEFORE_MM / spacing[1])] = 0
    out: NDArray[np.float32] = inner + ring + ahead - 1.0 - 2 * mean(bone, CANAL_MM)
    return out


def _chain(score: NDArray[np.float32], spacing: tuple[float, float, float]) -> tuple[NDArray[np.intp], float]:
    """The chain of places, one per slice, with the largest sum of scores; neighbours lie near each other."""
    reach = [max(1, int(np.ceil(STEP * spacing[0] / s))) for s in spacing[1:]]
    total, back = score[0].copy(), []
    moves = [(dy, dx) for dy in range(-reach[0], reach[0] + 1) for dx in range(-reach[1], reach[1] + 1)]
    for plane in score[1:]:
        padded = np.pad(total, [(reach[0], reach[0]), (reach[1], reach[1])], constant_values=-np.inf)
        best, which = np.full(total.shape, -np.inf), np.zeros(total.shape, dtype=np.intp)
        for index, (dy, dx) in enumerate(moves):
            cost = 0.02 * ((dy * spacing[1]) ** 2 + (dx * spacing[2]) ** 2) / spacing[0]
            moved = padded[reach[0] + dy : reach[0] + dy + total.shape[0], reach[1] + dx : reach[1] + dx + total.shape[1]] - cost
            better = moved > best
            best[better], which[better] = moved[better], index
        total = best + plane
        back.append(which)
    at = np.unravel_index(int(np.argmax(total)), total.shape)
    chain = [(int(at[0]), int(at[1]))]
    for which in reversed(back):
        dy, dx = moves[which[chain[-1]]]
        chain.append((chain[-1][0] + dy, chain[-1][1] + dx))
    chain.reverse()
    places = np.array(chain, dtype=np.intp)
    return places, float(np.median(score[np.arange(len(score)), places[:, 0], places[:, 1]]))


def _even(line: Floats) -> Floats:
    """The line in even steps of its own length."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    steps = np.arange(0.0, length[-1], ALONG_MM)
    return np.column_stack([np.interp(steps, length, line[:, axis]) for axis in range(3)])


def _unit(vectors: Floats) -> Floats:
    """Vectors of length one."""
    out: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return out


def _turn(volume: Volume, line: Floats, ahead: Floats, aside: Floats) -> Floats:
    """The angle to the side, per step, at which the body lies before the canal (turned bodies of a bent spine)."""
    angles = np.deg2rad(np.arange(-24.0, 25.0, 4.0))
    spots = [(r, s) for r in (16.0, 22.0, 28.0) for s in (-12.0, -6.0, 0.0, 6.0, 12.0)]
    seen = []
    for angle in angles:
        way, across = np.cos(angle) * ahead + np.sin(angle) * aside, np.cos(angle) * aside - np.sin(angle) * ahead
        values = [np.clip(_read(volume, line + r * way + s * across), -200, 200) for r, s in spots]
        seen.append(np.mean(values, axis=0))
    smooth = ndimage.gaussian_filter1d(np.array(seen), 30 / ALONG_MM, axis=1, mode="nearest") - 0.5 * np.abs(np.rad2deg(angles))[:, None]
    weight = np.exp((smooth - smooth.max(axis=0)) / 6)
    best: Floats = (weight * angles[:, None]).sum(axis=0) / weight.sum(axis=0)
    return ndimage.gaussian_filter1d(best, 15 / ALONG_MM, mode="nearest")


def _read(volume: Volume, places: Floats) -> NDArray[np.float32]:
    """Densities at places in mm, between the voxels."""
    at = np.moveaxis(places / np.array(volume.spacing), -1, 0)
    out: NDArray[np.float32] = ndimage.map_coordinates(volume.hu, at, output=np.float32, order=1, mode="nearest")
    return out


def _sampled(volume: Volume, line: Floats, front: Floats, aside: Floats) -> NDArray[np.float32]:
    """The straight column."""
    ahead = np.arange(0.0, FRONT_MM + 0.1, ACROSS_MM)
    side = np.arange(-ASIDE_MM, ASIDE_MM + 0.1, ACROSS_MM)
    places = line[:, None, None] + ahead[:, None, None] * front[:, None, None] + side[:, None] * aside[:, None, None]
    return _read(volume, places)
