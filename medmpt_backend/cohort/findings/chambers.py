"""Pressure in the small circulation: enlarged pulmonary artery and right ventricle."""

import numpy as np

from medmpt_backend.cohort.anatomy import BLOOD_HU, CONTRAST_RIGHT_HU, Canvas, heart_coordinates, heart_distance, pulmonary_paths
from medmpt_backend.cohort.findings.base import PaintedFinding, record, soft, voxel_mm
from medmpt_backend.cohort.grid import Field


def enlarged_pulmonary_artery(rng: np.random.Generator, canvas: Canvas, *, diameter_mm: float = 34) -> PaintedFinding:
    """A main pulmonary artery of a given diameter and branches to match; the air of bronchi and trachea stays.

    Enlarged is above 29 mm in men and 27 mm in women: Truong et al., Circ Cardiovasc Imaging 2012;5:147.
    """
    distance = np.full(canvas.grid.shape, 15.0, np.float32)
    for path, share in pulmonary_paths(canvas.habitus):
        bent = path + rng.normal(0, 0.7, path.shape)
        box, near = canvas.grid.tube_part(bent, share * diameter_mm / 2, 12.0)
        np.minimum(distance[box], near, out=distance[box])
    free = ~((canvas.hu < -700) & ~canvas.lungs)
    wall = soft(distance - 1.2, voxel_mm(canvas)) * free
    canvas.hu += wall * (50 - canvas.hu)
    canvas.hu += soft(distance, voxel_mm(canvas)) * free * ((CONTRAST_RIGHT_HU if canvas.habitus.contrast else BLOOD_HU) - canvas.hu)
    mask = (distance < 0) & free
    found = record(canvas, "enlarged_pulmonary_artery", mask, diameter_mm)
    canvas.lobes[mask] = 0
    return found


def mark_pulmonary_artery(canvas: Canvas) -> PaintedFinding:
    """The pulmonary artery that the habitus made wide already, as a finding: paints nothing."""
    mask = np.zeros(canvas.grid.shape, bool)
    for path, share in pulmonary_paths(canvas.habitus):
        box, near = canvas.grid.tube_part(path, share * canvas.habitus.pa_radius, 2.0)
        mask[box] |= near < 0
    mask &= ~canvas.lungs & (canvas.hu > 0)
    return record(canvas, "enlarged_pulmonary_artery", mask, 2 * canvas.habitus.pa_radius)


def enlarged_right_ventricle(rng: np.random.Generator, canvas: Canvas, *, ratio: float = 1.3) -> PaintedFinding:
    """A right ventricle wider than the left, with a flat septum: strain.

    A ratio of the widths of 1.0 or more is strain: Konstantinides et al., Eur Heart J 2020;41:543.

    Raises:
        ValueError: The study has no contrast: blood and heart muscle look alike, so that the ventricles are not assessable.
    """
    if not canvas.habitus.contrast:
        raise ValueError("the width of the ventricles is not assessable without contrast")
    heart = heart_distance(canvas.grid, canvas.habitus)
    long, short = heart_coordinates(canvas.grid, canvas.habitus)
    scale = 46 * canvas.habitus.heart
    # Inner widths along the short axis, less walls and rounding: right = scale + t - 12, left = scale - t - 20, with the septum at t mm.
    septum = (ratio * (scale - 20) - (scale - 12)) / (1 + ratio) / scale + float(rng.normal(0, 0.02))
    right = _rounded(_rounded(heart + 4, (-0.4 - long) * scale), (short - septum) * scale + 4)
    left = _rounded(_rounded(heart + 11, (-0.3 - long) * scale), (septum - short) * scale + 5)
    voxel = voxel_mm(canvas)
    canvas.hu += soft(np.maximum(heart, (-0.42 - long) * scale), voxel) * (110 - canvas.hu)
    canvas.hu += soft(left, voxel) * (330 - canvas.hu)
    canvas.hu += soft(right, voxel) * (CONTRAST_RIGHT_HU - canvas.hu)
    return record(canvas, "enlarged_right_ventricle", right < 0)


def _rounded(a: Field, b: Field, corner_mm: float = 12.0) -> Field:
    """The intersection of two shapes, without the sharp edge of a maximum."""
    out: Field = ((a + b + np.sqrt((a - b) ** 2 + np.float32(corner_mm) ** 2)) / 2).astype(np.float32)
    return out
