"""Fluid, air and dense lung between the ribs and the aerated lung."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy import balls
from medmpt_backend.imaging.anatomy.cavity import Cavity
from medmpt_backend.imaging.anatomy.grid import mostly, per_slice
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT
from medmpt_backend.imaging.anatomy.runs import parts_of

# Fluid of the pleura: water to exudate; blood and pus are denser and count as consolidation here. Averaged over about 9 mm.
FLUID_HU = (-20.0, 33.0)
# Dense lung, tumour, clotted blood; without calcium and metal.
DENSE_HU = (5.0, 160.0)
# A layer thinner than twice this is pleura, fat and muscle of the wall.
FLUID_RADIUS_MM = 2.5
DENSE_RADIUS_MM = 5.0
# Fluid below the lung is followed this far from fluid beside it.
BELOW_MM = 15.0
# Free fluid lies behind the middle of the chest; part of a region may lie before it.
BEHIND_SHARE = 0.6
MIN_FLUID_ML = 10.0
# In front of that only what is thicker and larger: fat and muscle beside the heart reach 13 ml on scans without fluid.
FRONT_RADIUS_MM = 4.0
FRONT_ML = 50.0
MIN_DENSE_ML = 5.0
# Dense tissue that borders other soft tissue more than lung is heart or liver.
MOST_INNER = 0.8
# Between lung and mediastinum the lung closes over dense tissue with this radius; normal vessels of the hilum hold no ball of that one.
CENTRAL_CLOSING_MM = 30.0
CENTRAL_RADIUS_MM = 7.0
# Air without lung: plain over a ball of this radius, at the costal side.
AIR_HU = -960
AIR_RADIUS_MM = 3.0
AIR_DENSEST_HU = -925
AIR_SHARE = 0.9
MIN_AIR_ML = 10.0
# A share of the surface of a pocket of air that lies at the ribs.
COSTAL_SHARE = 0.15
COSTAL_ML = 5.0
# Half way from lung to air, and from lung to fluid.
EDGE_HU = -950
HALF_HU = -450
# Fluid lies along the wall; a part of less than this that is rounder is a mass with a soft core.
ROUND = 0.45
ROUND_ML = 300.0
_COSTAL_MM = 10.0
# Fluid is followed towards the spine from what stands at the ribs, this far, where there is this much of it; the middle stays out.
MEDIAL_MM = 30.0
MEDIAL_ML = 60.0
_SPINE_MM = 22.0


@dataclass(frozen=True, eq=False)
class Pocket:
    """Voxels of one finding on the cavity's grid, by side."""

    mask: NDArray[np.bool_]
    right_ml: float
    left_ml: float

    @property
    def widest(self) -> int | None:
        """Grid slice with most of it, None where it is empty."""
        counts = per_slice(self.mask)
        return int(np.argmax(counts)) if counts.any() else None


def opened(mask: NDArray[np.bool_], radius: float, cavity: Cavity) -> NDArray[np.bool_]:
    """Keep what holds a ball of this radius (in the slice where sections are thick)."""
    spacing = cavity.grid.spacing
    sampling = (spacing[0] if spacing[0] <= radius else 1e3, spacing[1], spacing[2])
    return balls.opened(mask, radius, sampling, radius + 0.5 * spacing[1])


def _pocket(mask: NDArray[np.bool_], cavity: Cavity) -> Pocket:
    """With its volumes."""
    ml = cavity.grid.voxel_ml
    right, left = (float(np.count_nonzero(mask & (cavity.side == side))) * ml for side in (RIGHT, LEFT))
    columns = np.flatnonzero((cavity.side > 0).any(axis=(0, 1)))
    if len(columns):
        between = np.count_nonzero(mask & (cavity.side == 0), axis=(0, 1)) * ml
        half = (columns[0] + columns[-1]) // 2
        right, left = right + float(between[:half].sum()), left + float(between[half:].sum())
    return Pocket(mask, right, left)


def fluid(cavity: Cavity) -> Pocket:
    """Pleural fluid: of water's density, thicker than the wall's own layers, mostly in the back half."""
    watery = (cavity.smooth >= FLUID_HU[0]) & (cavity.smooth <= FLUID_HU[1]) & (cavity.lungs == 0)
    seeds = opened(cavity.behind_lung & watery, FLUID_RADIUS_MM, cavity)
    kept = np.zeros_like(seeds)
    middle = _middles(cavity)
    labels, _ = ndimage.label(seeds)
    for i, box in enumerate(ndimage.find_objects(labels), 1):
        part = labels[box] == i
        z, y, _ = np.nonzero(part)
        back = float(np.mean(y + box[1].start > middle[z + box[0].start]))
        large = np.count_nonzero(part) * cavity.grid.voxel_ml >= MIN_FLUID_ML
        if large and (not _massive(part, cavity) if back >= BEHIND_SHARE else _thick(part, cavity)):
            kept[box] |= part
    if kept.any():
        near = balls.within(kept, BELOW_MM, cavity.grid.spacing)
        where = (cavity.side > 0) & near
        if np.count_nonzero(kept) * cavity.grid.voxel_ml >= MEDIAL_ML:
            where |= _paravertebral(cavity, middle) & balls.within(kept, MEDIAL_MM, cavity.grid.spacing)
        more = opened(where & watery, FLUID_RADIUS_MM, cavity) | kept
        labels, _ = ndimage.label(more)
        kept = np.isin(labels, np.unique(labels[kept]))
    return _pocket(_to_edge(kept, (cavity.grid.hu > HALF_HU) & (cavity.lungs == 0), cavity), cavity)


def _thick(part: NDArray[np.bool_], cavity: Cavity) -> bool:
    """Whether a part in front is thick and large enough for walled-off fluid."""
    core = opened(np.pad(part, 1), FRONT_RADIUS_MM, cavity)
    return float(np.count_nonzero(core)) * cavity.grid.voxel_ml >= FRONT_ML


def _paravertebral(cavity: Cavity, middle: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Between the costal space and the spine, behind the middle of the chest: where no ray to a rib leads."""
    out: NDArray[np.bool_] = np.zeros_like(cavity.behind_lung)
    columns = np.flatnonzero((cavity.side > 0).any(axis=(0, 1)))
    if not len(columns):
        return out
    centre, gap = (columns[0] + columns[-1]) / 2, _SPINE_MM / cavity.grid.spacing[2]
    depth, _, width = cavity.lungs.shape
    x = np.arange(width)
    for side in (RIGHT, LEFT):
        towards = (x < centre - gap) if side == RIGHT else (x > centre + gap)
        for k in range(depth):
            rows = np.flatnonzero((cavity.side[k] == side).any(axis=1))
            if not len(rows):
                continue
            spans = np.flatnonzero((cavity.side[k] == side).any(axis=0))
            half = (spans[0] + spans[-1]) / 2
            inner = towards & ((x > half) if side == RIGHT else (x < half))
            out[k, max(rows[0], int(middle[k])) : rows[-1] - 1] |= inner
    out &= (cavity.side == 0) & (cavity.lungs == 0)
    return out


def _massive(part: NDArray[np.bool_], cavity: Cavity) -> bool:
    """Whether a part is round and not too large: a mass with a soft core, not fluid along the wall."""
    if np.count_nonzero(part) * cavity.grid.voxel_ml > ROUND_ML:
        return False
    depth = float(ndimage.distance_transform_edt(np.pad(part, 1), sampling=cavity.grid.spacing).max())
    points = np.argwhere(part) * np.array(cavity.grid.spacing)
    return 2 * depth > ROUND * 4.0 * float(np.sqrt(max(np.linalg.eigvalsh(np.cov(points.T))[2], 1e-6)))


def _middles(cavity: Cavity) -> NDArray[np.float64]:
    """Row of the middle of both lungs per slice, the nearest slice's where there is none."""
    rows = np.arange(cavity.lungs.shape[1])
    counts = np.count_nonzero(cavity.side, axis=2).astype(float)
    total = counts.sum(axis=1)
    known = np.flatnonzero(total > 0)
    if not len(known):
        return np.zeros(len(total))
    means = (counts[known] * rows).sum(axis=1) / total[known]
    return np.asarray(np.interp(np.arange(len(total)), known, means), dtype=np.float64)


def dense_at_wall(cavity: Cavity, taken: NDArray[np.bool_]) -> Pocket:
    """Dense lung or tumour between aerated lung and ribs; tissue that borders heart or liver more than lung is left out."""
    dense = (cavity.smooth >= DENSE_HU[0]) & (cavity.smooth <= DENSE_HU[1]) & cavity.behind_lung & ~taken
    thick = opened(dense, DENSE_RADIUS_MM, cavity)
    middle = _middles(cavity)
    inner = (cavity.grid.hu > -100) & (cavity.lungs == 0) & ~cavity.behind_lung
    kept = np.zeros_like(thick)
    labels, _ = ndimage.label(thick)
    for i, box in enumerate(ndimage.find_objects(labels), 1):
        wide = tuple(slice(max(0, side.start - 2), side.stop + 2) for side in box)
        part = labels[wide] == i
        if np.count_nonzero(part) * cavity.grid.voxel_ml < MIN_DENSE_ML:
            continue
        rim = ndimage.binary_dilation(part, iterations=2) & ~part
        lung = int(np.count_nonzero(rim & (cavity.lungs[wide] > 0)))
        other = int(np.count_nonzero(rim & inner[wide] & (cavity.side[wide] > 0)))
        medial = int(np.count_nonzero(rim & inner[wide] & (cavity.side[wide] == 0) & _towards_middle(cavity, wide)))
        z, y, _ = np.nonzero(part)
        back = float(np.mean(y + wide[1].start > middle[z + wide[0].start]))
        if back >= BEHIND_SHARE or other + medial <= MOST_INNER * lung:
            kept[wide] |= part
    if kept.any():
        near = balls.within(kept, DENSE_RADIUS_MM + 1.0, cavity.grid.spacing)
        kept |= near & (cavity.side > 0) & (cavity.lungs == 0) & (cavity.grid.hu > HALF_HU) & (cavity.grid.hu < DENSE_HU[1]) & ~taken
    return _pocket(kept, cavity)


def dense_central(cavity: Cavity, taken: NDArray[np.bool_]) -> Pocket:
    """Dense tissue in the lung's own outline that joins the mediastinum: thicker than the vessels of a hilum."""
    spacing = cavity.grid.spacing
    space = np.zeros_like(taken)
    for side in (RIGHT, LEFT):
        space |= balls.closed(cavity.lungs == side, CENTRAL_CLOSING_MM, spacing)
    dense = space & (cavity.lungs == 0) & (cavity.smooth >= DENSE_HU[0]) & (cavity.smooth <= DENSE_HU[1]) & ~taken
    sampling = (spacing[0] if spacing[0] <= CENTRAL_RADIUS_MM else 1e3, *spacing[1:])
    thick = balls.opened(dense, CENTRAL_RADIUS_MM, sampling, CENTRAL_RADIUS_MM + 0.5 * spacing[1])
    parts = parts_of(thick)
    return _pocket(parts.where(parts.sizes * cavity.grid.voxel_ml >= MIN_DENSE_ML), cavity)


def dense_tissue(cavity: Cavity, taken: NDArray[np.bool_]) -> Pocket:
    """Dense tissue at the ribs and at the mediastinum, each voxel once."""
    return _pocket(dense_at_wall(cavity, taken).mask | dense_central(cavity, taken).mask, cavity)


def _towards_middle(cavity: Cavity, box: tuple[slice, ...]) -> NDArray[np.bool_]:
    """Columns between the outer edges of the two lungs' inner halves: the mediastinum's side of the ribs."""
    columns = np.flatnonzero((cavity.lungs > 0).any(axis=(0, 1)))
    middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0]) / 4
    x = np.arange(box[2].start, box[2].start + cavity.lungs[box].shape[2])
    return np.broadcast_to(np.abs(x - middle) < half, cavity.lungs[box].shape)


def air(cavity: Cavity, inside: NDArray[np.bool_], airway: NDArray[np.bool_]) -> Pocket:
    """Air of the pleural space: plain, without vessels, at the ribs.

    Args:
        cavity: The rib cage.
        inside: All air inside the body, on the cavity's grid.
        airway: Trachea and main bronchi there.
    """
    plain = (cavity.smooth < AIR_HU) & inside & ~airway & (cavity.side > 0)
    if np.count_nonzero(plain) * cavity.grid.voxel_ml < MIN_AIR_ML:
        return _pocket(np.zeros_like(plain), cavity)
    box = ndimage.find_objects(plain.astype(np.uint8))[0]
    plain[box] &= mostly(cavity.grid.hu[box] < AIR_DENSEST_HU, AIR_SHARE, planar=cavity.grid.spacing[0] > 3.5)
    pockets = opened(plain, AIR_RADIUS_MM, cavity)
    outer = (cavity.side > 0) & balls.within(cavity.side == 0, _COSTAL_MM, (1e3, *cavity.grid.spacing[1:]))
    kept = np.zeros_like(pockets)
    labels, _ = ndimage.label(pockets)
    for i, box in enumerate(ndimage.find_objects(labels), 1):
        part = labels[box] == i
        if np.count_nonzero(part) * cavity.grid.voxel_ml < MIN_AIR_ML:
            continue
        at_ribs = np.count_nonzero(part & outer[box])
        if at_ribs >= min(COSTAL_SHARE * np.count_nonzero(part), COSTAL_ML / cavity.grid.voxel_ml):
            kept[box] |= part
    return _pocket(_to_edge(kept, plain | (cavity.grid.hu < EDGE_HU) & (cavity.side > 0) & ~airway, cavity), cavity)


def _to_edge(kept: NDArray[np.bool_], allowed: NDArray[np.bool_], cavity: Cavity) -> NDArray[np.bool_]:
    """Take in the blurred edge: one voxel around, in the slice."""
    if not kept.any():
        return kept
    return np.asarray(kept | (ndimage.binary_dilation(kept, structure=np.ones((1, 3, 3), dtype=bool)) & allowed & (cavity.side > 0)))
