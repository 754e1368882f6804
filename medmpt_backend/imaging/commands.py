"""Commands of this room that need no model: `ct quantify` and `ct measure`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.findings.groups import (
    AirwayGroup,
    BodyGroup,
    BoneGroup,
    CalciumGroup,
    ConsolidationGroup,
    HeartGroup,
    PleuraGroup,
    VesselGroup,
)
from medmpt_backend.imaging.measure import DEFINITIONS, Lesion, measure
from medmpt_backend.imaging.quantify import KeySlice, LungFigures, Quantification, RegionFigures, quantify
from medmpt_backend.imaging.volume import SeriesInfo, load_volume


class SeriesOut(BaseModel):
    """Header facts in the shape of the contract."""

    uid_hash: str
    slices: int
    spacing_mm: tuple[float, float, float]
    thickness_mm: float | None
    kernel: str | None
    contrast: Literal["yes", "no", "unknown"]
    manufacturer: str | None
    synthetic: bool

    @classmethod
    def of(cls, series: SeriesInfo, slices: int, spacing: tuple[float, float, float]) -> "SeriesOut":
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


class LimitOut(BaseModel):
    """What limits some figures."""

    cause: str
    validity: Literal["out", "unknown"]
    figures: list[str]
    reason: str


class QuantifyOut(BaseModel):
    """Result of `ct quantify`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    series: SeriesOut
    lungs: LungFigures
    regions: list[RegionFigures]
    key_slices: dict[str, KeySlice]
    definitions: dict[str, str]
    limits: list[LimitOut]
    airway: AirwayGroup
    effusion: PleuraGroup
    pneumothorax: PleuraGroup
    consolidation: ConsolidationGroup
    calcium: CalciumGroup
    vessels: VesselGroup
    heart: HeartGroup
    bone: BoneGroup
    body: BodyGroup

    @classmethod
    def of(cls, found: Quantification) -> "QuantifyOut":
        """From the domain object."""
        return cls(
            status=found.status,
            reason=" ".join(limit.reason for limit in found.limits) or None,
            warnings=list(found.warnings),
            series=SeriesOut.of(found.series, found.slices, found.spacing_mm),
            lungs=found.lungs,
            regions=list(found.regions),
            key_slices=dict(found.key_slices),
            definitions=dict(found.definitions),
            limits=[LimitOut(cause=li.cause, validity=li.validity, figures=list(li.figures), reason=li.reason) for li in found.limits],
            airway=found.findings.airway,
            effusion=found.findings.effusion,
            pneumothorax=found.findings.pneumothorax,
            consolidation=found.findings.consolidation,
            calcium=found.findings.calcium,
            vessels=found.findings.vessels,
            heart=found.findings.heart,
            bone=found.findings.bone,
            body=found.findings.body,
        )


class MeasureOut(BaseModel):
    """Result of `ct measure`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    series: SeriesOut
    lesion: Lesion
    definitions: dict[str, str]


def ct_quantify(path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")]) -> QuantifyOut:
    """Measure lung volumes, densities and key slices of a chest CT."""
    return QuantifyOut.of(quantify(load_volume(path)))


def ct_measure(
    path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")],
    at: Annotated[str, typer.Option("--at", help="Voxel x,y,z inside the lesion; z from the head, all 0-based")],
) -> MeasureOut:
    """Measure the lesion around a voxel."""
    volume = load_volume(path)
    found = measure(volume, at=parse_point(at))
    return MeasureOut(
        status="partial" if found.warnings else "ok",
        reason=" ".join(found.warnings) or None,
        warnings=[*volume.warnings, *found.warnings],
        series=SeriesOut.of(volume.series, volume.hu.shape[0], volume.spacing),
        lesion=found,
        definitions=dict(DEFINITIONS),
    )


def parse_point(text: str) -> tuple[int, int, int]:
    """Voxel coordinates `x,y,z`.

    Raises:
        BadInput: Not three whole numbers.
    """
    parts = text.replace(" ", "").split(",")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        raise BadInput(f"--at {text!r} is not a voxel: give three whole numbers x,y,z, for example 316,367,42")
    return int(parts[0]), int(parts[1]), int(parts[2])


COMMANDS: dict[str, Callable[..., BaseModel]] = {"ct quantify": ct_quantify, "ct measure": ct_measure}
