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


def bone_metastasis(rng: np.random.Generator, canvas: Canvas, *, lytic: bool = True, diameter_mm: float = 16) -> PaintedFinding:
    """A lytic or sclerotic lesion in a vertebral body."""
    h = canvas.habitus
    z = 24.0 * int(rng.integers(-4, 2)) + 12
    y = 0.66 * h.half_depth + 4 * np.cos(z / 90)
    r = diameter_mm / 2
    distance = canvas.grid.ellipsoid((float(rng.normal(0, 4)), float(y + rng.normal(0, 2)), z), (r, r * 0.8, r))
    cover = soft(distance, voxel_mm(canvas))
    canvas.hu += cover * ((45.0 if lytic else 850.0) - canvas.hu)
    return record(canvas, "bone_metastasis", distance < 0, diameter_mm)
