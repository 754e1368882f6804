"""The column of the spine, and whether a chest wall stands on a side where no lung was found."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import filled_planes
from medmpt_backend.imaging.anatomy.grid import Grid, block_means
from medmpt_backend.imaging.anatomy.outside import TISSUE_HU

_COARSE_MM = (6.0, 3.0, 3.0)
_BONE_HU = 120
# Ribs and blades are thinner than this, vertebrae are not.
_THICK_MM = 3.0
_BODY_MM = 36.0
_MARGIN_MM = 45.0
# A spine is seen in this share of the slices of the lungs.
_SEEN = 0.5
# The side without a lung reaches at least this far from the spine, as a share of the other side, and has ribs.
_WIDE = 0.55
_RIBS_ML = 6.0
_RIB_HU = 180


@dataclass(frozen=True)
class Spine:
    """Column of the middle of the spine on the given grid, and the share of the lungs' slices that show it."""

    x: float
    seen: float


def find_spine(grid: Grid, air: NDArray[np.bool_]) -> Spine | None:
    """Thick bone that stands in the same columns in most slices, behind the middle of the air inside the body.

    Args:
        grid: HU.
        air: `(d, h, w)` bool, the lungs, or the air inside the body.

    Returns:
        None where no column shows it in at least half of the slices.
    """
    hits = [np.flatnonzero(air.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if not len(hits[0]):
        return None
    (z0, z1), (y0, y1), (x0, x1) = ((int(hit[0]), int(hit[-1]) + 1) for hit in hits)
    margin = [round(_MARGIN_MM / spacing) for spacing in grid.spacing]
    top, left = (y0 + y1) // 2, max(0, x0 - margin[2])
    box = grid.hu[z0:z1, top : y1 + margin[1], left : x1 + margin[2]]
    if min(box.shape) < 8:
        return None
    coarse = block_means(np.ascontiguousarray(box), grid.spacing, _COARSE_MM)
    rounds = max(1, round(_THICK_MM / coarse.spacing[1]))
    bone = filled_planes(coarse.hu > _BONE_HU)
    core = ndimage.binary_erosion(bone, structure=np.ones((1, 3, 3), dtype=bool), iterations=rounds)
    columns = core.any(axis=1)
    span = max(1, round(_BODY_MM / coarse.spacing[2]))
    shown = ndimage.maximum_filter1d(columns.astype(np.uint8), span, axis=1).mean(axis=0)
    amount = ndimage.uniform_filter1d(core.sum(axis=(0, 1)).astype(np.float64), span)
    best = int(np.argmax(np.where(shown >= _SEEN, amount, -1.0)))
    if shown[best] < _SEEN:
        return None
    return Spine(left + (best + 0.5) * coarse.factors[2], float(shown[best]))


def other_side_stands(grid: Grid, lung: NDArray[np.bool_], spine: Spine) -> bool:
    """Whether the side of the spine that holds no lung is in the image: body wide enough, with ribs.

    Args:
        grid: HU.
        lung: `(d, h, w)` bool, the lung that was found.
        spine: Its spine.
    """
    columns, slices = np.flatnonzero(lung.any(axis=(0, 1))), np.flatnonzero(lung.any(axis=(1, 2)))
    middle = round(spine.x)
    on_right = (columns[0] + columns[-1]) / 2 < middle
    reach = middle - columns[0] if on_right else columns[-1] - middle
    half = grid.hu[slices[0] : slices[-1] + 1, :, middle:] if on_right else grid.hu[slices[0] : slices[-1] + 1, :, :middle][:, :, ::-1]
    body = np.count_nonzero(half > TISSUE_HU, axis=1) * grid.spacing[1] > _BODY_MM
    width = float(np.median(body.sum(axis=1)))
    ribs = half[:, :, round(_BODY_MM / grid.spacing[2]) :] > _RIB_HU
    return width >= _WIDE * reach and float(np.count_nonzero(ribs)) * grid.voxel_ml >= _RIBS_ML
