"""Shapes inside a crop: cores without vessels, halos, and what a tube, a layer or a consolidation is."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import NothingFound, OutOfDomain
from medmpt_backend.imaging.anatomy.distance import depth_of, within
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.space import Crop
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Solid lesions against lung: the usual threshold, midway between soft tissue and aerated lung.
SOLID_HU = -400
# Aerated lung: nothing to measure.
LUNG_HU = -750
# Radius of the vessels that are cut off where they enter a lesion.
VESSEL_MM = 1.8
# A halo lies this near to its core, in mm or in inner radii of the core; around a small core it is as thick as that.
HALO_MM = 5.0
HALO_REACH = 0.6
HALO_AS_CORE_MM = 9.0
# Bands between ground glass and its surroundings are thicker than vessels.
BAND_MM = 3.5
# A lesion reaches this many inner radii from its middle: ground glass has no sharp edge, and nodules hang on vessels, which join them
# to all others.
SPREAD = 3.4
# While its middle is looked for, that holds for large solid masses, which are joined to the wall's layers and to the mediastinum.
LARGE_MM = 8.0
# What is thinner than these shares of the inner radius is no part of a lesion: at small ones vessels are nearly as thick as they are.
NECK_SMALL, NECK = 0.5, 0.2
THICK_SLICE_MM = 1.5
# What most of a core's surroundings is in few thick slices: its blur. A halo then shows in this share of the core beyond that.
FEW_SLICES, BLUR_MM, CERTAIN_SHARE = 3, 1.5, 0.25
# Thicker layers are not pleura or fissure.
THIN_MM = 4.0
# More than this is no single lesion.
CONSOLIDATION_L = 0.35
# Solid parts of ground glass thicker than a vessel lead the measurement, where they begin within this share of the inner radius.
SOLID_CORE_MM = 3.0
OWN_CORE = 0.5
RIM_MM = 2.0
# A halo counts as part of a part-solid lesion when it is larger than the solid core; less is blur and spicules.
HALO_SHARE = 0.6
# A layer is thinner than this share of its length.
THIN_SHARE = 0.2


def solid_part(hu: NDArray[np.int16], mask: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_] | None:
    """Solid parts inside ground glass that are thicker than a vessel, with their rim; None without any."""
    dense = mask & (hu > SOLID_HU)
    depth = depth_of(dense, spacing)
    core = depth > SOLID_CORE_MM
    if not core.any():
        return None
    return within(core, SOLID_CORE_MM + RIM_MM, spacing)


def own_core(dense: NDArray[np.bool_], depth: NDArray[np.float64], mask: NDArray[np.bool_], spacing: Vec) -> tuple[int, int, int] | None:
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


def nearest_in(mask: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
    """The voxel of a mask nearest to a point; the point where the mask is empty."""
    voxels = np.argwhere(mask)
    if not len(voxels) or mask[point]:
        return point
    best = voxels[int(np.argmin((((voxels - np.array(point)) * np.array(spacing)) ** 2).sum(axis=1)))]
    return int(best[0]), int(best[1]), int(best[2])


def deepest(mask: NDArray[np.bool_], depth: NDArray[np.float64]) -> tuple[int, int, int]:
    """The deepest voxel; among equals the one nearest to the middle."""
    inside = np.where(mask, depth, -1.0)
    voxels = np.argwhere(inside >= float(inside.max()) - 1e-6)
    middle = np.argwhere(mask).mean(axis=0) if mask.any() else voxels.mean(axis=0)
    best = voxels[int(np.argmin(((voxels - middle) ** 2).sum(axis=1)))]
    return int(best[0]), int(best[1]), int(best[2])


def component(mask: NDArray[np.bool_], seed: tuple[int, int, int]) -> NDArray[np.bool_]:
    """The connected part around the seed."""
    labels, _ = ndimage.label(mask)
    if labels[seed] == 0:
        near = tuple(slice(max(0, s - 2), s + 3) for s in seed)
        found = labels[near][labels[near] > 0]
        if not found.size:
            raise NothingFound(message("nothing denser than lung at the point; click inside the lesion"))
        return np.asarray(labels == int(np.bincount(found).argmax()))
    return np.asarray(labels == labels[seed])


def core(
    part: NDArray[np.bool_], seed: tuple[int, int, int], spacing: Vec, *, solid: bool, near: bool = False
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Keep what holds a ball of a share of the inner radius: vessels and bands are thinner. Also the depth of every voxel, mm."""
    depth: NDArray[np.float64] = depth_of(part, spacing)
    centre = climb(depth, seed, spacing)
    inner = float(depth[centre])
    if inner <= 1.6 * max(spacing[1:]):
        return part, depth
    if solid:
        radius = max(0.8, min(NECK_SMALL * inner, max(VESSEL_MM, NECK * inner)))
    else:
        radius = min(max(0.35 * inner, 0.8), max(BAND_MM, 0.2 * inner))
    labels, _ = ndimage.label(depth > radius)
    if labels[centre] == 0:
        return part, depth
    core = labels == labels[centre]
    kept = part & within(core, radius + 0.5 * spacing[1], spacing)
    if near or not solid or inner > LARGE_MM:
        kept &= around(part.shape, centre, SPREAD * inner, spacing)
    return kept, depth


def around(shape: tuple[int, ...], centre: tuple[int, int, int], radius: float, spacing: Vec) -> NDArray[np.bool_]:
    """Voxels within a distance of a point."""
    away = np.meshgrid(*[(np.arange(n) - c) * s for n, c, s in zip(shape, centre, spacing, strict=True)], indexing="ij", sparse=True)
    found: NDArray[np.bool_] = away[0] ** 2 + away[1] ** 2 + away[2] ** 2 <= radius**2
    return found


def climb(depth: NDArray[np.float64], seed: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
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
    thick, long = 2 * inner, 4 * spread[2]
    if spread[2] > 5.0 and 2 * inner < THIN_SHARE * 4 * spread[2] and spread[1] > 0.4 * spread[2] and (solid or inner < THIN_MM):
        rim = float(np.mean(crop.wall[mask]))
        name = message("the pleura or the chest wall") if rim > 0.3 else message("a fissure or a band")
        raise OutOfDomain(
            message(
                "the point lies in {name}, a layer about {thick:.0f} mm thick and {long:.0f} mm long: only lesions are "
                "measured; click inside one",
                name=name,
                thick=thick,
                long=long,
            )
        )
    if spread[2] > 2.6 * spread[1] and spread[1] < 5.0:
        raise OutOfDomain(
            message(
                "the point lies in a long tube ({long:.0f} mm by {wide:.0f} mm), a vessel or a bronchus: only lesions are "
                "measured; click inside one",
                long=long,
                wide=4 * spread[1],
            )
        )
    litres = len(points) * float(np.prod(spacing)) / 1e6
    if litres > CONSOLIDATION_L:
        raise OutOfDomain(
            message(
                "the point lies in a consolidation or a collapsed part of the lung ({ml:.0f} ml), not in one lesion: its "
                "volume stands in the measurement of the study",
                ml=1000 * litres,
            )
        )


def halo(hu: NDArray[np.int16], allowed: NDArray[np.bool_], core: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_]:
    """Ground glass that surrounds a solid core in a layer thicker than the blur of its edge."""
    light = (hu > LUNG_HU + 50) & (hu <= SOLID_HU) & allowed
    layer = core | light
    depth = ndimage.distance_transform_edt(light, sampling=spacing)
    thick = light & (depth > max(1.5, 1.5 * max(spacing[1:])))
    if not thick.any() or not core.any():
        return np.zeros_like(core)
    inner = float(depth_of(core, spacing).max())
    near = within(core, max(HALO_MM, HALO_REACH * inner, min(inner, HALO_AS_CORE_MM)), spacing)
    start = np.argwhere(core)[np.count_nonzero(core) // 2]

    def joined(begins: NDArray[np.bool_]) -> NDArray[np.bool_]:
        body = within(begins | core, 2.0, spacing) & near
        return component(body & layer, (int(start[0]), int(start[1]), int(start[2]))) & light

    if spacing[0] <= THICK_SLICE_MM:
        found = joined(thick)
        return found if np.count_nonzero(found) > HALO_SHARE * np.count_nonzero(core) else np.zeros_like(core)
    small = np.count_nonzero(core.any(axis=(1, 2))) <= FEW_SLICES  # most of what surrounds it is its own blur
    blur = _part_of_core(core, spacing, BLUR_MM if small else 0.0)
    certain = thick & ~blur
    if not certain.any():
        return np.zeros_like(core)
    found = joined(certain)
    least = CERTAIN_SHARE if small else HALO_SHARE
    if np.count_nonzero(found & ~blur if small else found) <= least * np.count_nonzero(core):
        return np.zeros_like(core)
    return joined(thick) if small else found


def _part_of_core(core: NDArray[np.bool_], spacing: Vec, beside_mm: float) -> NDArray[np.bool_]:
    """Of thick slices what lies above or below a core, and this far beside either: the core's own share and blur, no halo yet."""
    wide = within(core, beside_mm, (1e6, *spacing[1:])) if beside_mm else core
    out = wide.copy()
    out[1:] |= wide[:-1]
    out[:-1] |= wide[1:]
    return out


def cut(mask: NDArray[np.bool_]) -> bool:
    """Whether a region reaches the edge of its box."""
    return any(bool(edge.any()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1], mask[:, :, 0], mask[:, :, -1]))
