"""Metal: what is brighter than bone can be, joined to pieces, and named by size, shape and place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import KDTree

from medmpt_backend.imaging.anatomy.grid import Grid
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.anatomy.outside import body_of, convex
from medmpt_backend.imaging.anatomy.spine import find_spine
from medmpt_backend.imaging.asked.groups import Kind, MetalGroup, Piece, Place, Side
from medmpt_backend.imaging.readers.rules import known_kernel
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Cortical bone of five real series reaches 1,550 HU on soft kernels and 2,480 HU on sharp ones (docs/imaging.md).
METAL_HU, SHARP_METAL_HU = 2000, 2700
# A blade of bone at the edge of the image, and single voxels of noise, are no metal.
LEAST_VOXELS, LEAST_ML = 4, 0.01
# Parts of one thing lie in the same or in neighbouring cells of this size; streaks break it up.
CELL_MM = 4.0
RIM_MM = 6.0
# Undiluted contrast medium in veins is as bright as metal: a tree that is longer than this, or what lies this near to one.
TREE_MM, NEAR_TREE_MM, TREE_ML = 70.0, 45.0, 0.3
# Housings of pacemakers and defibrillators: flat boxes of some 6 to 15 mm; in the image their edges bloom.
HOUSING_ML, HOUSING_MM, HOUSING_THIN_MM, HOUSING_FILL = 3.0, (25.0, 90.0), (3.0, 24.0), 0.3
LEAD_MM, LEAD_MM2 = 60.0, 20.0
LARGE_ML = 3.0
SPINE_MM = 32.0
# Below the domes of the diaphragm the lungs show less than this share of their largest area; the wall there is thinner than this.
DOME_SHARE, DEEP_MM = 0.6, 30.0
WIRES = 3
SMALLEST_SLICE_MM = 8.5
NOTE = message(
    "Experimental: painted housings, leads, wires and screws of metal were found in real scans (docs/imaging.md); no scan with an implant "
    "that a person had named was at hand. Plastic, catheters, drains, valves and stents that are not brighter than bone are missed."
)


@dataclass(frozen=True, eq=False)
class _Part:
    """Voxels of one piece, and their places in mm."""

    at: NDArray[np.intp]
    mm: NDArray[np.float64]
    ml: float

    @property
    def spans(self) -> NDArray[np.float64]:
        """Extents along its own axes, longest first, mm."""
        if len(self.mm) < 4:
            return np.sort(np.ptp(self.mm, axis=0))[::-1]
        centred = self.mm - self.mm.mean(axis=0)
        axes = np.linalg.eigh(np.cov(centred.T))[1]
        return np.asarray(np.sort(np.ptp(centred @ axes, axis=0))[::-1], dtype=np.float64)


def metal(volume: Volume, lungs: Lungs, enhanced: bool | None) -> MetalGroup:
    """Find metal in and on the body.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
        enhanced: Whether contrast medium is in the vessels by image and header, None where that is not clear.
    """
    limit = _limit(volume)
    if isinstance(limit, str):
        return MetalGroup("out", limit, ())
    parts = _parts(volume, limit)
    body = _Anatomy(volume, lungs)
    parts = [part for part in parts if not body.at_bone(part, volume, limit)]
    trees = [part for part in parts if enhanced is not False and _is_tree(part) and body.place(part) != "outside"]
    kept = _beside(parts, trees)
    pieces = _named(kept, body)
    because = NOTE
    if trees:
        because = message(
            "Contrast medium in the veins of the {side} is as bright as metal: metal within {near:.0f} mm of it was not looked for. {note}",
            side=_SIDES[body.side(trees[0])],
            near=NEAR_TREE_MM,
            note=NOTE,
        )
    voxels = np.concatenate([part.at for part in kept]) if kept else None
    return MetalGroup("unknown", because, pieces, bool(trees), voxels)


_SIDES = {"left": message("left"), "right": message("right"), "middle": message("middle")}


def _limit(volume: Volume) -> int | str:
    """The threshold for this scan, or why there is none."""
    kernel = known_kernel(volume.series.kernel)
    limit = METAL_HU if kernel is not None and kernel[1] != "sharp" else SHARP_METAL_HU
    if volume.spacing[0] > SMALLEST_SLICE_MM or max(volume.spacing[1:]) > 1.2:
        return message(
            "Sections {thick:.1f} mm apart or pixels of {wide:.1f} mm blur metal away.",
            thick=volume.spacing[0],
            wide=max(volume.spacing[1:]),
        )
    most = int(volume.hu.max())
    if most < limit and np.count_nonzero(volume.hu == most) > 50:
        return message("Values are cut off at {most} HU: metal cannot be told from bone.", most=most)
    return limit


def _parts(volume: Volume, limit: int) -> list[_Part]:
    """Bright voxels, joined where they lie near each other; a generator's box is a part of its own, without the lead that leaves it."""
    at = np.argwhere(volume.hu >= limit)
    found = []
    for part in _joined(at, volume):
        if part.ml >= HOUSING_ML:
            cores = [core for core in _joined(part.at[_dense(part.at, volume)], volume) if _housing(core)]
            found += [*(_whole(core, part) for core in cores), *_joined(_apart(part, cores), volume)] if cores else [part]
        else:
            found.append(part)
    return sorted(found, key=lambda part: -part.ml)


def _cells(at: NDArray[np.intp], volume: Volume) -> NDArray[np.int64]:
    """The cell of some millimetres in which each voxel lies."""
    size = np.array([max(CELL_MM, volume.spacing[0]), CELL_MM, CELL_MM])
    cells: NDArray[np.int64] = np.floor((at + 0.5) * np.array(volume.spacing) / size).astype(np.int64)
    return np.asarray(cells - cells.min(axis=0), dtype=np.int64)


def _dense(at: NDArray[np.intp], volume: Volume) -> NDArray[np.bool_]:
    """Voxels in cells that are at least half full: of a thick thing."""
    cells = _cells(at, volume)
    counts = np.zeros(cells.max(axis=0) + 1)
    np.add.at(counts, tuple(cells.T), 1)
    full = CELL_MM**2 * max(CELL_MM, volume.spacing[0]) / float(np.prod(volume.spacing))
    return np.asarray(counts[tuple(cells.T)] >= 0.5 * full, dtype=bool)


def _whole(core: _Part, part: _Part) -> _Part:
    """A box with its rim, where the two are still a box."""
    distance, _ = KDTree(core.mm).query(part.mm)
    near = distance <= RIM_MM
    whole = _Part(part.at[near], part.mm[near], part.ml * float(np.mean(near)))
    return whole if _housing(whole) else core


def _apart(part: _Part, cores: list[_Part]) -> NDArray[np.intp]:
    """Voxels of a part that are no rim of its boxes."""
    distance, _ = KDTree(np.concatenate([core.mm for core in cores])).query(part.mm)
    return np.asarray(part.at[distance > RIM_MM])


def _joined(at: NDArray[np.intp], volume: Volume) -> list[_Part]:
    """Parts whose voxels lie in the same or in neighbouring cells; what is too small is left out."""
    if not len(at):
        return []
    cells = _cells(at, volume)
    coarse = np.zeros(cells.max(axis=0) + 1, dtype=bool)
    coarse[tuple(cells.T)] = True
    labels, count = ndimage.label(coarse, structure=np.ones((3, 3, 3)))
    own = labels[tuple(cells.T)]
    voxel, mm = float(np.prod(volume.spacing)) / 1000, at * np.array(volume.spacing)
    order = [own == i for i in range(1, count + 1)]
    parts = [_Part(at[mine], mm[mine], int(np.count_nonzero(mine)) * voxel) for mine in order]
    return [part for part in parts if len(part.at) >= LEAST_VOXELS and part.ml >= LEAST_ML]


def _is_tree(part: _Part) -> bool:
    """Whether a part is as long as veins are, or so large without being a box that only a vein can be."""
    return part.ml >= TREE_ML and not _housing(part) and (part.spans[0] > TREE_MM or part.ml > LARGE_ML)


def _beside(parts: list[_Part], trees: list[_Part]) -> list[_Part]:
    """Parts that no chain of near ones joins to a tree; boxes of a generator's size stay."""
    rest, front = [part for part in parts if not any(part is tree for tree in trees)], list(trees)
    while front:
        tree = front.pop()
        joined = [part for part in rest if not _housing(part) and _near(part, tree)]
        front += joined
        rest = [part for part in rest if not any(part is own for own in joined)]
    return rest


def _near(part: _Part, tree: _Part) -> bool:
    """Whether a part lies near a tree."""
    distance, _ = KDTree(tree.mm[:: max(1, len(tree.mm) // 4000)]).query(part.mm[:: max(1, len(part.mm) // 200)])
    return float(np.min(distance)) < NEAR_TREE_MM


def _housing(part: _Part) -> bool:
    """Whether a part is a flat box of a generator's size."""
    long, wide, thin = part.spans
    fits = HOUSING_MM[0] <= wide <= long <= HOUSING_MM[1] and HOUSING_THIN_MM[0] <= thin <= HOUSING_THIN_MM[1]
    return bool(part.ml >= HOUSING_ML and fits and part.ml * 1000 / (long * wide * thin) >= HOUSING_FILL)


def _named(parts: list[_Part], body: "_Anatomy") -> tuple[Piece, ...]:
    """Pieces with kind and place; small ones in the middle of the front are wires of the sternum when there are several."""
    rows = [(part, body.place(part)) for part in parts]
    front = [part for part, place in rows if place == "chest wall" and body.in_front(part) and part.ml < LARGE_ML]
    wires = len(front) >= WIRES and np.ptp([part.mm[:, 0].mean() for part in front]) > 30
    out = []
    for part, place in rows:
        kind = _kind(part, place)
        if wires and any(part is own for own in front):
            kind = "wires"
        slices = np.bincount(part.at[:, 0])
        first, last = int(part.at[:, 0].min()), int(part.at[:, 0].max())
        long = round(float(part.spans[0]))
        out.append(Piece(kind, place, body.side(part), round(part.ml, 2), long, first, last, int(np.argmax(slices))))
    return tuple(out)


def _kind(part: _Part, place: Place) -> Kind:
    """What a part is like."""
    if _housing(part):
        return "housing"
    long = float(part.spans[0])
    if place == "spine" and part.ml > 0.2:
        return "implant at the spine"
    if long >= LEAD_MM and part.ml * 1000 / long <= LEAD_MM2:
        return "lead"
    return "large piece" if part.ml >= LARGE_ML else "small piece"


class _Anatomy:
    """Where a part lies, asked on the lungs' grid."""

    def __init__(self, volume: Volume, lungs: Lungs) -> None:
        self.grid, self.labels = lungs.grid, lungs.labels
        self._planes: dict[int, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = {}
        spans = np.flatnonzero((self.labels > 0).any(axis=(1, 2)))
        rows, columns = (np.flatnonzero((self.labels > 0).any(axis=(0, a))) for a in (2, 1))
        self.first, self.last = int(spans[0]), int(spans[-1])
        self.front, self.back = int(rows[0]), int(rows[-1])
        area = np.count_nonzero(self.labels, axis=(1, 2))
        self.dome = int(np.flatnonzero(area > DOME_SHARE * area.max())[-1])
        spine = find_spine(lungs.grid, self.labels > 0)
        self.middle = (columns[0] + columns[-1]) / 2 if spine is None else spine.x
        self._coarse = np.array(lungs.grid.factors)

    def _on_grid(self, part: _Part) -> NDArray[np.intp]:
        """Up to 200 voxels of a part on the grid."""
        some = part.at[:: max(1, len(part.at) // 200)] // self._coarse
        return np.asarray(np.minimum(some, np.array(self.labels.shape) - 1))

    def _plane(self, z: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Body and outline of both lungs in a slice."""
        if z not in self._planes:
            one = Grid(np.minimum(self.grid.hu[z : z + 1], 1000), self.grid.factors, self.grid.spacing)
            body = ndimage.binary_fill_holes(body_of(one)[0])
            near = int(np.clip(z, self.first, self.last))
            lung = self.labels[near] > 0
            inner = convex(lung) if lung.any() else lung
            self._planes[z] = body, inner
        return self._planes[z]

    def side(self, part: _Part) -> Side:
        """Of the body; near the spine's column it is the middle."""
        away = (float(part.at[:, 2].mean()) / self._coarse[2] - self.middle) * self.grid.spacing[2]
        return "middle" if abs(away) < 15 else "left" if away > 0 else "right"

    def in_front(self, part: _Part) -> bool:
        """Whether it lies in the middle of the front of the chest."""
        z, y, x = part.at.mean(axis=0) / self._coarse
        near = abs(x - self.middle) * self.grid.spacing[2] < 30
        return bool(near and y < self.front + 0.3 * (self.back - self.front) and self.first <= z <= self.last)

    def place(self, part: _Part) -> Place:
        """Where most of it lies."""
        votes: dict[Place, int] = {}
        for z, y, x in self._on_grid(part):
            votes[self._one(int(z), int(y), int(x))] = votes.get(self._one(int(z), int(y), int(x)), 0) + 1
        return max(votes, key=lambda place: votes[place])

    def _one(self, z: int, y: int, x: int) -> Place:
        body, inner = self._plane(z)
        if not body[y, x]:
            return "outside"
        beside = abs(x - self.middle) * self.grid.spacing[2]
        if beside < SPINE_MM and y > self.front + 0.6 * (self.back - self.front):
            return "spine"
        if z > self.last or (z >= self.dome and not inner[y, x] and self._deep(z, y, x)):
            return "below the lungs"
        if not inner[y, x]:
            return "chest wall"
        return "lung" if self.labels[z, y, x] in (LEFT, RIGHT) else "between the lungs"

    def _deep(self, z: int, y: int, x: int) -> bool:
        """Whether a place lies well inside the body: no row or column leads to its outside at once."""
        body, _ = self._plane(z)
        reach = [round(DEEP_MM / step) for step in self.grid.spacing[1:]]
        column, line = body[:, x], body[y]
        return bool(
            min(np.count_nonzero(column[:y]), np.count_nonzero(column[y:])) > reach[0]
            and min(np.count_nonzero(line[:x]), np.count_nonzero(line[x:])) > reach[1]
        )

    def at_bone(self, part: _Part, volume: Volume, limit: int) -> bool:
        """Whether a small part is only the brightest edge of bone: it barely passes the limit."""
        if part.ml > 0.15:
            return False
        z, y, x = part.at.T
        return bool(int(volume.hu[z, y, x].max()) < 1.15 * limit)
