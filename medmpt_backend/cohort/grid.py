"""The voxel grid of a synthetic study in patient millimetres, and the implicit shapes drawn on it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]
Range = tuple[float, float]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Grid:
    """Axis coordinates in mm; the origin is the carina, x to the patient's left, y to the back, z to the head.

    Attributes:
        shape: `(D, H, W)`.
        spacing: `(z, y, x)` in mm.
        x: `(1, 1, W)` float32.
        y: `(1, H, 1)` float32.
        z: `(D, 1, 1)` float32, decreasing: slice 0 is at the head.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    x: Field
    y: Field
    z: Field

    @classmethod
    def around(cls, shape: tuple[int, int, int], spacing: tuple[float, float, float], z_top: float) -> "Grid":
        """A grid centred on the midline whose first slice lies `z_top` mm above the carina."""
        depth, height, width = shape
        dz, dy, dx = spacing
        x = (np.arange(width, dtype=np.float32) - (width - 1) / 2) * dx
        y = (np.arange(height, dtype=np.float32) - (height - 1) / 2) * dy
        z = z_top - np.arange(depth, dtype=np.float32) * dz
        return cls(shape, spacing, x[None, None, :], y[None, :, None].astype(np.float32), z[:, None, None].astype(np.float32))

    def index(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Continuous `(z, y, x)` voxel indices of `(N, 3)` points given as `(x, y, z)` mm."""
        out = np.empty_like(points, dtype=np.float64)
        out[:, 0] = (float(self.z[0, 0, 0]) - points[:, 2]) / self.spacing[0]
        out[:, 1] = (points[:, 1] - float(self.y[0, 0, 0])) / self.spacing[1]
        out[:, 2] = (points[:, 0] - float(self.x[0, 0, 0])) / self.spacing[2]
        return out

    def millimetres(self, voxels: NDArray[np.int64]) -> NDArray[np.float64]:
        """`(N, 3)` `(x, y, z)` mm of `(N, 3)` `(z, y, x)` voxel indices."""
        out = np.empty(voxels.shape, dtype=np.float64)
        out[:, 0] = float(self.x[0, 0, 0]) + voxels[:, 2] * self.spacing[2]
        out[:, 1] = float(self.y[0, 0, 0]) + voxels[:, 1] * self.spacing[1]
        out[:, 2] = float(self.z[0, 0, 0]) - voxels[:, 0] * self.spacing[0]
        return out

    def ellipsoid(self, centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Field:
        """Approximate signed distance in mm to an axis-aligned ellipsoid, negative inside."""
        r = np.sqrt(((self.x - centre[0]) / axes[0]) ** 2 + ((self.y - centre[1]) / axes[1]) ** 2 + ((self.z - centre[2]) / axes[2]) ** 2)
        out: Field = (r - 1) * np.float32(min(axes))
        return out

    def part(self, x: Range | None = None, y: Range | None = None, z: Range | None = None) -> tuple[Box, "Grid"]:
        """The block of voxels that covers ranges given in mm, as slices of the volume and as a grid of its own (perhaps empty)."""
        box = (_span(self.z[:, 0, 0], z), _span(self.y[0, :, 0], y), _span(self.x[0, 0, :], x))
        shape = tuple(s.stop - s.start for s in box)
        return box, Grid((shape[0], shape[1], shape[2]), self.spacing, self.x[:, :, box[2]], self.y[:, box[1]], self.z[box[0]])

    def near(self, points: NDArray[np.float64], reach: float) -> tuple[Box, "Grid"]:
        """The block of voxels within `reach` mm of the box around `(N, 3)` `(x, y, z)` mm."""
        low, high = points.min(0) - reach, points.max(0) + reach
        return self.part((low[0], high[0]), (low[1], high[1]), (low[2], high[2]))

    def tube_part(self, path: NDArray[np.float64], radius: float, margin: float) -> tuple[Box, Field]:
        """A block around a tube, and in it the signed distance in mm: exact up to `margin` mm outside the surface, else `margin`.

        Args:
            path: `(N, 3)` polyline of `(x, y, z)` mm.
            radius: Radius of the tube, mm.
            margin: How far from the surface the distance is needed, mm.
        """
        if len(path) < 2:
            raise ValueError(f"a tube needs at least two points, got {len(path)}")
        outer, block = self.near(path, radius + margin)
        best = np.full(block.shape, (radius + margin) ** 2, np.float32)
        for start, end in pairwise(path):
            inner, g = block.near(np.stack([start, end]), radius + margin)
            axis = end - start
            x, y, z = g.x - np.float32(start[0]), g.y - np.float32(start[1]), g.z - np.float32(start[2])
            ax, ay, az = (np.float32(v) for v in axis)
            t = (x * ax + y * ay + z * az) / np.float32(max(float(axis @ axis), 1e-6))
            np.clip(t, 0, 1, out=t)
            d2 = np.square(x - t * ax)
            d2 += np.square(y - t * ay)
            d2 += np.square(z - t * az)
            np.minimum(best[inner], d2, out=best[inner])
        np.sqrt(best, out=best)
        best -= np.float32(radius)
        return outer, best

    def tube(self, path: NDArray[np.float64], radius: float, margin: float = 15.0) -> Field:
        """Signed distance in mm to a tube of one radius around a polyline `(N, 3)` of `(x, y, z)` mm; at most `margin` outside."""
        box, distance = self.tube_part(path, radius, margin)
        out = np.full(self.shape, margin, np.float32)
        out[box] = distance
        return out


def _span(axis: Field, wanted: Range | None) -> slice:
    """Indices of a monotonous axis whose coordinates lie in a range."""
    if wanted is None:
        return slice(0, len(axis))
    inside = np.flatnonzero((axis >= wanted[0]) & (axis <= wanted[1]))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def coverage(distance: NDArray[np.floating], voxel: float) -> Field:
    """Fraction of a voxel inside a surface, from the signed distance in mm: 1 inside, 0 outside, linear across one voxel."""
    out: Field = np.multiply(distance, -1 / voxel, dtype=np.float32, casting="same_kind")
    out += np.float32(0.5)
    np.clip(out, 0, 1, out=out)
    return out


def smooth_field(rng: np.random.Generator, shape: tuple[int, int, int], cells: tuple[int, int, int]) -> Field:
    """A smooth random field with zero mean and unit deviation: cubic interpolation of noise on a coarse lattice.

    Without matrix products: those of BLAS round differently with the number of threads.
    """
    from scipy.ndimage import spline_filter1d

    field = rng.standard_normal([c + 3 for c in cells]).astype(np.float32)
    for axis in range(3):
        field = spline_filter1d(field, order=3, axis=axis, output=np.float32)
    for axis in (2, 1):
        first, weights = _cubic_taps(shape[axis], cells[axis])
        taps = [np.take(field, first + k, axis) * (weights[:, k] if axis == 2 else weights[:, k, None]) for k in range(4)]
        field = taps[0] + taps[1] + taps[2] + taps[3]
    out = np.empty(shape, np.float32)
    first, weights = _cubic_taps(shape[0], cells[0])
    for n, (i, w) in enumerate(zip(first, weights, strict=True)):
        np.multiply(field[i], w[0], out=out[n])
        for k in range(1, 4):
            out[n] += field[i + k] * w[k]
    out -= out.mean()
    out /= max(float(out.std()), 1e-6)
    return out


def _cubic_taps(n: int, cells: int) -> tuple[NDArray[np.int64], Field]:
    """For n points: the first of four lattice nodes, `(n,)`, and the weights of the uniform cubic B-spline, `(n, 4)`."""
    t = np.linspace(0, cells, n, endpoint=False, dtype=np.float32)
    i = np.floor(t).astype(np.int64)
    u = t - i.astype(np.float32)
    return i, (np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], 1) / 6).astype(np.float32)
