"""What was measured on one chest CT as one record: the contract's object of `ct quantify`, which commands print and tools hand on."""

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from medmpt_backend.imaging.figures import LungFigures, RegionFigures
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

if TYPE_CHECKING:
    from medmpt_backend.imaging.quantify import Quantification


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
    """Every figure of one chest CT, each group with its validity."""

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


def fields_of(found: "Quantification") -> dict[str, Any]:
    """The fields of `MeasuredCT`."""
    return {
        "series": SeriesRow.of(found.series, found.slices, found.spacing_mm),
        "lungs": found.lungs,
        "regions": found.regions,
        "key_slices": dict(found.key_slices),
        "definitions": dict(found.definitions),
        **vars(found.findings),
    }
