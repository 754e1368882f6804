"""Command `ct look`: what is measured only where somebody asks for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from medmpt_backend.imaging.anatomy.chest_domain import require_chest
from medmpt_backend.imaging.anatomy.lungs import segment
from medmpt_backend.imaging.asked.bullae import bullae
from medmpt_backend.imaging.asked.groups import Bulla, Piece
from medmpt_backend.imaging.asked.look import DEFINITIONS, look_for_metal, look_for_pericardial_fluid
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


class LookOut(BaseModel):
    """Result of `ct look`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    metal: MetalOut
    pericardium: PericardialOut
    bullae: BullaeOut
    definitions: dict[str, str]


def ct_look(path: Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")]) -> LookOut:
    """Look for metal, pericardial fluid and bullae: experimental, never in a draft."""
    volume = load_volume(path)
    lungs = segment(volume)
    warnings = [*volume.warnings, *require_chest(volume, lungs)]
    found, fluid, rooms = look_for_metal(volume, lungs), look_for_pericardial_fluid(volume, lungs), bullae(volume, lungs)
    out = [group.because for group in (found, fluid, rooms) if group.validity == "out"]
    return LookOut(
        status="partial" if out else "ok",
        reason=" ".join(reason for reason in out if reason) or None,
        warnings=warnings,
        metal=MetalOut(validity=found.validity, because=found.because, pieces=list(found.pieces), full_veins=found.veins),
        pericardium=PericardialOut(
            validity=fluid.validity, because=fluid.because, ml=fluid.ml, thick_mm=fluid.thick_mm, hu=fluid.hu, slice=fluid.slice
        ),
        bullae=BullaeOut(validity=rooms.validity, because=rooms.because, bullae=None if rooms.bullae is None else list(rooms.bullae)),
        definitions=dict(DEFINITIONS),
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"ct look": ct_look}
