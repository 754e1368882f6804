"""Effusion, pneumothorax, pleural thickening and plaques."""

from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import RLL, Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, lift, record, soft, texture, voxel_mm
from medmpt_backend.cohort.grid import Mask

OneSide = Literal["left", "right"]


def _lung(canvas: Canvas, side: OneSide) -> Mask:
    return (canvas.lobes > 0) & ((canvas.lobes <= RLL) if side == "right" else (canvas.lobes > RLL))


def pleural_effusion(rng: np.random.Generator, canvas: Canvas, *, side: OneSide, depth_mm: float = 25) -> PaintedFinding:
    """Free effusion: a dependent crescent of fluid with compressed lung in front of it."""
    lung = _lung(canvas, side)
    back = float(np.where(lung, canvas.grid.y, -1e3).max())
    low = canvas.grid.z < -20
    surface = canvas.grid.y - (back - depth_mm) + np.clip(canvas.depth - 6, 0, None) * 0.35 + np.clip(canvas.grid.z + 60, 0, None) * 0.4
    mask = lung & low & (surface > 0)
    compressed = lung & low & (surface > -7) & ~mask
    lift(canvas, compressed, -350)
    canvas.hu[mask] = 8 + rng.normal(0, 2)
    found = record(canvas, "pleural_effusion", mask, depth_mm)
    canvas.lobes[mask] = 0
    return found


def loculated_effusion(rng: np.random.Generator, canvas: Canvas, *, side: OneSide, thickness_mm: float = 30) -> PaintedFinding:
    """A lens of fluid against the lateral wall with a denser rim (empyema)."""
    lung = _lung(canvas, side)
    sign = -1 if side == "right" else 1
    height = float(rng.uniform(-70, -20))
    lens = np.sqrt(((canvas.grid.z - height) / 55) ** 2 + ((canvas.grid.y - 20) / 55) ** 2)
    reach = thickness_mm * np.clip(1 - lens**2, 0, 1)
    mask = lung & (canvas.depth < reach) & (canvas.grid.x * sign > 20)
    rim = lung & ~mask & (canvas.depth < reach + 3) & (canvas.grid.x * sign > 20) & (reach > 2)
    canvas.hu[mask] = 15 + rng.normal(0, 3)
    lift(canvas, rim, 55)
    found = record(canvas, "pleural_effusion_loculated", mask, thickness_mm)
    canvas.lobes[mask] = 0
    return found


def pneumothorax(rng: np.random.Generator, canvas: Canvas, *, side: OneSide, depth_mm: float = 22) -> PaintedFinding:
    """Air without markings in the non-dependent pleural space; the visceral pleura is a thin line."""
    lung = _lung(canvas, side)
    front = float(np.where(lung, canvas.grid.y, 1e3).min())
    surface = (front + depth_mm) - canvas.grid.y + np.clip(canvas.grid.z, 0, None) * 0.35 - np.clip(canvas.depth - 8, 0, None) * 0.25
    surface += texture(rng, canvas, 60.0) * 2
    mask = lung & (surface > 0)
    canvas.hu[mask] = -995
    lift(canvas, lung & ~mask & (surface > -2 * voxel_mm(canvas)), -450)
    found = record(canvas, "pneumothorax", mask, depth_mm)
    canvas.lobes[mask] = 0
    return found


def pleural_thickening(rng: np.random.Generator, canvas: Canvas, *, side: OneSide, thickness_mm: float = 5) -> PaintedFinding:
    """Smooth diffuse thickening of the costal pleura."""
    lung = _lung(canvas, side)
    wide = thickness_mm * np.clip(texture(rng, canvas, 90.0) + 0.6, 0, 1.6)
    mask = lung & (canvas.depth - 1.5 < wide) & (canvas.depth > 0) & (wide > 1)
    lift(canvas, mask, 40)
    return record(canvas, "pleural_thickening", mask, thickness_mm)


def pleural_plaques(rng: np.random.Generator, canvas: Canvas, *, number: int = 7, calcified: bool = True) -> PaintedFinding:
    """Discrete, often calcified plaques on the parietal pleura of both sides."""
    shell = canvas.lungs & (canvas.depth < 5) & (np.abs(canvas.grid.x) > 30)
    places = np.argwhere(shell)
    mask = np.zeros(canvas.grid.shape, bool)
    for z, y, x in places[rng.choice(len(places), size=number, replace=False)]:
        mm = canvas.grid.millimetres(np.array([[z, y, x]]))[0]
        d = np.sqrt((canvas.grid.x - mm[0]) ** 2 + (canvas.grid.y - mm[1]) ** 2 + ((canvas.grid.z - mm[2]) * 0.7) ** 2)
        mask |= (d < rng.uniform(9, 18)) & canvas.lungs & (canvas.depth < 5.5)
    lift(canvas, soft(np.where(mask, -1.0, 1.0), 1.0), 380 if calcified else 60)
    return record(canvas, "pleural_plaque", mask)
