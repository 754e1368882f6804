"""Commands `ct look` and `ct lobes`: what is measured only where somebody asks for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from pydantic import BaseModel

from medmpt_backend.imaging.anatomy.chest_domain import require_chest
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.asked.bullae import bullae
from medmpt_backend.imaging.asked.fractures import low_bodies
from medmpt_backend.imaging.asked.groups import Bulla, LowBody, Piece
from medmpt_backend.imaging.asked.lobes import DEFINITIONS as LOBE_DEFINITIONS
from medmpt_backend.imaging.asked.lobes import LOBES, Lobe, lobes_of
from medmpt_backend.imaging.asked.look import DEFINITIONS, look_for_metal, look_for_pericardial_fluid
from medmpt_backend.imaging.densitometry import REGIONS, THIRDS, region_codes
from medmpt_backend.imaging.load import load_volume


class MetalOut(BaseModel):
    """Metal."""

    validity: Literal["in", "out", "unknown"]
    because: str | None
    pieces: list[Piece]
    full_veins: bool


class PericardialOut(BaseModel):
    """Fluid around the heart."""

    validity: Literal["in", "out", "unknown"]
    because: str | None
    ml: float | None
    thick_mm: float | None
    hu: float | None
    slice: int | None


class BullaeOut(BaseModel):
    """Rooms of air inside the lungs."""

    validity: Literal["in", "out", "unknown"]
    because: str | None
    bullae: list[Bulla] | None


class SpineOut(BaseModel):
    """Vertebral bodies that have lost height."""

    validity: Literal["in", "out", "unknown"]
    because: str | None
    low: list[LowBody] | None
    measured: int
    slices: tuple[int, int] | None


class LookOut(BaseModel):
    """Result of `ct look`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    metal: MetalOut
    pericardium: PericardialOut
    bullae: BullaeOut
    spine: SpineOut
    definitions: dict[str, str]


def ct_look(path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")]) -> LookOut:
    """Look for metal, pericardial fluid, bullae and low vertebral bodies: experimental, never in a draft."""
    volume = load_volume(path)
    lungs = segment(volume)
    warnings = [*volume.warnings, *require_chest(volume, lungs)]
    found, fluid, rooms = look_for_metal(volume, lungs), look_for_pericardial_fluid(volume, lungs), bullae(volume, lungs)
    spine = low_bodies(volume, lungs)
    out = [group.because for group in (found, fluid, rooms, spine) if group.validity == "out"]
    return LookOut(
        status="partial" if out else "ok",
        reason=" ".join(reason for reason in out if reason) or None,
        warnings=warnings,
        metal=MetalOut(validity=found.validity, because=found.because, pieces=list(found.pieces), full_veins=found.veins),
        pericardium=PericardialOut(
            validity=fluid.validity, because=fluid.because, ml=fluid.ml, thick_mm=fluid.thick_mm, hu=fluid.hu, slice=fluid.slice
        ),
        bullae=BullaeOut(validity=rooms.validity, because=rooms.because, bullae=None if rooms.bullae is None else list(rooms.bullae)),
        spine=SpineOut(
            validity=spine.validity,
            because=spine.because,
            low=None if spine.low is None else list(spine.low),
            measured=spine.measured,
            slices=spine.slices,
        ),
        definitions=dict(DEFINITIONS),
    )


class LobesOut(BaseModel):
    """Result of `ct lobes`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    validity: Literal["in", "out", "unknown"]
    because: str
    litres: dict[Lobe, float]
    fissures: dict[str, float]
    thirds_litres: dict[str, float]
    definitions: dict[str, str]


def ct_lobes(path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")]) -> LobesOut:
    """Part the lungs at their fissures, experimental; thirds by height stand beside them, and alone where no fissure is seen."""
    volume = load_volume(path)
    lungs = segment(volume)
    warnings = [*volume.warnings, *require_chest(volume, lungs)]
    found = lobes_of(lungs)
    sizes = np.bincount(region_codes(lungs).ravel(), minlength=REGIONS + 1) * lungs.grid.voxel_ml / 1000
    names = [f"{side} {third} third" for side in ("right", "left") for third in THIRDS]
    return LobesOut(
        status="ok" if len(found.litres) == len(LOBES) - 1 else "partial",
        reason=None if found.litres else found.because,
        warnings=[*warnings, *found.missing()],
        validity=found.validity,
        because=found.because,
        litres=dict(found.litres),
        fissures=dict(found.fissures),
        thirds_litres={name: float(size) for name, size in zip(names, sizes[1:], strict=True)},
        definitions=LOBE_DEFINITIONS,
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"ct look": ct_look, "ct lobes": ct_lobes}
