"""The region of one lesion around a voxel: grown by density, held back at the pleura, cut from its vessels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.errors import NothingFound, OutOfDomain
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.volume import Volume

# Solid lesions against lung: the usual threshold, midway between soft tissue and aerated lung.
SOLID_HU = -400
# Denser than this in the middle: a solid part; lighter: ground glass.
GROUND_GLASS_BELOW_HU = -300
# Aerated lung: nothing to measure.
LUNG_HU = -750
# Largest lesion that is measured, and the margin in which lung closes over it at the pleura.
REACH_MM = 60.0
PLEURA_MM = 20.0
# How far a click may miss.
SNAP_MM = 4.0
# Radius of the vessels that are cut off where they enter a lesion.
VESSEL_MM = 1.8
# A halo counts as part of a part-solid lesion when it is larger than the solid core; less is blur and spicules.
HALO_SHARE = 1.0
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
    """

    mask: NDArray[np.bool_]
    hu: NDArray[np.int16]
    origin: tuple[int, int, int]
    threshold: float
    cut: bool
    halo: NDArray[np.bool_]


def grow(volume: Volume, lungs: Lungs, point: tuple[int, int, int]) -> Region:
    """Grow the lesion around a voxel.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        point: `(z, y, x)`.

    Returns:
        The region.

    Raises:
        NothingFound: Aerated lung around the point.
        OutOfDomain: The point lies outside the lungs, or in a vessel.
    """
    spacing = volume.spacing
    low = [max(0, p - round(REACH_MM / s)) for p, s in zip(point, spacing, strict=True)]
    high = [min(n, p + round(REACH_MM / s) + 1) for p, s, n in zip(point, spacing, volume.hu.shape, strict=True)]
    hu = volume.hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    local = (point[0] - low[0], point[1] - low[1], point[2] - low[2])
    allowed = _lung_space(lungs, low, high)
    seed = _seed(hu, allowed, local, spacing)
    threshold = _threshold(hu, seed)
    part = _component((hu > threshold) & allowed, seed)
    core, inner = _without_vessels(part, seed, spacing)
    _require_compact(core, inner, spacing)
    halo = _halo(hu, allowed, core, spacing) if threshold == SOLID_HU else np.zeros_like(core)
    mask = core | halo
    filled = np.stack([ndimage.binary_fill_holes(plane) for plane in mask])
    edges = (filled[0], filled[-1], filled[:, 0], filled[:, -1], filled[:, :, 0], filled[:, :, -1])
    return Region(filled, hu, (low[0], low[1], low[2]), threshold, any(bool(edge.any()) for edge in edges), halo)


def _lung_space(lungs: Lungs, low: list[int], high: list[int]) -> NDArray[np.bool_]:
    """Lungs with lesions at the pleura closed over, in the crop at full resolution."""
    factors, spacing = lungs.grid.factors, lungs.grid.spacing
    first = [a // f for a, f in zip(low, factors, strict=True)]
    last = [min(n, -(-b // f)) for b, f, n in zip(high, factors, lungs.labels.shape, strict=True)]
    crop = lungs.labels[first[0] : last[0], first[1] : last[1], first[2] : last[2]]
    space = np.zeros(crop.shape, dtype=bool)
    for side in np.unique(crop[crop > 0]):
        space |= _closed(crop == side, spacing)
    index = [np.minimum(np.arange(a, b) // f - i, n - 1) for a, b, f, i, n in zip(low, high, factors, first, crop.shape, strict=True)]
    return space[np.ix_(*index)]


def _closed(mask: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_]:
    """Closing with a large ball; the crop's edge repeats itself so that it does not pull the mask inwards."""
    pad = [int(np.ceil(PLEURA_MM / s)) + 1 for s in spacing]
    padded = np.pad(mask, [(p, p) for p in pad])
    dilated = ndimage.distance_transform_edt(~padded, sampling=spacing) <= PLEURA_MM
    closed = ndimage.distance_transform_edt(dilated, sampling=spacing) > PLEURA_MM
    return mask | closed[pad[0] : -pad[0], pad[1] : -pad[1], pad[2] : -pad[2]]


def _seed(hu: NDArray[np.int16], allowed: NDArray[np.bool_], point: tuple[int, int, int], spacing: Vec) -> tuple[int, int, int]:
    """The voxel to start from: the point, or the densest lung voxel within `SNAP_MM` when the point lies in air or just outside."""
    grid = np.meshgrid(*[(np.arange(n) - p) * s for n, p, s in zip(hu.shape, point, spacing, strict=True)], indexing="ij", sparse=True)
    near = (grid[0] ** 2 + grid[1] ** 2 + grid[2] ** 2 <= SNAP_MM**2) & allowed
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


def _without_vessels(part: NDArray[np.bool_], seed: tuple[int, int, int], spacing: Vec) -> tuple[NDArray[np.bool_], float]:
    """Keep what holds a ball of a third of the inner radius, at most `VESSEL_MM`: vessels are thinner. Also the inner radius, mm."""
    depth = ndimage.distance_transform_edt(np.pad(part, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    centre = _climb(depth, seed, spacing)
    inner = float(depth[centre])
    radius = min(max(0.35 * inner, 0.8), VESSEL_MM)
    if inner <= 1.6 * max(spacing[1:]):
        return part, inner
    labels, _ = ndimage.label(depth > radius)
    if labels[centre] == 0:
        return part, inner
    core = labels == labels[centre]
    return part & (ndimage.distance_transform_edt(~core, sampling=spacing) <= radius + 0.5 * spacing[1]), inner


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


def _require_compact(mask: NDArray[np.bool_], inner: float, spacing: Vec) -> None:
    """Refuse a tube (vessel, bronchus) and a layer (pleura, fissure): both are long against their inner radius."""
    points = np.argwhere(mask) * np.array(spacing)
    if len(points) < 8:
        return
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 1e-6))
    if spread[2] > 5.0 and 2 * inner < THIN_SHARE * 4 * spread[2] and spread[1] > 0.4 * spread[2]:
        raise OutOfDomain(
            f"the point lies in a layer about {2 * inner:.0f} mm thick and {4 * spread[2]:.0f} mm long (pleura, fissure or effusion): "
            "only lesions are measured; click inside one"
        )
    if spread[2] > 2.6 * spread[1] and spread[1] < 5.0:
        raise OutOfDomain(
            f"the point lies in a long tube ({4 * spread[2]:.0f} mm by {4 * spread[1]:.0f} mm), a vessel or a bronchus: "
            "only lesions are measured; click inside one"
        )


def _halo(hu: NDArray[np.int16], allowed: NDArray[np.bool_], core: NDArray[np.bool_], spacing: Vec) -> NDArray[np.bool_]:
    """Ground glass that surrounds a solid core in a layer thicker than the blur of its edge."""
    light = (hu > LUNG_HU + 50) & (hu <= SOLID_HU) & allowed
    layer = core | light
    depth = ndimage.distance_transform_edt(light, sampling=spacing)
    thick = light & (depth > max(1.5, 1.5 * max(spacing[1:])))
    if not thick.any():
        return np.zeros_like(core)
    body = ndimage.distance_transform_edt(~(thick | core), sampling=spacing) <= 2.0
    z, y, x = (int(v) for v in np.argwhere(core)[np.count_nonzero(core) // 2])
    part = _component(body & layer, (z, y, x))
    halo = part & light
    return halo if np.count_nonzero(halo) > HALO_SHARE * np.count_nonzero(core) else np.zeros_like(core)
