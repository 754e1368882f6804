"""Longest and perpendicular diameter of a lesion in an axial slice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Point = tuple[float, float]


@dataclass(frozen=True)
class Axes:
    """Diameters in one axial slice.

    Attributes:
        long_mm: Longest diameter, outer edge to outer edge.
        short_mm: Longest diameter perpendicular to it.
        slice: Index of the slice in the mask.
        ends: The two voxels `(x, y)` of the long axis.
    """

    long_mm: float
    short_mm: float
    slice: int
    ends: tuple[Point, Point]


def longest(mask: NDArray[np.bool_], spacing: tuple[float, float]) -> Axes | None:
    """The slice in which the lesion is longest.

    Args:
        mask: `(d, h, w)` bool.
        spacing: mm `(y, x)`.

    Returns:
        Its diameters, None for an empty mask.
    """
    best: Axes | None = None
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        axes = _in_slice(mask[k], spacing, int(k))
        if best is None or axes.long_mm > best.long_mm:
            best = axes
    return best


def _in_slice(plane: NDArray[np.bool_], spacing: tuple[float, float], index: int) -> Axes:
    """Diameters of the largest region of one slice; a voxel counts with its own width."""
    labels, _ = ndimage.label(plane, structure=np.ones((3, 3)))
    region = labels == int(np.argmax(np.bincount(labels.ravel())[1:])) + 1
    pixels = np.argwhere(region)
    points = pixels * np.array(spacing)
    edge = float(np.mean(spacing))
    if len(points) == 1:
        only = (float(pixels[0][1]), float(pixels[0][0]))
        return Axes(edge, edge, index, (only, only))
    corners = _hull(points)
    hull = points[corners]
    apart = np.sqrt(((hull[:, None] - hull[None]) ** 2).sum(axis=-1))
    i, j = np.unravel_index(int(np.argmax(apart)), apart.shape)
    a, b = corners[i], corners[j]
    along = (points[b] - points[a]) / max(float(apart[i, j]), 1e-9)
    positions, across = points @ along, points @ np.array([-along[1], along[0]])
    bins = np.floor((positions - positions.min()) / edge).astype(int)
    count = int(bins.max()) + 1
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, bins, across)
    np.maximum.at(high, bins, across)
    ends = ((float(pixels[a][1]), float(pixels[a][0])), (float(pixels[b][1]), float(pixels[b][0])))
    return Axes(float(apart[i, j]) + edge, min(float((high - low).max()), float(apart[i, j])) + edge, index, ends)


def _hull(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Indices of the points on the convex hull; all of them where they lie on a line."""
    if len(points) < 4:
        return np.arange(len(points))
    from scipy.spatial import ConvexHull, QhullError  # a fifth of a second that `quantify` does without

    try:
        return np.asarray(ConvexHull(points).vertices, dtype=np.intp)
    except QhullError:
        return np.arange(len(points))
