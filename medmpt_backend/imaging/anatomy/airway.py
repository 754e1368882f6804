"""Trachea, carina and main bronchi: a walled lumen followed slice by slice until it parts in two that persist and drift apart."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import Grid, over_slices, per_slice
from medmpt_backend.imaging.anatomy.lumen import Region, follow, parts, parts_in, ring_share, round_enough
from medmpt_backend.imaging.anatomy.spine import find_spine

# Cross-section of an adult trachea is about 1 to 5 cm2; children, voxels of 4 mm and saber-sheath or dilated tracheas widen the range.
MIN_AREA_MM2 = 40.0
MAX_AREA_MM2 = 900.0
# Half of the slices of a trachea, even a wide one, are smaller than this.
MAX_USUAL_MM2 = 600.0
# A column shorter than this is a bubble, a sinus or a loop of bowel.
MIN_LENGTH_MM = 25.0
# Main bronchi are about 1 to 2.5 cm (right) and 4 to 5 cm (left) long; most of that descends this far below the carina.
BRONCHI_BELOW_MM = 25.0
# Each main bronchus is at least this large; both are followed over this length, and their middles lie this far apart at its end.
MIN_BRONCHUS_MM2 = 20.0
PERSIST_MM = 9.0
MIN_FORK_MM = 8.0
MIN_APART_MM = 13.0
# Trachea and the first bronchi hold about 30 to 60 ml; a larger column has leaked into lung or is bowel.
MAX_AIRWAY_ML = 150.0
# The carina lies this near to the middle of the air inside the body, as a share of its width.
MAX_OFF_CENTRE = 0.22
# Or this near to the middle of the spine: a collapsed lung draws the trachea over by some centimetres.
NEAR_SPINE_MM = 40.0
# A trachea runs in the mediastinum: this share of the voxels next to its lumen is denser than lung; inside a lung nearly none is.
MIN_WALL = 0.8
MIN_WALL_COARSE = 0.7
# Main bronchi run along the lung.
MIN_BRONCHUS_WALL = 0.5
MIN_BRONCHUS_WALL_COARSE = 0.4
# Pixels wider than this blur walls away.
_COARSE_MM = 3.0
_LUMEN_HU = -700


@dataclass(frozen=True, eq=False)
class Airway:
    """Trachea and main bronchi on a grid.

    Attributes:
        mask: `(d, h, w)` bool.
        top: First slice of the trachea.
        carina: Grid index `(z, y, x)` of the bifurcation, None where the trachea was seen and its division was not.
        lowest: Grid index `(z, y, x)` of the last slice of the trachea.
    """

    mask: NDArray[np.bool_]
    top: int
    carina: tuple[int, int, int] | None
    lowest: tuple[int, int, int]


def find_airway(grid: Grid, inside: NDArray[np.bool_]) -> Airway | None:
    """Follow the trachea from its upper end to the carina and into the main bronchi.

    Args:
        grid: HU on a grid of at most about 4 mm.
        inside: `(d, h, w)` bool, air inside the body.

    Returns:
        The airway; with no carina where no column divides; None where no column of the size of a trachea runs near the middle.
    """
    columns = np.flatnonzero(over_slices(inside).sum(axis=0) > 20)
    if not len(columns):
        return None
    middle, width = (columns[0] + columns[-1]) / 2, columns[-1] - columns[0] + 1
    undivided: list[Airway] = []
    for track in _tracks(grid, inside):
        fork = _fork(grid, inside, track)
        airway = _airway(grid, track, fork)
        if airway is None or (
            abs(airway.lowest[2] - middle) > MAX_OFF_CENTRE * width and not _before_spine(grid, inside, airway.lowest[2])
        ):
            continue
        if airway.carina is not None:
            return airway
        undivided.append(airway)
    return max(undivided, key=lambda airway: int(np.count_nonzero(airway.mask)), default=None)


def _before_spine(grid: Grid, inside: NDArray[np.bool_], x: int) -> bool:
    """Whether a column runs before the spine: the middle of a chest of which one side holds no air."""
    spine = find_spine(grid, inside)
    return spine is not None and abs(spine.x - x) * grid.spacing[2] <= NEAR_SPINE_MM


def _tracks(grid: Grid, inside: NDArray[np.bool_]) -> Iterator[list[Region]]:
    """Columns of tracheal size with a wall around them that run for some centimetres, from the head on."""
    areas = per_slice(inside)
    last = int(np.flatnonzero(areas > 0.6 * areas.max())[0])
    used = np.zeros(grid.hu.shape, dtype=bool)
    for k in range(last + 1):
        for region in parts(inside[k] & (grid.hu[k] < _LUMEN_HU), k):
            area = region.area * grid.spacing[1] * grid.spacing[2]
            fits = MIN_AREA_MM2 <= area <= MAX_AREA_MM2 and round_enough(region, grid)
            if not fits or used[k][region.box][region.mask].any() or ring_share(grid, region) < MIN_WALL_COARSE:
                continue
            track = follow(grid, inside, region)
            for step in track:
                used[step.z][step.box] |= step.mask
            if (len(track) - 1) * grid.spacing[0] >= MIN_LENGTH_MM - grid.spacing[0]:
                yield track


def _fork(grid: Grid, inside: NDArray[np.bool_], track: list[Region]) -> tuple[int, list[list[Region]]] | None:
    """Where a column parts in two branches that both persist as lumens and drift apart; false forks above it are passed over."""
    pixel = grid.spacing[1] * grid.spacing[2]
    steps = max(2, round(PERSIST_MM / grid.spacing[0]))
    for offset, region in enumerate(track):
        if offset * grid.spacing[0] < MIN_LENGTH_MM - grid.spacing[0]:
            continue
        pieces = [piece for piece in parts_in(region.mask, region.box, region.z) if piece.area * pixel >= MIN_BRONCHUS_MM2]
        if len(pieces) < 2:
            continue
        pair = sorted(pieces, key=lambda piece: -piece.area)[:2]
        if not _beside(grid, pair[0], pair[1], MIN_FORK_MM):
            continue
        branches = [follow(grid, inside, piece, branch=True) for piece in pair]
        reach = min(len(branch) for branch in branches)
        end = min(reach, steps) - 1
        enough = reach >= steps or (reach >= 2 and reach * grid.spacing[0] >= PERSIST_MM)
        walled = all(_is_bronchus(grid, branch[: end + 1]) for branch in branches)
        if enough and walled and _beside(grid, branches[0][end], branches[1][end], MIN_APART_MM):
            return offset, branches
    return None


def _beside(grid: Grid, one: Region, other: Region, least_mm: float) -> bool:
    """Whether two regions lie side by side, this far apart."""
    across = abs(one.centre[1] - other.centre[1]) * grid.spacing[2]
    return across >= least_mm and across >= abs(one.centre[0] - other.centre[0]) * grid.spacing[1]


def _is_bronchus(grid: Grid, branch: list[Region]) -> bool:
    """Whether a branch has the size of a main bronchus and a wall."""
    size = float(np.mean([region.area for region in branch])) * grid.spacing[1] * grid.spacing[2]
    least = MIN_BRONCHUS_WALL if max(grid.spacing[1:]) < _COARSE_MM else MIN_BRONCHUS_WALL_COARSE
    return size >= MIN_BRONCHUS_MM2 and float(np.mean([ring_share(grid, region) for region in branch])) >= least


def _airway(grid: Grid, track: list[Region], fork: tuple[int, list[list[Region]]] | None) -> Airway | None:
    """The trachea down to its fork with a length of both bronchi, if it looks like one; else None."""
    upper = track[: fork[0]] if fork else track
    pixel = grid.spacing[1] * grid.spacing[2]
    usual = float(np.median([region.area for region in upper])) * pixel
    walls = float(np.mean([ring_share(grid, region) for region in upper[:: max(1, len(upper) // 12)]]))
    if usual > MAX_USUAL_MM2 or walls < (MIN_WALL if max(grid.spacing[1:]) < _COARSE_MM else MIN_WALL_COARSE):
        return None
    mask = np.zeros(grid.hu.shape, dtype=bool)
    below = max(1, int(BRONCHI_BELOW_MM / grid.spacing[0]))
    for region in [*upper, *(piece for branch in (fork[1] if fork else []) for piece in branch[:below])]:
        mask[region.z][region.box] |= region.mask
    if float(np.count_nonzero(mask)) * grid.voxel_ml > MAX_AIRWAY_ML:
        return None
    last = upper[-1]
    lowest = (last.z, round(last.centre[0]), round(last.centre[1]))
    if fork is None:
        return Airway(mask, track[0].z, None, lowest)
    pair = [branch[0] for branch in fork[1]]
    middle = [sum(piece.centre[axis] for piece in pair) / 2 for axis in (0, 1)]
    return Airway(mask, track[0].z, (pair[0].z, round(middle[0]), round(middle[1])), lowest)
