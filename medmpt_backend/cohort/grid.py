"""The voxel grid of a synthetic study in patient millimetres, and the implicit shapes drawn on it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]


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

    def tube(self, path: NDArray[np.float64], radius: float) -> Field:
        """Signed distance in mm to a tube of one radius around a polyline `(N, 3)` of `(x, y, z)` mm."""
        best: Field | None = None
        for start, end in pairwise(path):
            axis = end - start
            length2 = max(float(axis @ axis), 1e-6)
            t = ((self.x - start[0]) * axis[0] + (self.y - start[1]) * axis[1] + (self.z - start[2]) * axis[2]) / length2
            t = np.clip(t, 0, 1)
            d2 = (
                (self.x - start[0] - t * axis[0]) ** 2 + (self.y - start[1] - t * axis[1]) ** 2 + (self.z - start[2] - t * axis[2]) ** 2
            ).astype(np.float32)
            best = d2 if best is None else np.minimum(best, d2)
        if best is None:
            raise ValueError(f"a tube needs at least two points, got {len(path)}")
        out: Field = np.sqrt(best) - np.float32(radius)
        return out


def coverage(distance: NDArray[np.floating], voxel: float) -> Field:
    """Fraction of a voxel inside a surface, from the signed distance in mm: 1 inside, 0 outside, linear across one voxel."""
    out: Field = np.clip(0.5 - distance / np.float32(voxel), 0, 1).astype(np.float32)
    return out


def smooth_field(rng: np.random.Generator, shape: tuple[int, int, int], cells: tuple[int, int, int]) -> Field:
    """A smooth random field with zero mean and unit deviation: cubic interpolation of noise on a coarse lattice."""
    from scipy.ndimage import spline_filter1d

    field = rng.standard_normal([c + 3 for c in cells]).astype(np.float32)
    for axis in range(3):
        field = spline_filter1d(field, order=3, axis=axis, output=np.float32)
    for axis, (n, c) in enumerate(zip(shape, cells, strict=True)):
        field = np.moveaxis(np.tensordot(_cubic_basis(n, c), field, axes=(1, axis)), 0, axis)
    out: Field = ((field - field.mean()) / max(float(field.std()), 1e-6)).astype(np.float32)
    return out


def _cubic_basis(n: int, cells: int) -> Field:
    """`(n, cells + 3)` weights of the uniform cubic B-spline at n points."""
    t = np.linspace(0, cells, n, endpoint=False, dtype=np.float32)
    i = np.floor(t).astype(int)
    u = t - i
    weights = np.stack([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], 1) / 6
    basis = np.zeros((n, cells + 3), np.float32)
    for k in range(4):
        basis[np.arange(n), i + k] = weights[:, k]
    return basis
