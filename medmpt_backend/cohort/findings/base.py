"""What every painter shares: the truth record, places to paint at, and lumpy balls."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.anatomy import LOBES, RLL, Canvas
from medmpt_backend.cohort.grid import Field, Mask, smooth_field

Side = Literal["left", "right", "both"]
Voxel = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class PaintedFinding:
    """One finding with its truth.

    Attributes:
        id: Finding id.
        side: Side of the patient.
        lobes: Lobes it lies in; empty outside the lungs.
        size_mm: Long axis for focal findings, None for diffuse ones.
        mask: `(D, H, W)` bool.
        solid_mm: Diameter of the solid part of a part-solid nodule.
        spiculated: Whether the margin is spiculated.
        malignant: Whether it is a tumour or its spread.
        before_mm: Size in the prior study.
    """

    id: str
    side: Side
    lobes: tuple[str, ...]
    size_mm: float | None
    mask: Mask
    solid_mm: float | None = None
    spiculated: bool = False
    malignant: bool = False
    before_mm: float | None = None


def record(canvas: Canvas, id: str, mask: Mask, size_mm: float | None = None) -> PaintedFinding:
    """The truth of a mask: which lobes it touches (at least one voxel in a hundred) and which side."""
    counts = np.bincount(canvas.lobes[mask], minlength=6)
    present = [n for n in LOBES if counts[n] > 0.01 * max(1, counts[1:].sum())]
    right, left = any(n <= RLL for n in present), any(n > RLL for n in present)
    if not present:
        x = np.broadcast_to(canvas.grid.x, canvas.grid.shape)[mask]
        right, left = bool(np.any(x < -2)), bool(np.any(x > 2))
    side: Side = "both" if right == left else "right" if right else "left"
    return PaintedFinding(id, side, tuple(LOBES[n] for n in present), size_mm, mask)


def spot(rng: np.random.Generator, canvas: Canvas, lobe: int, depth: tuple[float, float]) -> Voxel:
    """A random voxel of a lobe, free of vessels, whose distance from the pleura lies in a range of mm.

    Raises:
        ValueError: The lobe has no such voxel.
    """
    inside = np.argwhere((canvas.lobes == lobe) & (canvas.depth > depth[0]) & (canvas.depth < depth[1]) & (canvas.vessels < 0.1))
    if not len(inside):
        raise ValueError(f"no room in lobe {LOBES[lobe]} at {depth} mm from the pleura")
    z, y, x = inside[rng.integers(len(inside))]
    return int(z), int(y), int(x)


def ball(rng: np.random.Generator, canvas: Canvas, centre: Voxel, radius: float, rough: float = 0.0) -> Field:
    """`(D, H, W)` signed distance in mm to a ball; `rough` is the relative depth of its lobulation."""
    grid = canvas.grid
    mm = grid.millimetres(np.array([centre]))[0]
    distance = np.sqrt((grid.x - mm[0]) ** 2 + (grid.y - mm[1]) ** 2 + (grid.z - mm[2]) ** 2) - radius
    if rough:
        distance = distance + texture(rng, canvas, max(6.0, 0.8 * radius)) * (rough * radius)
    out: Field = distance.astype(np.float32)
    return out


def texture(rng: np.random.Generator, canvas: Canvas, pitch_mm: float) -> Field:
    """A smooth random field of unit deviation whose bumps are about `pitch_mm` apart."""
    z, y, x = (max(1, int(n * s / pitch_mm)) for n, s in zip(canvas.grid.shape, canvas.grid.spacing, strict=True))
    return smooth_field(rng, canvas.grid.shape, (z, y, x))


def soft(distance: NDArray[np.floating], width: float) -> Field:
    """1 inside, 0 outside, linear across `width` mm."""
    out: Field = np.clip(0.5 - distance / width, 0, 1).astype(np.float32)
    return out


def lift(canvas: Canvas, cover: NDArray[np.floating] | Mask, value: float | NDArray[np.floating]) -> None:
    """Raise HU towards `value` where it is lower, by the fraction `cover`."""
    canvas.hu += cover * np.maximum(np.asarray(value, np.float32) - canvas.hu, 0)


def sink(canvas: Canvas, cover: NDArray[np.floating] | Mask, value: float | NDArray[np.floating]) -> None:
    """Lower HU towards `value` where it is higher, by the fraction `cover`."""
    canvas.hu += cover * np.minimum(np.asarray(value, np.float32) - canvas.hu, 0)


def voxel_mm(canvas: Canvas) -> float:
    """In-plane voxel size, mm."""
    return float(np.mean(canvas.grid.spacing[1:]))


def quantile_cover(score: Field, inside: Mask, amount: float, softness: float) -> Field:
    """Cover the highest `amount` of a score inside a mask with a soft edge."""
    level = float(np.quantile(score[inside][::3], 1 - amount))
    out: Field = (np.clip((score - level) / softness + 0.5, 0, 1) * inside).astype(np.float32)
    return out
