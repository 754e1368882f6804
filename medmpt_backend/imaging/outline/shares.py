"""The volume of a small solid lesion by the share that it has in each voxel: on thick slices most of its voxels are its edge."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.distance import within
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.lesion import Region
from medmpt_backend.imaging.lesion_shape import LUNG_HU, SOLID_HU

# Lesions of fewer voxels across, in slices or in pixels, are mostly edge.
SLICES, PIXELS = 4, 20
# Soft tissue without contrast medium: what a nodule is at least that is too small to show its own density.
SOFT_HU = 30.0
# The edge's blur beside a lesion, and how far around it lung is looked at.
EDGE_MM, LUNG_MM = 1.3, 8.0
# Noise counts on both sides, so that it adds nothing.
LOW, HIGH = -0.15, 1.05


def volume_mm3(region: Region, spacing: Vec) -> float:
    """Voxels times voxel volume; of small solid lesions without ground glass the sum of every voxel's share."""
    whole = float(np.count_nonzero(region.mask) * np.prod(spacing))
    if region.threshold < SOLID_HU or region.halo.any() or not _small(region.mask):
        return whole
    box = _around(region.mask, spacing)
    mask, hu = region.mask[box], region.hu[box].astype(np.float32)
    near = within(mask, EDGE_MM, (1e6, *spacing[1:]))
    edge = near | _beside(near)
    other = (hu > SOLID_HU) & ~mask  # vessels, wall
    if other.any():
        edge &= mask | (ndimage.distance_transform_edt(~mask, sampling=spacing) < ndimage.distance_transform_edt(~other, sampling=spacing))
    air = hu[~edge & (hu < LUNG_HU) & (hu > -1000)]
    if not air.size:
        return whole
    lung = float(np.median(air))
    soft = max(SOFT_HU, float(np.percentile(hu[mask], 90)))
    share = np.clip((hu - lung) / (soft - lung), LOW, HIGH)
    return max(float(share[edge | mask].sum() * np.prod(spacing)), 0.0)


def _small(mask: NDArray[np.bool_]) -> bool:
    """Whether a lesion spans few slices and few pixels."""
    spans = [int(np.count_nonzero(mask.any(axis=axes))) for axes in ((1, 2), (0, 2), (0, 1))]
    return spans[0] <= SLICES and max(spans[1:]) <= PIXELS


def _beside(near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The slice above and the slice below."""
    out = near.copy()
    out[1:] |= near[:-1]
    out[:-1] |= near[1:]
    return out


def _around(mask: NDArray[np.bool_], spacing: Vec) -> tuple[slice, ...]:
    """A box that holds a mask and the lung around it."""
    spans = ndimage.find_objects(mask.astype(np.uint8))[0]
    reach = [max(2, round(LUNG_MM / step)) for step in spacing]
    return tuple(slice(max(0, s.start - r), s.stop + r) for s, r in zip(spans, reach, strict=True))
