"""Morphology with balls of a few millimetres: the same voxels as by a distance transform, several times quicker."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Vec

Mask = NDArray[np.bool_]
_EPS = 1e-6
_PLANAR = np.zeros((3, 3, 3), dtype=bool)
_PLANAR[1] = ndimage.generate_binary_structure(2, 1)


def box_of(mask: Mask) -> tuple[slice, slice, slice]:
    """The box around a mask that is not empty."""
    plane = np.bitwise_or.reduce(mask, axis=0)
    spans = [np.flatnonzero(mask.reshape(len(mask), -1).any(axis=1)), np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))]
    z, y, x = (slice(int(span[0]), int(span[-1]) + 1) for span in spans)
    return z, y, x


def within(mask: Mask, radius: float, spacing: Vec) -> Mask:
    """Voxels whose middle lies within `radius` mm of the middle of a voxel of the mask.

    Args:
        mask: `(d, h, w)` bool.
        radius: mm.
        spacing: mm `(z, y, x)`.
    """
    out = np.zeros_like(mask)
    if not mask.any():
        return out
    reach = [int((radius + _EPS) / s) for s in spacing]
    box = box_of(mask)
    around = tuple(slice(max(0, side.start - r), min(n, side.stop + r)) for side, r, n in zip(box, reach, mask.shape, strict=True))
    small = np.ascontiguousarray(mask[around])
    rows = _row_dilations(small, reach[2])
    grown = np.zeros_like(small)
    for z in range(reach[0] + 1):
        disk = np.zeros_like(small)
        for y in range(reach[1] + 1):
            rest = radius**2 + _EPS - (z * spacing[0]) ** 2 - (y * spacing[1]) ** 2
            if rest >= 0:
                _or_shifted(disk, rows[min(reach[2], int(sqrt(rest) / spacing[2]))], y, axis=1)
        _or_shifted(grown, disk, z, axis=0)
    out[around] = grown
    return out


def _row_dilations(mask: Mask, most: int) -> list[Mask]:
    """The mask widened along its rows by 0, 1, ... voxels to either side."""
    found = [mask]
    for k in range(1, most + 1):
        wider = found[-1].copy()
        _or_shifted(wider, mask, k, axis=2)
        found.append(wider)
    return found


def _or_shifted(into: Mask, mask: Mask, by: int, axis: int) -> None:
    """Add the mask shifted by some voxels to either side along an axis."""
    if by == 0:
        np.bitwise_or(into, mask, out=into)
        return
    if by >= into.shape[axis]:
        return
    ahead: list[slice] = [slice(None)] * 3
    behind: list[slice] = [slice(None)] * 3
    ahead[axis], behind[axis] = slice(by, None), slice(None, -by)
    for a, b in ((tuple(ahead), tuple(behind)), (tuple(behind), tuple(ahead))):
        np.bitwise_or(into[a], mask[b], out=into[a])


def deeper(mask: Mask, radius: float, spacing: Vec) -> Mask:
    """Voxels of the mask further than `radius` mm from what is outside it; beyond the array counts as outside."""
    out = np.zeros_like(mask)
    if not mask.any():
        return out
    box = box_of(mask)
    outside = np.pad(~mask[box], 1, constant_values=True)
    out[box] = ~within(outside, radius, spacing)[1:-1, 1:-1, 1:-1]
    return out


def opened(mask: Mask, radius: float, spacing: Vec, reach: float | None = None) -> Mask:
    """What of the mask lies near a ball of this radius that fits into it; `reach`: how near, default the radius."""
    core = deeper(mask, radius, spacing)
    return mask & within(core, radius if reach is None else reach, spacing)


def closed(mask: Mask, radius: float, spacing: Vec) -> Mask:
    """The mask with gaps closed into which no ball of this radius fits; the array's edge closes nothing."""
    pad = [int(np.ceil(radius / s)) + 1 for s in spacing]
    padded = np.pad(mask, [(p, p) for p in pad])
    dilated = within(padded, radius, spacing)
    out: Mask = mask | deeper(dilated, radius, spacing)[tuple(slice(p, -p) for p in pad)]
    return out


def filled_planes(mask: Mask) -> Mask:
    """Holes filled slice by slice."""
    labels, count = ndimage.label(~mask, structure=_PLANAR)
    hole = np.ones(count + 1, dtype=bool)
    hole[0] = False
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        hole[np.unique(edge)] = False
    out: Mask = mask | hole[labels]
    return out
