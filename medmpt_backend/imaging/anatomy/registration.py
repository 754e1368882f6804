"""Lay the lungs of one scan on those of another: shift, scale along each axis and small turns, by the outlines of both lungs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.grid import coarsen, fraction
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs

# Outlines are compared on a grid of about this, at so many points.
GRID_MM = (4.0, 4.0, 4.0)
POINTS = 1200
# Turns beyond this are no way to lie on the table.
MOST_TURN = 0.35
# A distance beyond which two outlines do not belong together any more.
_OUTLIER_MM = 8.0

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Laid:
    """A map of points of the prior scan into the current one, both `(z, y, x)` in mm from the first voxel.

    Attributes:
        matrix: `(3, 3)`.
        shift: `(3,)`.
        apart_mm: Median distance of the prior outline, once laid, from the current one.
    """

    matrix: Points
    shift: Points
    apart_mm: float

    def __call__(self, point: Points) -> Points:
        """Where a point of the prior scan lies in the current one."""
        return np.asarray(point @ self.matrix.T + self.shift, dtype=np.float64)


def lay(current: Lungs, prior: Lungs) -> Laid:
    """Fit the prior lungs to the current ones.

    Args:
        current: Lungs of the later scan.
        prior: Lungs of the earlier scan.

    Returns:
        The map; where a lung is missing on either scan the other one decides.
    """
    now, then = _outlines(current), _outlines(prior)
    sides = [side for side in (RIGHT, LEFT) if len(now[side][1]) and len(then[side][1])]
    points = {side: _thinned(then[side][1]) for side in sides}
    middle = np.concatenate([points[side] for side in sides]).mean(axis=0)
    start = _start([now[side][1] for side in sides], [then[side][1] for side in sides], middle)

    def away(parameters: Points) -> Points:
        matrix, shift = _affine(parameters, middle)
        return np.concatenate([_distances(points[side] @ matrix.T + shift, *now[side][0]) for side in sides])

    reach = np.array([150.0, 150.0, 150.0, 0.5, 0.35, 0.35, MOST_TURN, MOST_TURN, MOST_TURN])
    start = np.clip(start, -0.99 * reach, 0.99 * reach)
    from scipy.optimize import least_squares  # a sixth of a second that only comparing needs

    fitted = least_squares(away, start, bounds=(-reach, reach), loss="soft_l1", f_scale=_OUTLIER_MM / 4, x_scale=reach / 10, max_nfev=40)
    matrix, shift = _affine(fitted.x, middle)
    return Laid(matrix, shift, float(np.median(np.abs(away(fitted.x)))))


def _affine(parameters: Points, middle: Points) -> tuple[Points, Points]:
    """Matrix and shift of three shifts, three logarithms of scales and three turns around the middle."""
    turns = np.eye(3)
    for axis, angle in enumerate(parameters[6:]):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        turns = turns @ turn
    matrix = turns @ np.diag(np.exp(parameters[3:6]))
    return matrix, middle + parameters[:3] - matrix @ middle


def _start(now: list[Points], then: list[Points], middle: Points) -> Points:
    """From the boxes around the lungs."""
    both = np.concatenate(now), np.concatenate(then)
    low, high = ([np.percentile(points, share, axis=0) for points in both] for share in (1, 99))
    scale = (high[0] - low[0]) / np.maximum(high[1] - low[1], 1.0)
    shift = (high[0] + low[0]) / 2 - ((high[1] + low[1]) / 2 - middle) * scale - middle
    return np.concatenate([shift, np.log(scale), np.zeros(3)])


Field = tuple[NDArray[np.float32], Points]


def _outlines(lungs: Lungs) -> dict[int, tuple[Field, Points]]:
    """By side: signed distances with their spacing, and the points of the outline in mm."""
    grid = coarsen(lungs.grid, GRID_MM)
    spacing = np.array(grid.spacing)
    found = {}
    for side in (RIGHT, LEFT):
        mask = fraction(lungs.labels == side, grid.factors, grid.hu.shape) >= 0.5
        inner = ndimage.distance_transform_edt(mask, sampling=grid.spacing)
        outer = ndimage.distance_transform_edt(~mask, sampling=grid.spacing)
        edge = mask & ~ndimage.binary_erosion(mask)
        found[side] = ((outer - inner).astype(np.float32), spacing), (np.argwhere(edge) + 0.5) * spacing
    return found


def _thinned(points: Points) -> Points:
    """Every so many-th point."""
    return points[:: max(1, len(points) // POINTS)]


def _distances(points: Points, field: NDArray[np.float32], spacing: Points) -> Points:
    """Signed distances at points, at least what lies beyond the edge of the field."""
    at = points / spacing - 0.5
    found: Points = ndimage.map_coordinates(field, at.T, order=1, mode="nearest")
    over = np.maximum(np.maximum(-at, at - (np.array(field.shape) - 1)), 0.0) * spacing
    return np.asarray(found + over.sum(axis=1), dtype=np.float64)
