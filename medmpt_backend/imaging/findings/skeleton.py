"""Spongy bone of a vertebral body, and muscle and fat of the slice at its level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.outside import body_of, convex

# Vertebral bodies of the lower thorax are about 26 to 40 mm wide.
BODY_RADIUS_MM = (8.0, 24.0)
# The middle of the body, away from its dense edge.
INNER_SHARE = 0.55
# Slices over about one vertebra and disc, of which the spongy middle is the median.
SPAN_MM = 24.0
MUSCLE_HU = (-29, 150)
FAT_HU = (-190, -30)
_BONE_HU = 140
# Level of the ends of the lungs in the back.
LEVEL = "lower thoracic, at the lung bases"


@dataclass(frozen=True)
class Vertebra:
    """Middle of a vertebral body on the lungs' grid, its radius in mm and the density of its spongy bone."""

    z: int
    y: int
    x: int
    radius_mm: float
    hu: float


def vertebra(lungs: Lungs) -> Vertebra | None:
    """The vertebral body at the level of the lung bases.

    Args:
        lungs: Both lungs.

    Returns:
        None where no round bone of that size was found behind the lungs' middle.
    """
    grid, labels = lungs.grid, lungs.labels
    area = lungs.area
    level = int(np.flatnonzero(area > 0.15 * area.max())[-1])
    shadow: NDArray[np.bool_] = np.asarray((labels > 0).any(axis=0))
    rows, columns = np.flatnonzero(shadow.any(axis=1)), np.flatnonzero(shadow.any(axis=0))
    middle = (columns[0] + columns[-1]) / 2
    span = max(1, round(SPAN_MM / 2 / grid.spacing[0]))
    found = [
        v for k in range(max(0, level - span), min(len(area), level + span + 1)) if (v := _in_slice(grid, k, middle, rows)) is not None
    ]
    if len(found) < 2:
        return None
    typical = float(np.median([v.hu for v in found]))
    return min(found, key=lambda v: abs(v.hu - typical))


def _in_slice(grid: Grid, k: int, middle: float, rows: NDArray[np.intp]) -> Vertebra | None:
    """The largest circle inside bone near the middle of the back."""
    top, half = (int(rows[0]) + int(rows[-1])) // 2, round(45 / grid.spacing[2])
    left = max(0, int(middle) - half)
    crop = grid.hu[k, top:, left : int(middle) + half]
    bone = ndimage.binary_fill_holes(ndimage.binary_closing(crop > _BONE_HU, iterations=max(1, round(4 / grid.spacing[1]))))
    depth = ndimage.distance_transform_edt(np.pad(bone, 1), sampling=grid.spacing[1:])[1:-1, 1:-1]
    best = np.unravel_index(int(np.argmax(depth)), depth.shape)
    radius = float(depth[best])
    if not BODY_RADIUS_MM[0] <= radius <= BODY_RADIUS_MM[1]:
        return None
    yy, xx = np.mgrid[: crop.shape[0], : crop.shape[1]]
    inner = ((yy - best[0]) * grid.spacing[1]) ** 2 + ((xx - best[1]) * grid.spacing[2]) ** 2 <= (INNER_SHARE * radius) ** 2
    return Vertebra(k, top + int(best[0]), left + int(best[1]), radius, float(np.median(crop[inner])))


def muscle_and_fat(lungs: Lungs, level: Vertebra) -> tuple[float, float]:
    """Muscle outside the ribs and the spine, and all fat under the skin and inside, of the slice, cm2.

    Args:
        lungs: Both lungs.
        level: Where.

    Returns:
        Muscle, fat.
    """
    grid = lungs.grid
    one = Grid(grid.hu[level.z : level.z + 1], grid.factors, grid.spacing)
    body = ndimage.binary_fill_holes(ndimage.binary_dilation(body_of(one)[0], iterations=2))
    plane = grid.hu[level.z]
    cm2 = grid.spacing[1] * grid.spacing[2] / 100
    fat = body & (plane >= FAT_HU[0]) & (plane <= FAT_HU[1])
    bone = (plane > _BONE_HU) & body
    if not bone.any():
        return 0.0, float(np.count_nonzero(fat)) * cm2
    inside = ndimage.binary_erosion(convex(bone), iterations=max(1, round(5 / grid.spacing[1])))
    behind = np.arange(plane.shape[0])[:, None] >= level.y - level.radius_mm / grid.spacing[1]
    muscle = body & ~bone & (~inside | (behind & (np.abs(np.arange(plane.shape[1]) - level.x)[None] * grid.spacing[2] < 45)))
    muscle &= (plane >= MUSCLE_HU[0]) & (plane <= MUSCLE_HU[1])
    muscle = ndimage.binary_opening(muscle)
    return float(np.count_nonzero(muscle)) * cm2, float(np.count_nonzero(fat)) * cm2
