"""Morphology with balls of a few millimetres: the same voxels as by a distance transform, several times quicker."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.runs import parts_of

Mask = NDArray[np.bool_]
Packed = NDArray[np.uint8]
_BITS = 8
_EPS = 1e-6
# Shells in which the nearest label is looked for: the first in voxels, how each grows, and where a search by tree takes over.
_FIRST_SHELL, _SHELL_GROWTH, _LAST_SHELL_MM = 3.0, 1.6, 40.0
_AT_ONCE = 100_000


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
    rows = _row_dilations(_packed(small), reach[2])
    grown = np.zeros_like(rows[0])
    for z in range(reach[0] + 1):
        disk = np.zeros_like(grown)
        for y in range(reach[1] + 1):
            rest = radius**2 + _EPS - (z * spacing[0]) ** 2 - (y * spacing[1]) ** 2
            if rest >= 0:
                _or_shifted(disk, rows[min(reach[2], int(sqrt(rest) / spacing[2]))], y, axis=1)
        _or_slices(grown, disk, z)
    out[around] = _unpacked(grown, len(small))
    return out


def _packed(mask: Mask) -> Packed:
    """Eight slabs of slices in the eight bits of one: what is done in the slice is then done for eight slices at once."""
    depth = -(-len(mask) // _BITS)
    out = np.zeros((depth, *mask.shape[1:]), dtype=np.uint8)
    for bit in range(_BITS):
        slab = mask[bit * depth : (bit + 1) * depth].view(np.uint8)
        out[: len(slab)] |= slab << np.uint8(bit)
    return out


def _unpacked(packed: Packed, depth: int) -> Mask:
    """The mask of a number of slices again."""
    out = np.empty((depth, *packed.shape[1:]), dtype=np.uint8)
    for bit in range(_BITS):
        slab = out[bit * len(packed) : (bit + 1) * len(packed)]
        np.bitwise_and(packed[: len(slab)] >> np.uint8(bit), np.uint8(1), out=slab)
    return out.view(np.bool_)


def _or_slices(into: Packed, packed: Packed, by: int) -> None:
    """Add what is shifted by some slices to either side; what leaves a slab enters the next one."""
    slabs, rest = divmod(by, len(packed))
    for bits, a, b in ((slabs, rest, 0), (slabs + 1, 0, len(packed) - rest)):
        if bits < _BITS and (rest or not b):
            n = len(packed) - a - b
            into[a : a + n] |= packed[b : b + n] << np.uint8(bits)
            into[b : b + n] |= packed[a : a + n] >> np.uint8(bits)


def _row_dilations(mask: Packed, most: int) -> list[Packed]:
    """The mask widened along its rows by 0, 1, ... voxels to either side."""
    found = [mask]
    for k in range(1, most + 1):
        wider = found[-1].copy()
        _or_shifted(wider, mask, k, axis=2)
        found.append(wider)
    return found


def _or_shifted(into: Packed, mask: Packed, by: int, axis: int) -> None:
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
    gaps = parts_of(~mask, planar=True)
    hole = ~gaps.at_edge
    hole[0] = False
    out: Mask = mask | gaps.where(hole)
    return out


def shrunk(mask: Mask, by: int) -> Mask:
    """Without what lies within `by` voxels, in its slice and also across corners, of what is outside; the array's edge is outside."""
    outside = _packed(np.pad(~mask, [(0, 0), (1, 1), (1, 1)], constant_values=True))
    return ~_unpacked(_widened(_widened(outside, by, axis=1), by, axis=2), len(mask))[:, 1:-1, 1:-1]


def spread(mask: Mask, steps: int, within_: Mask) -> Mask:
    """The mask grown step by step, in its slice and also across corners, into neighbours that belong to `within_`."""
    found, allowed = _packed(mask), _packed(within_)
    for _ in range(steps):
        found = found | (_widened(_widened(found, 1, axis=1), 1, axis=2) & allowed)
    return _unpacked(found, len(mask))


def _widened(mask: Packed, by: int, axis: int) -> Packed:
    """Widened by some voxels to either side along an axis, in steps that double."""
    out, reached = mask, 0
    while reached < by:
        step = min(by - reached, reached + 1)  # no further: what passes over the edge of the array is lost
        wider = out.copy()
        _or_shifted(wider, out, step, axis)
        out, reached = wider, reached + step
    return out


def to_nearest(labels: Packed, wanted: Mask, spacing: Vec) -> Packed:
    """Voxels that are wanted and have no label take that of the nearest voxel that has one.

    Shell by shell around the labels: a voxel that one label reaches takes it, one that two reach in the same shell looks for the nearer.

    Args:
        labels: `(d, h, w)` uint8, 0 where there is none.
        wanted: Where there should be one.
        spacing: mm `(z, y, x)`.
    """
    lack = wanted & (labels == 0)
    out = labels.copy()
    masks = {name: mask for name in range(1, int(labels.max()) + 1) if (mask := labels == name).any()}
    inner, outer = 0.0, _FIRST_SHELL * min(spacing)
    while len(masks) > 1 and lack.any() and inner < _LAST_SHELL_MM:
        reached = np.zeros_like(lack)
        disputed = np.zeros_like(lack)
        for name, mask in masks.items():
            near = within(mask, outer, spacing)
            near &= lack
            disputed |= reached & near
            reached |= near
            out += near.view(np.uint8) * np.uint8(name)
        lack ^= reached
        places = np.flatnonzero(disputed)
        if len(places):
            out.ravel()[places] = _nearer(labels, places, (inner, outer), spacing)
        inner, outer = outer, outer * _SHELL_GROWTH
    if masks and lack.any():
        out[lack] = next(iter(masks)) if len(masks) == 1 else _by_tree(labels, np.argwhere(lack), spacing)
    return out


def _nearer(labels: Packed, places: NDArray[np.intp], shell: tuple[float, float], spacing: Vec) -> Packed:
    """The label of the nearest voxel that has one, for places (counted through the array) whose nearest lies between two distances."""
    reach = [int((shell[1] + _EPS) / s) for s in spacing]
    steps = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), axis=-1).reshape(-1, 3)
    away = np.sqrt(((steps * spacing) ** 2).sum(axis=1))
    order = np.argsort(away, kind="stable")
    steps = steps[order][(away[order] > shell[0]) & (away[order] <= shell[1] + _EPS)]
    padded = np.pad(labels, [(r, r) for r in reach])
    flat, at = padded.ravel(), np.unravel_index(places, labels.shape)
    open_places = np.ravel_multi_index([a + r for a, r in zip(at, reach, strict=True)], padded.shape)
    by = np.dot(steps, [padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    found, waiting = np.zeros(len(places), dtype=np.uint8), np.arange(len(places))
    first = 0
    while len(waiting) and first < len(by):
        many = max(16, _AT_ONCE // len(waiting))
        seen = flat[open_places[waiting, None] + by[first : first + many]]
        found[waiting] = seen[np.arange(len(waiting)), np.argmax(seen > 0, axis=1)]
        waiting = waiting[found[waiting] == 0]
        first += many
    return found


def _by_tree(labels: Packed, places: NDArray[np.intp], spacing: Vec) -> Packed:
    """The label nearest to each place, however far."""
    from scipy.spatial import KDTree  # hardly any scan needs it

    known = np.argwhere(labels > 0)
    nearest = KDTree(known * spacing).query(places * spacing)[1]
    found: Packed = labels[tuple(known[nearest].T)]
    return found
