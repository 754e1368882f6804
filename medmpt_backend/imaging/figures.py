"""Figures of a chest CT: both lungs together, by thirds, and the one record that commands print and tools hand on."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from medmpt_backend.imaging.findings.groups import (
    AirwayGroup,
    BodyGroup,
    BoneGroup,
    CalciumGroup,
    ConsolidationGroup,
    HeartGroup,
    PleuraGroup,
    Point,
    VesselGroup,
)
from medmpt_backend.imaging.volume import SeriesInfo

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


class SeriesRow(BaseModel):
    """Header facts of the series."""

    uid_hash: str
    slices: int
    spacing_mm: tuple[float, float, float]
    thickness_mm: float | None
    kernel: str | None
    contrast: Literal["yes", "no", "unknown"]
    manufacturer: str | None
    synthetic: bool

    @classmethod
    def of(cls, series: SeriesInfo, slices: int, spacing: tuple[float, float, float]) -> "SeriesRow":
        """From header facts; `spacing` is `(z, y, x)` in mm."""
        return cls(
            uid_hash=series.uid_hash,
            slices=slices,
            spacing_mm=spacing,
            thickness_mm=series.thickness_mm,
            kernel=series.kernel,
            contrast=series.contrast,
            manufacturer=series.manufacturer,
            synthetic=series.synthetic,
        )


class MeasuredCT(BaseModel):
    """Every figure of one chest CT, each group with its validity: the contract's object of `ct quantify`."""

    series: SeriesRow
    lungs: LungFigures
    regions: tuple[RegionFigures, ...]
    key_slices: dict[str, Point]
    definitions: dict[str, str]
    airway: AirwayGroup
    effusion: PleuraGroup
    pneumothorax: PleuraGroup
    consolidation: ConsolidationGroup
    calcium: CalciumGroup
    vessels: VesselGroup
    heart: HeartGroup
    bone: BoneGroup
    body: BodyGroup
