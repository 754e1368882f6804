"""Rib fracture and bone metastasis."""

from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, record, soft, voxel_mm


def rib_fracture(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"], number: int = 2) -> PaintedFinding:
    """Breaks in the cortex of lateral ribs with a step."""
    sign = -1 if side == "right" else 1
    lateral = (canvas.depth < -1) & (canvas.depth > -8) & (canvas.hu > 200) & (canvas.grid.x * sign > 0.75 * canvas.habitus.half_width)
    places = np.argwhere(lateral & (np.abs(canvas.grid.z + 30) < 70))
    mask = np.zeros(canvas.grid.shape, bool)
    if len(places):
        for z, y, x in places[rng.choice(len(places), size=min(number, len(places)), replace=False)]:
            mm = canvas.grid.millimetres(np.array([[z, y, x]]))[0]
            gap = canvas.grid.ellipsoid((mm[0], mm[1], mm[2]), (9, 2.6, 9)) * ~canvas.lungs
            bone = (gap < 0) & (canvas.hu > 120)
            canvas.hu[bone] = 45
            mask |= bone
    return record(canvas, "rib_fracture", mask)


def bone_metastasis(
    rng: np.random.Generator,
    canvas: Canvas,
    *,
    lytic: bool = True,
    diameter_mm: float = 16,
    site: Literal["vertebra", "rib"] = "vertebra",
) -> PaintedFinding:
    """A lytic or sclerotic lesion in a vertebral body or a rib; a lytic one replaces and widens the rib."""
    if site == "rib":
        return _rib_metastasis(rng, canvas, lytic, diameter_mm)
    h = canvas.habitus
    z = 24.0 * int(rng.integers(-4, 2)) + 12
    y = 0.66 * h.half_depth + 4 * np.cos(z / 90)
    r = diameter_mm / 2
    distance = canvas.grid.ellipsoid((float(rng.normal(0, 4)), float(y + rng.normal(0, 2)), z), (r, r * 0.8, r))
    cover = soft(distance, voxel_mm(canvas))
    canvas.hu += cover * ((45.0 if lytic else 850.0) - canvas.hu)
    return record(canvas, "bone_metastasis", distance < 0, diameter_mm)


def _rib_metastasis(rng: np.random.Generator, canvas: Canvas, lytic: bool, diameter_mm: float) -> PaintedFinding:
    h = canvas.habitus
    rib = (canvas.depth < -3) & (canvas.depth > -6) & (canvas.hu > 150) & (np.abs(canvas.grid.x) > 0.5 * h.half_width)
    places = np.argwhere(rib & (np.abs(canvas.grid.z + 30) < 80))
    mm = canvas.grid.millimetres(places[rng.integers(len(places))][None])[0]
    r = diameter_mm / 2
    ball = np.sqrt((canvas.grid.x - mm[0]) ** 2 + (canvas.grid.y - mm[1]) ** 2 + (canvas.grid.z - mm[2]) ** 2) - r
    outside = ~canvas.lungs
    if lytic:
        cover = soft(ball, voxel_mm(canvas)) * outside
        canvas.hu += cover * (55 - canvas.hu)
        return record(canvas, "bone_metastasis", (ball < 0) & outside, diameter_mm)
    bone = (ball < 0) & outside & (canvas.hu > 150)
    canvas.hu[bone] = 900
    return record(canvas, "bone_metastasis", bone, diameter_mm)
