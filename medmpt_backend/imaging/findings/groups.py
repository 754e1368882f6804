"""What each group of findings holds: figures, whether they are inside the domain of the method, and why not."""

from dataclasses import dataclass
from typing import Literal

Judgement = Literal["in", "out", "unknown"]
Grade = Literal["none", "mild", "moderate", "severe"]
Form = Literal["free", "loculated", "both"]


@dataclass(frozen=True)
class Point:
    """A slice: 0-based from the head, and its distance from the first slice, mm."""

    index: int
    position_mm: float


@dataclass(frozen=True)
class AirwayGroup:
    """Where the trachea divides."""

    validity: Judgement
    because: str | None
    carina: Point | None


@dataclass(frozen=True)
class PleuraGroup:
    """Fluid or air of the pleural space by side, ml; the slice that shows most of it; of fluid its density and form."""

    validity: Judgement
    because: str | None
    left_ml: float | None
    right_ml: float | None
    slice: int | None = None
    left_hu: float | None = None
    right_hu: float | None = None
    left_form: Form | None = None
    right_form: Form | None = None


@dataclass(frozen=True)
class ConsolidationGroup:
    """Dense lung, also where it touches chest wall or mediastinum: ml, also by side, and percent of lung and consolidation together."""

    validity: Judgement
    because: str | None
    ml: float | None
    pct: float | None
    slice: int | None = None
    left_ml: float | None = None
    right_ml: float | None = None


@dataclass(frozen=True)
class Coronary:
    """Calcium of the heart: the score where the scan allows it, and a grade."""

    agatston: float | None
    grade: Grade | None


@dataclass(frozen=True)
class Aorta:
    """Calcium of the aorta."""

    grade: Grade | None


@dataclass(frozen=True)
class CalciumGroup:
    """Vascular calcium, and the slices that show most of it."""

    validity: Judgement
    because: str | None
    coronary: Coronary
    aorta: Aorta
    coronary_slice: int | None = None
    aorta_slice: int | None = None


@dataclass(frozen=True)
class VesselGroup:
    """Widths of pulmonary trunk and ascending aorta, mm, their ratio, and the slice in the middle of the trunk."""

    validity: Judgement
    because: str | None
    pa_mm: float | None
    aorta_mm: float | None
    ratio: float | None
    slice: int | None = None


@dataclass(frozen=True)
class HeartGroup:
    """Cardiothoracic ratio on axial slices; pericardial fluid, ml."""

    validity: Judgement
    because: str | None
    ctr: float | None
    pericardial_ml: float | None


@dataclass(frozen=True)
class BoneGroup:
    """Density of the spongy bone of a vertebral body, HU."""

    validity: Judgement
    because: str | None
    level: str | None
    hu: float | None


@dataclass(frozen=True)
class BodyGroup:
    """Muscle and fat of one slice, cm2."""

    validity: Judgement
    because: str | None
    muscle_cm2: float | None
    fat_cm2: float | None
    level: str | None


@dataclass(frozen=True)
class Findings:
    """All groups of one study."""

    airway: AirwayGroup
    effusion: PleuraGroup
    pneumothorax: PleuraGroup
    consolidation: ConsolidationGroup
    calcium: CalciumGroup
    vessels: VesselGroup
    heart: HeartGroup
    bone: BoneGroup
    body: BodyGroup
