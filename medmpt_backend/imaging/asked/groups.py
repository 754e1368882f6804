"""What is measured only where it is asked for: figures, how far they can be trusted, and the mask to show them by."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.findings.groups import Judgement

Place = Literal["outside", "chest wall", "lung", "between the lungs", "spine", "below the lungs"]
Kind = Literal["housing", "lead", "wires", "implant at the spine", "small piece", "large piece"]
Side = Literal["left", "right", "middle"]


@dataclass(frozen=True)
class Piece:
    """One thing of metal.

    Attributes:
        kind: By size and shape.
        place: Where most of it lies.
        side: Of the body.
        ml: Volume above the threshold.
        long_mm: Longest extent.
        first: First slice that shows it.
        last: Last one.
        slice: The slice that shows most of it.
    """

    kind: Kind
    place: Place
    side: Side
    ml: float
    long_mm: float
    first: int
    last: int
    slice: int


@dataclass(frozen=True, eq=False)
class MetalGroup:
    """Metal inside the body and on it; `veins` where contrast medium in veins is as bright and was left out."""

    validity: Judgement
    because: str | None
    pieces: tuple[Piece, ...]
    veins: bool = False
    voxels: NDArray[np.intp] | None = None

    @property
    def inside(self) -> tuple[Piece, ...]:
        """What lies inside the body, largest first."""
        return tuple(piece for piece in self.pieces if piece.place != "outside")


@dataclass(frozen=True, eq=False)
class PericardialGroup:
    """Fluid around the heart: ml, greatest thickness, mean density, the slice with most of it; masks of fluid and heart (lungs' grid)."""

    validity: Judgement
    because: str | None
    ml: float | None
    thick_mm: float | None = None
    hu: float | None = None
    slice: int | None = None
    mask: NDArray[np.bool_] | None = None
    heart: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Bulla:
    """One bulla: volume, widest extent in a slice, side, and the slice that shows most of it."""

    ml: float
    long_mm: float
    side: Literal["left", "right"]
    slice: int


@dataclass(frozen=True)
class BullaeGroup:
    """Bullae wider than 1 cm, largest first; None where they were not looked for."""

    validity: Judgement
    because: str | None
    bullae: tuple[Bulla, ...] | None = None


BodyKind = Literal["front", "middle", "whole", "unclear"]


@dataclass(frozen=True)
class LowBody:
    """One vertebral body that is lower than it should be: a candidate for a fracture.

    Attributes:
        kind: What gave way: the front (a wedge), the middle (biconcave), the whole body, or `unclear` where bodies could not be told apart.
        loss: Share of its height that is lost in the lower one of front and middle, against its neighbours; 0 where unclear.
        grade: 1 to 3 (Genant et al. 1993), 0 where unclear.
        heights: mm: back, middle, front.
        slice: The slice that shows most of it.
        first: First slice that shows it.
        last: Last one.
    """

    kind: BodyKind
    loss: float
    grade: int
    heights: tuple[float, float, float]
    slice: int
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class SpineGroup:
    """Low vertebral bodies, from the head downwards, among so many measured between two slices; None where they were not looked for."""

    validity: Judgement
    because: str | None
    low: tuple[LowBody, ...] | None = None
    measured: int = 0
    slices: tuple[int, int] | None = None
    voxels: NDArray[np.intp] | None = None
