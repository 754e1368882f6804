"""Soft tissue beside the lungs, and masses at the spine and behind the hilum, which join the mediastinum."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.balls import closed, opened, to_nearest, within
from medmpt_backend.imaging.anatomy.distance import depth_of
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.anatomy.space import PLEURA_MM, Crop, cavity_of, thick_behind
from medmpt_backend.imaging.anatomy.spine import find_spine
from medmpt_backend.imaging.findings.calcium import HEART_UNDER_DOME_MM, bone_of, descending, heart_bottom
from medmpt_backend.imaging.findings.mediastinum import Between, between_lungs
from medmpt_backend.imaging.findings.pleura import fluid
from medmpt_backend.imaging.lesion_shape import climb

# Soft tissue: denser than fat; brighter is bone or contrast medium.
SOFT_HU, BRIGHT_HU = -20, 115
# Vertebrae: bone this wide before the rear, and the columns that they take to either side.
_BONE_HU, _BODY_MM, HALF_MM = 150, 14.0, 22.0
_FRONT_REACH_MM = 20.0
# Only what holds a ball of this radius can be an organ; what is thinner is left to the shape of the lesion itself.
THICK_MM = 9.0
# At the spine and behind the hilum: from this far before the front of the vertebrae, from this far above the carina to this far below it.
BEFORE_SPINE_MM, ABOVE_MM, BELOW_MM = 34.0, 60.0, 65.0
# There, on the right, nothing normal has its middle this far from the spine's and is this thick; on the left the aorta and the left
# pulmonary artery have.
RIGHT_AT_MM, RIGHT_RADIUS_MM = 28.0, 9.5
LEFT_AT_MM, LEFT_RADIUS_MM, LEFT_BEFORE_MM, LEFT_CLEAR_MM = 42.0, 12.0, 15.0, 6.0
# Such a mass without its vessels and bands, and how far its edge lies from what is thick.
_MASS_MM, _MASS_EDGE_MM, _MASS_ML = 6.0, 8.0, 5.0
# So many of its voxels are led to their middles, the others follow the nearest of them.
_TRIED = 150
# More of it than this in pleural fluid: no mass.
_FLUID_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class Beside:
    """Soft tissue inside the rib cage on the cavity's grid.

    Attributes:
        depth: Distance to lung, fat and spine, mm.
        thick: Where it holds a ball of `THICK_MM`.
        outlined: The lungs' own outline.
        behind: Between lung and ribs.
        across: Per column mm from the middle of the spine, to the right below 0.
        front: Per slice the row of the front of the vertebrae.
        below: Per slice mm below the carina.
        dome: First slice with liver.
        spacing: mm `(z, y, x)`.
    """

    depth: NDArray[np.float64]
    thick: NDArray[np.bool_]
    outlined: NDArray[np.bool_]
    behind: NDArray[np.bool_]
    across: NDArray[np.float64]
    front: NDArray[np.float64]
    below: NDArray[np.float64]
    dome: int
    spacing: Vec

    def middle(self, start: tuple[int, int, int]) -> tuple[int, int, int]:
        """The deepest voxel that a voxel leads to."""
        return climb(self.depth, start, self.spacing)

    def before(self, at: tuple[int, int, int]) -> float:
        """How far a voxel lies before the front of the vertebrae, mm."""
        return float(self.front[at[0]] - at[1]) * self.spacing[1]


@lru_cache(maxsize=2)
def beside(lungs: Lungs) -> Beside | None:
    """Soft tissue beside the lungs, kept for the next click; None where no spine is seen."""
    if not lungs.area.any():
        return None
    cavity = cavity_of(lungs)
    grid, lung = cavity.grid, cavity.lungs > 0
    spine = find_spine(grid, lung)
    if spine is None:
        return None
    across: NDArray[np.float64] = (np.arange(grid.hu.shape[2], dtype=np.float64) - spine.x) * grid.spacing[2]
    front = _fronts(grid.hu > _BONE_HU, lung, np.abs(across) < HALF_MM, grid.spacing)
    if front is None:
        return None
    inside = _spanned(lung, 2) | _spanned(lung, 1) | (cavity.side > 0)
    tissue = inside & (grid.hu > SOFT_HU) & ~lung
    for k, row in enumerate(front):
        tissue[k, int(row) :, np.abs(across) < HALF_MM] = False
    outlined = np.zeros_like(tissue)
    for side in (RIGHT, LEFT):
        outlined |= closed(cavity.lungs == side, PLEURA_MM, grid.spacing)
    between = between_of(lungs)
    below: NDArray[np.float64] = np.arange(len(tissue), dtype=np.float64) * grid.spacing[0] - between.first * lungs.grid.spacing[0]
    dome = int(heart_bottom(lungs, between) / grid.factors[0] - HEART_UNDER_DOME_MM / grid.spacing[0])
    thick = opened(tissue, THICK_MM, grid.spacing)
    return Beside(depth_of(tissue, grid.spacing), thick, outlined, thick_behind(lungs), across, front, below, dome, grid.spacing)


def _spanned(mask: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """Voxels between the first and the last one along an axis."""
    last = np.flip(np.maximum.accumulate(np.flip(mask, axis), axis=axis), axis)
    return np.asarray(np.maximum.accumulate(mask, axis=axis) & last)


def _fronts(bone: NDArray[np.bool_], lung: NDArray[np.bool_], middle: NDArray[np.bool_], spacing: Vec) -> NDArray[np.float64] | None:
    """Per slice the row of the front of the vertebrae, smoothed along the body; None where no slice shows them."""
    found = np.full(len(bone), np.nan)
    for k in np.flatnonzero(lung.any(axis=(1, 2))):
        rows = np.flatnonzero(lung[k].any(axis=1))
        wide = np.count_nonzero(bone[k][:, middle], axis=1) * spacing[2] > _BODY_MM
        wide[: (rows[0] + rows[-1]) // 2] = False
        hits = np.flatnonzero(wide & np.roll(wide, -1))
        if len(hits):
            found[k] = hits[0]
    known = np.flatnonzero(~np.isnan(found))
    if not len(known):
        return None
    filled = np.interp(np.arange(len(found)), known, found[known])
    size = max(3, 2 * round(_FRONT_REACH_MM / spacing[0]) + 1)  # an enhanced heart looks like bone: most of the hindmost neighbours
    smooth: NDArray[np.float64] = ndimage.percentile_filter(filled, 75, size=size, mode="nearest")
    return smooth


@lru_cache(maxsize=2)
def masses(lungs: Lungs) -> NDArray[np.bool_] | None:
    """On the cavity's grid: thick tissue at the spine or behind the hilum that no organ there explains; None without any."""
    found = beside(lungs)
    if found is None:
        return None
    grid = cavity_of(lungs).grid
    rows = np.arange(found.depth.shape[1])
    zone = np.zeros(found.depth.shape, dtype=bool)
    for k in np.flatnonzero((found.below > -ABOVE_MM) & (found.below < BELOW_MM)):
        if k < found.dome:
            zone[k] = (rows > found.front[k] - BEFORE_SPINE_MM / found.spacing[1])[:, None] & (np.abs(found.across) > HALF_MM)
    zone &= (found.depth > 0) & (grid.hu < BRIGHT_HU)
    core = opened(zone, _MASS_MM, found.spacing)
    if not core.any():
        return None
    aorta = _aorta(lungs)
    thick = core & (found.depth >= _MASS_MM)
    if not thick.any():
        return None
    verdicts = np.zeros(zone.shape, dtype=np.uint8)
    inner = np.argwhere(thick)
    for z, y, x in inner[:: max(1, len(inner) // _TRIED)]:
        verdicts[z, y, x] = 1 if _no_organ(found, found.middle((int(z), int(y), int(x))), zone, aorta) else 2
    if not (verdicts == 1).any():
        return None
    mass = zone & within(to_nearest(verdicts, thick, found.spacing) == 1, _MASS_EDGE_MM, found.spacing)
    ml = grid.voxel_ml
    if not mass.any() or np.count_nonzero(mass) * ml < _MASS_ML:
        return None
    wet = fluid(cavity_of(lungs)).mask
    return mass if np.count_nonzero(mass & wet) < _FLUID_SHARE * np.count_nonzero(mass) else None


def _aorta(lungs: Lungs) -> dict[int, tuple[float, float, float]]:
    """The descending aorta on the cavity's grid: row, column and radius in mm by slice."""
    factors = cavity_of(lungs).grid.factors
    discs = descending(lungs, between_of(lungs), bone_of(lungs))
    return {k // factors[0]: (y / factors[1], x / factors[2], r) for k, (y, x, r) in discs.items()}


def _no_organ(found: Beside, end: tuple[int, int, int], zone: NDArray[np.bool_], aorta: dict[int, tuple[float, float, float]]) -> bool:
    """Whether a structure with this middle is neither aorta nor pulmonary artery nor atrium."""
    radius, side = float(found.depth[end]), float(found.across[end[2]])
    if not zone[end] or not at_gutter(found, end):
        return False
    if side < 0:
        return radius >= RIGHT_RADIUS_MM
    disc = aorta.get(end[0])
    if radius < LEFT_RADIUS_MM or disc is None:
        return False
    away = float(np.hypot((end[1] - disc[0]) * found.spacing[1], (end[2] - disc[1]) * found.spacing[2]))
    return away > disc[2] + radius - LEFT_CLEAR_MM and away > disc[2] + LEFT_CLEAR_MM


def with_masses(crop: Crop, lungs: Lungs) -> Crop:
    """The box with masses at the spine and behind the hilum as a place where a lesion may lie."""
    here = _masses_in(crop, lungs)
    return crop if here is None else replace(crop, allowed=crop.allowed | here)


def joins_mediastinum(crop: Crop, lungs: Lungs, mask: NDArray[np.bool_]) -> bool:
    """Whether a region takes in a mass at the spine or behind the hilum, whose inner edge cannot be told."""
    here = _masses_in(crop, lungs)
    return here is not None and bool((here & mask).any())


def _masses_in(crop: Crop, lungs: Lungs) -> NDArray[np.bool_] | None:
    """Masses at the spine and behind the hilum in a box, None without any."""
    mass = masses(lungs)
    if mass is None:
        return None
    factors = [a * b for a, b in zip(lungs.grid.factors, cavity_of(lungs).grid.factors, strict=True)]
    at = [np.minimum((np.arange(n) + o) // f, m - 1) for n, o, f, m in zip(crop.hu.shape, crop.origin, factors, mass.shape, strict=True)]
    here = mass[np.ix_(*at)]
    return here if here.any() else None


def at_gutter(found: Beside, middle: tuple[int, int, int]) -> bool:
    """Whether a middle lies beside the vertebrae above the diaphragm, further out than those of aorta, pulmonary artery and atrium."""
    side, before = float(found.across[middle[2]]), found.before(middle)
    if middle[0] >= found.dome:
        return False
    return (side <= -RIGHT_AT_MM and before <= BEFORE_SPINE_MM) if side < 0 else (side >= LEFT_AT_MM and before <= LEFT_BEFORE_MM)


@lru_cache(maxsize=2)
def between_of(lungs: Lungs) -> Between:
    """The tissue between the lungs, kept for the next click."""
    return between_lungs(lungs)
