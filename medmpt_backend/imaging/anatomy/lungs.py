"""Left and right lung on a grid of about half resolution: air inside the body, airway removed, vessels filled in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.airway import Airway, find_airway
from medmpt_backend.imaging.anatomy.grid import Grid, Vec, block_means, coarsen, fraction, refine
from medmpt_backend.imaging.anatomy.outside import without_padding, without_room_air
from medmpt_backend.imaging.volume import Volume

# Lung against chest wall: midway between aerated lung and soft tissue, after Hu, Hoffman, Reinhardt,
# Automatic lung segmentation for accurate quantitation of volumetric X-ray CT images, IEEE Trans Med Imaging 2001, doi:10.1109/42.929615.
LUNG_BELOW_HU = -400
RIGHT, LEFT = 1, 2
# About half of the usual 0.7 mm resolution; thin slices are averaged to about 2 mm.
GRID_MM: Vec = (2.0, 1.4, 1.4)
COARSE_MM: Vec = (3.0, 3.0, 3.0)
# Vessels up to about twice this radius are closed over at the hilum; vessels that are surrounded by lung are filled in whole.
CLOSING_MM = 6.0
# Gas of the stomach, the colon or a pneumothorax is plain; even bullous lung has walls and vessels.
PLAIN_GAS_HU = -970
PLAIN_GAS_SHARE = 0.8
# Centres of two lungs lie at least this far apart (usual: about 120 mm); parts of one lung lie closer.
SEPARATION_MM = 60.0


@dataclass(frozen=True, eq=False)
class Lungs:
    """Lungs of one volume.

    Attributes:
        grid: HU that the masks live on.
        labels: `(d, h, w)` uint8: 0 elsewhere, 1 right lung, 2 left lung.
        airway: Trachea and main bronchi, None where no trachea was found.
        inside: `(d, h, w)` bool, all air inside the body.
    """

    grid: Grid
    labels: NDArray[np.uint8]
    airway: Airway | None
    inside: NDArray[np.bool_]

    def millilitres(self, label: int) -> float:
        """Volume of one lung, ml."""
        return float(np.count_nonzero(self.labels == label)) * self.grid.voxel_ml


def segment(volume: Volume) -> Lungs:
    """Find both lungs.

    Args:
        volume: Any volume; whether it is a chest is not asked here (see `domain`).

    Returns:
        The masks; a lung that was not found has no voxel.
    """
    grid = without_padding(volume, block_means(volume.hu, volume.spacing, GRID_MM))
    inside = air_inside(grid)
    airway = find_airway(grid, inside)
    lung_air = inside
    if airway is not None:
        wall = ndimage.binary_dilation(airway.mask, structure=ndimage.generate_binary_structure(3, 1))
        lung_air = inside & ~wall
    labels = _both_lungs(grid, _large_parts(grid, lung_air))
    return Lungs(grid, labels, airway, inside)


def air_inside(grid: Grid) -> NDArray[np.bool_]:
    """Air that no path inside its axial slice joins to the edge of the image."""
    air = grid.hu < LUNG_BELOW_HU
    planar = np.zeros((3, 3, 3), dtype=bool)
    planar[1] = ndimage.generate_binary_structure(2, 1)
    labels, count = ndimage.label(air, structure=planar)
    keep = np.ones(count + 1, dtype=bool)
    keep[0] = False
    for edge in (labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]):
        keep[np.unique(edge)] = False
    return without_room_air(grid, keep[labels], labels)


def _large_parts(grid: Grid, air: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of inner air that can be lung: the largest and those of at least a twelfth of it; gas without any tissue is none."""
    labels, count = ndimage.label(air)
    if not count:
        return air
    sizes = np.bincount(labels.ravel())
    plain = np.bincount(labels.ravel(), weights=(grid.hu < PLAIN_GAS_HU).ravel())
    sizes[0] = 0
    gas = plain > PLAIN_GAS_SHARE * sizes
    if sizes[~gas].any():
        sizes[gas] = 0
    return (sizes >= max(1, int(sizes.max() / 12)))[labels] & air


def _both_lungs(grid: Grid, air: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Split lung air into right and left, and close each over its vessels."""
    coarse = coarsen(grid, COARSE_MM)
    solid = fraction(air, coarse.factors, coarse.hu.shape) >= 0.5
    sides = _split(solid, coarse.spacing)
    closed = np.zeros_like(sides)
    for side in (RIGHT, LEFT):
        grown = _close(sides == side, coarse.spacing, CLOSING_MM)
        closed[grown & (closed == 0) & ((sides == 0) | (sides == side))] = side
    fine_sides = refine(_nearest(sides, coarse.spacing), coarse.factors, air.shape)
    labels = refine(closed, coarse.factors, air.shape).copy()
    labels[air] = fine_sides[air]
    return labels


def _split(solid: NDArray[np.bool_], spacing: Vec) -> NDArray[np.uint8]:
    """Right and left seeds: erode until two large parts lie side by side, then give every voxel to the nearer part."""
    sides = np.zeros(solid.shape, dtype=np.uint8)
    depth = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    for radius in (0.0, 3.0, 6.0, 9.0, 12.0):
        labels, count = ndimage.label(depth > radius)
        if not count:
            break
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        order = np.argsort(-sizes)[:2]
        if count >= 2 and sizes[order[1]] >= 0.15 * sizes[order[0]]:
            centres = ndimage.center_of_mass(labels > 0, labels, [int(i) for i in order])
            apart = (centres[0][2] - centres[1][2]) * spacing[2]
            if abs(apart) >= SEPARATION_MM:
                right, left = (order[0], order[1]) if apart < 0 else (order[1], order[0])
                seeds = np.where(labels == right, RIGHT, np.where(labels == left, LEFT, 0)).astype(np.uint8)
                sides[solid] = _nearest(seeds, spacing)[solid]
                return sides
    labels, count = ndimage.label(solid)
    if count:
        biggest = int(np.argmax(np.bincount(labels.ravel())[1:])) + 1
        centre = ndimage.center_of_mass(labels == biggest)[2]
        sides[labels == biggest] = RIGHT if centre < solid.shape[2] / 2 else LEFT
    return sides


def _nearest(sides: NDArray[np.uint8], spacing: Vec) -> NDArray[np.uint8]:
    """Every voxel takes the side of the nearest voxel that has one."""
    if not sides.any():
        return sides
    index = ndimage.distance_transform_edt(sides == 0, sampling=spacing, return_distances=False, return_indices=True)
    nearest: NDArray[np.uint8] = sides[tuple(index)]
    return nearest


def _close(mask: NDArray[np.bool_], spacing: Vec, radius: float) -> NDArray[np.bool_]:
    """Morphological closing with a ball of `radius` mm, then holes filled slice by slice."""
    if not mask.any():
        return mask
    pad = [int(np.ceil(radius / s)) + 1 for s in spacing]
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    small = np.pad(mask[box], [(p, p) for p in pad])
    dilated = ndimage.distance_transform_edt(~small, sampling=spacing) <= radius
    closed = ndimage.distance_transform_edt(dilated, sampling=spacing) > radius
    inner = tuple(slice(p, -p) for p in pad)
    out = np.zeros_like(mask)
    out[box] = closed[inner] | mask[box]
    for k in range(box[0].start, box[0].stop):
        out[k] = ndimage.binary_fill_holes(out[k])
    return out
