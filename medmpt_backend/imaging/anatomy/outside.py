"""What lies outside the body though it does not look like it: padding of any value, and room air that a frame closes off."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
TISSUE_HU = -400


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
        plane[ndimage.binary_dilation(outer, structure=np.ones((3, 3), dtype=bool)) if mixed else outer] = AIR_HU
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


def without_room_air(grid: Grid, inside: NDArray[np.bool_], labels: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Inner air without regions of a slice that are room air: plain, wide and not enclosed by the body.

    Args:
        grid: HU.
        inside: `(d, h, w)` bool, air that does not reach the edge of its slice.
        labels: Its connected regions, each in one slice.

    Returns:
        `inside` itself where no region is suspicious.
    """
    some = np.s_[:, ::2, ::2]  # every fourth voxel tells as much about a region that is wide
    seen, count = labels[some][inside[some]], int(labels.max()) + 1
    sizes = np.bincount(seen, minlength=count)
    plain = np.bincount(labels[some][inside[some] & (grid.hu[some] < _PLAIN_HU)], minlength=count)
    suspect = (sizes * 4 * grid.spacing[1] * grid.spacing[2] > _WIDE_MM2) & (plain > _PLAIN_SHARE * sizes)
    if not suspect.any():
        return inside
    slices = np.flatnonzero(suspect[labels[some]].any(axis=(1, 2)))
    body = body_of(grid)[slices]
    enclosed = np.stack([ndimage.binary_fill_holes(plane) for plane in body])[some]
    there = labels[slices][some]
    open_to_room = np.bincount(there[~enclosed & (there > 0)], minlength=count)
    outside: NDArray[np.bool_] = suspect & (open_to_room > _OUTSIDE_SHARE * sizes)
    kept: NDArray[np.bool_] = inside & ~outside[labels]
    return kept


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
