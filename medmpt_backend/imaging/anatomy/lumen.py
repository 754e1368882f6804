"""2-D cross-sections of air columns and how one is followed to the next slice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import Grid, ball

# Air of a lumen against its wall; where a thin wall lets the region leak into lung, a lower value keeps it apart.
LUMEN_HU = (-700, -800, -860, -910, -950)
_WALL_HU = -650
_STEP_MM = 4.0
# Of the slice distance a column may move sideways.
_LEAN = 0.6
# A column that grows by more than this from its usual size has leaked; one that shrinks below the least has ended.
_GROWTH = 2.2
_BRANCH_GROWTH = 3.0
# A part lies under this share of the region before, or of itself; a wide region under this share of it is a leak into lung.
_UNDER = 0.3
_OPEN = 0.25
# On coarser grids a part need only lie within reach, and have some wall.
_FINE_MM = 3.5
_LEAST_WALL = 0.25
_AROUND_MM = 15.0
_LEAST_MM2 = 10.0
_SMALL_MM2 = 120.0

Box2 = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Region:
    """A connected region of one slice.

    Attributes:
        z: Slice.
        box: Rows and columns it lies in.
        mask: `(h, w)` bool inside the box.
        area: Pixels.
        centre: Mean row and column in the slice.
    """

    z: int
    box: Box2
    mask: NDArray[np.bool_]
    area: int
    centre: tuple[float, float]


def _in_box(mask: NDArray[np.bool_], box: Box2, z: int) -> Region:
    """A region from its mask in a box."""
    rows, columns = np.nonzero(mask)
    return Region(z, box, mask, len(rows), (float(rows.mean()) + box[0].start, float(columns.mean()) + box[1].start))


def parts(plane: NDArray[np.bool_], z: int) -> list[Region]:
    """The connected parts of a slice."""
    return parts_in(plane, (slice(0, plane.shape[0]), slice(0, plane.shape[1])), z)


def parts_in(mask: NDArray[np.bool_], box: Box2, z: int) -> list[Region]:
    """The connected parts of a mask that lies in a box of a slice."""
    labels, _ = ndimage.label(mask)
    return [_in_box(labels[own] == i, _shifted(own, box), z) for i, own in enumerate(ndimage.find_objects(labels), start=1) if own]


def round_enough(region: Region, grid: Grid) -> bool:
    """Whether a region is compact: neither a slit nor a crescent."""
    height, width = (n * s for n, s in zip(region.mask.shape, grid.spacing[1:], strict=True))
    area = region.area * grid.spacing[1] * grid.spacing[2]
    return bool(max(height, width) <= 3.0 * min(height, width) and area >= 0.4 * height * width)


def clip(box: Box2, margin: tuple[int, int], shape: tuple[int, ...]) -> Box2:
    """A box widened by a margin, inside a slice of this shape."""
    rows, columns = (slice(max(0, side.start - m), min(n, side.stop + m)) for side, m, n in zip(box, margin, shape[-2:], strict=True))
    return rows, columns


def grown(region: Region, reach_mm: float, grid: Grid) -> tuple[Box2, NDArray[np.bool_]]:
    """A region dilated by a disk: its box and its mask there."""
    disk = ball(reach_mm, (1e6, grid.spacing[1], grid.spacing[2]))[0]
    box = clip(region.box, (disk.shape[0] // 2 + 1, disk.shape[1] // 2 + 1), grid.hu.shape)
    plane = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=bool)
    y, x = region.box[0].start - box[0].start, region.box[1].start - box[1].start
    plane[y : y + region.mask.shape[0], x : x + region.mask.shape[1]] = region.mask
    return box, ndimage.binary_dilation(plane, structure=disk)


def ring_share(grid: Grid, region: Region) -> float:
    """Share of the ring around a region that is tissue and not lung."""
    box, around = grown(region, max(3.0, 1.5 * max(grid.spacing[1:])), grid)
    y, x = region.box[0].start - box[0].start, region.box[1].start - box[1].start
    around[y : y + region.mask.shape[0], x : x + region.mask.shape[1]] &= ~region.mask
    return float(np.mean(grid.hu[region.z][box][around] > _WALL_HU)) if around.any() else 0.0


def follow(grid: Grid, inside: NDArray[np.bool_], first: Region, *, branch: bool = False) -> list[Region]:
    """Follow a region towards the feet until it ends or leaks into lung whatever the threshold.

    Args:
        grid: HU.
        inside: `(d, h, w)` bool, air inside the body.
        first: Where to begin.
        branch: A bronchus: it may widen more, and only the connected part nearest to it is kept.

    Returns:
        One region per slice, the first included.
    """
    pixel = grid.spacing[1] * grid.spacing[2]
    reach = max(_STEP_MM, *grid.spacing[1:], _LEAN * grid.spacing[0])
    track = [first]
    while track[-1].z + 1 < grid.hu.shape[0]:
        usual = float(np.median([region.area for region in track[-8:]])) * pixel
        limit = max((_BRANCH_GROWTH if branch else _GROWTH) * usual, _SMALL_MM2)
        found = _next(grid, inside, track[-1], reach, limit / pixel, nearest=branch)
        if found is None or found.area * pixel < _LEAST_MM2:
            break
        track.append(found)
    return track


def _next(grid: Grid, inside: NDArray[np.bool_], last: Region, reach: float, most: float, *, nearest: bool) -> Region | None:
    """The region of the next slice at the highest threshold at which it does not open into lung."""
    z = last.z + 1
    inner, near = grown(last, reach, grid)
    margin = (round(_AROUND_MM / grid.spacing[1]), round(_AROUND_MM / grid.spacing[2]))
    box = clip(inner, margin, grid.hu.shape)
    close, before = _placed(near, inner, box), _placed(last.mask, last.box, box)
    for threshold in LUMEN_HU:
        labels, count = ndimage.label(inside[z][box] & (grid.hu[z][box] < threshold))
        if not count:
            return None
        size = np.bincount(labels.ravel(), minlength=count + 1)
        under = np.bincount(labels[before], minlength=count + 1)
        wide = size > most
        wide[0] = False
        if np.any(wide & (under > _OPEN * last.area)):
            continue
        thick = max(grid.spacing) > _FINE_MM
        keep = ~wide & ((np.bincount(labels[close], minlength=count + 1) > 0) if thick else (under > _UNDER * np.minimum(size, last.area)))
        keep[0] = False
        pieces = [_in_box(labels[b] == i, _shifted(b, box), z) for i, b in enumerate(ndimage.find_objects(labels), 1) if keep[i] and b]
        pieces = [piece for piece in pieces if not thick or ring_share(grid, piece) >= _LEAST_WALL]
        if not pieces:
            return None
        if nearest:
            pieces = [min(pieces, key=lambda p: (p.centre[0] - last.centre[0]) ** 2 + (p.centre[1] - last.centre[1]) ** 2)]
        if sum(piece.area for piece in pieces) <= most:
            return _joined(pieces, z)
    return None


def _placed(mask: NDArray[np.bool_], own: Box2, box: Box2) -> NDArray[np.bool_]:
    """A mask of a box inside a larger one."""
    out = np.zeros((box[0].stop - box[0].start, box[1].stop - box[1].start), dtype=bool)
    y, x = own[0].start - box[0].start, own[1].start - box[1].start
    out[y : y + mask.shape[0], x : x + mask.shape[1]] = mask
    return out


def _shifted(inner: Box2, box: Box2) -> Box2:
    """A box given inside another one, in the slice."""
    rows, columns = (slice(side.start + o.start, side.stop + o.start) for side, o in zip(inner, box, strict=True))
    return rows, columns


def _joined(pieces: list[Region], z: int) -> Region:
    """Several parts as one region."""
    if len(pieces) == 1:
        return pieces[0]
    rows = slice(min(p.box[0].start for p in pieces), max(p.box[0].stop for p in pieces))
    columns = slice(min(p.box[1].start for p in pieces), max(p.box[1].stop for p in pieces))
    mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
    for piece in pieces:
        mask |= _placed(piece.mask, piece.box, (rows, columns))
    return _in_box(mask, (rows, columns), z)
