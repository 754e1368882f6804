"""Round cross-sections: the widest circles inside a mask of each slice, and the chain of them that a vessel makes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Middles of two circles lie at least this far apart.
_APART_MM = 8.0
# A vessel may be missed in one slice.
_MISSED = 6.0
_REACH_MM = 2.5


@dataclass(frozen=True)
class Disc:
    """A circle in one slice: slice index, middle in mm from the first row and column, radius in mm."""

    z: int
    y: float
    x: float
    radius: float

    @property
    def diameter(self) -> float:
        """Twice the radius, mm."""
        return 2 * self.radius


def circles(mask: NDArray[np.bool_], z: int, spacing: tuple[float, float], least_mm: float, most_mm: float) -> list[Disc]:
    """The widest circles inside a mask: peaks of the distance from its edge.

    Args:
        mask: `(h, w)`.
        z: Its slice.
        spacing: mm `(y, x)`.
        least_mm: Smallest radius.
        most_mm: Largest radius.
    """
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1] - 0.5 * spacing[0]
    sigma, size = 0.8 / spacing[0], max(3, int(_APART_MM / spacing[0]) | 1)
    deep = depth >= least_mm - 1
    if not deep.any():
        return []
    margin = 2 * (round(4 * sigma) + 1) + size  # beyond it nothing changes a peak
    spans = (np.flatnonzero(deep.any(axis=axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, int(span[0]) - margin), int(span[-1]) + margin + 1) for span in spans)
    even = ndimage.gaussian_filter(depth[rows, columns], sigma)  # smoothing lowers the peaks of a distance: it serves to find them only
    peaks = np.argwhere((even >= least_mm - 1) & (even == ndimage.maximum_filter(even, size=size))) + np.array([rows.start, columns.start])
    found = [Disc(z, float(y * spacing[0]), float(x * spacing[1]), float(depth[y, x])) for y, x in peaks]
    return [disc for disc in found if least_mm <= disc.radius <= most_mm]


def chain(
    layers: Sequence[Sequence[Disc]], step_mm: float, worth: Callable[[Disc], float | None], lean: float, cost: float
) -> tuple[Disc, ...]:
    """The chain of circles from slice to slice that is worth most.

    Args:
        layers: Circles of consecutive slices.
        step_mm: Distance of the slices.
        worth: What a circle adds, None where it cannot belong.
        lean: How far a vessel may move sideways, as a share of the distance of the slices.
        cost: What each mm of that costs.

    Returns:
        From the head on; empty where no circle belongs.
    """
    best: dict[tuple[int, int], tuple[float, tuple[int, int] | None]] = {}
    for k, layer in enumerate(layers):
        for i, disc in enumerate(layer):
            own = worth(disc)
            if own is None:
                continue
            options: list[tuple[float, tuple[int, int] | None]] = [(own, None)]
            for back in (1, 2):
                for j, other in enumerate(layers[k - back] if k >= back else ()):
                    move = float(np.hypot(disc.y - other.y, disc.x - other.x))
                    if (k - back, j) in best and move <= lean * step_mm * back + _REACH_MM:
                        lost = cost * move + 0.5 * abs(disc.radius - other.radius) + _MISSED * (back - 1)
                        options.append((best[k - back, j][0] + own - lost, (k - back, j)))
            best[k, i] = max(options, key=lambda option: option[0])
    if not best:
        return ()
    node: tuple[int, int] | None = max(best, key=lambda key: best[key][0])
    found: list[Disc] = []
    while node is not None:
        found.append(layers[node[0]][node[1]])
        node = best[node][1]
    return tuple(reversed(found))
