"""Nodes, heart, vessels, hernia, medical material and incidental findings outside the lungs."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, lift, record, sink, soft, voxel_mm
from medmpt_backend.cohort.grid import Field

# Station centres (x, y, z) in mm from the carina, after the IASLC map
# (Rusch et al., J Thorac Oncol 2009, doi 10.1097/JTO.0b013e3181a0d82e).
STATIONS: dict[str, tuple[float, float, float]] = {
    "2R": (-14, 2, 55),
    "4R": (-17, 0, 16),
    "4L": (17, 12, 8),
    "5": (34, 0, 12),
    "7": (2, 18, -22),
    "10R": (-34, 6, -30),
    "10L": (38, 10, -26),
}


# The first voxel of the front above this is skin or the fat below it.
SKIN_HU = -400.0


def _paint(canvas: Canvas, distance: Field, value: float) -> NDArray[np.bool_]:
    cover = soft(distance, voxel_mm(canvas))
    canvas.hu += cover * (value - canvas.hu)
    return distance < 0


def lymphadenopathy(
    rng: np.random.Generator, canvas: Canvas, *, stations: tuple[str, ...], short_axis_mm: float = 16, calcified: bool = False
) -> PaintedFinding:
    """Enlarged nodes (short axis over 10 mm) at named stations."""
    mask = np.zeros(canvas.grid.shape, bool)
    for name in stations:
        x, y, z = np.array(STATIONS[name]) + rng.normal(0, 1.5, 3)
        r = short_axis_mm / 2
        mask |= _paint(canvas, canvas.grid.ellipsoid((x, y, z), (r, r * 1.1, r * 1.5)), 250.0 if calcified else 45.0)
    return record(canvas, "lymphadenopathy", mask, short_axis_mm)


def pericardial_effusion(rng: np.random.Generator, canvas: Canvas, *, thickness_mm: float = 14) -> PaintedFinding:
    """A rim of fluid around the heart, widest behind and below."""
    from medmpt_backend.cohort.anatomy import heart_distance

    heart = heart_distance(canvas.grid, canvas.habitus)
    wide = thickness_mm * np.clip(0.6 + canvas.grid.y / 120 - (canvas.grid.z + 78) / 160, 0.35, 1.2)
    mask = (heart > 0) & (heart < wide) & (canvas.grid.z > canvas.dome_height) & (canvas.depth > 2)
    canvas.hu[mask] = 10 + rng.normal(0, 2)
    canvas.lobes[mask] = 0
    return record(canvas, "pericardial_effusion", mask, thickness_mm)


def coronary_calcification(rng: np.random.Generator, canvas: Canvas, *, number: int = 6) -> PaintedFinding:
    """Dense spots along the left anterior descending, circumflex and right coronary arteries."""
    from medmpt_backend.cohort.anatomy import heart_distance

    heart = heart_distance(canvas.grid, canvas.habitus)
    near = (
        (np.abs(heart + 3) < 2.5) & (canvas.grid.y < -5) & (canvas.grid.z > -90) & (canvas.grid.z < -38) & (np.abs(canvas.grid.x - 20) < 40)
    )
    return _specks(rng, canvas, near, number, (1.6, 3.2), "coronary_artery_calcification")


def aortic_calcification(rng: np.random.Generator, canvas: Canvas, *, number: int = 8) -> PaintedFinding:
    """Calcified plaques in the wall of the arch and the descending aorta."""
    h = canvas.habitus
    back = 0.42 * h.half_depth
    path = np.array([[-4.0, -8, 30], [10, 14, 34], [20, 30, 24], [22, back, 0], [20, back, -100]])
    wall = np.abs(canvas.grid.tube(path, h.aorta_radius * 0.8)) < 1.6
    return _specks(rng, canvas, wall, number, (1.8, 4.0), "arterial_wall_calcification")


def _specks(
    rng: np.random.Generator, canvas: Canvas, where: NDArray[np.bool_], number: int, radius: tuple[float, float], id: str
) -> PaintedFinding:
    places = np.argwhere(where)
    mask = np.zeros(canvas.grid.shape, bool)
    for z, y, x in places[rng.choice(len(places), size=min(number, len(places)), replace=False)]:
        mm = canvas.grid.millimetres(np.array([[z, y, x]]))[0]
        r = rng.uniform(*radius)
        distance = canvas.grid.ellipsoid((mm[0], mm[1], mm[2]), (r, r, 1.6 * r))
        lift(canvas, soft(distance, voxel_mm(canvas)) * ~canvas.lungs, 650)
        mask |= (distance < 0) & ~canvas.lungs
    return record(canvas, id, mask)


def pulmonary_embolus(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"]) -> PaintedFinding:
    """A filling defect in a main pulmonary artery.

    Raises:
        ValueError: The study has no contrast: an embolus cannot be seen and is not assessable.
    """
    if not canvas.habitus.contrast:
        raise ValueError("a pulmonary embolus is not assessable without contrast")
    path = [[0.0, -6, -16], [-30, 2, -20]] if side == "right" else [[24.0, -4, -12], [44, 12, -14]]
    distance = canvas.grid.tube(np.array(path) + rng.normal(0, 1, (2, 3)), canvas.habitus.pa_radius * 0.42)
    sink(canvas, soft(distance, voxel_mm(canvas)), 60)
    return record(canvas, "pulmonary_embolus", distance < 0)


def hiatal_hernia(rng: np.random.Generator, canvas: Canvas, *, diameter_mm: float = 45) -> PaintedFinding:
    """A soft-tissue pouch with air behind the heart at the oesophageal hiatus."""
    r = diameter_mm / 2
    y = 0.32 * canvas.habitus.half_depth
    bag = canvas.grid.ellipsoid((8.0, y, -canvas.habitus.base + 62 + rng.normal(0, 3)), (r, r * 0.8, r * 1.2))
    mask = _paint(canvas, bag, 35)
    sink(canvas, soft(np.maximum(bag + 4, canvas.grid.y - y + 2), voxel_mm(canvas)), -960)
    canvas.lobes[mask] = 0
    return record(canvas, "hiatal_hernia", mask, diameter_mm)


def medical_material(rng: np.random.Generator, canvas: Canvas, *, kind: Literal["port", "pacemaker", "tube"]) -> PaintedFinding:
    """A port or pacemaker under the skin with its lead, or an endotracheal tube."""
    h = canvas.habitus
    if kind == "tube":
        shaft = np.abs(canvas.grid.tube(np.array([[1.0, 8, 140], [0.5, 8, 35 + rng.normal(0, 4)]]), 5.0)) - 0.9
        mask = _paint(canvas, shaft.astype(np.float32), 350)
        return record(canvas, "medical_material", mask)
    sign = -1 if kind == "port" else 1
    box = canvas.grid.ellipsoid((sign * 72.0, -0.86 * h.half_depth - 16, 52.0), (15, 7, 15))
    lead = canvas.grid.tube(np.array([[sign * 70.0, -0.86 * h.half_depth - 10, 56], [-26.0, -14, 62], [-26.0, -14, -36]]), 1.5)
    mask = _paint(canvas, box, 2200) | _paint(canvas, lead, 1400)
    return record(canvas, "medical_material", mask)


def skin_metal(rng: np.random.Generator, canvas: Canvas, *, number: int) -> None:
    """Electrodes, clasps and buttons on the skin of the front: metal outside the body is no medical material and carries no label."""
    grid = canvas.grid
    for _ in range(number):
        x, z = float(rng.uniform(-95, 95)), float(rng.uniform(-0.7 * canvas.habitus.base, 0.7 * canvas.habitus.apex))
        column = canvas.hu[int(np.abs(grid.z[:, 0, 0] - z).argmin()), :, int(np.abs(grid.x[0, 0] - x).argmin())]
        body = np.flatnonzero(column > SKIN_HU)
        if not len(body):
            continue
        wide, thick = float(rng.uniform(4, 13)), float(rng.uniform(2, 5))
        y = float(grid.y[0, body[0], 0]) - thick - 1
        _paint(canvas, grid.ellipsoid((x, y, z), (wide, thick, wide)), float(rng.uniform(1300, 2400)))


def thyroid_nodule(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"], diameter_mm: float = 18) -> PaintedFinding:
    """A low-attenuation nodule in the lower pole of a thyroid lobe, at the thoracic inlet."""
    sign = -1 if side == "right" else 1
    z = canvas.habitus.apex + 6
    gland = canvas.grid.ellipsoid((sign * 17.0, -6.0, z), (11, 12, 20))
    _paint(canvas, gland, 95)
    mask = _paint(canvas, canvas.grid.ellipsoid((sign * 17.0, -6.0, z - 4 + rng.normal(0, 1)), (diameter_mm / 2,) * 3), 30)
    return record(canvas, "thyroid_nodule", mask, diameter_mm)


def adrenal_mass(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"], diameter_mm: float = 24) -> PaintedFinding:
    """A rounded adrenal mass at the lower edge of the scan; below 10 HU it is a lipid-rich adenoma."""
    sign = -1 if side == "right" else 1
    z = float(canvas.grid.z[-1, 0, 0]) + diameter_mm
    mask = _paint(canvas, canvas.grid.ellipsoid((sign * 38.0, 34.0, z), (diameter_mm / 2,) * 3), 4.0 + float(rng.normal(0, 2)))
    return record(canvas, "adrenal_mass", mask, diameter_mm)
