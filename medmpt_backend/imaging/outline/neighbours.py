"""What stands beside the lungs: organs, whose middle lies outside them, and masses at the spine and behind the hilum."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.balls import closed, opened, within
from medmpt_backend.imaging.anatomy.distance import depth_of
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.anatomy.space import PLEURA_MM, Crop, cavity_of, thick_behind
from medmpt_backend.imaging.anatomy.spine import find_spine
from medmpt_backend.imaging.findings.calcium import bone_of, descending, heart_bottom
from medmpt_backend.imaging.findings.mediastinum import Between, between_lungs, enhanced
from medmpt_backend.imaging.findings.pleura import fluid
from medmpt_backend.imaging.lesion_shape import climb
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Soft tissue: denser than fat; brighter is bone or contrast medium.
SOFT_HU, BRIGHT_HU = -20, 115
# Vertebrae: bone this wide before the rear, and the columns that they take to either side.
_BONE_HU, _BODY_MM, _HALF_MM = 150, 14.0, 22.0
_FRONT_REACH_MM = 20.0
# Only what holds a ball of this radius is an organ; what has a thinner middle is left to the shape of the lesion itself.
THICK_MM, LEAST_MM = 9.0, 8.0
# The share of a structure's inner ball that lies in the lungs' outline or between lung and ribs, from which it is the lung's. Between
# lung and ribs the heart and the liver stand in front too.
OUTLINED, BEHIND_LUNG, BEHIND_LUNG_FRONT = 0.3, 0.25, 0.6
_INNER = 0.8
# At the spine and behind the hilum: from this far before the front of the vertebrae, from this far above the carina to this far below it.
BEFORE_SPINE_MM, ABOVE_MM, BELOW_MM = 34.0, 60.0, 65.0
# There, on the right, nothing normal has its middle this far from the spine's and is this thick; on the left the aorta and the left
# pulmonary artery have.
RIGHT_AT_MM, RIGHT_RADIUS_MM = 28.0, 9.5
LEFT_AT_MM, LEFT_RADIUS_MM, LEFT_BEFORE_MM, LEFT_CLEAR_MM = 42.0, 12.0, 15.0, 6.0
# Such a mass without its vessels and bands, and how far its edge lies from what is thick.
_MASS_MM, _MASS_EDGE_MM, _MASS_ML = 6.0, 8.0, 5.0
# More of it than this in pleural fluid: no mass.
_FLUID_SHARE = 0.3
_HEART_BELOW_MM = 20.0
# Before the spine nothing of a lung has its middle this near to the body's; what is thick, this near.
_MIDLINE_MM, _THICK_MIDLINE_MM = 12.0, 22.0
# Larger regions of which more than this share is fat are the fat beside the heart.
_FAT_HU, _FAT_SHARE, _FAT_MM3 = (-140, -30), 0.35, 3000.0
# With contrast medium in the vessels: a region as bright as blood in its middle that is a small part of what it is joined to.
_BLOOD_HU, _BLOOD_MM3, _JOINED, _CORE = 130, 400.0, 3.0, 0.4


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
    across = (np.arange(grid.hu.shape[2]) - spine.x) * grid.spacing[2]
    front = _fronts(grid.hu > _BONE_HU, lung, np.abs(across) < _HALF_MM, grid.spacing)
    if front is None:
        return None
    inside = _spanned(lung, 2) | _spanned(lung, 1) | (cavity.side > 0)
    tissue = inside & (grid.hu > SOFT_HU) & ~lung
    for k, row in enumerate(front):
        tissue[k, int(row) :, np.abs(across) < _HALF_MM] = False
    outlined = np.zeros_like(tissue)
    for side in (RIGHT, LEFT):
        outlined |= closed(cavity.lungs == side, PLEURA_MM, grid.spacing)
    between = _between(lungs)
    below = np.arange(len(tissue)) * grid.spacing[0] - between.first * lungs.grid.spacing[0]
    dome = int(heart_bottom(lungs, between) / grid.factors[0] - 30.0 / grid.spacing[0])
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
            zone[k] = (rows > found.front[k] - BEFORE_SPINE_MM / found.spacing[1])[:, None] & (np.abs(found.across) > _HALF_MM)
    zone &= (found.depth > 0) & (grid.hu < BRIGHT_HU)
    core = opened(zone, _MASS_MM, found.spacing)
    if not core.any():
        return None
    aorta = _aorta(lungs)
    own = np.zeros_like(zone)
    ends: dict[tuple[int, int, int], bool] = {}
    for z, y, x in np.argwhere(core & (found.depth >= _MASS_MM)):
        end = found.middle((int(z), int(y), int(x)))
        if end not in ends:
            ends[end] = _no_organ(found, end, zone, aorta)
        own[z, y, x] = ends[end]
    mass = zone & within(own, _MASS_EDGE_MM, found.spacing)
    ml = grid.voxel_ml
    if not mass.any() or np.count_nonzero(mass) * ml < _MASS_ML:
        return None
    wet = fluid(cavity_of(lungs)).mask
    return mass if np.count_nonzero(mass & wet) < _FLUID_SHARE * np.count_nonzero(mass) else None


def _aorta(lungs: Lungs) -> dict[int, tuple[float, float, float]]:
    """The descending aorta on the cavity's grid: row, column and radius in mm by slice."""
    factors = cavity_of(lungs).grid.factors
    discs = descending(lungs, _between(lungs), bone_of(lungs))
    return {k // factors[0]: (y / factors[1], x / factors[2], r) for k, (y, x, r) in discs.items()}


def _no_organ(found: Beside, end: tuple[int, int, int], zone: NDArray[np.bool_], aorta: dict[int, tuple[float, float, float]]) -> bool:
    """Whether a structure with this middle is neither aorta nor pulmonary artery nor atrium."""
    radius, side = float(found.depth[end]), float(found.across[end[2]])
    if not zone[end] or not _at_gutter(found, end):
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
    mass = masses(lungs)
    if mass is None:
        return crop
    factors = [a * b for a, b in zip(lungs.grid.factors, cavity_of(lungs).grid.factors, strict=True)]
    at = [
        np.minimum((np.arange(n) + o) // f, m - 1) for n, o, f, m in zip(crop.hu.shape, crop.origin, factors, mass.shape, strict=True)
    ]
    here = mass[np.ix_(*at)]
    return replace(crop, allowed=crop.allowed | here) if here.any() else crop


def require_own(lungs: Lungs, point: tuple[int, int, int], *, region: bool = False) -> None:
    """Refuse a point in a thick structure whose middle lies outside the lungs: heart, great vessels, liver.

    Args:
        lungs: Both lungs.
        point: `(z, y, x)` of the volume.
        region: Whether it is the deepest one of a region that was found.

    Raises:
        OutOfDomain: Says which.
    """
    found = beside(lungs)
    if found is None:
        return
    factors = [a * b for a, b in zip(lungs.grid.factors, cavity_of(lungs).grid.factors, strict=True)]
    z, y, x = (min(p // f, n - 1) for p, f, n in zip(point, factors, found.depth.shape, strict=True))
    middle = found.middle((z, y, x))
    radius = float(found.depth[middle])
    mass = masses(lungs)
    if mass is not None and mass[middle]:
        return
    if region and _at_midline(found, (z, y, x), middle, radius):
        raise OutOfDomain(_outside(found, (z, y, x), middle))
    if radius < LEAST_MM or not found.thick[z, y, x] or _at_gutter(found, middle):
        return
    outlined, behind = _shares(found, middle, _INNER * radius)
    if outlined >= OUTLINED or behind >= (BEHIND_LUNG if found.before(middle) < BEFORE_SPINE_MM else BEHIND_LUNG_FRONT):
        return
    raise OutOfDomain(_outside(found, (z, y, x), middle))


def _at_gutter(found: Beside, middle: tuple[int, int, int]) -> bool:
    """Whether a middle lies beside the vertebrae and above the diaphragm, further out than aorta, pulmonary artery and atrium have theirs."""
    side, before = float(found.across[middle[2]]), found.before(middle)
    if middle[0] >= found.dome:
        return False
    return (side <= -RIGHT_AT_MM and before <= BEFORE_SPINE_MM) if side < 0 else (side >= LEFT_AT_MM and before <= LEFT_BEFORE_MM)


def _at_midline(found: Beside, at: tuple[int, int, int], middle: tuple[int, int, int], radius: float) -> bool:
    """Whether a region lies before the spine, nearer to the middle of the body than a lung reaches."""
    thick = radius >= LEAST_MM and abs(found.across[middle[2]]) < _THICK_MIDLINE_MM and found.before(middle) > 0
    return bool(thick or (abs(found.across[at[2]]) < _MIDLINE_MM and found.before(at) > 0))


def _outside(found: Beside, at: tuple[int, int, int], middle: tuple[int, int, int]) -> str:
    """What a point lies in."""
    away = float(np.linalg.norm((np.array(middle) - np.array(at)) * np.array(found.spacing)))
    return message(
        "the point lies in {name}: its middle, {away:.0f} mm from the point, is outside the lungs; only lesions in the lungs are measured",
        name=_name(found, middle),
        away=away,
    )


def require_tissue(lungs: Lungs, crop: Crop, mask: NDArray[np.bool_], centre: tuple[int, int, int]) -> None:
    """Refuse a region that is an organ, the fat beside the heart, or a vessel full of contrast medium.

    Args:
        lungs: Both lungs.
        crop: The box.
        mask: The region in the box.
        centre: Its deepest voxel.

    Raises:
        OutOfDomain: Says which.
    """
    require_own(lungs, crop.absolute(centre), region=True)
    size = float(np.count_nonzero(mask)) * float(np.prod(crop.spacing))
    if size > _FAT_MM3:
        smooth = ndimage.uniform_filter(crop.hu.astype(np.float32), size=(1, 3, 3))[mask]
        if float(np.mean((smooth > _FAT_HU[0]) & (smooth < _FAT_HU[1]))) > _FAT_SHARE:
            raise OutOfDomain(message("the point lies in fat beside the heart or at the chest wall: only lesions in the lungs are measured"))
    if size <= _BLOOD_MM3:
        return
    depth = depth_of(mask, crop.spacing)
    inner = mask & (depth > _CORE * float(depth.max()))
    if float(np.median(crop.hu[inner])) > _BLOOD_HU and _with_contrast(lungs):
        labels, _ = ndimage.label(crop.hu > _BLOOD_HU)
        joined = np.bincount(labels.ravel())[np.unique(labels[inner & (labels > 0)])].max(initial=0)
        if joined * float(np.prod(crop.spacing)) > _JOINED * size:
            raise OutOfDomain(message("the point lies in a vessel or a chamber of the heart, as bright as its contrast medium: only lesions in the lungs are measured"))


def _with_contrast(lungs: Lungs) -> bool:
    """Whether the vessels hold contrast medium, as far as the image shows."""
    return enhanced(lungs, _between(lungs)) is True


@lru_cache(maxsize=2)
def _between(lungs: Lungs) -> Between:
    """The tissue between the lungs, kept for the next click."""
    return between_lungs(lungs)


def _shares(found: Beside, middle: tuple[int, int, int], radius: float) -> tuple[float, float]:
    """Shares of a ball that lie in the lungs' outline, and between lung and ribs."""
    box = tuple(
        slice(max(0, m - int(radius / s)), m + int(radius / s) + 1) for m, s in zip(middle, found.spacing, strict=True)
    )
    shape = found.depth[box].shape
    axes = [(np.arange(n) + b.start - m) * s for n, b, m, s in zip(shape, box, middle, found.spacing, strict=True)]
    ball = axes[0][:, None, None] ** 2 + axes[1][:, None] ** 2 + axes[2] ** 2 <= radius**2
    outlined, behind = found.outlined[box][ball], found.behind[box][ball]
    return float(outlined.mean()), float((behind & ~outlined).mean())


def _name(found: Beside, middle: tuple[int, int, int]) -> str:
    """What lies there."""
    if middle[0] >= found.dome and abs(found.across[middle[2]]) > _HALF_MM:
        return message("the liver or another organ below the diaphragm")
    if found.below[middle[0]] > _HEART_BELOW_MM:
        return message("the heart or another part of the mediastinum")
    return message("the mediastinum (great vessels, lymph nodes)")
