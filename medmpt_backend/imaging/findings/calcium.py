"""Calcium of the heart's arteries and of the aorta: where to look, which spots are plaques, Agatston's score."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy import balls
from medmpt_backend.imaging.anatomy.grid import planar_sums
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.anatomy.runs import parts_of
from medmpt_backend.imaging.findings.mediastinum import LIVER_MM, Between, gap_of, inner_edges
from medmpt_backend.imaging.volume import Volume

# Agatston's limits: Agatston et al., Quantification of coronary artery calcium using ultrafast computed tomography, JACC 1990.
CALCIUM_HU = 130
MIN_PLAQUE_MM2 = 1.0
_WEIGHTS = ((400, 4), (300, 3), (200, 2), (130, 1))
# Agatston's score was set up on sections of 3 mm: thinner and thicker ones are scaled by their spacing.
AGATSTON_SLICE_MM = 3.0
# A plaque lies inside its region by this share; bone and what enters from outside reaches out of it.
INSIDE_SHARE = 0.9
# What is wider than an artery and nowhere dense is motion of the heart or a streak, no plaque.
WIDE_RADIUS_MM, WIDE_PEAK_HU = 2.6, 260
# The arteries lie from this far below the carina to this far below the top of the right dome of the diaphragm.
HEART_BELOW_MM, HEART_UNDER_DOME_MM = 25.0, 30.0
# Behind, beside the spine, lie the hila; in front the heart is no wider than this to either side of the trachea's middle.
_HILUM_BEFORE_SPINE_MM, _HILUM_BESIDE_MM = 48.0, 42.0
_RIGHT_MM, _LEFT_MM = 75.0, 105.0
_BEFORE_SPINE_MM = 12.0
# The liver stands between the lungs in all slices of this height; a heart or a mass that is wide for a while is no dome.
_DOME_LASTS_MM = 15.0
# The arch of the aorta stands above the carina, to the left of the trachea; nodes of the window below it are left out.
ARCH_MM = (22.0, 50.0)
ARCH_WIDE_MM = 45.0
# Bone: large dense parts, with a margin for their blur.
_BONE_HU, _BONE_ML, _BONE_MARGIN_MM = 100, 8.0, 3.5
# Rings of the airway calcify.
_AIRWAY_MARGIN_MM = 5.0
# The descending aorta: the widest circle of soft tissue before and left of the spine.
_DESCENDING_RADIUS_MM = (8.0, 21.0)
# It lies about here from the front of the vertebral body, before and to the left; what is further away must be wider to be taken.
_DESCENDING_AT_MM, _AWAY_COST = (10.0, 18.0), 0.4
_WALL_MM = 2.5
HEART, AORTA = 1, 2
# Pixels around the regions in which a spot that enters them is seen.
_MARGIN = 8
_SLAB = 2


@dataclass(frozen=True, eq=False)
class Spot:
    """One plaque in one section: its voxels, area, densest voxel and where it lies."""

    z: int
    y: NDArray[np.intp]
    x: NDArray[np.intp]
    area_mm2: float
    peak_hu: float
    where: Literal["heart", "aorta"]


@dataclass(frozen=True, eq=False)
class Plaques:
    """All plaques of a scan.

    Attributes:
        spots: Section by section.
        step_mm: Distance of sections.
        noise_hu: Standard deviation in the descending aorta, None where it was not found.
    """

    spots: tuple[Spot, ...]
    step_mm: float
    noise_hu: float | None

    @cached_property
    def agatston(self) -> float:
        """Agatston's score of the heart: area times weight by the densest voxel, for sections of 3 mm."""
        total = sum(s.area_mm2 * _weight(s.peak_hu) for s in self.spots if s.where == "heart")
        return total * self.step_mm / AGATSTON_SLICE_MM

    def millilitres(self, where: Literal["heart", "aorta"]) -> float:
        """Volume of the plaques of a place."""
        return sum(s.area_mm2 for s in self.spots if s.where == where) * self.step_mm / 1000

    def widest(self, where: Literal["heart", "aorta"]) -> int | None:
        """The section with most of it."""
        areas: dict[int, float] = {}
        for spot in self.spots:
            if spot.where == where:
                areas[spot.z] = areas.get(spot.z, 0.0) + spot.area_mm2
        return max(areas, key=lambda z: areas[z]) if areas else None


def _weight(peak: float) -> int:
    return next((weight for limit, weight in _WEIGHTS if peak >= limit), 0)


def plaques(volume: Volume, lungs: Lungs, between: Between) -> Plaques:
    """Find plaques of at least 130 HU; meaningful without contrast medium only.

    Args:
        volume: Full resolution.
        lungs: Both lungs.
        between: The tissue between them.

    Returns:
        Plaques and the noise they were found in.
    """
    bone = bone_of(lungs)
    discs = descending(lungs, between, bone)
    where = regions(lungs, between, bone, discs)
    spots: list[Spot] = []
    fz = lungs.grid.factors[0]
    for k in np.flatnonzero(where.any(axis=(1, 2))):
        box, fine = _at_full_resolution(where[k], lungs.grid.factors[1:])
        for z in range(int(k) * fz, min(volume.hu.shape[0], (int(k) + 1) * fz)):
            spots += _in_section(volume, z, box, fine)
    return Plaques(tuple(spots), volume.spacing[0], _noise(volume, lungs, discs))


def _at_full_resolution(where: NDArray[np.uint8], factors: tuple[int, int]) -> tuple[tuple[slice, ...], NDArray[np.uint8]]:
    """Box of a section around all regions, with a margin, and the regions there."""
    _, *sides = balls.box_of(where[None] > 0)
    rows, columns = (
        slice(max(0, side.start - -(-_MARGIN // f)), side.stop - -(-_MARGIN // f)) for side, f in zip(sides, factors, strict=True)
    )
    fine = np.repeat(np.repeat(where[rows, columns], factors[0], axis=0), factors[1], axis=1)
    first = rows.start * factors[0], columns.start * factors[1]
    return tuple(slice(a, a + n) for a, n in zip(first, fine.shape, strict=True)), fine


def _in_section(volume: Volume, z: int, box: tuple[slice, ...], fine: NDArray[np.uint8]) -> list[Spot]:
    """Plaques of one section."""
    plane = volume.hu[z][box]
    bright = plane >= CALCIUM_HU
    if not np.any(bright & (fine > 0)):
        return []
    labels, count = ndimage.label(bright, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    inside = np.bincount(labels[fine > 0], minlength=count + 1)
    pixel = volume.spacing[1] * volume.spacing[2]
    found = []
    for i, cut in enumerate(ndimage.find_objects(labels), 1):
        if inside[i] < INSIDE_SHARE * sizes[i] or sizes[i] * pixel < MIN_PLAQUE_MM2 or sizes[i] < 2:
            continue
        part = labels[cut] == i
        peak = float(plane[cut][part].max())
        if peak < WIDE_PEAK_HU and _inner_radius(part, volume.spacing[1:]) > WIDE_RADIUS_MM:
            continue
        y, x = np.nonzero(part)
        y, x = y + cut[0].start + box[0].start, x + cut[1].start + box[1].start
        heart = np.count_nonzero(fine[cut][part] == HEART) * 2 >= len(y)
        found.append(Spot(z, y, x, float(sizes[i] * pixel), peak, "heart" if heart else "aorta"))
    return found


def _inner_radius(part: NDArray[np.bool_], spacing: tuple[float, float]) -> float:
    return float(ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing).max())


def regions(lungs: Lungs, between: Between, bone: NDArray[np.bool_], discs: dict[int, tuple[float, float, float]]) -> NDArray[np.uint8]:
    """Where the heart's arteries and the aorta may lie: HEART, AORTA or 0 on the lungs' grid.

    Args:
        lungs: Both lungs.
        between: The tissue between them.
        bone: Bone with its margin.
        discs: The descending aorta, see `descending`.
    """
    out = np.zeros(lungs.labels.shape, dtype=np.uint8)
    step = lungs.grid.spacing[0]
    top, bottom = between.first + round(HEART_BELOW_MM / step), heart_bottom(lungs, between)
    out[top:bottom][_shrunk(between.mask[top:bottom])] = HEART
    _narrow(out, lungs, between, top)
    yy, xx = (np.arange(n) * s for n, s in zip(lungs.labels.shape[1:], lungs.grid.spacing[1:], strict=True))
    for k, (y, x, radius) in discs.items():
        away = (yy[:, None] - y * lungs.grid.spacing[1]) ** 2 + (xx[None] - x * lungs.grid.spacing[2]) ** 2
        out[k][away <= (radius + _WALL_MM) ** 2] = AORTA
    _add_arch(out, lungs, between)
    out[bone] = 0
    if lungs.airway is not None:
        out[balls.within(lungs.airway.mask, _AIRWAY_MARGIN_MM, lungs.grid.spacing)] = 0
    return out


def _narrow(out: NDArray[np.uint8], lungs: Lungs, between: Between, top: int) -> None:
    """Take the hila beside the spine out of the heart's region, and what lies further to the side than a heart."""
    _, dy, dx = lungs.grid.spacing
    columns = (np.arange(out.shape[2]) - between.middle) * dx
    beside = np.abs(columns) > _HILUM_BESIDE_MM
    far = (columns < -_RIGHT_MM) | (columns > _LEFT_MM)
    dome = heart_bottom(lungs, between) - round(HEART_UNDER_DOME_MM / lungs.grid.spacing[0])
    edges = np.flatnonzero((out[max(top, dome - round(20 / lungs.grid.spacing[0])) : dome] == HEART).any(axis=(0, 1)))
    for k in range(top, out.shape[0]):
        out[k][:, far] = 0
        if between.spine[k] >= 0:
            out[k][max(0, int(between.spine[k]) - round(_HILUM_BEFORE_SPINE_MM / dy)) :, beside] = 0
            out[k][max(0, int(between.spine[k]) - round(_BEFORE_SPINE_MM / dy)) :] = 0
        if k >= dome and len(edges):
            out[k][:, : edges[0]] = 0


def _shrunk(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the outermost voxels of every section: the blur of the lung's edge and moving walls."""
    return balls.shrunk(mask, 2)


def _add_arch(out: NDArray[np.uint8], lungs: Lungs, between: Between) -> None:
    """The arch: between the lungs above the carina, left of the trachea."""
    if lungs.airway is None or lungs.airway.carina is None:
        return
    step = lungs.grid.spacing[0]
    for k in range(max(0, between.first - round(ARCH_MM[1] / step)), between.first - round(ARCH_MM[0] / step) + 1):
        mask = gap_of(lungs.labels[k])
        mask[:, : between.middle] = False
        mask[:, between.middle + round(ARCH_WIDE_MM / lungs.grid.spacing[2]) :] = False
        out[k][_shrunk(mask[None])[0]] = AORTA


def heart_bottom(lungs: Lungs, between: Between) -> int:
    """One past the last grid slice of the heart: a little below the top of the right dome of the diaphragm."""
    start = between.first + round(HEART_BELOW_MM / lungs.grid.spacing[0])
    last = int(np.flatnonzero((lungs.labels > 0).any(axis=(1, 2)))[-1]) + 1
    lasting = max(1, round(_DOME_LASTS_MM / lungs.grid.spacing[0]))
    seen = 0
    for k in range(start, last):
        right, left = inner_edges(lungs.labels[k])
        rows = np.flatnonzero((right >= 0) & (left > right) & between.mask[k].any(axis=1))
        wide = len(rows) > 5 and (between.middle - np.percentile(right[rows], 25)) * lungs.grid.spacing[2] > LIVER_MM
        seen = seen + 1 if wide else 0
        if seen == lasting:
            return int(min(lungs.labels.shape[0], k + 1 - lasting + round(HEART_UNDER_DOME_MM / lungs.grid.spacing[0])))
    return last


def bone_of(lungs: Lungs) -> NDArray[np.bool_]:
    """Large dense parts: spine, ribs, sternum, with their spongy inside and a margin."""
    grid = lungs.grid
    dense = parts_of(_denser(grid.hu, _BONE_HU))
    large = dense.sizes * grid.voxel_ml >= _BONE_ML
    large[0] = False
    plane = (1e3, *grid.spacing[1:])
    return balls.within(balls.filled_planes(balls.closed(dense.where(large), 4.0, plane)), _BONE_MARGIN_MM, plane)


def _denser(hu: NDArray[np.int16], limit: int) -> NDArray[np.bool_]:
    """Where the mean of 3 x 3 voxels of a slice passes a limit; a few slices at a time, which stay near the processor."""
    out = np.empty(hu.shape, dtype=bool)
    for first in range(0, len(hu), _SLAB):
        np.greater(planar_sums(hu[first : first + _SLAB], np.int32), 9 * limit, out=out[first : first + _SLAB])
    return out


def descending(lungs: Lungs, between: Between, bone: NDArray[np.bool_]) -> dict[int, tuple[float, float, float]]:
    """The descending aorta below the carina by slice: row, column and radius in mm of the widest circle of soft tissue by the spine.

    Args:
        lungs: Both lungs.
        between: The tissue between them.
        bone: Bone with its margin.
    """
    grid = lungs.grid
    found: dict[int, tuple[float, float, float]] = {}
    last = int(np.flatnonzero((lungs.labels == LEFT).any(axis=(1, 2)) | (lungs.labels == RIGHT).any(axis=(1, 2)))[-1])
    for k in range(between.first, last + 1):
        front = _front_of(bone[k], between, k, grid.spacing)
        if front is None:
            continue
        circle = _circle(lungs, k, front, between.middle)
        if circle is not None:
            found[k] = circle
    if len(found) < 3:
        return {}
    keys = np.array(sorted(found))
    table = np.array([found[int(k)] for k in keys])
    width = max(3, 2 * round(15 / grid.spacing[0]) + 1)
    smooth = ndimage.median_filter(table, size=(width, 1), mode="nearest")
    return {int(k): (float(y), float(x), float(r)) for k, (y, x, r) in zip(keys, smooth, strict=True)}


def _front_of(bone: NDArray[np.bool_], between: Between, k: int, spacing: tuple[float, float, float]) -> int | None:
    """Row of the front of the vertebral body: the first row of wide bone in the back half near the middle."""
    half = round(18 / spacing[2])
    strip = bone[:, max(0, between.middle - half) : between.middle + half]
    rows = np.flatnonzero(between.mask[k].any(axis=1))
    if not len(rows):
        return None
    wide = np.count_nonzero(strip, axis=1) * spacing[2] > 18
    wide[: int(rows[0] + rows[-1]) // 2] = False
    found = np.flatnonzero(wide)
    return int(found[0]) if len(found) else None


def _circle(lungs: Lungs, k: int, front: int, middle: int) -> tuple[float, float, float] | None:
    """The widest circle without air, fat or bone whose middle lies before or left of the vertebral body."""
    spacing = lungs.grid.spacing
    top, bottom = max(0, front - round(45 / spacing[1])), front + round(30 / spacing[1])
    left, right = max(0, middle - round(25 / spacing[2])), middle + round(65 / spacing[2])
    plane = ndimage.uniform_filter(lungs.grid.hu[k, top:bottom, left:right].astype(np.float32), 3)
    soft = (plane > -5) & (plane < _BONE_HU)
    depth = ndimage.distance_transform_edt(np.pad(soft, 1, constant_values=False), sampling=spacing[1:])[1:-1, 1:-1]
    rows, columns = np.arange(top, top + depth.shape[0])[:, None], np.arange(left, left + depth.shape[1])[None]
    low = (rows >= front - 26 / spacing[1]) & (rows <= front + 14 / spacing[1])
    beside = (columns >= middle - 6 / spacing[2]) & (columns <= middle + 42 / spacing[2])
    away = np.hypot(
        (rows - front) * spacing[1] + _DESCENDING_AT_MM[0],
        (columns - middle) * spacing[2] - _DESCENDING_AT_MM[1],
    )
    likely = np.where(low & beside, np.minimum(depth, _DESCENDING_RADIUS_MM[1]) - _AWAY_COST * away, -np.inf)
    y, x = np.unravel_index(int(np.argmax(likely)), depth.shape)
    radius = float(depth[y, x])
    return (float(top + y), float(left + x), radius) if _DESCENDING_RADIUS_MM[0] <= radius <= _DESCENDING_RADIUS_MM[1] else None


def _noise(volume: Volume, lungs: Lungs, discs: dict[int, tuple[float, float, float]]) -> float | None:
    """Median over slices of the standard deviation in the middle of the descending aorta, at full resolution."""
    fz, fy, fx = lungs.grid.factors
    found = []
    for k, (y, x, radius) in discs.items():
        half = 0.5 * radius
        rows = slice(round(y * fy - half / volume.spacing[1]), round(y * fy + half / volume.spacing[1]) + 1)
        columns = slice(round(x * fx - half / volume.spacing[2]), round(x * fx + half / volume.spacing[2]) + 1)
        part = volume.hu[min(volume.hu.shape[0] - 1, k * fz), rows, columns]
        if part.size >= 25:
            found.append(float(np.std(part)))
    return float(np.median(found)) if found else None
