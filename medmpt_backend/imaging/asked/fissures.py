"""Fissures of one lung: a smooth surface along which the image looks like a thin plate and few vessels run."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import box_of, opened
from medmpt_backend.imaging.anatomy.distance import depth_of
from medmpt_backend.imaging.anatomy.grid import Grid, Vec

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Columns of the surface lie this far apart.
STEP_MM = 4.0
# Second derivatives are taken over this width, of values cut to those of lung; vessels are denser than this.
_WIDTH_MM, _LUNG_HU, _VESSEL_HU, _THICK_MM = 1.4, (-1000, -500), -650, 6.0
# A lung in which fewer vessels are seen tells nothing.
_LEAST_VESSELS = 0.005
# The rim of the lung looks like a plate too.
_RIM_MM = 3.0
# What a vessel on the surface costs, and by how much both cues are cut.
_VESSEL_COST, _PLATE = 6.0, (-1.5, 3.0)
# Search: samples in a round, rounds, best ones kept; each deviation from the usual shape costs a little.
_SAMPLES, _ROUNDS, _BEST, _UNUSUAL = 300, 12, 40, 0.03
# Where the surface may give way afterwards.
_GIVE_MM, _GIVE_STEP_MM, _EVEN_MM, _SHARP = 15.0, 1.5, 8.0, 8.0


@dataclass(frozen=True, eq=False)
class Surface:
    """Heights of a surface.

    Attributes:
        z: mm from the first slice of the crop, per column.
        slope: mm per mm along rows and along columns.
    """

    z: Floats
    slope: tuple[Floats, Floats]

    def moved(self, mm: float) -> "Surface":
        """The surface moved along its normals."""
        return Surface(self.z + mm * np.sqrt(1 + self.slope[0] ** 2 + self.slope[1] ** 2), self.slope)


@dataclass(frozen=True)
class Seen:
    """How far a surface stands out from those beside it.

    Attributes:
        deviations: Plate-likeness above that beside it, in standard deviations of the latter.
        rise: The same as it is.
        vessels: Share of vessels, as a part of that beside it.
    """

    deviations: float
    rise: float
    vessels: float


class Evidence:
    """What one lung shows: second derivatives and vessels, looked up on surfaces over columns of `STEP_MM`."""

    def __init__(self, grid: Grid, mask: Mask) -> None:
        self.box = tuple(slice(max(0, side.start - 4), side.stop + 4) for side in box_of(mask))
        self.mask = mask[self.box]
        self.spacing = grid.spacing
        self._table, self._scale = _looked_up(grid.hu[self.box], self.mask, grid.spacing)
        spans = [np.flatnonzero(self.mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        low, high = (np.array([float(span[end]) * s for span, s in zip(spans, grid.spacing, strict=True)]) for end in (0, -1))
        self.middle, self.half = (low + high) / 2, (high - low) / 2
        rows, columns = (np.arange(low[axis] + STEP_MM, high[axis] - _RIM_MM, STEP_MM) for axis in (1, 2))
        self.shape = len(rows), len(columns)
        self.y, self.x = (plane.ravel() for plane in np.meshgrid(rows, columns, indexing="ij"))
        v, w = (self.y - self.middle[1]) / self.half[1], (self.x - self.middle[2]) / self.half[2]
        one, none = np.ones_like(v), np.zeros_like(v)
        self._shapes = np.stack([one, v, w, v**2 - 1 / 3, w**2 - 1 / 3, v * w])
        self._along_y = np.stack([none, one, none, 2 * v, none, w]) / self.half[1]
        self._along_x = np.stack([none, none, one, none, 2 * w, v]) / self.half[2]
        at = np.rint(self.y / self.spacing[1]).astype(np.intp), np.rint(self.x / self.spacing[2]).astype(np.intp)
        self._column = at[0] * self.mask.shape[2] + at[1]
        self._above = np.cumsum(self.mask[:, at[0], at[1]], axis=0, dtype=np.int32)

    def surface(self, figures: Floats) -> Surface:
        """Surfaces from figures `(..., 6)`: height in the middle, slopes, curvatures and twist, mm."""
        return Surface(figures @ self._shapes + self.middle[0], (figures @ self._along_y, figures @ self._along_x))

    def lung_above(self, z: Floats) -> NDArray[np.int32]:
        """Lung voxels of every column above a height."""
        found: NDArray[np.int32] = self._above[self._slices(z), np.arange(len(self.y))]
        return found

    @property
    def lung_size(self) -> int:
        """Lung voxels of all columns."""
        return int(self._above[-1].sum())

    def _slices(self, z: Floats) -> NDArray[np.intp]:
        return np.clip(np.rint(z / self.spacing[0]), 0, len(self.mask) - 1).astype(np.intp)

    def seen(self, surface: Surface) -> tuple[Floats, Floats, Mask]:
        """Plate-likeness across the surface, share of vessels, and whether a place lies inside the lung."""
        places = self._slices(surface.z) * (self.mask.shape[1] * self.mask.shape[2]) + self._column
        zz, zy, zx, yy, yx, xx, vessels, depth = np.moveaxis(self._table[places], -1, 0)
        length = np.sqrt(1 + surface.slope[0] ** 2 + surface.slope[1] ** 2)
        nz, ny, nx = 1 / length, -surface.slope[0] / length, -surface.slope[1] / length
        across = zz * nz * nz + yy * ny * ny + xx * nx * nx + 2 * (zy * nz * ny + zx * nz * nx + yx * ny * nx)
        plate = (-across - 0.5 * np.abs(zz + yy + xx - across)) / self._scale
        vessels = vessels * np.clip(1 - plate / _PLATE[1], 0, 1)  # a fissure that fluid or fat thickens is dense too
        inside = (depth > _RIM_MM) & (surface.z >= 0) & (surface.z <= (len(self.mask) - 1) * self.spacing[0])
        return np.clip(plate, *_PLATE), vessels, inside

    def worth(self, surface: Surface, where: Mask | None = None) -> Floats:
        """Mean evidence of surfaces, -9 where too little of one lies in the lung."""
        plate, vessels, inside = self.seen(surface)
        if where is not None:
            inside &= where
        number = inside.sum(axis=-1)
        mean = ((plate - _VESSEL_COST * vessels) * inside).sum(axis=-1) / np.maximum(number, 1)
        return np.where(number > 0.05 * len(self.y), mean, -9.0)

    def full(self, surface: Surface) -> Floats:
        """Heights at every pixel of the crop."""
        rows = (np.arange(self.mask.shape[1]) * self.spacing[1] - self.y[0]) / STEP_MM
        columns = (np.arange(self.mask.shape[2]) * self.spacing[2] - self.x[0]) / STEP_MM
        grid = np.meshgrid(rows, columns, indexing="ij")
        return np.asarray(ndimage.map_coordinates(surface.z.reshape(self.shape), grid, order=1, mode="nearest"))


def _looked_up(hu: NDArray[np.int16], mask: Mask, spacing: Vec) -> tuple[NDArray[np.float32], float]:
    """Per voxel six second derivatives, share of vessels near by and depth in mm; and the usual size of a derivative."""
    values = np.where(mask, np.clip(hu, *_LUNG_HU), 0).astype(np.float32)
    blur = [4 / s for s in spacing]
    share = ndimage.gaussian_filter(mask.astype(np.float32), blur)
    outside = ndimage.gaussian_filter(values, blur) / np.maximum(share, 1e-3)  # the edge of the lung is no plate
    values = np.where(mask, values, outside)
    width = [max(0.7, _WIDTH_MM / s) for s in spacing]
    found = []
    for i in range(3):
        for j in range(i, 3):
            order = [0, 0, 0]
            order[i] += 1
            order[j] += 1
            found.append(ndimage.gaussian_filter(values, width, order=order) / (spacing[i] * spacing[j]))
    depth = depth_of(mask, spacing).astype(np.float32)
    dense = (values > _VESSEL_HU) & (depth > _RIM_MM)
    vessels = (dense & ~opened(dense, _THICK_MM, spacing) & (depth > 5)).astype(np.float32)  # thicker things lie at a fissure, too
    table = np.stack([*found, ndimage.gaussian_filter(vessels, [2.5 / s for s in spacing]), depth], axis=-1).reshape(-1, 8)
    inner = table[table[:, 7] > _RIM_MM]
    scale = 1.4826 * float(np.median(np.abs(inner[:, 0])) + np.median(np.abs(inner[:, 3])))
    return table.astype(np.float32), max(scale, 1e-6)


def search(worth: Callable[[Floats], Floats], usual: Floats, spread: Floats, start: int) -> Floats:
    """The figures of a surface that are worth most, by rounds of samples around the best so far.

    Args:
        worth: Of figures `(n, 6)`.
        usual: Figures of a usual fissure, mm.
        spread: By how much they differ between people.
        start: Number of the search: each draws other samples.
    """
    rng = np.random.default_rng(start)
    middle, width = usual.copy(), spread.copy()
    best, most = usual, -np.inf
    for k in range(_ROUNDS):
        figures = middle + width * rng.standard_normal((_SAMPLES, len(usual))) * (1.0 if k else 1.4)
        figures = np.clip(figures, usual - 2.5 * spread, usual + 2.5 * spread)
        found = worth(figures) - _UNUSUAL * (((figures - usual) / spread) ** 2).sum(axis=1)
        order = np.argsort(-found)[:_BEST]
        if found[order[0]] > most:
            best, most = figures[order[0]], float(found[order[0]])
        middle = 0.3 * middle + 0.7 * figures[order].mean(axis=0)
        width = np.maximum(0.5 * width + 0.5 * figures[order].std(axis=0), 0.02 * spread)
    return best


def bent(evidence: Evidence, surface: Surface, where: Mask | None = None) -> Surface:
    """The surface moved to where the evidence near it is strongest, evenly over some millimetres; twice, the second time less far."""
    for k in range(3):
        moves = np.arange(-_GIVE_MM, _GIVE_MM + 0.1, _GIVE_STEP_MM) / (1.0, 2.0, 4.0)[k]
        sigma = _EVEN_MM / STEP_MM / (1 + 0.5 * k)
        sums, numbers = [], []
        for move in moves:
            plate, vessels, inside = evidence.seen(surface.moved(move))
            inside = inside if where is None else inside & where
            sums.append(ndimage.gaussian_filter(np.where(inside, plate - _VESSEL_COST * vessels, 0).reshape(evidence.shape), sigma))
            numbers.append(ndimage.gaussian_filter(inside.reshape(evidence.shape).astype(np.float64), sigma))
        number = np.stack(numbers)
        worth = np.stack(sums) / np.maximum(number, 0.05) - 0.0015 * moves[:, None, None] ** 2
        worth = ndimage.gaussian_filter1d(worth, 0.7, axis=0)
        worth[number < 0.05] = -5.0
        weight = np.exp(_SHARP * (1 + k) * (worth - worth.max(axis=0)))
        known = (number.max(axis=0) > 0.3).astype(np.float64)
        move = ndimage.gaussian_filter(known * (weight * moves[:, None, None]).sum(axis=0) / weight.sum(axis=0), sigma)
        move /= ndimage.gaussian_filter(known, sigma) + 1e-3
        length = np.sqrt(1 + surface.slope[0] ** 2 + surface.slope[1] ** 2)
        z = surface.z.reshape(evidence.shape) + move * length.reshape(evidence.shape)
        slope = np.gradient(z, STEP_MM, axis=0).ravel(), np.gradient(z, STEP_MM, axis=1).ravel()
        surface = Surface(z.ravel(), slope)
    return surface


def stands_out(evidence: Evidence, surface: Surface, where: Mask | None = None) -> Seen:
    """How far a surface stands out from surfaces 6 to 30 mm beside it; where those show no vessel nothing does."""
    moves = np.arange(-30.0, 31.0, 2.0)
    plates, shares = [], []
    for move in moves:
        plate, vessels, inside = evidence.seen(surface.moved(move))
        inside = inside if where is None else inside & where
        plates.append(float(plate[inside].mean()) if inside.any() else np.nan)
        shares.append(float(vessels[inside].mean()) if inside.any() else np.nan)
    here = len(moves) // 2
    beside = (np.abs(moves) >= 6) & ~np.isnan(plates)
    if np.count_nonzero(beside) < 10 or np.isnan(plates[here]):
        return Seen(0.0, 0.0, 1.0)
    others, usual = np.array(plates)[beside], float(np.array(shares)[beside].mean())
    rise = plates[here] - float(others.mean())
    return Seen(rise / max(float(others.std()), 1e-6), rise, shares[here] / usual if usual > _LEAST_VESSELS else 1.0)
