"""Commands of this room that need no model: `ct quantify`, `ct measure`, `ct candidates` and `ct compare`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from medmpt_backend.command_types import settings_of
from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.candidates import DEFINITIONS as CANDIDATE_DEFINITIONS
from medmpt_backend.imaging.candidates import Candidate, candidates, expected_false_positives
from medmpt_backend.imaging.compare import Pair, compare, days_between, no_days
from medmpt_backend.imaging.figures import MeasuredCT, SeriesRow
from medmpt_backend.imaging.findings.change import Change, changes
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.measure import DEFINITIONS, Lesion, measure
from medmpt_backend.imaging.quantify import Quantification, quantify


class LimitOut(BaseModel):
    """What limits some figures."""

    cause: str
    validity: Literal["out", "unknown"]
    figures: list[str]
    reason: str


class _Head(BaseModel):
    """How it went."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]


class QuantifyOut(MeasuredCT, _Head):
    """Result of `ct quantify`."""

    limits: list[LimitOut]

    @classmethod
    def of(cls, found: Quantification) -> "QuantifyOut":
        """From the domain object."""
        return cls(
            status=found.status,
            reason=" ".join(limit.reason for limit in found.limits) or None,
            warnings=list(found.warnings),
            limits=[LimitOut(cause=li.cause, validity=li.validity, figures=list(li.figures), reason=li.reason) for li in found.limits],
            **found.fields(),
        )


class MeasureOut(BaseModel):
    """Result of `ct measure`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    series: SeriesRow
    lesion: Lesion
    definitions: dict[str, str]


def ct_quantify(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")],
    lungs: Annotated[str | None, typer.Option(help="Take the outlines of the lungs from this model of `models list`.")] = None,
) -> QuantifyOut:
    """Measure lung volumes, densities and key slices of a chest CT."""
    volume = load_volume(path)
    if lungs is None:
        return QuantifyOut.of(quantify(volume))
    from medmpt_backend.slots.masks import lungs_of
    from medmpt_backend.slots.registry import slot

    settings = settings_of(ctx)
    model = slot(lungs, settings.data_dir, settings.cache_dir, settings.weights)
    found = QuantifyOut.of(quantify(volume, lungs_of(volume, model.run(volume).masks)))
    return found.model_copy(update={"warnings": [f"lungs outlined by {lungs}: {model.card.domain}", *found.warnings]})


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
        series=SeriesRow.of(volume.series, volume.hu.shape[0], volume.spacing),
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


class CandidatesOut(BaseModel):
    """Result of `ct candidates`."""

    status: Literal["ok", "empty"]
    reason: str | None
    warnings: list[str]
    series: SeriesRow
    candidates: list[Candidate]
    expected_false_positives: float
    definitions: dict[str, str]


class CompareOut(BaseModel):
    """Result of `ct compare`."""

    status: Literal["ok", "partial", "empty"]
    reason: str | None
    warnings: list[str]
    pairs: list[Pair]
    comparable: bool
    because: str | None
    lung_change_pct: float
    apart_mm: float
    days: float | None
    changes: list[Change]


def ct_candidates(
    path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")],
    most: Annotated[int, typer.Option("--max", min=1, max=50, help="At most this many places")] = 10,
) -> CandidatesOut:
    """List places in the lungs that look like a nodule of 4 mm or more; places to look at, not findings."""
    volume = load_volume(path)
    found = candidates(volume, most)
    return CandidatesOut(
        status="ok" if found else "empty",
        reason=None if found else "no place that looks like a nodule of at least 4 mm",
        warnings=[*volume.warnings, CANDIDATE_DEFINITIONS["candidates"]],
        series=SeriesRow.of(volume.series, volume.hu.shape[0], volume.spacing),
        candidates=list(found),
        expected_false_positives=expected_false_positives(len(found)),
        definitions=dict(CANDIDATE_DEFINITIONS),
    )


def ct_compare(
    current: Annotated[Path, typer.Argument(help="The later chest CT")],
    prior: Annotated[Path, typer.Argument(help="The earlier chest CT of the same patient")],
    days: Annotated[
        float | None, typer.Option("--days", min=1, help="Days between them, for doubling times; by the headers' dates where not given")
    ] = None,
    most: Annotated[int, typer.Option("--max", min=1, max=50, help="At most this many places per scan")] = 10,
) -> CompareOut:
    """Pair the nodule candidates of two chest CTs, say how they grew and whether sizes can be compared, and what else changed."""
    volumes = load_volume(current), load_volume(prior)
    lungs = segment(volumes[0]), segment(volumes[1])
    measured = quantify(volumes[0], lungs[0]), quantify(volumes[1], lungs[1])
    dated = days if days is not None else days_between(*volumes)
    undated = [] if dated is not None else [no_days(*volumes)]
    found = compare(*volumes, dated, most, lungs)
    return CompareOut(
        status="empty" if not found.pairs else "ok" if found.comparable else "partial",
        reason=found.because if found.pairs else "no place that looks like a nodule on either scan",
        warnings=[*volumes[0].warnings, *volumes[1].warnings, *undated, CANDIDATE_DEFINITIONS["candidates"]],
        pairs=list(found.pairs),
        comparable=found.comparable,
        because=found.because,
        lung_change_pct=found.lung_change_pct,
        apart_mm=found.apart_mm,
        days=dated,
        changes=list(changes(*measured)),
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "ct quantify": ct_quantify,
    "ct measure": ct_measure,
    "ct candidates": ct_candidates,
    "ct compare": ct_compare,
}
