"""Between the lungs: whether contrast medium is in the vessels, and how wide the heart is."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import box_of
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs

# Blood without contrast stays near 30 to 60 HU; enhanced great vessels pass this over many millilitres.
ENHANCED_HU = 130
ENHANCED_ML = 12.0
PLAIN_ML = 3.0
# The heart's arteries lie from about this far below the carina down to the diaphragm.
HEART_BELOW_MM = 25.0
SPINE_MARGIN_MM = 12.0
_SPINE_HU = 150
# Where the right lung's inner edge lies further from the middle, the liver has come between.
LIVER_MM = 72.0


@dataclass(frozen=True, eq=False)
class Between:
    """The tissue between the lungs, on the lungs' grid.

    Attributes:
        mask: `(d, h, w)` bool, from the carina down, between the inner edges of both lungs and before the spine.
        first: First slice.
        spine: Per slice the row of the front of the spine; -1 without one.
        middle: Column in the middle between the lungs.
    """

    mask: NDArray[np.bool_]
    first: int
    spine: NDArray[np.int64]
    middle: int


def between_lungs(lungs: Lungs) -> Between:
    """Rows in which both lungs are seen, from the right lung's inner edge to the left lung's, above the diaphragm.

    Args:
        lungs: Both lungs; without an airway the upper third is left out by height.

    Returns:
        The region.
    """
    labels, grid = lungs.labels, lungs.grid
    spans = np.flatnonzero(lungs.area)
    columns = np.flatnonzero((labels > 0).any(axis=(0, 1)))
    middle = int(columns[0] + columns[-1]) // 2
    first = int(spans[0] + 0.35 * len(spans))
    if lungs.airway is not None and lungs.airway.carina is not None:
        first, middle = lungs.airway.carina[0], lungs.airway.carina[2]
    mask = np.zeros(labels.shape, dtype=bool)
    spine = np.full(labels.shape[0], -1)
    half = round(25 / grid.spacing[2])
    for k in range(first, int(spans[-1]) + 1):
        spine[k] = _spine_front(grid, k, middle, half, labels[k])
        rows = slice(None, None if spine[k] < 0 else spine[k])
        mask[k, rows] = gap_of(labels[k])[rows]
    return Between(mask, first, spine, middle)


def inner_edges(plane: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per row the last column of the right lung and the first one of the left lung, -1 without."""
    right, left = plane == RIGHT, plane == LEFT
    inner = np.where(right.any(axis=1), plane.shape[1] - 1 - np.argmax(right[:, ::-1], axis=1), -1)
    outer = np.where(left.any(axis=1), np.argmax(left, axis=1), -1)
    return inner, outer


def gap_of(plane: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels of a slice between the inner edges of both lungs, in rows that show both in that order."""
    right, left = inner_edges(plane)
    columns = np.arange(plane.shape[1])
    return ((right >= 0) & (left > right))[:, None] & (columns > right[:, None]) & (columns < left[:, None])


def _spine_front(grid: Grid, k: int, middle: int, half: int, plane: NDArray[np.uint8]) -> int:
    """Row of the front of the vertebral body: the first row of the back half where bone is wide."""
    rows = np.flatnonzero((plane > 0).any(axis=1))
    if not len(rows):
        return -1
    bone = grid.hu[k, :, max(0, middle - half) : middle + half] > _SPINE_HU
    wide = np.count_nonzero(bone, axis=1) * grid.spacing[2] > 14
    wide[: (rows[0] + rows[-1]) // 2] = False
    found = np.flatnonzero(wide & np.roll(wide, -2))
    return int(found[0]) if len(found) else -1


@lru_cache(maxsize=2)
def enhanced(lungs: Lungs, between: Between) -> bool | None:
    """Whether the great vessels hold contrast medium; None where that is not clear."""
    if not between.mask.any():
        return None
    box = box_of(between.mask)
    wide = (box[0], *(slice(max(0, side.start - 1), side.stop + 1) for side in box[1:]))
    smooth = ndimage.uniform_filter(lungs.grid.hu[wide].astype(np.float32), size=(1, 3, 3))
    bright = (smooth > ENHANCED_HU) & between.mask[wide]
    rows = np.arange(wide[1].start, wide[1].start + bright.shape[1])[None, :]
    spine = between.spine[wide[0], None]
    bright &= ((spine < 0) | (rows < spine - SPINE_MARGIN_MM / lungs.grid.spacing[1]))[:, :, None]
    core = ndimage.binary_erosion(bright, structure=np.ones((1, 3, 3), dtype=bool))
    ml = float(np.count_nonzero(core)) * lungs.grid.voxel_ml
    return True if ml > ENHANCED_ML else False if ml < PLAIN_ML else None


def heart_ratio(lungs: Lungs, between: Between) -> float | None:
    """Largest width of the heart over the largest inner width of the chest, on axial slices below the carina."""
    labels = lungs.labels
    area = lungs.area.astype(float)
    sides = [lungs.areas[side] for side in (RIGHT, LEFT)]
    widest, chest = 0.0, 0.0
    for k in range(between.first, labels.shape[0]):
        if min(side[k] / max(1, side.max()) for side in sides) < 0.5 or area[k] < 0.6 * area.max():
            continue
        columns = np.flatnonzero((labels[k] > 0).any(axis=0))
        chest = max(chest, (columns[-1] - columns[0] + 1) * lungs.grid.spacing[2])
        right, left = inner_edges(labels[k])
        rows = np.flatnonzero((right >= 0) & (left > right) & between.mask[k].any(axis=1))
        if len(rows) <= 5:
            continue
        if (between.middle - np.percentile(right[rows], 5)) * lungs.grid.spacing[2] > LIVER_MM:
            break
        if k >= between.first + HEART_BELOW_MM / lungs.grid.spacing[0]:
            widest = max(widest, float(np.percentile(left[rows], 95) - np.percentile(right[rows], 5)) * lungs.grid.spacing[2])
    return widest / chest if chest and widest else None
