"""Findings painted into a thorax, each with its voxel mask, size, side and lobe.

Appearances follow the Fleischner glossary (Bankier et al., Radiology 2024, doi 10.1148/radiol.232558).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from medmpt_backend.cohort.anatomy import LOBES, RLL, Canvas
from medmpt_backend.cohort.grid import Field, Mask, smooth_field

Side = Literal["left", "right", "both"]


@dataclass(frozen=True, eq=False)
class PaintedFinding:
    """One finding with its truth.

    Attributes:
        id: Finding id.
        side: Side of the patient.
        lobes: Lobes it lies in.
        size_mm: Long axis for focal findings, None for diffuse ones.
        mask: `(D, H, W)` bool.
    """

    id: str
    side: Side
    lobes: tuple[str, ...]
    size_mm: float | None
    mask: Mask


def _finish(canvas: Canvas, id: str, mask: Mask, size_mm: float | None = None) -> PaintedFinding:
    present = [n for n in LOBES if np.any(mask & (canvas.lobes == n))]
    right, left = any(n <= RLL for n in present), any(n > RLL for n in present)
    if not present:
        centre = float((mask * canvas.grid.x).sum() / max(1, mask.sum()))
        right, left = centre < 0, centre >= 0
    side: Side = "both" if right and left else "right" if right else "left"
    return PaintedFinding(id, side, tuple(LOBES[n] for n in present), size_mm, mask)


def _rough_ball(rng: np.random.Generator, canvas: Canvas, centre: tuple[int, int, int], radius: float, rough: float) -> Field:
    """Signed distance in mm to a lumpy ball."""
    grid = canvas.grid
    mm = grid.millimetres(np.array([centre]))[0]
    d = np.sqrt((grid.x - mm[0]) ** 2 + (grid.y - mm[1]) ** 2 + (grid.z - mm[2]) ** 2)
    cells = tuple(int(max(2, n * s / max(6.0, radius))) for n, s in zip(grid.shape, grid.spacing, strict=True))
    bumps = smooth_field(rng, grid.shape, (cells[0], cells[1], cells[2])) * rough * radius if rough else 0
    out: Field = (d - radius + bumps).astype(np.float32)
    return out


def _spot(rng: np.random.Generator, canvas: Canvas, lobe: int, depth: tuple[float, float]) -> tuple[int, int, int]:
    """A random voxel of a lobe whose distance from the pleura lies in a range of mm."""
    inside = np.argwhere((canvas.lobes == lobe) & (canvas.depth > depth[0]) & (canvas.depth < depth[1]) & (canvas.vessels < 0.1))
    if not len(inside):
        raise ValueError(f"no room in lobe {LOBES[lobe]} at {depth} mm from the pleura")
    z, y, x = inside[rng.integers(len(inside))]
    return int(z), int(y), int(x)


def solid_nodule(rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float, spiculated: bool = False) -> PaintedFinding:
    """A solid nodule or mass, smooth or spiculated, away from vessels and pleura."""
    centre = _spot(rng, canvas, lobe, (diameter_mm / 2 + 6, diameter_mm / 2 + 28))
    radius = diameter_mm / 2
    distance = _rough_ball(rng, canvas, centre, radius, 0.16 if spiculated else 0.05)
    voxel = float(np.mean(canvas.grid.spacing[1:]))
    cover = np.clip(0.5 - distance / voxel, 0, 1) * canvas.lungs
    if spiculated:
        rays = smooth_field(rng, canvas.grid.shape, tuple(max(4, n // 4) for n in canvas.grid.shape))  # type: ignore[arg-type]
        halo = np.clip(1 - distance / (0.5 * radius), 0, 1) * (rays > 1.1) * canvas.lungs
        cover = np.maximum(cover, halo * 0.55)
    canvas.hu += cover * np.where(canvas.hu < 35, 35 - canvas.hu, 0)
    return _finish(canvas, "mass" if diameter_mm > 30 else "nodule_solid", (distance < 0) & canvas.lungs, diameter_mm)


def ground_glass(
    rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], amount: float = 0.3, peripheral: bool = True
) -> PaintedFinding:
    """Hazy patches that leave vessels visible; `amount` is the fraction of the chosen lobes."""
    return _patches(rng, canvas, "ground_glass", lobes, amount, peripheral, (190.0, 290.0))


def consolidation(rng: np.random.Generator, canvas: Canvas, *, lobe: int, amount: float = 0.6) -> PaintedFinding:
    """Lobar consolidation with air bronchograms and a hazy margin; dependent parts first."""
    inside = canvas.lobes == lobe
    score = smooth_field(rng, canvas.grid.shape, (7, 7, 7)) * 0.6 + canvas.grid.y / 45 - canvas.grid.z / 90
    level = float(np.quantile(score[inside], 1 - amount))
    cover = np.clip((score - level) / 0.25 + 0.5, 0, 1) * inside
    airway = canvas.hu < -930
    value = 38 + smooth_field(rng, canvas.grid.shape, (12, 12, 12)) * 8
    canvas.hu += cover * ~airway * np.where(canvas.hu < value, value - canvas.hu, 0)
    return _finish(canvas, "consolidation", (cover > 0.5) & inside)


def _patches(
    rng: np.random.Generator, canvas: Canvas, id: str, lobes: tuple[int, ...], amount: float, peripheral: bool, rise: tuple[float, float]
) -> PaintedFinding:
    inside = np.isin(canvas.lobes, lobes)
    score = smooth_field(rng, canvas.grid.shape, (14, 14, 14)) + 0.5 * smooth_field(rng, canvas.grid.shape, (28, 28, 28))
    if peripheral:
        score += (canvas.grid.y / 120 - canvas.depth / 14).astype(np.float32)
    level = float(np.quantile(score[inside], 1 - amount))
    cover = np.clip((score - level) / 0.35 + 0.5, 0, 1) * inside
    add = rng.uniform(*rise) + smooth_field(rng, canvas.grid.shape, (20, 20, 20)) * 25
    canvas.hu += cover * np.where(canvas.hu < -500, add, 0)
    return _finish(canvas, id, (cover > 0.5) & inside)


def emphysema(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.25, upper: bool = True) -> PaintedFinding:
    """Centrilobular emphysema: small round low-attenuation holes without walls, upper lobes first."""
    inside = canvas.lungs & (canvas.vessels < 0.2)
    cells = tuple(int(n * s / 9) for n, s in zip(canvas.grid.shape, canvas.grid.spacing, strict=True))
    score = smooth_field(rng, canvas.grid.shape, (cells[0], cells[1], cells[2])) + 0.6 * smooth_field(rng, canvas.grid.shape, (6, 6, 6))
    if upper:
        score = score + canvas.grid.z / 70
    level = float(np.quantile(score[inside], 1 - amount))
    cover = np.clip((score - level) / 0.3 + 0.5, 0, 1) * inside
    canvas.hu += cover * np.where(canvas.hu > -975, (-978 - canvas.hu), 0) * (canvas.hu < -600)
    return _finish(canvas, "emphysema", cover > 0.5)


def pleural_effusion(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"], depth_mm: float = 25) -> PaintedFinding:
    """Free effusion: a dependent crescent of fluid with compressed lung above it."""
    lung = (canvas.lobes > 0) & ((canvas.lobes <= RLL) if side == "right" else (canvas.lobes > RLL))
    back = float((np.where(lung, canvas.grid.y, -1e3)).max())
    base = canvas.grid.z < -20
    surface = canvas.grid.y - (back - depth_mm) + np.clip(canvas.depth - 6, 0, None) * 0.35 + np.clip(canvas.grid.z + 60, 0, None) * 0.4
    mask = lung & base & (surface > 0)
    canvas.hu[mask] = 8 + rng.normal(0, 2)
    compressed = lung & base & (surface > -7) & ~mask
    canvas.hu[compressed & (canvas.hu < -300)] = -350
    found = _finish(canvas, "pleural_effusion", mask, depth_mm)
    canvas.lobes[mask] = 0
    return found


def fibrosis(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.16, honeycombing: bool = True) -> tuple[PaintedFinding, ...]:
    """Subpleural, basal reticulation; with honeycombing (clustered walled cysts of 3-10 mm) and traction where asked: the UIP pattern."""
    inside = canvas.lungs
    to_wall = ndimage.distance_transform_edt(inside, sampling=canvas.grid.spacing).astype(np.float32)
    basal = np.clip(-canvas.grid.z / 60, -0.5, 2)
    score = smooth_field(rng, canvas.grid.shape, (8, 8, 8)) * 0.5 - to_wall / 9 + basal + canvas.grid.y / 140
    level = float(np.quantile(score[inside], 1 - amount))
    zone = np.clip((score - level) / 0.5 + 0.5, 0, 1) * inside
    pitch = 5.5
    cells = tuple(int(n * s / pitch) for n, s in zip(canvas.grid.shape, canvas.grid.spacing, strict=True))
    net = np.abs(smooth_field(rng, canvas.grid.shape, (cells[0], cells[1], cells[2])))
    lines = np.clip(1 - net / 0.42, 0, 1)
    canvas.hu += zone * (lines * np.where(canvas.hu < -150, -150 - canvas.hu, 0) + (1 - lines) * np.where(canvas.hu < -600, 110, 0))
    out = [_finish(canvas, "reticulation", zone > 0.5)]
    if honeycombing:
        core = (zone > 0.85) & (to_wall < 14) & (np.broadcast_to(canvas.grid.z, canvas.grid.shape) < -15)
        holes = core & (net > 0.42)
        canvas.hu[holes] = -930
        canvas.hu[core & ~holes] = np.maximum(canvas.hu[core & ~holes], -60)
        out.append(_finish(canvas, "honeycombing", core))
    return tuple(out)
