"""What lies outside the body though it does not look like it: padding of any value, and room air that a frame closes off."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.volume import Volume

AIR_HU = -1000
# Padding is one exact value over this share of the border of the slices; air needs no care.
_BORDER_SHARE = 0.4
_AIR_BELOW_HU = -850
# Padding inside a frame of air lies in regions of at least this share of the slice.
_LARGE_SHARE = 0.01
# Room air: nearly plain, in a wide region; a trachea is plain too, and small.
_PLAIN_HU = -940
_PLAIN_SHARE = 0.4
_WIDE_MM2 = 1200.0
_OUTSIDE_SHARE = 0.9
# A mattress lies beyond the convex outline of the body; of a lung more than this lies within it, of one that the image cuts the second.
_WITHIN_SHARE = 0.2
_CUT_WITHIN_SHARE = 0.75
_OUTLINE_MM = 5.0
TISSUE_HU = -400
# Where padding of tissue's density meets less than this, the blurred edge between them is air too; a chest wall stays.
_BLURRED_HU = -600


def without_padding(volume: Volume, grid: Grid) -> Grid:
    """A grid whose padding is air.

    Padding is one exact value that fills most of the border of the image and whatever is joined to it in the slice, of any value.

    Args:
        volume: Full resolution.
        grid: Its grid.

    Returns:
        The grid itself where there is no such padding.
    """
    value = _padding_value(volume.hu[:: max(1, volume.hu.shape[0] // 24)])
    if value is None:
        return grid
    mixed = max(grid.factors[1:]) > 1  # block means blur the edge of the padding into one more voxel
    out = grid.hu.copy()
    for plane in out:
        labels, count = ndimage.label(plane == value)
        edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
        keep = np.zeros(count + 1, dtype=bool)
        keep[edge] = True
        keep[0] = False
        keep[1:] |= (np.bincount(labels.ravel(), minlength=count + 1) > _LARGE_SHARE * plane.size)[1:]
        outer = keep[labels]
        if mixed and value > TISSUE_HU:
            ring = ndimage.binary_dilation(outer, structure=np.ones((3, 3), dtype=bool))
            outer |= ring & ndimage.binary_dilation((plane < _BLURRED_HU) & ~outer)
        elif mixed:
            outer = ndimage.binary_dilation(outer, structure=np.ones((3, 3), dtype=bool))
        plane[outer] = AIR_HU
    return Grid(out, grid.factors, grid.spacing)


def _padding_value(hu: NDArray[np.int16]) -> int | None:
    """The value of padding at the border of the image, or at the border of what a frame of air leaves; None where that is air."""
    for _ in range(2):
        border = np.concatenate([hu[:, 0].ravel(), hu[:, -1].ravel(), hu[:, :, 0].ravel(), hu[:, :, -1].ravel()])
        values, counts = np.unique(border, return_counts=True)
        value = int(values[int(np.argmax(counts))])
        if counts.max() < _BORDER_SHARE * border.size:
            return None
        if value > _AIR_BELOW_HU:
            return value
        other = (hu != value).any(axis=0)
        rows, columns = np.flatnonzero(other.any(axis=1)), np.flatnonzero(other.any(axis=0))
        if not len(rows) or (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == other.shape:
            return None
        hu = hu[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return None


def inside_body(grid: Grid, labels: NDArray[np.integer], at_edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which regions of air lie inside the body: not room air, no mattress, also where a line, a table or a blanket closes these off.

    Of those that do not reach the edge of the image, wide ones are outside that lie beyond the convex outline of the body, or that hold
    plain air and are not enclosed by it. Of those at the edge, wide ones are inside that lie within the outline and are not plain: lung
    that the field of view cuts.

    Args:
        grid: HU.
        labels: Regions of air, each in one slice; 0 is tissue.
        at_edge: By label, whether it reaches the edge of its slice.

    Returns:
        By label, whether it is inside.
    """
    step = max(1, round(_OUTLINE_MM / grid.spacing[1]))
    some = np.s_[:, ::step, ::step]  # fewer voxels tell as much about a region that is wide
    here, hu, count = labels[some], grid.hu[some], len(at_edge)
    sizes = np.bincount(here.ravel(), minlength=count)
    wide = sizes * step * step * grid.spacing[1] * grid.spacing[2] > _WIDE_MM2
    within = np.bincount(here[_outlined(hu)], minlength=count)
    plain = np.bincount(here[hu < _PLAIN_HU], minlength=count) > _PLAIN_SHARE * sizes
    keep: NDArray[np.bool_] = ~at_edge | (wide & ~plain & (within > _CUT_WITHIN_SHARE * sizes))
    keep &= ~wide | (within >= _WITHIN_SHARE * sizes)
    keep[0] = False
    suspect = keep & wide & plain
    if suspect.any():
        slices = np.flatnonzero(suspect[here].any(axis=(1, 2)))
        enclosed = np.stack([ndimage.binary_fill_holes(plane) for plane in body_of(grid)[slices]])[some]
        there = here[slices]
        keep &= ~(suspect & (np.bincount(there[~enclosed], minlength=count) > _OUTSIDE_SHARE * sizes))
    return keep


def _outlined(hu: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Voxels inside the convex outline of the body in their slice."""
    core = ndimage.binary_erosion(hu > TISSUE_HU, structure=np.ones((1, 3, 3), dtype=bool))
    labels, count = ndimage.label(core)
    if not count:
        return np.ones(hu.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    body = labels == int(np.argmax(sizes))
    return np.stack([convex(plane) for plane in body])


def convex(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels inside the convex outline of those of one slice; none where these span no area."""
    rows = np.flatnonzero(plane.any(axis=1))
    ends = [np.argmax(plane[rows], axis=1), plane.shape[1] - 1 - np.argmax(plane[rows][:, ::-1], axis=1)]
    points = np.concatenate([np.stack([rows, columns], axis=1) for columns in ends])
    inside = np.ones(plane.shape, dtype=bool)
    try:
        planes = ConvexHull(points).equations if len(rows) > 1 else None
    except QhullError:
        planes = None
    if planes is None:
        return np.zeros(plane.shape, dtype=bool)
    yy, xx = np.arange(plane.shape[0])[:, None], np.arange(plane.shape[1])[None]
    for a, b, c in planes:
        inside &= a * yy + b * xx + c <= 1e-9
    return inside


def body_of(grid: Grid) -> NDArray[np.bool_]:
    """The patient: the largest body of tissue once thin things (a table top, clothes, a drawn frame) are taken off."""
    tissue = grid.hu > TISSUE_HU
    core = ndimage.binary_erosion(tissue, structure=np.ones((1, 3, 3), dtype=bool), iterations=max(1, round(5.0 / grid.spacing[1])))
    labels, count = ndimage.label(core)
    if not count:
        return tissue
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    seed = labels == int(np.argmax(sizes))
    grown: NDArray[np.bool_] = ndimage.binary_dilation(
        seed, structure=np.ones((1, 3, 3), dtype=bool), iterations=max(1, round(5.0 / grid.spacing[1])) + 1, mask=tissue
    )
    return grown
