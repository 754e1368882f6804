"""The rib cage around each lung: how far the pleural space reaches, also where fluid or a mass has taken the lung's place."""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Grid, coarsen, fraction
from medmpt_backend.imaging.anatomy.lungs import COARSE_MM, LEFT, RIGHT, Lungs
from medmpt_backend.imaging.together import together

# Rays from the middle of a lung to the ribs, per slice.
RAYS = 120
_STEP_MM = 1.5
_REACH_MM = 190.0
# Bone of ribs on blocks of 3 mm; the pleura lies this far inside a rib's first bone.
RIB_HU = 160
WALL_MM = 2.0
# Ribs run obliquely: a ray that misses them takes those of slices this near, and of rays this near.
_RIB_Z_MM = 16.0
_RIB_RAYS = 9
# The apex: slices with less than this share of the largest area of a lung; the ribs of the slices this far below, and what they may lack.
APEX_SHARE = 0.35
_APEX_MM, _APEX_WIDER_MM = 40.0, 4.0
# Rays within this cosine of the direction to the other lung look at the mediastinum.
_MEDIAL = 0.45
_FAR = 1e6
_LEAST_LUNG_MM2 = 400.0


@dataclass(frozen=True, eq=False)
class Cavity:
    """The costal part of the pleural space on a coarse grid.

    Attributes:
        grid: HU at about 3 mm; its factors count voxels of the lungs' grid.
        lungs: `(d, h, w)` uint8, 0, RIGHT or LEFT.
        side: `(d, h, w)` uint8, inside the ribs on the costal side or lung: RIGHT or LEFT, else 0.
        behind_lung: `(d, h, w)` bool, inside the ribs, beyond the lung as seen from its middle.
    """

    grid: Grid
    lungs: NDArray[np.uint8]
    side: NDArray[np.uint8]
    behind_lung: NDArray[np.bool_]

    @cached_property
    def smooth(self) -> NDArray[np.float32]:
        """HU averaged over 3 x 3 voxels in the slice."""
        out: NDArray[np.float32] = ndimage.uniform_filter(self.grid.hu.astype(np.float32), size=(1, 3, 3))
        return out


def rib_cage(lungs: Lungs) -> Cavity:
    """Find the space inside the ribs.

    Args:
        lungs: Both lungs.

    Returns:
        The cavity of both sides.
    """
    grid = coarsen(lungs.grid, COARSE_MM)
    labels = np.zeros(grid.hu.shape, dtype=np.uint8)
    for side in (RIGHT, LEFT):
        labels[fraction(lungs.labels == side, grid.factors, grid.hu.shape) >= 0.5] = side
    inside = np.zeros_like(labels)
    behind = np.zeros(labels.shape, dtype=bool)
    spans = np.flatnonzero(labels.any(axis=(1, 2)))
    if not len(spans):
        return Cavity(grid, labels, inside, behind)
    span = int(spans[0]), int(spans[-1])
    other, further = np.zeros_like(inside), np.zeros_like(behind)
    together(lambda: _add_side(grid, labels, RIGHT, span, inside, behind), lambda: _add_side(grid, labels, LEFT, span, other, further))
    np.copyto(inside, other, where=other > 0)
    behind |= further
    inside = np.where(labels > 0, labels, inside).astype(np.uint8)
    return Cavity(grid, labels, inside, behind & (labels == 0))


def _add_side(
    grid: Grid, labels: NDArray[np.uint8], side: int, span: tuple[int, int], inside: NDArray[np.uint8], behind: NDArray[np.bool_]
) -> None:
    """Write one side into `inside` and `behind`."""
    centres = _centres(grid, labels == side, span)
    if centres is None:
        return
    angles = np.arange(RAYS) * 2 * np.pi / RAYS
    radii = np.arange(0, _REACH_MM, _STEP_MM)
    rows = np.sin(angles)[:, None] * radii / grid.spacing[1]
    columns = np.cos(angles)[:, None] * radii / grid.spacing[2]
    lung_end = np.full((span[1] - span[0] + 1, RAYS), np.nan)
    bone_at = np.full_like(lung_end, np.nan)
    depth, height, width = grid.hu.shape
    flat_labels, flat_hu = labels.reshape(depth, -1), grid.hu.reshape(depth, -1)

    @cache  # a middle often stays where it is for some slices
    def places(y: float, x: float) -> NDArray[np.intp]:
        row, column = np.clip(np.rint(rows + y), 0, height - 1), np.clip(np.rint(columns + x), 0, width - 1)
        return np.asarray(row * width + column, dtype=np.intp)

    for i, k in enumerate(range(span[0], span[1] + 1)):
        at = places(*centres[i])
        lung, bone = flat_labels[k].take(at) == side, flat_hu[k].take(at) > RIB_HU
        seen = lung.any(axis=1)
        last = len(radii) - 1 - np.argmax(lung[:, ::-1], axis=1)
        lung_end[i, seen] = radii[last[seen]]
        bone &= np.arange(len(radii)) > np.where(seen, last, 8)[:, None]
        first = np.argmax(bone, axis=1)
        hit = bone[np.arange(RAYS), first]
        bone_at[i, hit] = radii[first[hit]]
    area = np.count_nonzero(labels[span[0] : span[1] + 1] == side, axis=(1, 2))
    edge = _narrowing(_ribs(bone_at, grid.spacing[0]), area, grid.spacing[0]) - WALL_MM
    medial = (np.cos(angles) if side == RIGHT else -np.cos(angles)) > _MEDIAL
    edge[:, medial] = np.nan
    _fill(grid, side, span, centres, (edge, lung_end), inside, behind)


def _centres(grid: Grid, mask: NDArray[np.bool_], span: tuple[int, int]) -> NDArray[np.float64] | None:
    """Middle of one lung's bounding box per slice, smoothed along the body; slices without lung take the nearest."""
    out = np.full((span[1] - span[0] + 1, 2), np.nan)
    for i, k in enumerate(range(span[0], span[1] + 1)):
        if np.count_nonzero(mask[k]) * grid.spacing[1] * grid.spacing[2] >= _LEAST_LUNG_MM2:
            rows, columns = np.flatnonzero(mask[k].any(axis=1)), np.flatnonzero(mask[k].any(axis=0))
            out[i] = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    known = np.flatnonzero(~np.isnan(out[:, 0]))
    if not len(known):
        return None
    places = np.arange(len(out))
    filled = np.stack([np.interp(places, known, out[known, axis]) for axis in (0, 1)], axis=1)
    smooth: NDArray[np.float64] = ndimage.median_filter(filled, size=(max(3, 2 * round(25 / grid.spacing[0]) + 1), 1), mode="nearest")
    return smooth


def _ribs(bone_at: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Distance of the ribs along every ray: what was hit near by, the nearer bone of neighbours, and a smooth line through it."""
    reach = max(1, round(_RIB_Z_MM / step))
    around = np.pad(np.where(np.isnan(bone_at), _FAR, bone_at), ((0, 0), (_RIB_RAYS, _RIB_RAYS)), mode="wrap")
    near = ndimage.percentile_filter(around, 25, size=(2 * reach + 1, 5), mode="nearest")
    far = ndimage.minimum_filter(around, size=(2 * reach + 1, _RIB_RAYS), mode="nearest")
    smooth = ndimage.median_filter(np.where(near < _FAR, near, far), size=(3, 5), mode="nearest")[:, _RIB_RAYS:-_RIB_RAYS]
    return np.where(smooth < _FAR, smooth, np.nan)


def _narrowing(edge: NDArray[np.float64], area: NDArray[np.intp], step: float) -> NDArray[np.float64]:
    """Ribs at the apex, which are no further out than those of the slices below: above the first rib a ray ends at the shoulder's bones."""
    out = edge.copy()
    reach = max(1, round(_APEX_MM / step))
    widest = int(np.argmax(area))
    for i in range(min(widest, len(edge) - 1)):
        below = edge[i + 1 : i + 1 + reach]
        if area[i] < APEX_SHARE * area[widest]:
            out[i] = np.fmin(edge[i], np.min(np.where(np.isnan(below), _FAR, below), axis=0) + _APEX_WIDER_MM)
    return out


def _fill(
    grid: Grid,
    side: int,
    span: tuple[int, int],
    centres: NDArray[np.float64],
    ends: tuple[NDArray[np.float64], NDArray[np.float64]],
    inside: NDArray[np.uint8],
    behind: NDArray[np.bool_],
) -> None:
    """Voxels nearer than the ribs, and of these the ones beyond the lung."""
    edge, lung_end = ends
    all_y = np.arange(grid.hu.shape[1], dtype=np.float32)[:, None]
    all_x = np.arange(grid.hu.shape[2], dtype=np.float32)[None]

    @cache
    def seen_from(y: float, x: float) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
        dy = (all_y - np.float32(y)) * np.float32(grid.spacing[1])
        dx = (all_x - np.float32(x)) * np.float32(grid.spacing[2])
        ray = np.rint(np.arctan2(dy, dx) * np.float32(RAYS / (2 * np.pi))).astype(np.int16) % RAYS
        return ray, np.hypot(dy, dx)

    for i, k in enumerate(range(span[0], span[1] + 1)):
        if np.isnan(edge[i]).all():
            continue
        far_mm = float(np.nanmax(edge[i]))
        rows, columns = (
            slice(max(0, int(c - far_mm / s)), int(c + far_mm / s) + 2) for c, s in zip(centres[i], grid.spacing[1:], strict=True)
        )
        ray, far = (plane[rows, columns] for plane in seen_from(*centres[i]))
        within = far <= np.nan_to_num(edge[i], nan=-1.0).take(ray)
        inside[k, rows, columns][within] = side
        behind[k, rows, columns] |= within & (far > np.nan_to_num(lung_end[i], nan=1e9).take(ray))
