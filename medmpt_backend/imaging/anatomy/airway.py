"""Trachea, carina and main bronchi by following an air column slice by slice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Grid, ball

# Cross-section of an adult trachea is about 1 to 5 cm2; children, masks at 4 mm and saber-sheath or dilated tracheas widen the range.
MIN_AREA_MM2 = 40.0
MAX_AREA_MM2 = 900.0
# Half of the slices of a trachea, even a wide one, are smaller than this.
MAX_USUAL_MM2 = 600.0
# A column shorter than this is a bubble, a sinus or a loop of bowel.
MIN_LENGTH_MM = 25.0
# Main bronchi are about 1 to 2.5 cm (right) and 4 to 5 cm (left) long; most of that descends this far below the carina.
BRONCHI_BELOW_MM = 25.0
# Each main bronchus just below the carina is at least this large, and their centres this far apart.
MIN_BRONCHUS_MM2 = 20.0
MIN_FORK_MM = 8.0
# Trachea and the first bronchi hold about 30 to 60 ml; a larger column has leaked into lung or is bowel.
MAX_AIRWAY_ML = 150.0
# The carina lies this near to the middle of the air inside the body, as a share of its width.
MAX_OFF_CENTRE = 0.22
# A trachea runs in the mediastinum: this share of the voxels next to its lumen is denser than lung; inside a lung nearly none is.
MIN_WALL = 0.8
_WALL_HU = -650
_STEP_MM = 4.0
_LUMEN_HU = -700


@dataclass(frozen=True, eq=False)
class Airway:
    """Trachea and main bronchi on a grid.

    Attributes:
        mask: `(d, h, w)` bool.
        top: First slice of the trachea.
        carina: Grid index `(z, y, x)` of the bifurcation.
    """

    mask: NDArray[np.bool_]
    top: int
    carina: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class _Track:
    """A followed column: per slice its 2-D mask, from `start` towards the feet."""

    start: int
    regions: list[NDArray[np.bool_]]


def find_airway(grid: Grid, inside: NDArray[np.bool_]) -> Airway | None:
    """Follow the trachea from its upper end to the carina and into the main bronchi.

    Args:
        grid: HU on a grid of at most about 4 mm.
        inside: `(d, h, w)` bool, air inside the body.

    Returns:
        The airway, or None where no column of the size of a trachea divides in two near the middle.
    """
    columns = np.flatnonzero(inside.sum(axis=(0, 1)) > 20)
    if not len(columns):
        return None
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 1
    areas = np.count_nonzero(inside, axis=(1, 2))
    lungs_open = int(np.flatnonzero(areas > 0.2 * areas.max())[0])
    for track in _columns(grid, inside, lungs_open):
        airway = _divide(grid, track)
        if airway is not None and abs(airway.carina[2] - middle) <= MAX_OFF_CENTRE * width:
            return airway
    return None


def _columns(grid: Grid, inside: NDArray[np.bool_], last: int) -> list[_Track]:
    """Air columns of tracheal size that begin at or above slice `last` and run for some centimetres, from the head on."""
    pixel = grid.spacing[1] * grid.spacing[2]
    lumen = inside & (grid.hu < _LUMEN_HU)
    planar = np.zeros((3, 3, 3), dtype=bool)
    planar[1] = [[False, True, False], [True, True, True], [False, True, False]]
    labels, count = ndimage.label(lumen[: last + 1], structure=planar)
    if not count:
        return []
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * pixel
    tracks: list[_Track] = []
    used = np.zeros(count + 1, dtype=bool)
    boxes = ndimage.find_objects(labels)
    for label in range(1, count + 1):
        box = boxes[label - 1]
        if used[label] or not MIN_AREA_MM2 <= sizes[label] <= MAX_AREA_MM2 or not _round(box, grid, float(sizes[label])):
            continue
        track = _follow(grid, lumen, labels[box[0].start] == label, box[0].start)
        for offset, region in enumerate(track.regions[: len(labels) - track.start]):
            used[np.unique(labels[track.start + offset][region])] = True
        if len(track.regions) * grid.spacing[0] >= MIN_LENGTH_MM:
            tracks.append(track)
    return tracks


def _round(box: tuple[slice, ...], grid: Grid, area: float) -> bool:
    """Whether a 2-D region is compact: neither a slit nor a crescent."""
    height = (box[1].stop - box[1].start) * grid.spacing[1]
    width = (box[2].stop - box[2].start) * grid.spacing[2]
    return bool(max(height, width) <= 3.0 * min(height, width) and area >= 0.4 * height * width)


def _follow(grid: Grid, lumen: NDArray[np.bool_], seed: NDArray[np.bool_], start: int) -> _Track:
    """Follow a 2-D region towards the feet; each slice may move by `_STEP_MM` or one voxel."""
    pixel = grid.spacing[1] * grid.spacing[2]
    reach = max(_STEP_MM, *grid.spacing[1:])
    disk = ball(reach, (1e6, grid.spacing[1], grid.spacing[2]))[0]
    regions = [seed]
    first = float(seed.sum()) * pixel
    areas = [first]
    for k in range(start + 1, grid.hu.shape[0]):
        near = _dilated(regions[-1], disk)
        region = lumen[k] & near
        area = float(region.sum()) * pixel
        usual = float(np.median(areas[-8:]))
        if area < 0.25 * MIN_AREA_MM2 or area > max(2.2 * usual, MIN_AREA_MM2 * 3):
            break
        regions.append(region)
        areas.append(area)
    return _Track(start, regions)


def _dilated(region: NDArray[np.bool_], disk: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Dilate a small region inside a large slice."""
    rows, columns = np.nonzero(region)
    pad = disk.shape[0] // 2 + 1, disk.shape[1] // 2 + 1
    box = (
        slice(max(0, int(rows.min()) - pad[0]), int(rows.max()) + pad[0] + 1),
        slice(max(0, int(columns.min()) - pad[1]), int(columns.max()) + pad[1] + 1),
    )
    out = np.zeros_like(region)
    out[box] = ndimage.binary_dilation(region[box], structure=disk)
    return out


def _divide(grid: Grid, track: _Track) -> Airway | None:
    """Cut a column at the slice where it divides side by side, and keep the bronchi a little further."""
    fork = _fork(grid, track)
    if fork is None or fork * grid.spacing[0] < MIN_LENGTH_MM:
        return None
    usual = float(np.median([np.count_nonzero(region) for region in track.regions[:fork]])) * grid.spacing[1] * grid.spacing[2]
    if usual > MAX_USUAL_MM2 or _walled(grid, track, fork) < MIN_WALL:
        return None
    mask = np.zeros(grid.hu.shape, dtype=bool)
    end = min(len(track.regions), fork + max(1, int(BRONCHI_BELOW_MM / grid.spacing[0])))
    for offset, region in enumerate(track.regions[:end]):
        mask[track.start + offset] = region
    if float(mask.sum()) * grid.voxel_ml > MAX_AIRWAY_ML:
        return None
    rows, columns = np.nonzero(track.regions[fork])
    return Airway(mask, track.start, (track.start + fork, round(float(rows.mean())), round(float(columns.mean()))))


def _walled(grid: Grid, track: _Track, fork: int) -> float:
    """Share of the ring around a column, above its fork, that is tissue and not lung."""
    disk = ball(max(3.0, 1.5 * max(grid.spacing[1:])), (1e6, grid.spacing[1], grid.spacing[2]))[0]
    wall = ring = 0
    for offset in range(0, fork, max(1, fork // 12)):
        around = _dilated(track.regions[offset], disk) & ~track.regions[offset]
        wall += int(np.count_nonzero(grid.hu[track.start + offset][around] > _WALL_HU))
        ring += int(np.count_nonzero(around))
    return wall / max(1, ring)


def _fork(grid: Grid, track: _Track) -> int | None:
    """First slice of a column where it lies in two parts side by side, and does so in the next slice too."""
    pixel = grid.spacing[1] * grid.spacing[2]
    run = 0
    for offset, region in enumerate(track.regions):
        labels, count = ndimage.label(region)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:] * pixel
        large = [i + 1 for i in np.argsort(-sizes)[:2] if sizes[i] >= MIN_BRONCHUS_MM2]
        beside = False
        if len(large) == 2:
            (y0, x0), (y1, x1) = ndimage.center_of_mass(region, labels, large)
            beside = abs(x0 - x1) * grid.spacing[2] >= MIN_FORK_MM and abs(x0 - x1) * grid.spacing[2] >= abs(y0 - y1) * grid.spacing[1]
        run = run + 1 if beside else 0
        if run == 2:
            return offset - 1
    return None
