"""Figures of the lungs: both together, and by thirds."""

from dataclasses import dataclass
from typing import Literal

Side = Literal["right", "left"]
Third = Literal["upper", "middle", "lower"]


@dataclass(frozen=True)
class LungFigures:
    """Both lungs together; volumes in litres, densities in HU, the rest in percent of lung voxels."""

    total_l: float
    left_l: float
    right_l: float
    mean_hu: float
    median_hu: float
    perc15_hu: float
    laa950_pct: float
    haa_pct: float
    ggo_pct: float
    consolidation_pct: float


@dataclass(frozen=True)
class RegionFigures:
    """One third of one lung by height."""

    side: Side
    third: Third
    volume_l: float
    mean_hu: float | None
    laa950_pct: float | None
    ggo_pct: float | None
    consolidation_pct: float | None
