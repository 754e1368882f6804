"""Left and right lung on a grid of about half resolution: air inside the body, airway removed, vessels filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.airway import Airway, find_airway
from medmpt_backend.imaging.anatomy.balls import box_of, closed, deeper, filled_planes, to_nearest
from medmpt_backend.imaging.anatomy.grid import Grid, Vec, block_means, coarsen, fraction, over_slices, per_slice, refine
from medmpt_backend.imaging.anatomy.outside import inside_body, outline_of, without_padding
from medmpt_backend.imaging.anatomy.runs import parts_of
from medmpt_backend.imaging.anatomy.spine import find_spine
from medmpt_backend.imaging.together import together
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
# A part smaller than this share of the other one is no lung of its own; a part smaller than the second share only beside a lung
# that keeps to its side of the spine.
LEAST_PART, USUAL_PART = 0.08, 0.15
# Share of a lung that may lie beyond the spine.
BEYOND_SPINE = 0.12
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

    @cached_property
    def areas(self) -> Mapping[int, NDArray[np.intp]]:
        """Voxels of either lung by slice."""
        return {side: per_slice(self.labels == side) for side in (RIGHT, LEFT)}

    @property
    def area(self) -> NDArray[np.intp]:
        """Voxels of both lungs by slice."""
        return self.areas[RIGHT] + self.areas[LEFT]

    def millilitres(self, label: int) -> float:
        """Volume of one lung, ml."""
        return float(self.areas[label].sum()) * self.grid.voxel_ml


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
        box = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box_of(airway.mask))
        lung_air = inside.copy()
        lung_air[box] &= ~ndimage.binary_dilation(airway.mask[box], structure=ndimage.generate_binary_structure(3, 1))
    labels = _both_lungs(grid, _large_parts(grid, lung_air))
    return Lungs(grid, labels, airway, inside)


def air_inside(grid: Grid) -> NDArray[np.bool_]:
    """Air inside the body: what no path inside its axial slice joins to the edge of the image, and lung that the edge cuts."""
    air, outlined = together(lambda: parts_of(grid.hu < LUNG_BELOW_HU, planar=True), lambda: outline_of(grid))
    return air.where(inside_body(grid, air, outlined))


def _large_parts(grid: Grid, air: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts of inner air that can be lung: the largest and those of at least a twelfth of it; gas without any tissue is none."""
    parts = parts_of(air)
    if not parts.count:
        return air
    sizes = parts.sizes.copy()
    large = sizes >= max(1, int(sizes.max() / 12))
    seen, plain = parts.every(2), grid.hu[:, ::2, ::2] < PLAIN_GAS_HU
    gas = np.zeros_like(large)
    for number in np.flatnonzero(large):
        own = seen == number
        gas[number] = np.count_nonzero(own & plain) > PLAIN_GAS_SHARE * np.count_nonzero(own)
    if gas.any() and (large & ~gas).any():
        sizes[gas] = 0
        large = sizes >= max(1, int(sizes.max() / 12))
    large[0] = False
    return parts.where(large)


def _both_lungs(grid: Grid, air: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Split lung air into right and left, and close each over its vessels."""
    coarse = coarsen(grid, COARSE_MM)
    solid = fraction(air, coarse.factors, coarse.hu.shape) >= 0.5
    sides = _split(coarse, solid)
    whole = np.zeros_like(sides)
    both = together(lambda: _close(sides == RIGHT, coarse.spacing, CLOSING_MM), lambda: _close(sides == LEFT, coarse.spacing, CLOSING_MM))
    for side, grown in zip((RIGHT, LEFT), both, strict=True):
        whole[grown & (whole == 0) & ((sides == 0) | (sides == side))] = side
    touched = fraction(air, coarse.factors, coarse.hu.shape) > 0
    fine_sides = refine(to_nearest(sides, touched, coarse.spacing), coarse.factors, air.shape)
    labels = refine(whole, coarse.factors, air.shape)
    return np.where(air, fine_sides, labels)


def _split(grid: Grid, solid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Right and left seeds: erode until two large parts lie side by side, then give every voxel to the nearer part."""
    for radius in (0.0, 3.0, 6.0, 9.0, 12.0):
        core = deeper(solid, radius, grid.spacing) if radius else solid
        parts = parts_of(core)
        if not parts.count:
            break
        sizes = parts.sizes
        order = np.argsort(-sizes)[:2]
        if parts.count >= 2 and sizes[order[1]] >= LEAST_PART * sizes[order[0]]:
            if sizes[order[1]] < USUAL_PART * sizes[order[0]] and _straddles(grid, parts.where(np.arange(parts.count + 1) == order[0])):
                continue
            side = np.zeros(parts.count + 1, dtype=np.uint8)
            side[order] = 1, 2
            two = parts.valued(side)
            centres = [float(np.flatnonzero(over_slices(two == i).any(axis=0)).mean()) for i in (1, 2)]
            apart = (centres[0] - centres[1]) * grid.spacing[2]
            if abs(apart) >= SEPARATION_MM:
                side[order] = (RIGHT, LEFT) if apart < 0 else (LEFT, RIGHT)
                return to_nearest(parts.valued(side), solid, grid.spacing)
    return _one_side(grid, solid)


def _straddles(grid: Grid, part: NDArray[np.bool_]) -> bool:
    """Whether a part lies on both sides of the spine: two lungs that are still joined. Without a spine it does."""
    spine = find_spine(grid, part)
    if spine is None:
        return True
    columns = np.count_nonzero(part, axis=(0, 1))
    left = int(columns[: round(spine.x)].sum())
    return min(left, int(columns.sum()) - left) > BEYOND_SPINE * int(columns.sum())


def _one_side(grid: Grid, solid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """One lung: every part belongs to the side of the spine on which it lies (of the image, where no spine is seen)."""
    sides = np.zeros(solid.shape, dtype=np.uint8)
    labels, count = ndimage.label(solid)
    if not count:
        return sides
    spine = find_spine(grid, solid)
    middle = spine.x if spine is not None else solid.shape[2] / 2
    for i, box in enumerate(ndimage.find_objects(labels), start=1):
        centre = (box[2].start + box[2].stop - 1) / 2
        sides[box][labels[box] == i] = RIGHT if centre < middle else LEFT
    return sides


def _close(mask: NDArray[np.bool_], spacing: Vec, radius: float) -> NDArray[np.bool_]:
    """Morphological closing with a ball of `radius` mm, then holes filled slice by slice."""
    if not mask.any():
        return mask
    box = box_of(mask)
    out = np.zeros_like(mask)
    out[box] = filled_planes(np.pad(closed(mask[box], radius, spacing), 1))[1:-1, 1:-1, 1:-1]
    return out
