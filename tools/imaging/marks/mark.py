"""`Mark`: one measured lesion of one study, as it is kept."""

import base64
import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from medmpt_backend.messages import Told
from tools.evidence import Payload

Span = tuple[int, int]
LesionKind = Literal["solid", "part_solid", "ground_glass", "calcified"]
MOST_NAME = 60


class MarkBox(BaseModel):
    """First and last voxel along each axis, inclusive."""

    model_config = ConfigDict(frozen=True)

    x: Span
    y: Span
    z: Span


class MarkedLesion(BaseModel):
    """What was measured, as `medmpt ct measure` gives it; fields that measuring gains later are kept as they come."""

    model_config = ConfigDict(frozen=True, extra="allow")

    long_mm: float
    short_mm: float
    mean_mm: float
    volume_mm3: float
    type: LesionKind
    solid_mm: float
    mean_hu: float
    box: MarkBox
    lobe_or_third: str
    side: Literal["left", "right"]
    slice: int
    axis_ends: tuple[tuple[float, float], tuple[float, float]]
    warnings: tuple[Told, ...] = ()


class Mark(BaseModel):
    """One mark of a study.

    Attributes:
        number: From 1 per study; a deleted number is not given again.
        name: What the person calls it; shown to nobody else and sent to no model.
        at: Voxel `(x, y, z)` that was pointed at, z from the head.
        made: When, ISO 8601 in UTC.
        lesion: What was measured there.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    name: str | None = Field(default=None, max_length=MOST_NAME)
    at: tuple[int, int, int]
    made: str
    lesion: MarkedLesion


class MarkRow(Payload):
    """A mark in the payload of a tool: without the person's name for it."""

    number: int
    at: tuple[int, int, int]
    made: str
    lesion: MarkedLesion


def packed(mask: NDArray[np.bool_], origin: tuple[int, int, int]) -> str:
    """A lesion's voxels, cut to their box, as text: `z,y,x;d,h,w;` of the box in the volume, then its bits, deflated, in base64."""
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    box = tuple(slice(int(s[0]), int(s[-1]) + 1) for s in spans)
    cut = mask[box]
    first = ",".join(str(o + b.start) for o, b in zip(origin, box, strict=True))
    shape = ",".join(str(n) for n in cut.shape)
    return f"{first};{shape};{base64.b64encode(zlib.compress(np.packbits(cut).tobytes())).decode()}"


def unpacked(text: str) -> tuple[NDArray[np.bool_], tuple[int, int, int]]:
    """Voxels of a lesion in its box, and the first voxel `(z, y, x)` of the box in the volume."""
    first, shape, bits = text.split(";")
    z, y, x = (int(n) for n in first.split(","))
    sizes = tuple(int(n) for n in shape.split(","))
    flat = np.unpackbits(np.frombuffer(zlib.decompress(base64.b64decode(bits)), np.uint8), count=int(np.prod(sizes)))
    mask: NDArray[np.bool_] = flat.astype(bool).reshape(sizes)
    return mask, (z, y, x)
