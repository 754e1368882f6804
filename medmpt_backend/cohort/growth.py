"""Nodules of a follow-up study: the painted ones grown in place by their volume doubling time."""

from dataclasses import replace

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings import PaintedFinding
from medmpt_backend.cohort.findings.base import ball, lift, record, soft, voxel_mm
from medmpt_backend.cohort.findings.nodules import MASS_MM
from medmpt_backend.cohort.screening import DAYS_PER_MONTH, NODULES, doubling_days, grown_mm
from medmpt_backend.cohort.truth import Change

# HU that the painters give: solid tissue, ground glass, the rim and the core of a part-solid nodule.
_SOLID, _GLASS, _RIM, _CORE = 35.0, -620.0, -600.0, 25.0
# No lesion is painted larger than this.
_LARGEST_MM = 90.0


def grow(
    rng: np.random.Generator, canvas: Canvas, painted: tuple[PaintedFinding, ...], months: int
) -> tuple[tuple[PaintedFinding, ...], tuple[Change, ...]]:
    """Paint the growth of `months` over every focal finding; benign ones stay.

    Returns:
        The findings of the later study and how each focal one changed.
    """
    out: list[PaintedFinding] = []
    changes: list[Change] = []
    for found in painted:
        if found.id not in NODULES or found.size_mm is None:
            out.append(found)
            continue
        doubling = doubling_days(rng, found.id, found.malignant)
        size = min(_LARGEST_MM, grown_mm(found.size_mm, months * DAYS_PER_MONTH, doubling))
        later = replace(found, before_mm=found.size_mm) if doubling is None else _larger(rng, canvas, found, size)
        out.append(later)
        changes.append(
            Change(
                id=later.id,
                lobes=later.lobes,
                from_mm=round(found.size_mm, 1),
                to_mm=round(later.size_mm or size, 1),
                doubling_days=None if doubling is None else round(doubling),
            )
        )
    return tuple(out), tuple(changes)


def _larger(rng: np.random.Generator, canvas: Canvas, found: PaintedFinding, size: float) -> PaintedFinding:
    z, y, x = (int(v) for v in np.rint(np.argwhere(found.mask).mean(0)))
    distance = ball(rng, canvas, (z, y, x), size / 2, 0.05)
    lungs, width, before = canvas.lungs | found.mask, voxel_mm(canvas), found.size_mm or size
    core = None if found.solid_mm is None else found.solid_mm * size / before
    if found.id == "nodule_ground_glass":
        lift(canvas, soft(distance, 1.5 * width) * lungs, _GLASS)
    elif core is not None:
        lift(canvas, soft(distance, 1.5 * width) * lungs, _RIM)
        lift(canvas, soft(distance + (size - core) / 2, width) * lungs, _CORE)
    else:
        lift(canvas, soft(distance, width) * lungs, _SOLID)
    name = "mass" if found.id == "nodule_solid" and size > MASS_MM else found.id
    made = record(canvas, name, ((distance < 0) & lungs) | found.mask, size)
    return replace(made, solid_mm=core, spiculated=found.spiculated, malignant=found.malignant, before_mm=found.size_mm)
