"""Emphysema, bullae and cysts: holes in the lung."""

from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, ball, lift, quantile_cover, record, sink, soft, spot, texture, voxel_mm


def emphysema(
    rng: np.random.Generator,
    canvas: Canvas,
    *,
    amount: float = 0.25,
    kind: Literal["centrilobular", "paraseptal", "panlobular"] = "centrilobular",
) -> PaintedFinding:
    """Holes without walls: centrilobular (small, upper), paraseptal (rows under the pleura) or panlobular (even, lower)."""
    inside = canvas.lungs & (canvas.vessels < 0.2)
    if kind == "panlobular":
        score = (texture(rng, canvas, 45.0) - canvas.grid.z / 60).astype(np.float32)
        cover = quantile_cover(score, inside, amount, 1.2)
        sink(canvas, cover * (canvas.hu < -600) * 0.8, -965)
    else:
        score = texture(rng, canvas, 9.0) + 0.6 * texture(rng, canvas, 50.0)
        score += (canvas.grid.z / 70 if kind == "centrilobular" else -canvas.depth / 3).astype(np.float32)
        cover = quantile_cover(score, inside, amount, 0.3)
        sink(canvas, cover * (canvas.hu < -600), -978)
        if kind == "paraseptal":
            rim = np.clip(1 - np.abs(cover - 0.35) / 0.2, 0, 1) * inside
            lift(canvas, rim * 0.5, -700)
    return record(canvas, "emphysema", cover > 0.5)


def bullae(rng: np.random.Generator, canvas: Canvas, *, lobe: int, number: int = 2, diameter_mm: float = 35) -> PaintedFinding:
    """Large thin-walled air spaces under the pleura (10 mm or more)."""
    mask = np.zeros(canvas.grid.shape, bool)
    for _ in range(number):
        radius = diameter_mm / 2 * rng.uniform(0.7, 1.1)
        distance = ball(rng, canvas, spot(rng, canvas, lobe, (1, 0.7 * radius + 4)), radius, 0.08)
        lift(canvas, np.clip(1 - np.abs(distance) / voxel_mm(canvas), 0, 1) * canvas.lungs, -650)
        sink(canvas, soft(distance + 1, voxel_mm(canvas)) * canvas.lungs, -985)
        mask |= (distance < 0) & canvas.lungs
    return record(canvas, "bulla", mask, diameter_mm)


def cysts(rng: np.random.Generator, canvas: Canvas, *, number: int = 40, diameter_mm: float = 9) -> PaintedFinding:
    """Round, thin-walled cysts spread through both lungs."""
    mask = np.zeros(canvas.grid.shape, bool)
    lobes = [int(n) for n in np.unique(canvas.lobes) if n > 0]
    for _ in range(number):
        radius = diameter_mm / 2 * rng.uniform(0.6, 1.3)
        z, y, x = spot(rng, canvas, lobes[rng.integers(len(lobes))], (4, 60))
        box = tuple(
            slice(max(0, c - int(2 * radius / s) - 2), c + int(2 * radius / s) + 3)
            for c, s in zip((z, y, x), canvas.grid.spacing, strict=True)
        )
        mm = canvas.grid.millimetres(np.array([[z, y, x]]))[0]
        grid = canvas.grid
        d = np.sqrt((grid.x[:, :, box[2]] - mm[0]) ** 2 + (grid.y[:, box[1]] - mm[1]) ** 2 + (grid.z[box[0]] - mm[2]) ** 2) - radius
        lung, hu = canvas.lungs[box], canvas.hu[box]
        wall = np.clip(1 - np.abs(d) / 1.2, 0, 1) * lung
        hu += wall * np.maximum(-500 - hu, 0)
        hu += soft(d + 1, voxel_mm(canvas)) * lung * np.minimum(-960 - hu, 0)
        mask[box] |= (d < 0) & lung
    return record(canvas, "cysts", mask, diameter_mm)
