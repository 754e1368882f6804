"""Branching airways and vessels: grown towards target points, tapering by Murray's law, drawn with partial volume."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.grid import Field, Grid

# Murray, Proc Natl Acad Sci USA 1926;12:207: the cube of the parent radius is the sum of the cubes of its branches; lungs are near 2.8-3.
MURRAY = 2.9


@dataclass(frozen=True, eq=False)
class Tree:
    """Straight segments of a branching tree.

    Attributes:
        start: `(N, 3)` mm, `(x, y, z)`.
        end: `(N, 3)` mm.
        radius: `(N,)` mm.
        generation: `(N,)` 0 at the root.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    radius: NDArray[np.float64]
    generation: NDArray[np.int64]


def grow(rng: np.random.Generator, root: NDArray[np.float64], targets: NDArray[np.float64], radius: float, smallest: float) -> Tree:
    """Grow a tree from `root` to every one of `(N, 3)` `targets`, halving the targets at each branching."""
    segments: list[tuple[NDArray[np.float64], NDArray[np.float64], float, int]] = []
    stack = [(root, targets, radius, 0)]
    while stack:
        start, points, r, generation = stack.pop()
        if len(points) == 1 or r < smallest:
            segments.append((start, points.mean(0), max(r, smallest), generation))
            continue
        centroid = points.mean(0)
        end = start + (centroid - start) * rng.uniform(0.35, 0.6) + rng.normal(0, 0.8, 3)
        segments.append((start, end, r, generation))
        spread = points - centroid
        axis = np.linalg.svd(spread[:: max(1, len(spread) // 64)], full_matrices=False)[2][0] + rng.normal(0, 0.15, 3)
        order = np.argsort(spread @ axis)
        cut = int(np.clip(len(points) * rng.uniform(0.35, 0.65), 1, len(points) - 1))
        for part in (order[:cut], order[cut:]):
            stack.append((end, points[part], r * (len(part) / len(points)) ** (1 / MURRAY), generation + 1))
    start_, end_, radius_, generation_ = zip(*segments, strict=True)
    return Tree(np.array(start_), np.array(end_), np.array(radius_), np.array(generation_))


def draw(tree: Tree, grid: Grid, widen: float = 0.0) -> Field:
    """Fraction of each voxel inside the tree, `(D, H, W)` in 0..1; `widen` mm is added to every radius (for walls)."""
    out = np.zeros(grid.shape, np.float32)
    spacing = np.array(grid.spacing)
    step = spacing.min() * 0.7
    lengths = np.linalg.norm(tree.end - tree.start, axis=1)
    counts = np.maximum(2, np.ceil(lengths / step).astype(int) + 1)
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    t = (np.arange(len(owner)) - first) / (counts[owner] - 1)
    points = tree.start[owner] + t[:, None] * (tree.end[owner] - tree.start[owner])
    centre = grid.index(points)
    radius = tree.radius[owner] + widen
    for lo, hi in ((0.0, 1.0), (1.0, 2.0), (2.0, 3.5), (3.5, 6.0), (6.0, 10.0), (10.0, 99.0)):
        chosen = (radius >= lo) & (radius < hi)
        if chosen.any():
            _splat(out, centre[chosen], radius[chosen], spacing)
    return out


def _splat(out: Field, centre: NDArray[np.float64], radius: NDArray[np.float64], spacing: NDArray[np.float64]) -> None:
    """Keep the largest coverage of balls at continuous voxel `centre` with `radius` mm."""
    reach = np.ceil(radius.max() / spacing + 0.5).astype(int)
    offsets = np.stack(np.meshgrid(*[np.arange(-r, r + 1) for r in reach], indexing="ij"), -1).reshape(-1, 3)
    base = np.rint(centre).astype(int)
    # A ball thinner than a voxel fills only a part of it: the area fraction of its cross-section bounds the coverage.
    voxel = float(spacing[1:].mean())
    fill = np.minimum(1.0, np.pi * radius**2 / voxel**2)
    softness = float(spacing.min())
    for offset in offsets:
        voxels = base + offset
        distance = np.linalg.norm((voxels - centre) * spacing, axis=1)
        value = np.clip(0.5 + (np.maximum(radius, softness / 2) - distance) / softness, 0, 1) * fill
        keep = (value > 0.02) & np.all((voxels >= 0) & (voxels < out.shape), axis=1)
        if keep.any():
            v = voxels[keep]
            np.maximum.at(out, (v[:, 0], v[:, 1], v[:, 2]), value[keep].astype(np.float32))
