"""The region of one lesion around a voxel: grown by density, held back at the pleura, cut from its vessels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import NothingFound, OutOfDomain
from medmpt_backend.imaging.anatomy.distance import depth_of
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.space import REACHES_MM, Crop, crop_around
from medmpt_backend.imaging.lesion_shape import (
    LUNG_HU,
    SOLID_HU,
    SPREAD,
    around,
    component,
    core,
    cut,
    deepest,
    halo,
    own_core,
    require_lesion,
    solid_part,
)
from medmpt_backend.imaging.outline.beside import joins_mediastinum, with_masses
from medmpt_backend.imaging.outline.glass import glass_beside, level_of, stands_alone, without
from medmpt_backend.imaging.outline.hollow import without_cavities
from medmpt_backend.imaging.outline.organs import require_own, require_tissue, with_contrast
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Denser than this in the middle: a solid part; lighter: ground glass.
GROUND_GLASS_BELOW_HU = -300
# How far a click may miss.
SNAP_MM = 4.0
BONE_HU = 300
# A click on dense tissue just outside goes to the nearest lesion that is this deep, and the result says so.
NEAR_MM = 15.0
_DEEP_MM = 4.0
_ROUNDS = 6
_RECENTRE_MM = 3.0
# The middle of a lesion, by which it is solid or not.
_MIDDLE_MM = 1.2
_GLASS_MM = 2.5
# Ground glass deeper than this may be grown from more than one middle.
LARGE_GLASS_MM = 4.5


@dataclass(frozen=True, eq=False)
class Region:
    """A lesion inside a crop of the volume.

    Attributes:
        mask: `(d, h, w)` bool in the crop.
        hu: The crop, int16.
        origin: First voxel of the crop in the volume, `(z, y, x)`.
        threshold: HU above which voxels belong to the lesion.
        cut: Whether the region reaches the edge of the crop.
        halo: Ground-glass voxels around a solid core, part of `mask`.
        moved_mm: How far the click lay outside what can be a lesion.
        joined: Whether it joins the mediastinum or the hilum, where its edge cannot be told.
    """

    mask: NDArray[np.bool_]
    hu: NDArray[np.int16]
    origin: tuple[int, int, int]
    threshold: float
    cut: bool
    halo: NDArray[np.bool_]
    moved_mm: float = 0.0
    joined: bool = False


def grow(volume: Volume, lungs: Lungs, point: tuple[int, int, int]) -> Region:
    """Grow the lesion around a voxel; any voxel inside a lesion gives the same region.

    The region around the click leads to the deepest voxel of the lesion, and the lesion is grown afresh from there.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        point: `(z, y, x)`.

    Returns:
        The region.

    Raises:
        NothingFound: Aerated lung around the point.
        OutOfDomain: The point lies outside the lungs, in bone, in a vessel, a fissure, the pleura or a consolidation; says which.
    """
    require_own(lungs, point)
    try:
        found = _grown(volume, lungs, point)
        return found if found.threshold == SOLID_HU and not found.halo.any() else _largest(volume, lungs, point, found)
    except OutOfDomain:
        beside = glass_beside(volume, point)
        if beside is None:
            raise
        found = _grown(volume, lungs, beside)
        if found.threshold == SOLID_HU or not _holds(found.mask, _local(found, point), volume.spacing):
            raise
        return found


def _largest(volume: Volume, lungs: Lungs, point: tuple[int, int, int], found: Region) -> Region:
    """Of a large lesion with ground glass the largest region that its own inner voxels lead to and that holds the click."""
    depth = depth_of(found.mask, volume.spacing)
    if float(depth.max()) < LARGE_GLASS_MM:
        return found
    inside = np.argwhere(depth > 0.5 * float(depth.max()))
    away = (inside - inside.mean(axis=0)) * np.array(volume.spacing)
    along = away @ np.linalg.eigh(np.cov(away.T))[1][:, -1]
    best, known = found, np.count_nonzero(found.mask)
    for rank in (0.1, 0.5, 0.9):
        z, y, x = (int(v + o) for v, o in zip(inside[np.argsort(along)[int(rank * (len(along) - 1))]], found.origin, strict=True))
        try:
            other = _grown(volume, lungs, (z, y, x))
        except (NothingFound, OutOfDomain):
            continue
        size = np.count_nonzero(other.mask)
        if size > known and _holds(other.mask, _local(other, point), volume.spacing):
            best, known = other, size
    return best


def _crop(volume: Volume, lungs: Lungs, point: tuple[int, int, int], reach: float) -> Crop:
    """The box around a point, with cavities filled and with masses at the spine and behind the hilum."""
    return without_cavities(with_masses(crop_around(volume, lungs, point, reach), lungs))


def _local(region: Region, point: tuple[int, int, int]) -> tuple[int, int, int]:
    """A voxel of the volume in the crop of a region."""
    return point[0] - region.origin[0], point[1] - region.origin[1], point[2] - region.origin[2]


def _grown(volume: Volume, lungs: Lungs, point: tuple[int, int, int]) -> Region:
    """As `grow`, without looking for ground glass beside a vessel."""
    for reach in REACHES_MM:
        crop = _crop(volume, lungs, point, reach)
        here = crop.local(point)
        seed = _seed(crop.hu, crop.allowed, here, volume.spacing, bright_blood=with_contrast(lungs))
        moved = float(np.linalg.norm((np.array(seed) - np.array(here)) * np.array(volume.spacing)))
        start, first = crop.absolute(seed), crop
        mask, centre, inner, solid = _settled(crop, seed)
        deep = crop.absolute(centre)
        away = max(abs(a - b) * s for a, b, s in zip(deep, point, volume.spacing, strict=True))
        if (not cut(mask) or reach == REACHES_MM[-1]) and away > _RECENTRE_MM:
            crop = _crop(volume, lungs, deep, reach)
            mask, centre, inner, solid = _settled(crop, crop.local(deep))
        ended = cut(mask)  # by the crop, before what is far from its middle is taken off
        mask &= around(mask.shape, centre, SPREAD * inner, volume.spacing)
        if (not ended or reach == REACHES_MM[-1]) and not _holds(mask, crop.local(start), volume.spacing):
            crop = first
            mask, centre, inner, solid = _settled(crop, seed, near=True)
            ended = cut(mask)
        if not ended:
            break
    require_lesion(mask, inner, volume.spacing, crop, solid=solid)
    require_tissue(lungs, crop, mask, centre)
    ring = halo(crop.hu, crop.allowed, mask, volume.spacing) if solid else np.zeros_like(mask)
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in mask | ring])
    threshold = SOLID_HU if solid else min(SOLID_HU - 1, _threshold(crop.hu, centre, volume.spacing))
    hu = volume.hu[tuple(slice(o, o + n) for o, n in zip(crop.origin, filled.shape, strict=True))]
    return Region(filled, hu, crop.origin, threshold, cut(filled), ring, moved, joins_mediastinum(crop, lungs, filled))


def _settled(crop: Crop, seed: tuple[int, int, int], *, near: bool = False) -> tuple[NDArray[np.bool_], tuple[int, int, int], float, bool]:
    """Mask, deepest voxel, inner radius in mm, and whether it is solid, once growing from the deepest voxel changes nothing.

    With `near` the mask has to hold the point it began from: one that does not is another structure, to which a vessel led.
    """
    click = seed
    last: tuple[NDArray[np.bool_], tuple[int, int, int], float, bool] | None = None
    level: float | None = None
    for _ in range(_ROUNDS):
        threshold = _threshold(crop.hu, seed, crop.spacing, level)
        solid = threshold == SOLID_HU
        part = component((crop.hu > threshold) & crop.allowed, seed)
        mask, depth = core(part, seed, crop.spacing, solid=solid, near=near)
        if not solid:
            dense = solid_part(crop.hu, part, crop.spacing)
            if dense is not None and (dense & mask).any():
                alone = without(part, dense, seed, crop.spacing)
                own = own_core(dense, depth, mask, crop.spacing)
                lone = not dense[seed] and own is not None and stands_alone(alone, dense & (crop.hu > SOLID_HU), own, crop.spacing)
                if own is not None and own != seed and not lone:
                    seed = own
                    continue
                if own is None or own != seed:
                    mask, depth = alone, depth_of(alone, crop.spacing)
        if near and last is not None and not _holds(mask, click, crop.spacing):
            return last
        centre = deepest(mask, depth)
        last = mask, centre, float(depth[centre]), solid
        known, level = level, None if solid else level_of(crop.hu, mask, depth)
        if centre == seed and level == known:
            break
        seed = centre
    return last if last is not None else (np.zeros(crop.hu.shape, dtype=bool), seed, 0.0, True)


def _holds(mask: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> bool:
    """Whether a mask reaches a point within the distance that a click may miss."""
    if any(not 0 <= p < n for p, n in zip(point, mask.shape, strict=True)):
        return False
    near = tuple(slice(max(0, p - round(SNAP_MM / s)), p + round(SNAP_MM / s) + 1) for p, s in zip(point, spacing, strict=True))
    return bool(mask[near].any())


def _seed(
    hu: NDArray[np.int16], allowed: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec, *, bright_blood: bool
) -> tuple[int, int, int]:
    """The voxel to start from: the point, or the densest lung voxel within `SNAP_MM` when the point lies in air or just outside."""
    grid = np.meshgrid(*[(np.arange(n) - p) * s for n, p, s in zip(hu.shape, point, spacing, strict=True)], indexing="ij", sparse=True)
    near = (grid[0] ** 2 + grid[1] ** 2 + grid[2] ** 2 <= SNAP_MM**2) & allowed
    if not near.any() and hu[point] > GROUND_GLASS_BELOW_HU:
        moved = _deep_near(hu, allowed, point, spacing)
        if moved is not None:
            return moved
    if not near.any() and float(np.median(hu[tuple(slice(max(0, p - 1), p + 2) for p in point)])) > BONE_HU:
        raise OutOfDomain(
            message(
                "the point lies in bone, or in a vessel or a chamber of the heart as bright by contrast medium: only lesions in the "
                "lungs are measured"
            )
            if bright_blood
            else message("the point lies in bone (a rib, the spine or the sternum): only lesions in the lungs are measured")
        )
    if not near.any():
        raise OutOfDomain(
            message(
                "the point is not inside a lung (chest wall, mediastinum, heart or outside the body): only lesions in the "
                "lungs are measured"
            )
        )
    smooth = ndimage.uniform_filter(hu.astype(np.float32), size=(1, 3, 3))
    if allowed[point] and smooth[point] > LUNG_HU:
        return point
    best = np.unravel_index(int(np.argmax(np.where(near, smooth, -3000.0))), hu.shape)
    if smooth[best] <= LUNG_HU:
        raise NothingFound(
            message(
                "nothing denser than lung within {reach:.0f} mm of the point ({hu:.0f} HU there); click inside the lesion",
                reach=SNAP_MM,
                hu=float(smooth[point]),
            )
        )
    return int(best[0]), int(best[1]), int(best[2])


def _deep_near(hu: NDArray[np.int16], allowed: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int] | None:
    """The nearest voxel well inside dense lung tissue within `NEAR_MM`, None without one."""
    box = tuple(slice(max(0, p - round(1.6 * NEAR_MM / s)), p + round(1.6 * NEAR_MM / s) + 1) for p, s in zip(point, spacing, strict=True))
    dense = (hu[box] > SOLID_HU) & (hu[box] < BONE_HU) & allowed[box]
    depth = depth_of(dense, spacing)
    voxels = np.argwhere(depth >= _DEEP_MM)
    if not len(voxels):
        return None
    offset = np.array([side.start for side in box])
    away = np.sqrt((((voxels + offset - np.array(point)) * np.array(spacing)) ** 2).sum(axis=1))
    best = voxels[int(np.argmin(away))] + offset
    return (int(best[0]), int(best[1]), int(best[2])) if float(away.min()) <= NEAR_MM else None


def _threshold(hu: NDArray[np.int16], seed: tuple[int, int, int], spacing: Vec, level: float | None = None) -> float:
    """HU that separates the lesion from lung: fixed for a solid middle, halfway to lung for ground glass (of `level`, once it is known)."""
    reach = [round(_MIDDLE_MM / step) for step in spacing]  # of thick slices this one alone: a small nodule is in no other
    box = tuple(slice(max(0, s - r), s + r + 1) for s, r in zip(seed, reach, strict=True))
    middle = float(np.median(hu[box]))
    if middle > SOLID_HU:
        return SOLID_HU
    if level is None:  # one dark spot or one small vessel says little about ground glass
        reach = [round(_GLASS_MM / step) for step in spacing[1:]]
        wide = hu[seed[0]][tuple(slice(max(0, s - r), s + r + 1) for s, r in zip(seed[1:], reach, strict=True))]
        glass = wide[(wide > LUNG_HU) & (wide <= SOLID_HU)]
        level = float(np.median(wide[wide <= SOLID_HU])) if glass.size > np.count_nonzero(wide <= LUNG_HU) else middle
    middle = level
    air = hu[(hu < LUNG_HU) & (hu > -1000)]
    lung = float(np.median(air)) if air.size else -850.0
    return min((middle + lung) / 2, -500.0)
