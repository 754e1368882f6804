"""Histograms of Hounsfield units per lung region, at full resolution under a half-resolution mask."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.volume import Volume

LOW_HU, HIGH_HU = -1024, 3071
# Gevenois et al., Comparison of computed density and macroscopic morphometry in pulmonary emphysema, AJRCCM 1995,
# doi:10.1164/ajrccm.152.2.7633722.
LAA_BELOW_HU = -950
THIRDS: tuple[Literal["upper", "middle", "lower"], ...] = ("upper", "middle", "lower")
# Steps of stored values that are told from rounding, and levels enough to say where they lie.
COARSE_STEP_HU = 1.5
MIN_LEVELS = 8
# Region codes: 1 to 3 right upper, middle, lower; 4 to 6 left upper, middle, lower.
REGIONS = 6


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts per HU.

    Attributes:
        counts: `(4096,)` float64, bin i holds voxels of `LOW_HU + i` HU; the last bin holds everything above.
        voxel_ml: Volume of one voxel, ml.
    """

    counts: NDArray[np.float64]
    voxel_ml: float

    @property
    def total(self) -> int:
        """Number of voxels."""
        return round(float(self.counts.sum()))

    @property
    def litres(self) -> float:
        """Volume, litres."""
        return self.total * self.voxel_ml / 1000

    @property
    def mean(self) -> float:
        """Mean HU."""
        return float((self.counts * np.arange(LOW_HU, HIGH_HU + 1)).sum() / self.total)

    def percentile(self, share: float) -> float:
        """The lowest HU that at least `share` percent of the voxels do not exceed."""
        return float(LOW_HU + np.searchsorted(np.cumsum(self.counts), share / 100 * self.total))

    def percent(self, low: int, high: int) -> float:
        """Percent of voxels with `low <= HU <= high`."""
        return 100.0 * float(self.counts[max(0, low - LOW_HU) : high - LOW_HU + 1].sum()) / self.total

    def __add__(self, other: "Histogram") -> "Histogram":
        return Histogram(self.counts + other.counts, self.voxel_ml)


def region_codes(lungs: Lungs) -> NDArray[np.uint8]:
    """Side and third of every grid voxel: each lung is cut into three parts of equal height.

    Args:
        lungs: Both lungs on a grid.

    Returns:
        `(d, h, w)` uint8: 0 elsewhere, else 1 to 6.
    """
    codes = np.zeros_like(lungs.labels)
    for side, first in ((RIGHT, 1), (LEFT, 4)):
        mask = lungs.labels == side
        slices = np.flatnonzero(mask.any(axis=(1, 2)))
        if not len(slices):
            continue
        top, height = int(slices[0]), int(slices[-1]) - int(slices[0]) + 1
        for k in range(top, top + height):
            codes[k] += mask[k].view(np.uint8) * np.uint8(first + min(2, (k - top) * 3 // height))
    return codes


def histograms(volume: Volume, lungs: Lungs, codes: NDArray[np.uint8]) -> tuple[list[Histogram], NDArray[np.float64]]:
    """HU of every lung voxel, counted once.

    Args:
        volume: Full resolution.
        lungs: Masks on the grid.
        codes: Regions on the grid, see `region_codes`.

    Returns:
        Six histograms in the order of the codes, and per slice the percent of its lung voxels below -950 HU
        (NaN without lung).
    """
    fz, fy, fx = lungs.grid.factors
    depth, bins = codes.shape[0], HIGH_HU - LOW_HU + 1
    first = (np.arange(REGIONS + 1) * bins - LOW_HU).astype(np.int16)
    counts = np.zeros((REGIONS + 1) * bins, dtype=np.int64)
    low_share = np.full(volume.hu.shape[0], np.nan)
    for k in np.flatnonzero(codes.any(axis=(1, 2))):
        rows, columns = (slice(int(hit[0]), int(hit[-1]) + 1) for hit in (np.flatnonzero(codes[k].any(axis=axis)) for axis in (1, 0)))
        fine = np.repeat(np.repeat(codes[k, rows, columns], fy, axis=0), fx, axis=1).ravel()
        places = np.flatnonzero(fine)
        own = first[fine[places]]
        for z in range(int(k) * fz, volume.hu.shape[0] if k == depth - 1 else (int(k) + 1) * fz):
            hu = volume.hu[z, rows.start * fy : rows.stop * fy, columns.start * fx : columns.stop * fx].ravel()[places]
            low_share[z] = 100.0 * np.count_nonzero(hu < LAA_BELOW_HU) / len(hu)
            bin_of = np.clip(hu, LOW_HU, HIGH_HU, out=hu)
            bin_of += own  # at most 7 x 4096: 16 bits hold it
            counts += np.bincount(bin_of, minlength=(REGIONS + 1) * bins)
    spread = _spread(counts.reshape(REGIONS + 1, bins), volume.series.step_hu)
    voxel_ml = volume.spacing[0] * volume.spacing[1] * volume.spacing[2] / 1000
    return [Histogram(spread[code], voxel_ml) for code in range(1, REGIONS + 1)], low_share


def _spread(counts: NDArray[np.int64], step: float) -> NDArray[np.float64]:
    """Where stored values are several HU apart, each stands for the whole step around it: spread it evenly there.

    The steps need not be whole HU: where the levels lie exactly follows from all that are seen. Ends of the scale stay as they are.
    """
    out = counts.astype(np.float64)
    seen = np.flatnonzero(counts[:, 1:-1].any(axis=0)) + 1
    if step < COARSE_STEP_HU or len(seen) < MIN_LEVELS:
        return out
    number = np.rint((seen - seen[0]) / step)
    phase = seen[0] + float(np.mean(seen - seen[0] - number * step))
    edges = phase + (np.arange(int(number[-1]) + 2) - 0.5) * step
    places = np.arange(1, out.shape[1]) - 0.5
    for row in out:
        levels = np.bincount(number.astype(np.int64), weights=row[seen], minlength=int(number[-1]) + 1)
        row[1:-1] = np.diff(np.interp(places, edges, np.concatenate([[0.0], np.cumsum(levels)])))
    return out
