"""Block means: the coarser grids on which anatomy is found."""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.together import together

Vec = tuple[float, float, float]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Grid:
    """Block means of a volume.

    Attributes:
        hu: `(d, h, w)` int16, HU, axes as in `Volume`.
        factors: Full-resolution voxels per grid voxel, `(z, y, x)`.
        spacing: mm `(z, y, x)`.
    """

    hu: NDArray[np.int16]
    factors: tuple[int, int, int]
    spacing: Vec

    @property
    def voxel_ml(self) -> float:
        """Volume of one grid voxel, ml."""
        return self.spacing[0] * self.spacing[1] * self.spacing[2] / 1000


def block_means(hu: NDArray[np.int16], spacing: Vec, wanted: Vec) -> Grid:
    """Average blocks of voxels so that the grid spacing stays near `wanted` mm.

    Args:
        hu: `(D, H, W)` int16.
        spacing: mm `(z, y, x)`.
        wanted: Grid spacing to reach without passing it by half, mm `(z, y, x)`.

    Returns:
        The grid; a remainder of rows, columns or slices that fills no block is left out.
    """
    fz, fy, fx = (max(1, min(round(w / s), n // 8)) for w, s, n in zip(wanted, spacing, hu.shape, strict=True))
    d, h, w = hu.shape[0] // fz, hu.shape[1] // fy, hu.shape[2] // fx
    out = np.empty((d, h, w), dtype=np.int16)

    def fill(first: int, last: int) -> None:
        for k in range(first, last):
            total = hu[k * fz].astype(np.int32)  # whole slices first, then whole rows: in the order of memory
            for z in range(k * fz + 1, (k + 1) * fz):
                total += hu[z]
            out[k] = _folded(_folded(total, fy, h, 0), fx, w, 1) // (fz * fy * fx)

    together(lambda: fill(0, d // 2), lambda: fill(d // 2, d))
    return Grid(out, (fz, fy, fx), (spacing[0] * fz, spacing[1] * fy, spacing[2] * fx))


def coarsen(grid: Grid, wanted: Vec) -> Grid:
    """A coarser grid of a grid; its factors count voxels of `grid`."""
    return block_means(grid.hu, grid.spacing, wanted)


def fraction(mask: NDArray[np.bool_], factors: tuple[int, int, int], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Share of each coarse voxel that a finer mask covers."""
    (fz, fy, fx), (d, h, w) = factors, shape
    if max(factors) > 6:  # more voxels than a byte counts
        blocks = mask[: d * fz, : h * fy, : w * fx].reshape(d, fz, h, fy, w, fx)
        return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))
    total = mask[: d * fz : fz].view(np.uint8)  # whole slices first, then whole rows: in the order of memory
    for z in range(1, fz):
        total = total + mask[z : d * fz : fz].view(np.uint8)
    for axis, f, n in ((1, fy, h), (2, fx, w)):
        total = _folded(total, f, n, axis)
    return total * np.float32(1 / (fz * fy * fx))


def _folded(values: NDArray[Any], factor: int, size: int, axis: int) -> NDArray[Any]:
    """Sums of neighbours along an axis."""
    parts = [values[(slice(None),) * axis + (slice(k, size * factor, factor),)] for k in range(factor)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def refine(mask: NDArray[T], factors: tuple[int, int, int], shape: tuple[int, ...]) -> NDArray[T]:
    """Repeat coarse voxels to the finer `shape`; the remainder takes the edge value."""
    out = mask
    for axis in range(3):
        out = np.repeat(out, factors[axis], axis=axis)
        lack = shape[axis] - out.shape[axis]
        if lack > 0:
            out = np.concatenate([out, np.repeat(out.take([-1], axis=axis), lack, axis=axis)], axis=axis)
    return out[: shape[0], : shape[1], : shape[2]]


def ball(radius_mm: float, spacing: Vec) -> NDArray[np.bool_]:
    """A structuring element: voxels within `radius_mm` of the centre."""
    reach = [int(radius_mm / s) for s in spacing]
    axes = np.meshgrid(*[np.arange(-r, r + 1) * s for r, s in zip(reach, spacing, strict=True)], indexing="ij")
    near: NDArray[np.bool_] = sum(axis**2 for axis in axes) <= radius_mm**2 + 1e-6
    return near


def planar_sums(values: NDArray[np.integer], dtype: type[np.integer]) -> NDArray[np.integer]:
    """Sums over 3 x 3 voxels of every slice; beyond the edge the edge is repeated."""
    padded = np.pad(values.astype(dtype, copy=False), [(0, 0), (1, 1), (0, 0)], mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1]
    rows += padded[:, 2:]
    padded = np.pad(rows, [(0, 0), (0, 0), (1, 1)], mode="edge")
    out: NDArray[np.integer] = padded[:, :, :-2] + padded[:, :, 1:-1]
    out += padded[:, :, 2:]
    return out


def mostly(mask: NDArray[np.bool_], share: float, *, planar: bool) -> NDArray[np.bool_]:
    """Whether more than this share of the 27 voxels around (9 of the slice where `planar`) belong to the mask; the edge repeats itself."""
    sums = planar_sums(mask.view(np.uint8), np.uint8)
    if not planar:
        padded = np.pad(sums, [(1, 1), (0, 0), (0, 0)], mode="edge")
        sums = padded[:-2] + padded[1:-1] + padded[2:]
    found: NDArray[np.bool_] = sums > int(share * (9 if planar else 27))
    return found


def over_slices(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many slices of a mask hold each pixel, `(h, w)`."""
    out = np.zeros(mask.shape[1:], dtype=np.int32)
    for first in range(0, len(mask), 255):
        out += np.add.reduce(mask[first : first + 255].view(np.uint8), axis=0, dtype=np.uint8)
    return out


def per_slice(mask: NDArray[Any]) -> NDArray[np.intp]:
    """How many voxels of every slice are not zero."""
    return np.array([np.count_nonzero(plane) for plane in mask], dtype=np.intp)
