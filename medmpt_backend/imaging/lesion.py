"""The region of one lesion around a voxel: grown by density, held back at the pleura, cut from its vessels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import NothingFound, OutOfDomain
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.space import REACHES_MM, Crop, crop_around
from medmpt_backend.imaging.volume import Volume

# Solid lesions against lung: the usual threshold, midway between soft tissue and aerated lung.
SOLID_HU = -400
# Denser than this in the middle: a solid part; lighter: ground glass.
GROUND_GLASS_BELOW_HU = -300
# Aerated lung: nothing to measure.
LUNG_HU = -750
# How far a click may miss.
SNAP_MM = 4.0
# Radius of the vessels that are cut off where they enter a lesion.
VESSEL_MM = 1.8
# A halo lies this near to its core, in mm or in inner radii of the core.
HALO_MM = 5.0
HALO_REACH = 0.6
# Bands between ground glass and its surroundings are thicker than vessels.
BAND_MM = 3.5
# Ground glass has no sharp edge: it is followed to this many inner radii from its middle.
SPREAD = 3.4
# Thicker layers are not pleura or fissure.
THIN_MM = 4.0
# More than this is no single lesion.
CONSOLIDATION_L = 0.35
BONE_HU = 300
# Solid parts of ground glass thicker than a vessel lead the measurement, where they begin within this share of the inner radius.
SOLID_CORE_MM = 3.0
OWN_CORE = 0.5
_RIM_MM = 2.0
# A click on dense tissue just outside goes to the nearest lesion that is this deep, and the result says so.
NEAR_MM = 15.0
_DEEP_MM = 4.0
_ROUNDS = 5
_RECENTRE_MM = 3.0
# A halo counts as part of a part-solid lesion when it is larger than the solid core; less is blur and spicules.
HALO_SHARE = 0.6
# A layer is thinner than this share of its length.
THIN_SHARE = 0.2


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
    """

    mask: NDArray[np.bool_]
    hu: NDArray[np.int16]
    origin: tuple[int, int, int]
    threshold: float
    cut: bool
    halo: NDArray[np.bool_]
    moved_mm: float = 0.0


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
    for reach in REACHES_MM:
        crop = crop_around(volume, lungs, point, reach)
        here = crop.local(point)
        seed = _seed(crop.hu, crop.allowed, here, volume.spacing)
        moved = float(np.linalg.norm((np.array(seed) - np.array(here)) * np.array(volume.spacing)))
        mask, centre, inner, solid = _settled(crop, seed)
        deep = crop.absolute(centre)
        if not _cut(mask) and max(abs(a - b) * s for a, b, s in zip(deep, point, volume.spacing, strict=True)) > _RECENTRE_MM:
            crop = crop_around(volume, lungs, deep, reach)
            mask, centre, inner, solid = _settled(crop, crop.local(deep))
        if not _cut(mask):
            break
    require_lesion(mask, inner, volume.spacing, crop, solid=solid)
    halo = _halo(crop.hu, crop.allowed, mask, volume.spacing) if solid else np.zeros_like(mask)
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in mask | halo])
    threshold = SOLID_HU if solid else _threshold(crop.hu, centre)
    return Region(filled, crop.hu, crop.origin, threshold, _cut(filled), halo, moved)


def _cut(mask: NDArray[np.bool_]) -> bool:
    """Whether a region reaches the edge of its box."""
    return any(bool(edge.any()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1]))


def _settled(crop: Crop, seed: tuple[int, int, int]) -> tuple[NDArray[np.bool_], tuple[int, int, int], float, bool]:
    """Mask, deepest voxel, inner radius in mm, and whether it is solid, once growing from the deepest voxel changes nothing."""
    mask = np.zeros(crop.hu.shape, dtype=bool)
    inner, solid = 0.0, True
    for _ in range(_ROUNDS):
        threshold = _threshold(crop.hu, seed)
        solid = threshold == SOLID_HU
        part = _component((crop.hu > threshold) & crop.allowed, seed)
        mask, depth = _core(part, seed, crop.spacing, solid=solid)
        if not solid:
            dense = _solid_part(crop.hu, mask, crop.spacing)
            own = None if dense is None else _own_core(dense, depth, mask, crop.spacing)
            if own is not None:
                seed = own
                continue
            if dense is not None:
                mask = _core(_component(part & ~dense, _nearest_in(part & ~dense, seed, crop.spacing)), seed, crop.spacing, solid=False)[0]
                depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=crop.spacing)[1:-1, 1:-1, 1:-1]
        deepest = np.unravel_index(int(np.argmax(np.where(mask, depth, -1.0))), mask.shape)
        centre = (int(deepest[0]), int(deepest[1]), int(deepest[2]))
        inner = float(depth[centre])
        if centre == seed:
            break
        seed = centre
    return mask, seed, inner, solid


def _solid_part(hu: NDArray[np.int16], mask: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_] | None:
    """Solid parts inside ground glass that are thicker than a vessel, with their rim; None without any."""
    dense = mask & (hu > SOLID_HU)
    depth = ndimage.distance_transform_edt(np.pad(dense, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    core = depth > SOLID_CORE_MM
    if not core.any():
        return None
    found: NDArray[np.bool_] = ndimage.distance_transform_edt(~core, sampling=spacing) <= SOLID_CORE_MM + _RIM_MM
    return found


def _own_core(dense: NDArray[np.bool_], depth: NDArray[np.float64], mask: NDArray[np.bool_], spacing: Vec) -> tuple[int, int, int] | None:
    """A voxel of a solid part that lies in the middle of the ground glass, and so belongs to the same lesion; None for a neighbour."""
    centre = np.unravel_index(int(np.argmax(np.where(mask, depth, -1.0))), mask.shape)
    inside = np.argwhere(dense & mask)
    away = np.sqrt((((inside - np.array(centre)) * np.array(spacing)) ** 2).sum(axis=1))
    nearest = inside[int(np.argmin(away))]
    if float(away.min()) > OWN_CORE * float(depth[centre]):
        return None
    labels, _ = ndimage.label(dense & mask)
    own = np.argwhere(labels == labels[tuple(nearest)])
    middle = own[int(np.argmin((((own - own.mean(axis=0)) * np.array(spacing)) ** 2).sum(axis=1)))]
    return int(middle[0]), int(middle[1]), int(middle[2])


def _nearest_in(mask: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
    """The voxel of a mask nearest to a point; the point where the mask is empty."""
    voxels = np.argwhere(mask)
    if not len(voxels) or mask[point]:
        return point
    best = voxels[int(np.argmin((((voxels - np.array(point)) * np.array(spacing)) ** 2).sum(axis=1)))]
    return int(best[0]), int(best[1]), int(best[2])


def _seed(hu: NDArray[np.int16], allowed: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
    """The voxel to start from: the point, or the densest lung voxel within `SNAP_MM` when the point lies in air or just outside."""
    grid = np.meshgrid(*[(np.arange(n) - p) * s for n, p, s in zip(hu.shape, point, spacing, strict=True)], indexing="ij", sparse=True)
    near = (grid[0] ** 2 + grid[1] ** 2 + grid[2] ** 2 <= SNAP_MM**2) & allowed
    if not near.any() and hu[point] > GROUND_GLASS_BELOW_HU:
        moved = _deep_near(hu, allowed, point, spacing)
        if moved is not None:
            return moved
    if not near.any() and float(np.median(hu[tuple(slice(max(0, p - 1), p + 2) for p in point)])) > BONE_HU:
        raise OutOfDomain("the point lies in bone (a rib, the spine or the sternum): only lesions in the lungs are measured")
    if not near.any():
        raise OutOfDomain(
            "the point is not inside a lung (chest wall, mediastinum, heart or outside the body): only lesions in the lungs are measured"
        )
    smooth = ndimage.uniform_filter(hu.astype(np.float32), size=(1, 3, 3))
    if allowed[point] and smooth[point] > LUNG_HU:
        return point
    best = np.unravel_index(int(np.argmax(np.where(near, smooth, -3000.0))), hu.shape)
    if smooth[best] <= LUNG_HU:
        raise NothingFound(
            f"nothing denser than lung within {SNAP_MM:.0f} mm of the point ({float(smooth[point]):.0f} HU there); click inside the lesion"
        )
    return int(best[0]), int(best[1]), int(best[2])


def _deep_near(hu: NDArray[np.int16], allowed: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int] | None:
    """The nearest voxel well inside dense lung tissue within `NEAR_MM`, None without one."""
    box = tuple(slice(max(0, p - round(1.6 * NEAR_MM / s)), p + round(1.6 * NEAR_MM / s) + 1) for p, s in zip(point, spacing, strict=True))
    dense = (hu[box] > SOLID_HU) & (hu[box] < BONE_HU) & allowed[box]
    depth = ndimage.distance_transform_edt(np.pad(dense, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    voxels = np.argwhere(depth >= _DEEP_MM)
    if not len(voxels):
        return None
    offset = np.array([side.start for side in box])
    away = np.sqrt((((voxels + offset - np.array(point)) * np.array(spacing)) ** 2).sum(axis=1))
    best = voxels[int(np.argmin(away))] + offset
    return (int(best[0]), int(best[1]), int(best[2])) if float(away.min()) <= NEAR_MM else None


def _threshold(hu: NDArray[np.int16], seed: tuple[int, int, int]) -> float:
    """HU that separates the lesion from lung: fixed for a solid middle, halfway to lung for ground glass."""
    box = tuple(slice(max(0, s - r), s + r + 1) for s, r in zip(seed, (1, 2, 2), strict=True))
    middle = float(np.median(hu[box]))
    if middle > SOLID_HU:
        return SOLID_HU
    air = hu[(hu < LUNG_HU) & (hu > -1000)]
    lung = float(np.median(air)) if air.size else -850.0
    return min((middle + lung) / 2, -500.0)


def _component(mask: NDArray[np.bool_], seed: tuple[int, int, int]) -> NDArray[np.bool_]:
    """The connected part around the seed."""
    labels, _ = ndimage.label(mask)
    if labels[seed] == 0:
        near = tuple(slice(max(0, s - 2), s + 3) for s in seed)
        found = labels[near][labels[near] > 0]
        if not found.size:
            raise NothingFound("nothing denser than lung at the point; click inside the lesion")
        return np.asarray(labels == int(np.bincount(found).argmax()))
    return np.asarray(labels == labels[seed])


def _core(
    part: NDArray[np.bool_], seed: tuple[int, int, int], spacing: Vec, *, solid: bool
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Keep what holds a ball of a third of the inner radius: vessels and bands are thinner. Also the depth of every voxel, mm."""
    depth: NDArray[np.float64] = ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    centre = _climb(depth, seed, spacing)
    inner = float(depth[centre])
    if inner <= 1.6 * max(spacing[1:]):
        return part, depth
    most = VESSEL_MM if solid else BAND_MM
    radius = min(max(0.35 * inner, 0.8), max(most, 0.2 * inner))
    labels, _ = ndimage.label(depth > radius)
    if labels[centre] == 0:
        return part, depth
    core = labels == labels[centre]
    kept = part & (ndimage.distance_transform_edt(~core, sampling=spacing) <= radius + 0.5 * spacing[1])
    if not solid:
        away = np.meshgrid(
            *[(np.arange(n) - c) * s for n, c, s in zip(part.shape, centre, spacing, strict=True)], indexing="ij", sparse=True
        )
        kept &= away[0] ** 2 + away[1] ** 2 + away[2] ** 2 <= (SPREAD * inner) ** 2
    return kept, depth


def _climb(depth: NDArray[np.float64], seed: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
    """From the seed uphill to the middle of the lesion; along a vessel the depth does not rise, so the climb stops there."""
    here = seed
    for _ in range(20):
        reach = max(2.5, float(depth[here]))
        box = tuple(slice(max(0, h - int(reach / s) - 1), h + int(reach / s) + 2) for h, s in zip(here, spacing, strict=True))
        grid = np.meshgrid(
            *[(np.arange(b.start, min(b.stop, n)) - h) * s for b, n, h, s in zip(box, depth.shape, here, spacing, strict=True)],
            indexing="ij",
            sparse=True,
        )
        away = np.sqrt(grid[0] ** 2 + grid[1] ** 2 + grid[2] ** 2)
        gain = np.where(away <= reach, depth[box] - depth[here] - 0.3 * away, -np.inf)
        step = np.unravel_index(int(np.argmax(gain)), gain.shape)
        if gain[step] <= 1e-6:
            break
        here = (box[0].start + int(step[0]), box[1].start + int(step[1]), box[2].start + int(step[2]))
    return here


def require_lesion(mask: NDArray[np.bool_], inner: float, spacing: Vec, crop: Crop, *, solid: bool) -> None:
    """Refuse a tube (vessel, bronchus), a layer (pleura, fissure) and what fills a good part of a lung.

    Raises:
        OutOfDomain: Says what the point lies in.
    """
    points = np.argwhere(mask) * np.array(spacing)
    if len(points) < 8:
        return
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 1e-6))
    said = f"{2 * inner:.0f} mm thick and {4 * spread[2]:.0f} mm long"
    if spread[2] > 5.0 and 2 * inner < THIN_SHARE * 4 * spread[2] and spread[1] > 0.4 * spread[2] and (solid or inner < THIN_MM):
        rim = float(np.mean(crop.wall[mask]))
        name = "the pleura or the chest wall" if rim > 0.3 else "a fissure or a band"
        raise OutOfDomain(f"the point lies in {name}, a layer about {said}: only lesions are measured; click inside one")
    if spread[2] > 2.6 * spread[1] and spread[1] < 5.0:
        raise OutOfDomain(
            f"the point lies in a long tube ({4 * spread[2]:.0f} mm by {4 * spread[1]:.0f} mm), a vessel or a bronchus: "
            "only lesions are measured; click inside one"
        )
    litres = len(points) * float(np.prod(spacing)) / 1e6
    if litres > CONSOLIDATION_L:
        raise OutOfDomain(
            f"the point lies in a consolidation or a collapsed part of the lung ({1000 * litres:.0f} ml), not in one lesion: "
            "its volume stands in the measurement of the study"
        )


def _halo(hu: NDArray[np.int16], allowed: NDArray[np.bool_], core: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_]:
    """Ground glass that surrounds a solid core in a layer thicker than the blur of its edge."""
    light = (hu > LUNG_HU + 50) & (hu <= SOLID_HU) & allowed
    layer = core | light
    depth = ndimage.distance_transform_edt(light, sampling=spacing)
    thick = light & (depth > max(1.5, 1.5 * max(spacing[1:])))
    if not thick.any():
        return np.zeros_like(core)
    inner = float(ndimage.distance_transform_edt(np.pad(core, 1), sampling=spacing).max())
    near = ndimage.distance_transform_edt(~core, sampling=spacing) <= max(HALO_MM, HALO_REACH * inner)
    body = (ndimage.distance_transform_edt(~(thick | core), sampling=spacing) <= 2.0) & near
    z, y, x = (int(v) for v in np.argwhere(core)[np.count_nonzero(core) // 2])
    part = _component(body & layer, (z, y, x))
    halo = part & light
    return halo if np.count_nonzero(halo) > HALO_SHARE * np.count_nonzero(core) else np.zeros_like(core)
