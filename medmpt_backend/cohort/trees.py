"""Branching airways and vessels: grown towards target points, tapering by Murray's law, drawn with partial volume."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.grid import Field, Grid

# Murray, Proc Natl Acad Sci USA 1926;12:207: the cube of the parent radius is the sum of the cubes of its branches; lungs are near 2.8-3.
MURRAY = 2.9
# Voxels splatted at once: small enough to stay in the cache.
CHUNK = 200_000


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


def grow(
    rng: np.random.Generator,
    roots: NDArray[np.float64],
    targets: NDArray[np.float64],
    owner: NDArray[np.int64],
    radius: NDArray[np.float64],
    smallest: NDArray[np.float64],
) -> Tree:
    """Grow a forest, one tree from each root to every one of its targets, halving the targets at each branching.

    All nodes of one generation are handled at once, so that the cost is a few array operations per generation.

    Args:
        rng: Source of the variation.
        roots: `(T, 3)` mm.
        targets: `(N, 3)` mm.
        owner: `(N,)` tree of each target; every tree has at least one.
        radius: `(T,)` radius at the root, mm.
        smallest: `(T,)` radius below which a branch ends, mm.
    """
    segments: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]] = []
    node, start, thick, least = owner, roots, radius, smallest
    generation = 0
    while len(start):
        number = np.bincount(node, minlength=len(start))
        centroid = _sums(node, targets, len(start)) / number[:, None]
        inner = (number > 1) & (thick >= least)
        end = start + (centroid - start) * rng.uniform(0.35, 0.6, (len(start), 1)) + rng.normal(0, 0.8, start.shape)
        end = np.where(inner[:, None], end, centroid)
        segments.append((start, end, np.maximum(thick, least), np.full(len(start), generation)))
        keep = inner[node]
        node, targets = (np.cumsum(inner) - 1)[node[keep]], targets[keep]
        child, parent, share = _halve(rng, node, targets, centroid[inner], number[inner])
        node, start, least = child, end[inner][parent], least[inner][parent]
        thick = thick[inner][parent] * share ** (1 / MURRAY)
        generation += 1
    start_, end_, radius_, generation_ = (np.concatenate(v) for v in zip(*segments, strict=True))
    return Tree(start_, end_, radius_, generation_)


def _sums(node: NDArray[np.int64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """`(count, K)` sums of `(N, K)` values by node."""
    return np.stack([np.bincount(node, column, count) for column in values.T], 1)


def _halve(
    rng: np.random.Generator, node: NDArray[np.int64], points: NDArray[np.float64], centroid: NDArray[np.float64], number: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Cut the points of each node across their longest extent.

    Returns:
        `(N,)` the child of each point, `(2M,)` the parent of each child, `(2M,)` the child's share of the parent's points.
    """
    spread = points - centroid[node]
    products = np.stack([spread[:, i] * spread[:, j] for i in range(3) for j in range(3)], 1)
    moments = _sums(node, products, len(number)).reshape(-1, 3, 3)
    axis = np.linalg.eigh(moments)[1][:, :, 2] + rng.normal(0, 0.15, (len(number), 3))
    along = np.einsum("nk,nk->n", spread, axis[node])
    order = np.lexsort((along, node))
    rank = np.empty(len(node), np.int64)
    rank[order] = np.arange(len(node)) - np.repeat(np.cumsum(number) - number, number)
    cut = np.clip((number * rng.uniform(0.35, 0.65, len(number))).astype(np.int64), 1, number - 1)
    share = np.stack([cut / number, 1 - cut / number], 1).ravel()
    return 2 * node + (rank >= cut[node]), np.repeat(np.arange(len(number)), 2), share


def draw(tree: Tree, grid: Grid, widen: float = 0.0) -> Field:
    """Fraction of each voxel inside the tree, `(D, H, W)` in 0..1; `widen` mm is added to every radius (for walls)."""
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
    softness = float(spacing.min())
    classes = [(lo, hi, (radius >= lo) & (radius < hi)) for lo, hi in pairwise((0.0, 1.0, 2.0, 3.5, 6.0, 10.0, 99.0))]
    reaches = {lo: _reach(radius[chosen], softness, spacing) for lo, _, chosen in classes if chosen.any()}
    if not reaches:
        return np.zeros(grid.shape, np.float32)
    pad = np.max(list(reaches.values()), axis=0)
    # The margin takes what falls outside the volume, so that no offset needs a bounds check.
    padded = np.zeros(np.array(grid.shape) + 2 * pad, np.float32)
    for lo, _, chosen in classes:
        if lo in reaches:
            _splat(padded, pad, centre[chosen], radius[chosen], reaches[lo], spacing)
    z, y, x = (slice(int(p), n + int(p)) for p, n in zip(pad, grid.shape, strict=True))
    return np.ascontiguousarray(padded[z, y, x])


def _reach(radius: NDArray[np.float64], softness: float, spacing: NDArray[np.float64]) -> NDArray[np.int64]:
    """`(3,)` voxels to each side that a ball of the largest radius can touch."""
    extent = max(float(radius.max()), softness / 2) + softness / 2
    return np.floor(extent / spacing + 0.5).astype(np.int64)


def _splat(
    padded: Field,
    pad: NDArray[np.int64],
    centre: NDArray[np.float64],
    radius: NDArray[np.float64],
    reach: NDArray[np.int64],
    spacing: NDArray[np.float64],
) -> None:
    """Keep the largest coverage of balls at continuous voxel `centre` with `radius` mm, in a volume widened by `pad` voxels."""
    base = np.rint(centre).astype(np.int64)
    inside = np.all((base >= reach - pad) & (base < np.array(padded.shape) - pad - reach), axis=1)
    base, centre, radius = base[inside], centre[inside], radius[inside]
    # A ball thinner than a voxel fills only a part of it: the area fraction of its cross-section bounds the coverage.
    voxel = float(spacing[1:].mean())
    softness = float(spacing.min())
    fill = np.minimum(1.0, np.pi * radius**2 / voxel**2).astype(np.float32)
    edge = (0.5 + np.maximum(radius, softness / 2) / softness).astype(np.float32)
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    steps = [np.arange(-r, r + 1) for r in reach]
    offsets = (steps[0][:, None, None] * strides[0] + steps[1][:, None] * strides[1] + steps[2]).ravel()
    flat = (base + pad) @ strides
    squares = [
        np.square((step + (base[:, k : k + 1] - centre[:, k : k + 1])) * spacing[k]).astype(np.float32) for k, step in enumerate(steps)
    ]
    target = padded.reshape(-1)
    size = max(1, CHUNK // len(offsets))
    for i in range(0, len(base), size):
        z, y, x = (s[i : i + size] for s in squares)
        value = np.sqrt(z[:, :, None, None] + y[:, None, :, None] + x[:, None, None, :]).reshape(len(z), -1)
        value *= np.float32(-1 / softness)
        value += edge[i : i + size, None]
        np.clip(value, 0, 1, out=value)
        value *= fill[i : i + size, None]
        keep = value > 0.02
        np.maximum.at(target, (flat[i : i + size, None] + offsets)[keep], value[keep])
