"""The part of a volume in which a lesion may lie: lung, what lung closes over, and what stands between lung and ribs."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.balls import closed, opened, within
from medmpt_backend.imaging.anatomy.cavity import Cavity, rib_cage
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.volume import Volume

# How far a lesion is looked for around a point: a small box first, the large one where the lesion is cut.
REACHES_MM = (30.0, 60.0)
# Lung closes over a lesion at the pleura with this radius.
PLEURA_MM = 20.0
# Between lung and ribs, only what is thicker than the pleura and its fat can be a lesion.
RIND_MM = 5.0


@dataclass(frozen=True, eq=False)
class Crop:
    """A box around a point.

    Attributes:
        hu: `(d, h, w)` int16.
        allowed: `(d, h, w)` bool, where a lesion may lie.
        wall: `(d, h, w)` bool, within some millimetres of what lies outside the lungs.
        origin: First voxel of the box in the volume, `(z, y, x)`.
        spacing: mm `(z, y, x)`.
    """

    hu: NDArray[np.int16]
    allowed: NDArray[np.bool_]
    wall: NDArray[np.bool_]
    origin: tuple[int, int, int]
    spacing: Vec

    def local(self, point: tuple[int, int, int]) -> tuple[int, int, int]:
        """A voxel of the volume in the box."""
        return point[0] - self.origin[0], point[1] - self.origin[1], point[2] - self.origin[2]

    def absolute(self, point: tuple[int, int, int]) -> tuple[int, int, int]:
        """A voxel of the box in the volume."""
        return point[0] + self.origin[0], point[1] + self.origin[1], point[2] + self.origin[2]


def crop_around(volume: Volume, lungs: Lungs, point: tuple[int, int, int], reach_mm: float) -> Crop:
    """The box around a point and where a lesion may lie in it.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        point: `(z, y, x)`.
        reach_mm: How far the box reaches to every side.

    Returns:
        The box, cut at the edge of the volume.
    """
    spacing = volume.spacing
    low = [max(0, p - round(reach_mm / s)) for p, s in zip(point, spacing, strict=True)]
    high = [min(n, p + round(reach_mm / s) + 1) for p, s, n in zip(point, spacing, volume.hu.shape, strict=True)]
    hu = volume.hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    space, wall = _space(lungs, low, high)
    return Crop(hu, space, wall, (low[0], low[1], low[2]), spacing)


@lru_cache(maxsize=2)
def cavity_of(lungs: Lungs) -> Cavity:
    """The rib cage of these lungs, kept for the next click."""
    return rib_cage(lungs)


@lru_cache(maxsize=2)
def thick_behind(lungs: Lungs) -> NDArray[np.bool_]:
    """On the cavity's grid: what stands between lung and ribs and is thicker than the pleura."""
    cavity = cavity_of(lungs)
    tissue = cavity.behind_lung & (cavity.smooth > -200)
    if not tissue.any():
        return tissue
    return opened(tissue, RIND_MM, cavity.grid.spacing)


def _space(lungs: Lungs, low: list[int], high: list[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where a lesion may lie, and what of it lies near the outside, at full resolution."""
    factors, spacing = lungs.grid.factors, lungs.grid.spacing
    first = [a // f for a, f in zip(low, factors, strict=True)]
    last = [min(n, -(-b // f)) for b, f, n in zip(high, factors, lungs.labels.shape, strict=True)]
    crop = lungs.labels[first[0] : last[0], first[1] : last[1], first[2] : last[2]]
    space = np.zeros(crop.shape, dtype=bool)
    for side in np.unique(crop[crop > 0]):
        space |= _closed(crop == side, spacing)
    behind, coarse = thick_behind(lungs), cavity_of(lungs).grid.factors
    at = [np.minimum(np.arange(a, b) // f, n - 1) for a, b, f, n in zip(first, last, coarse, behind.shape, strict=True)]
    space |= behind[np.ix_(*at)]
    rim = space & within(~space, RIND_MM, spacing)
    index = [np.minimum(np.arange(a, b) // f - i, n - 1) for a, b, f, i, n in zip(low, high, factors, first, crop.shape, strict=True)]
    return space[np.ix_(*index)], rim[np.ix_(*index)]


def _closed(mask: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_]:
    """Closing with a large ball; the crop's edge repeats itself so that it does not pull the mask inwards."""
    return closed(mask, PLEURA_MM, spacing)
