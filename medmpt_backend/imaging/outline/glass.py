"""Ground glass at solid parts: which of the two a voxel belongs to, and how dense it is."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.distance import depth_of, within
from medmpt_backend.imaging.anatomy.grid import Vec
from medmpt_backend.imaging.lesion_shape import LUNG_HU, RIM_MM, SOLID_HU, component, core, nearest_in
from medmpt_backend.imaging.volume import Volume

# Ground glass that touches a solid lesion is its halo, unless it is deeper than this and covers less than this share of its surface.
ALONE_MM, AROUND = 3.5, 0.4
# Between the two, a voxel belongs to the nearer: the solid part, or what of the ground glass lies deeper than this share.
DEEP = 0.6
# A vessel in ground glass has more of it than of aerated lung within this distance.
AROUND_MM = 5.0


def without(part: NDArray[np.bool_], dense: NDArray[np.bool_], seed: tuple[int, int, int], spacing: Vec) -> NDArray[np.bool_]:
    """The ground glass around a voxel without the solid parts that it touches."""
    rest = part & ~dense
    if not rest.any():
        return part
    start = nearest_in(rest, seed, spacing)
    glass, depth = core(component(rest, start), start, spacing, solid=False)
    deep = glass & (depth > DEEP * float(depth[glass].max()))
    to_own = ndimage.distance_transform_edt(~deep, sampling=spacing)
    to_solid = ndimage.distance_transform_edt(~dense, sampling=spacing)
    return np.asarray(glass & (to_own <= to_solid + RIM_MM))


def stands_alone(glass: NDArray[np.bool_], solid: NDArray[np.bool_], own: tuple[int, int, int], spacing: Vec) -> bool:
    """Whether ground glass at a solid part is a lesion of its own: thick, and beside the solid part instead of around it."""
    if not glass.any() or float(depth_of(glass, spacing).max()) <= ALONE_MM:
        return False
    part = component(solid, own)
    shell = within(part, 2 * RIM_MM, spacing) & ~within(part, RIM_MM, spacing)
    return float(np.mean(glass[shell])) < AROUND


def glass_beside(volume: Volume, point: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """In the slice of a vessel's voxel the nearest one of ground glass around it; None where the vessel runs in aerated lung."""
    z, y, x = point
    reach = [round(AROUND_MM / step) for step in volume.spacing[1:]]
    low = max(0, y - reach[0]), max(0, x - reach[1])
    plane = volume.hu[z, low[0] : y + reach[0] + 1, low[1] : x + reach[1] + 1]
    glass = (plane > LUNG_HU) & (plane <= SOLID_HU)
    if np.count_nonzero(glass) <= np.count_nonzero(plane <= LUNG_HU):
        return None
    inner = ndimage.binary_erosion(glass)
    spots = np.argwhere(inner if inner.any() else glass)
    best = spots[int(np.argmin(((spots + low - np.array((y, x))) ** 2).sum(axis=1)))]
    return z, int(best[0]) + low[0], int(best[1]) + low[1]


def level_of(hu: NDArray[np.int16], mask: NDArray[np.bool_], depth: NDArray[np.float64]) -> float | None:
    """Density of the inner part of ground glass without vessels, in steps of 10 HU; None where there is none."""
    light = hu[mask & (depth > 0.25 * float(depth[mask].max())) & (hu <= SOLID_HU)]
    return 10.0 * round(float(np.median(light)) / 10) if light.size else None
