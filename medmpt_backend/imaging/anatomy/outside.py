"""What lies outside the body though it does not look like it: padding of any value, and room air that a frame closes off."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import filled_planes, shrunk, spread
from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.runs import Parts, parts_of
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
_EPS = 1e-9
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


def inside_body(grid: Grid, air: Parts, outlined: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which regions of air lie inside the body: not room air, no mattress, also where a line, a table or a blanket closes these off.

    Of those that do not reach the edge of the image, wide ones are outside that lie beyond the convex outline of the body, or that hold
    plain air and are not enclosed by it. Of those at the edge, wide ones are inside that lie within the outline and are not plain: lung
    that the field of view cuts.

    Args:
        grid: HU.
        air: Regions of air, each in one slice.
        outlined: See `outline_of`.

    Returns:
        By number, whether it is inside.
    """
    step = _outline_step(grid)  # fewer voxels tell as much about a region that is wide
    here, hu, count = air.every(step), grid.hu[:, ::step, ::step], air.count + 1
    sizes = np.bincount(here.ravel(), minlength=count)
    wide = sizes * step * step * grid.spacing[1] * grid.spacing[2] > _WIDE_MM2
    within = np.bincount(here[outlined], minlength=count)
    plain = np.bincount(here[hu < _PLAIN_HU], minlength=count) > _PLAIN_SHARE * sizes
    keep: NDArray[np.bool_] = ~air.at_edge | (wide & ~plain & (within > _CUT_WITHIN_SHARE * sizes))
    keep &= ~wide | (within >= _WITHIN_SHARE * sizes)
    keep[0] = False
    suspect = keep & wide & plain
    if suspect.any():
        slices = np.flatnonzero(suspect[here].any(axis=(1, 2)))
        enclosed = filled_planes(body_of(grid, slices))[:, ::step, ::step]
        there = here[slices]
        keep &= ~(suspect & (np.bincount(there[~enclosed], minlength=count) > _OUTSIDE_SHARE * sizes))
    return keep


def _outline_step(grid: Grid) -> int:
    return max(1, round(_OUTLINE_MM / grid.spacing[1]))


def outline_of(grid: Grid) -> NDArray[np.bool_]:
    """Voxels inside the convex outline of the body in their slice, at every few rows and columns."""
    step = _outline_step(grid)
    hu = grid.hu[:, ::step, ::step]
    core = parts_of(shrunk(hu > TISSUE_HU, 1))
    if not core.count:
        return np.ones(hu.shape, dtype=bool)
    return np.stack([convex(plane) for plane in core.where(np.arange(core.count + 1) == core.largest)])


def convex(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels inside the convex outline of those of one slice; none where these span no area."""
    rows = np.flatnonzero(plane.any(axis=1))
    if len(rows) < 2:
        return np.zeros(plane.shape, dtype=bool)
    some = plane[rows]
    first, last = np.argmax(some, axis=1), plane.shape[1] - 1 - np.argmax(some[:, ::-1], axis=1)
    every = np.arange(rows[0], rows[-1] + 1)
    left, right = _below(rows, first, every), -_below(rows, -last, every)
    out = np.zeros(plane.shape, dtype=bool)
    if float((right - left).max()) > _EPS:
        columns = np.arange(plane.shape[1])
        out[rows[0] : rows[-1] + 1] = (columns >= left[:, None] - _EPS) & (columns <= right[:, None] + _EPS)
    return out


def _below(at: NDArray[np.intp], values: NDArray[np.intp], every: NDArray[np.intp]) -> NDArray[np.float64]:
    """The convex line below all points, at every place."""
    line: list[tuple[int, int]] = []
    for x, y in zip(at.tolist(), values.tolist(), strict=True):
        while len(line) > 1 and (line[-1][1] - line[-2][1]) * (x - line[-2][0]) >= (y - line[-2][1]) * (line[-1][0] - line[-2][0]):
            line.pop()
        line.append((x, y))
    return np.interp(every, *np.array(line, dtype=np.float64).T)


def body_of(grid: Grid, slices: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
    """The patient: the largest body of tissue once thin things (a table top, clothes, a drawn frame) are taken off.

    Args:
        grid: HU.
        slices: The slices to return, default all.
    """
    tissue = grid.hu > TISSUE_HU
    rounds = max(1, round(5.0 / grid.spacing[1]))
    core = parts_of(shrunk(tissue, rounds))
    own = tissue if slices is None else tissue[slices]
    if not core.count:
        return own
    seed = core.where(np.arange(core.count + 1) == core.largest)
    return spread(seed if slices is None else seed[slices], rounds + 1, own)
