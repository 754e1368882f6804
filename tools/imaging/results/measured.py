"""What `quantify_ct` holds beside its evidence: the contract's object of `ct quantify`, and the marks of the study."""

from typing import Literal

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
from tools.evidence import Payload
from tools.imaging.marks.mark import MarkRow


class SeriesRow(Payload):
    """Header facts of the series."""

    uid_hash: str
    slices: int
    spacing_mm: tuple[float, float, float]
    thickness_mm: float | None
    kernel: str | None
    contrast: Literal["yes", "no", "unknown"]
    manufacturer: str | None
    synthetic: bool


class Measured(Payload):
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
    marks: tuple[MarkRow, ...] = ()
