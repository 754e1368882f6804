"""A thorax without disease: habitus, cavity, skeleton, mediastinum, lungs with lobes, airways and vessels.

Shapes are implicit surfaces in millimetres (see `Grid`). Proportions follow adult anatomy: trachea 17 mm, aorta 25-32 mm, carina at the
level of T5, lungs about 25 cm high at full inspiration. HU of tissues: fat -100, muscle 55, unenhanced blood 42, liver 58, trabecular
bone 180, cortex 700-1000, lung parenchyma -850 with a gravity gradient (Hounsfield scale; typical values of unenhanced CT).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.cohort.grid import Box, Field, Grid, Mask, coverage, smooth_field
from medmpt_backend.cohort.trees import Tree, draw, grow

RUL, RML, RLL, LUL, LLL = 1, 2, 3, 4, 5
# Blood without contrast, and that of the right heart in the pulmonary phase, HU.
BLOOD_HU, CONTRAST_RIGHT_HU = 42.0, 380.0
LOBES = {RUL: "RUL", RML: "RML", RLL: "RLL", LUL: "LUL", LLL: "LLL"}


@dataclass(frozen=True)
class Habitus:
    """Body shape of one virtual patient; lengths in mm.

    Attributes:
        half_width: Half of the inner thoracic width.
        half_depth: Half of the inner thoracic depth.
        apex: Height of the lung apices above the carina.
        base: Depth of the costophrenic recess below the carina.
        dome: Rise of the right hemidiaphragm above the recess; smaller at full inspiration.
        fat: Thickness of subcutaneous fat.
        muscle: Thickness of the chest-wall muscle.
        heart: Scale of the heart; 1 is normal.
        contrast: True for a contrast-enhanced scan.
        lung_hu: Mean of the parenchyma, HU.
        pa_radius: Radius of the main pulmonary artery.
        aorta_radius: Radius of the ascending aorta.
        breast: Size of breast tissue, 0 none.
    """

    half_width: float = 132.0
    half_depth: float = 92.0
    apex: float = 105.0
    base: float = 165.0
    dome: float = 75.0
    fat: float = 18.0
    muscle: float = 15.0
    heart: float = 1.0
    contrast: bool = False
    lung_hu: float = -850.0
    pa_radius: float = 12.5
    aorta_radius: float = 15.5
    breast: float = 0.0


@dataclass(eq=False)
class Canvas:
    """A study while it is being painted.

    Attributes:
        grid: The voxel grid.
        habitus: Body shape.
        hu: `(D, H, W)` float32 HU, without noise.
        lobes: `(D, H, W)` uint8, 0 outside the lungs, else a lobe number.
        vessels: `(D, H, W)` float32 vessel coverage inside the lungs.
        depth: `(D, H, W)` float32 distance in mm from the pleural surface towards the inside of the cavity, negative outside.
        airways: Airway tree (lumen).
        dome_height: `(1, H, W)` float32, z of the diaphragm in mm.
    """

    grid: Grid
    habitus: Habitus
    hu: Field
    lobes: NDArray[np.uint8]
    vessels: Field
    depth: Field
    airways: Tree
    dome_height: Field

    @property
    def lungs(self) -> Mask:
        """`(D, H, W)` bool, both lungs."""
        return self.lobes > 0


def paint(rng: np.random.Generator, grid: Grid, habitus: Habitus) -> Canvas:
    """Paint a thorax without disease."""
    voxel = float(np.mean(grid.spacing[1:]))
    cavity = _cavity(grid, habitus)
    dome = _diaphragm(rng, grid, habitus)
    spine = _spine_distance(grid, habitus)
    heart = heart_distance(grid, habitus)
    middle = _mediastinum_distance(rng, grid, habitus)
    lung = np.maximum.reduce([cavity + 1.5, -(heart - 4), -middle, -(spine - 4), np.broadcast_to(dome - grid.z, grid.shape)])
    hu = _body(grid, habitus, voxel)
    _inside(hu, cavity, grid, habitus, voxel, dome)
    _skeleton(hu, grid, habitus, cavity, voxel)
    _great_vessels(hu, grid, habitus, heart, voxel)
    parenchyma = _parenchyma(rng, grid, habitus)
    cover = coverage(lung, voxel)
    hu = hu * (1 - cover) + parenchyma * cover
    lobes = _lobes(rng, grid, habitus, lung < 0)
    canvas = Canvas(grid, habitus, hu.astype(np.float32), lobes, np.zeros(grid.shape, np.float32), -cavity, _no_tree(), dome)
    _fissures(canvas)
    _branches(rng, canvas, voxel)
    return canvas


def _no_tree() -> Tree:
    empty = np.zeros((0, 3))
    return Tree(empty, empty, np.zeros(0), np.zeros(0, np.int64))


def _scale(grid: Grid, h: Habitus) -> tuple[Field, Field]:
    """Half-axes `(D, 1, 1)` of the cavity at each level."""
    up = np.clip((grid.z - 10) / (h.apex - 10), 0, 0.999)
    taper = np.sqrt(1 - up**2.6)
    low = np.clip((10 - grid.z) / (h.base + 10), 0, 1.2)
    return h.half_width * taper * (1 + 0.04 * low), h.half_depth * (0.25 + 0.75 * taper) * (0.92 + 0.1 * low)


def _cavity(grid: Grid, h: Habitus) -> Field:
    """Signed distance (approximate, mm) to the inner surface of the rib cage."""
    a, b = _scale(grid, h)
    r = ((np.abs(grid.x) / a) ** 2.3 + (np.abs(grid.y) / b) ** 2.3) ** (1 / 2.3)
    distance = (r - 1) * np.minimum(a, b)
    out: Field = np.maximum(distance, grid.z - (h.apex - 3)).astype(np.float32)
    return out


def _diaphragm(rng: np.random.Generator, grid: Grid, h: Habitus) -> Field:
    """Height `(1, H, W)` of the diaphragm in mm: two domes, the right one higher."""
    right = h.dome * np.clip(1 - ((grid.x + 62) / 78) ** 2 - ((grid.y + 8) / 100) ** 2, 0, None) ** 0.6
    left = (h.dome - 14) * np.clip(1 - ((grid.x - 64) / 76) ** 2 - ((grid.y + 8) / 100) ** 2, 0, None) ** 0.6
    tilt = -0.28 * (grid.y + h.half_depth)
    ripple = smooth_field(rng, (1, grid.shape[1], grid.shape[2]), (1, 4, 4)) * 2
    out: Field = (-h.base + 26 + np.maximum(right, left) + tilt + ripple).astype(np.float32)
    return out


def _spine_centre(h: Habitus) -> float:
    return 0.66 * h.half_depth


def _spine_distance(grid: Grid, h: Habitus) -> Field:
    """Signed distance to the vertebral column with its muscles' bed (body, canal, spinous process)."""
    yc = _spine_centre(h) + 4 * np.cos(grid.z / 90)
    body = (np.sqrt((grid.x / 18) ** 2 + ((grid.y - yc) / 16) ** 2) - 1) * 16
    arch = (np.sqrt((grid.x / 20) ** 2 + ((grid.y - yc - 26) / 16) ** 2) - 1) * 16
    out: Field = np.minimum(body, arch).astype(np.float32)
    return out


# Beyond this distance, mm, nobody asks how far the heart is.
HEART_REACH = 24.0


def _heart_part(grid: Grid, h: Habitus) -> tuple[Box, Grid]:
    """The block that holds the heart and `HEART_REACH` mm around it (the half-axes of the oblique ellipsoid along x, y, z)."""
    s, y = h.heart, -0.30 * h.half_depth
    grown = 1 + HEART_REACH / (46 * s)
    rx, ry, rz = 62 * s * grown, 52 * s * grown, 55 * s * grown
    return grid.part((22 - max(rx, 62 * s + 20), 22 + rx), (y - ry, y + max(ry, 54 * s + 20)), (-78 - rz, -78 + max(rz, 58 * s + 24)))


def heart_distance(grid: Grid, h: Habitus) -> Field:
    """Signed distance to the heart, at most `HEART_REACH`: a left-pointing oblique ellipsoid plus the right atrium."""
    out = np.full(grid.shape, HEART_REACH, np.float32)
    box, g = _heart_part(grid, h)
    s = h.heart
    # The long axis runs from the right-back-up to the left-front-down.
    x, y, z = g.x - 22, g.y + 0.30 * h.half_depth, g.z + 78
    u = (0.80 * x - 0.42 * y - 0.43 * z) / (66 * s)
    v = (0.42 * x + 0.90 * y - 0.10 * z) / (46 * s)
    w = (0.43 * x - 0.10 * y + 0.89 * z) / (50 * s)
    ventricles = (np.sqrt(u**2 + v**2 + w**2) - 1) * 46 * s
    atrium = g.ellipsoid((-18, -0.10 * h.half_depth, -62), (34 * s, 34 * s, 42 * s))
    out[box] = np.minimum(np.minimum(ventricles, atrium), HEART_REACH)
    return out


def heart_coordinates(grid: Grid, h: Habitus) -> tuple[Field, Field]:
    """Where each voxel lies along the ventricles: long axis from base (-1) to apex (1), short axis from front (-1) to back (1)."""
    x, y, z = grid.x - 22, grid.y + 0.30 * h.half_depth, grid.z + 78
    long = (0.80 * x - 0.42 * y - 0.43 * z) / (66 * h.heart)
    short = (0.42 * x + 0.90 * y - 0.10 * z) / (46 * h.heart)
    return long.astype(np.float32), short.astype(np.float32)


def _mediastinum_distance(rng: np.random.Generator, grid: Grid, h: Habitus) -> Field:
    """Signed distance to the mediastinal soft tissue between the lungs (without the heart).

    A septum, wider at the hila and drawn in beside the spine and on the right behind the heart (azygo-oesophageal recess), from which
    the aorta, the superior vena cava and the pulmonary arteries bulge.
    """
    hilum = 8 * np.exp(-(((grid.z + 14) / 26) ** 2))
    upper = 8 * np.clip(grid.z / 60, 0, 1)
    width = 21 + hilum + upper
    front = np.clip((grid.y + 0.86 * h.half_depth) / (0.35 * h.half_depth), 0, 1)
    ripple = smooth_field(rng, (grid.shape[0], grid.shape[1], 1), (7, 7, 1)) * np.float32(1.5)
    half = (3 + (width - 3) * front**0.7 + ripple).astype(np.float32)
    shift = 4 + 4 * np.clip(-grid.z / 60, 0, 1)
    recess = 7 * np.clip((grid.y - 14) / 18, 0, 1) * np.clip((20 - grid.z) / 30, 0, 1)
    # The crura of the diaphragm fill the space beside the spine at its lowest levels.
    crura = np.clip((grid.z + h.base - 15) / 25, 0, 1)
    beside_spine = 13 * np.clip((grid.y - 32) / 14, 0, 1) * crura
    offset = grid.x - shift
    out: Field = (np.abs(offset) - half + np.where(offset < 0, np.maximum(recess, beside_spine), beside_spine)).astype(np.float32)
    for path, radius, _ in _vessel_paths(h):
        box, distance = grid.tube_part(path, radius + 3, 12.0)
        np.minimum(out[box], distance, out=out[box])
    return out


def _body(grid: Grid, h: Habitus, voxel: float) -> Field:
    """Air, table, skin, fat and muscle around the cavity."""
    hu = np.full(grid.shape, -1000, np.float32)
    shoulder = 26 * np.clip((grid.z - 30) / 60, 0, 1)
    side = np.abs(grid.x) / h.half_width
    wall = h.muscle * (0.75 + 0.5 * np.clip(grid.y / h.half_depth, 0, 1)) + shoulder * (0.4 + 0.6 * side) + 9
    a, b = _scale(grid, h)
    # The outline keeps the width of the thorax above the apex, where the cavity itself ends.
    a2, b2 = np.maximum(a, 0.62 * h.half_width), np.maximum(b, 0.72 * h.half_depth)
    ring = ((np.abs(grid.x) / a2) ** 2.3 + (np.abs(grid.y) / b2) ** 2.3) ** (1 / 2.3)
    outline = (ring - 1) * np.minimum(a2, b2)
    muscle = outline - wall
    skin = muscle - h.fat * (1 + 0.25 * side)
    if h.breast > 0:
        for sign in (-1, 1):
            bump = grid.ellipsoid((sign * 70, -h.half_depth - h.muscle - h.fat, -50), (52 * h.breast, 42 * h.breast, 52 * h.breast))
            skin = np.minimum(skin, bump)
    for distance, value in ((skin, 20.0), (skin + 2, -100.0), (muscle, 55.0)):
        cover = coverage(distance, voxel)
        hu += cover * (value - hu)
    table_y = h.half_depth + h.muscle * 1.25 + h.fat + 16
    table = coverage(np.abs(grid.y - table_y - (grid.x / 330) ** 2 * -60) - 2.5, voxel) * (np.abs(grid.x) < 200)
    hu += table * np.where(hu < -500, -150 - hu, 0)
    return hu


def _inside(hu: Field, cavity: Field, grid: Grid, h: Habitus, voxel: float, dome: Field) -> None:
    """Mediastinal fat above the diaphragm, liver, spleen and stomach below."""
    inside = coverage(cavity, voxel)
    hu += inside * (-95 - hu)
    below = coverage(np.broadcast_to(grid.z - dome + 3, grid.shape).astype(np.float32), voxel) * inside
    liver = coverage(np.broadcast_to(grid.x - 30 + 0.2 * grid.y, grid.shape).astype(np.float32), voxel)
    hu += below * (-100 - hu)
    hu += below * liver * ((110.0 if h.contrast else 58.0) - hu)
    spleen = coverage(grid.ellipsoid((92, 42, -h.base + 5), (36, 40, 55)), voxel) * below
    hu += spleen * ((120.0 if h.contrast else 50.0) - hu)
    stomach = grid.ellipsoid((62, -20, -h.base + 12), (34, 34, 40))
    hu += coverage(stomach, voxel) * below * (40 - hu)
    hu += coverage(np.maximum(stomach + 4, grid.y + 32), voxel) * below * (-970 - hu)
    muscle_rim = coverage(np.abs(np.broadcast_to(grid.z - dome, grid.shape)).astype(np.float32) - 2, voxel) * inside
    hu += muscle_rim * (50 - hu)


def _skeleton(hu: Field, grid: Grid, h: Habitus, cavity: Field, voxel: float) -> None:
    """Ribs, spine, sternum, clavicles and scapulae."""
    _ribs(hu, grid, h, cavity, voxel)
    _spine(hu, grid, h, voxel)
    _sternum(hu, grid, h, voxel)
    for sign in (-1, 1):
        clavicle = np.array(
            [[sign * 16.0, -0.8 * h.half_depth, 62.0], [sign * 80.0, -0.7 * h.half_depth, 84.0], [sign * 140.0, -0.2 * h.half_depth, 96.0]]
        )
        _pipe(hu, grid, clavicle, 6, ((0.0, 620.0), (-2.0, 220.0)), voxel)
        _scapula(hu, grid, h, cavity, sign, voxel)


def _ribs(hu: Field, grid: Grid, h: Habitus, cavity: Field, voxel: float) -> None:
    """Ribs, 24 mm apart, from high at the back to low at the front, where they turn to cartilage."""
    at = np.flatnonzero(np.abs(cavity.ravel() - 4.5) < 4.6 + voxel)
    at = at[np.repeat(grid.z[:, 0, 0] < h.apex - 12 + voxel, grid.shape[1] * grid.shape[2])[at]]
    z, column = np.divmod(at, grid.shape[1] * grid.shape[2])
    slope = (34 * (1 - np.sin(np.arctan2(grid.y, grid.x / (h.half_width / h.half_depth)))) / 2).ravel()[column]
    height = grid.z[z, 0, 0]
    phase = np.mod(height + slope + 3, 24) - 12
    rib = np.maximum(np.sqrt(phase**2 * np.float32((4.6 / 6.5) ** 2) + (cavity.ravel()[at] - 4.5) ** 2) - 4.6, height - (h.apex - 12))
    front = ((grid.y < -0.55 * h.half_depth) & (np.abs(grid.x) < 0.72 * h.half_width)).ravel()[column]
    flat = hu.reshape(-1)
    values = flat[at]
    values += coverage(rib, voxel) * (np.where(front, np.float32(110), np.float32(760)) - values)
    values += coverage(rib + 1.8, voxel) * np.where(front, np.float32(0), np.float32(230) - values)
    flat[at] = values


def _spine(hu: Field, grid: Grid, h: Habitus, voxel: float) -> None:
    """Muscle bed, vertebral bodies with discs, canal, arches and spinous processes."""
    box, g = grid.part((-24 - voxel, 24 + voxel), (_spine_centre(h) - 24 - voxel, _spine_centre(h) + 62 + voxel))
    part = hu[box]
    part += coverage(_spine_distance(g, h), voxel) * (60 - part)
    yc = _spine_centre(h) + 4 * np.cos(g.z / 90)
    body = (np.sqrt((g.x / 16) ** 2 + ((g.y - yc) / 14) ** 2) - 1) * 14
    disc = np.abs(np.mod(g.z, 24) - 12) - 9.5
    vertebra = np.maximum(body, disc)
    part += coverage(vertebra, voxel) * (520 - part)
    part += coverage(vertebra + 1.8, voxel) * (190 - part)
    canal = (np.sqrt((g.x / 9) ** 2 + ((g.y - yc - 23) / 8) ** 2) - 1) * 8
    lamina = np.maximum(np.abs(canal - 3) - 3, -(g.y - yc - 13))
    spinous = np.maximum(np.abs(g.x) - 3.5, np.maximum(np.abs(g.y - yc - 42) - 13, np.abs(np.mod(g.z + 8, 24) - 12) - 7))
    for bone in (lamina, spinous):
        part += coverage(bone, voxel) * (600 - part)
    part += coverage(canal, voxel) * (25 - part)


def _sternum(hu: Field, grid: Grid, h: Habitus, voxel: float) -> None:
    """Manubrium and body of the sternum: cortex and marrow."""
    box, g = grid.part((-24 - voxel, 24 + voxel), None, (-91 - voxel, 61 + voxel))
    _, b = _scale(g, h)
    width = np.abs(g.x) - (17 + 6 * np.clip(g.z / 40, 0, 1))
    sternum = np.maximum(np.maximum(width, np.abs(g.y + b + 7) - 5.5), np.abs(g.z + 15) - 75)
    part = hu[box]
    part += coverage(sternum, voxel) * (480 - part)
    part += coverage(sternum + 1.6, voxel) * (150 - part)


def _scapula(hu: Field, grid: Grid, h: Habitus, cavity: Field, sign: int, voxel: float) -> None:
    """The blade of one scapula behind the ribs."""
    low, high = 92 - 50 - voxel, 92 + 50 + voxel
    box, g = grid.part((low, high) if sign > 0 else (-high, -low), (0.0, 1e4), (-46 - voxel, 106 + voxel))
    plate = np.abs((g.x * sign - 92) * 0.55 + (g.y - 0.92 * h.half_depth - 14) * 0.83) - 2.2
    width = np.abs(g.x * sign - 92) - (14 + 34 * np.clip((g.z + 40) / 130, 0, 1))
    scapula = np.maximum(np.maximum(plate, width), np.maximum(np.abs(g.z - 30) - 75, 12 - cavity[box]))
    part = hu[box]
    part += coverage(scapula, voxel) * (560 - part)


def pulmonary_paths(h: Habitus) -> list[tuple[NDArray[np.float64], float]]:
    """Centre lines of the main pulmonary artery and its two branches, and their radius as a share of the main one's."""
    front = -0.28 * h.half_depth
    return [
        (np.array([[14.0, front - 6, -56], [18, front, -32], [20, -8, -14]]), 1.0),
        (np.array([[20.0, -8, -14], [0, -6, -16], [-34, 2, -20]]), 0.8),
        (np.array([[20.0, -8, -14], [38, 4, -10], [48, 14, -14]]), 0.8),
    ]


def _vessel_paths(h: Habitus) -> list[tuple[NDArray[np.float64], float, bool]]:
    """Centre line, radius and whether the blood comes from the left heart, of the great vessels."""
    ao, front = h.aorta_radius, -0.28 * h.half_depth
    back = 0.42 * h.half_depth
    ascending = np.array([[-10.0, front, -60], [-16, front, -20], [-14, front, 10], [-4, -8, 30], [10, 14, 34], [20, 30, 24]])
    descending = np.array([[20.0, 30, 24], [22, back, 0], [20, back, -100], [12, back, -260]])
    return [
        (ascending, ao, True),
        (descending, ao * 0.78, True),
        *((path, share * h.pa_radius, False) for path, share in pulmonary_paths(h)),
        (np.array([[-26.0, -14, 70], [-26, -14, -40]]), 8.5, False),
        (np.array([[-8.0, -20, 30], [-14, -16, 110]]), 5.5, True),
        (np.array([[8.0, -4, 34], [14, -4, 110]]), 4.5, True),
    ]


def _great_vessels(hu: Field, grid: Grid, h: Habitus, heart: Field, voxel: float) -> None:
    """Heart, aorta, pulmonary arteries, superior vena cava, oesophagus; trachea and main bronchi are air-filled later."""
    left, right = (330.0, CONTRAST_RIGHT_HU) if h.contrast else (BLOOD_HU, BLOOD_HU)
    box, _ = _heart_part(grid, h)
    part, near = hu[box], heart[box]
    part += coverage(near - 2, voxel) * (-90 - part)
    part += coverage(near, voxel) * ((110.0 if h.contrast else 46.0) - part)
    part += coverage(near + 11, voxel) * (left - part)
    gullet = np.array([[2.0, 30, 120], [4, 32, 0], [8, 34, -120], [20, 20, -190]])
    for path, radius, arterial in _vessel_paths(h):
        _pipe(hu, grid, path, radius, ((1.2, 50.0), (0.0, left if arterial else right)), voxel)
    _pipe(hu, grid, gullet, 7, ((0.0, 40.0),), voxel)


def _pipe(hu: Field, grid: Grid, path: NDArray[np.float64], radius: float, layers: tuple[tuple[float, float], ...], voxel: float) -> None:
    """Paint tubes around a path, one after the other: `(mm added to the radius, HU)`."""
    box, distance = grid.tube_part(path, radius, voxel + max(0.0, *(wider for wider, _ in layers)))
    part = hu[box]
    for wider, value in layers:
        part += coverage(distance - wider, voxel) * (value - part)


def _parenchyma(rng: np.random.Generator, grid: Grid, h: Habitus) -> Field:
    """Aerated lung: mean HU, denser towards the back (gravity, supine), with regional variation."""
    gravity = 45 * (grid.y / h.half_depth)
    regional = smooth_field(rng, grid.shape, (5, 5, 5)) * 12
    out: Field = (h.lung_hu + gravity + regional).astype(np.float32)
    return out


def _lobes(rng: np.random.Generator, grid: Grid, h: Habitus, lung: Mask) -> NDArray[np.uint8]:
    """Five lobes: oblique fissures on both sides, the horizontal one on the right."""
    tilt = rng.normal(0, 4, 3)
    wave = smooth_field(rng, (1, grid.shape[1], grid.shape[2]), (1, 3, 3)) * 3
    right_oblique = -40 + tilt[0] + 0.95 * grid.y + wave
    left_oblique = -32 + tilt[1] + 1.0 * grid.y + wave
    horizontal = -38 + tilt[2] + 0.06 * (grid.x + 60) + wave
    right = np.broadcast_to(grid.x < 4, grid.shape)
    below_r, below_l, below_h = grid.z < right_oblique, grid.z < left_oblique, grid.z < horizontal
    lobes = np.where(right, np.where(below_r, RLL, np.where(below_h, RML, RUL)), np.where(below_l, LLL, LUL))
    return np.where(lung, lobes, 0).astype(np.uint8)


def _fissures(canvas: Canvas) -> None:
    """A thin denser line where neighbouring voxels belong to different lobes of one lung."""
    lobes, side = canvas.lobes, canvas.lobes <= RLL
    for axis in (0, 1):
        a, b = np.moveaxis(lobes, axis, 0)[:-1], np.moveaxis(lobes, axis, 0)[1:]
        sa, sb = np.moveaxis(side, axis, 0)[:-1], np.moveaxis(side, axis, 0)[1:]
        edge = (a != b) & (a > 0) & (b > 0) & (sa == sb)
        target = np.moveaxis(canvas.hu, axis, 0)[:-1]
        fade = min(1.0, 1.1 / canvas.grid.spacing[axis])
        target[edge] += (-640 - target[edge]) * fade * 0.5


def _branches(rng: np.random.Generator, canvas: Canvas, voxel: float) -> None:
    """Airways with walls, and arteries and veins, grown to points spread through each lobe."""
    grid = canvas.grid
    carina = np.array([0.0, 8.0, 0.0])
    trunk = [(np.array([1.0, 8, 140]), carina, 8.3, 0)]
    roots = {
        RUL: (-30.0, 10.0, -16.0),
        RML: (-38.0, 0.0, -44.0),
        RLL: (-40.0, 18.0, -48.0),
        LUL: (42.0, 6.0, -26.0),
        LLL: (42.0, 22.0, -42.0),
    }
    main = {"r": np.array([-26.0, 12, -24]), "l": np.array([36.0, 14, -30])}
    trunk += [(carina, main["r"], 6.6, 1), (carina, main["l"], 6.0, 1)]
    air: list[_Plan] = []
    blood: list[_Plan] = []
    flat = np.flatnonzero((canvas.lobes > 0) & (canvas.depth > 4))
    member = canvas.lobes.ravel()[flat]
    for lobe, at in roots.items():
        inside = flat[member == lobe]
        if len(inside) < 50:
            continue
        root = np.array(at)
        hub = main["r"] if lobe <= RLL else main["l"]
        trunk.append((hub, root, 4.6, 2))
        share = len(inside) / 40000 * np.prod(grid.spacing) / 60
        pick = rng.choice(inside, size=min(len(inside), int(np.clip(620 * share, 140, 1000))), replace=False)
        targets = grid.millimetres(np.stack(np.unravel_index(pick, grid.shape), 1))
        air.append((root, targets[::12], 4.4, 0.9))
        blood.append((root + np.array([0.0, -7.0, 4.0]), targets + rng.normal(0, 2, targets.shape), 5.2, 0.55))
        veins = targets[::2] + rng.normal(0, 7, targets[::2].shape)
        blood.append((root * np.array([0.7, 1, 1]) + np.array([0, -12, -16]), veins, 4.8, 0.6))
    start, end, radius, generation = (np.array(v) for v in zip(*trunk, strict=True))
    canvas.airways = _join([Tree(start, end, radius, generation), _forest(rng, air)])
    cover = draw(_forest(rng, blood), grid)
    in_lung = canvas.lungs
    # Vessels brighten towards the lung only; inside the mediastinum the large ones are drawn already.
    canvas.vessels = np.where(in_lung, cover, 0).astype(np.float32)
    canvas.hu += canvas.vessels * ((300.0 if canvas.habitus.contrast else 40.0) - canvas.hu)
    seen = _visible(canvas)
    # Wall about a fifth of the outer diameter (Awadh et al., Thorax 1998;53:248), never thinner than the scan shows.
    outer = Tree(seen.start, seen.end, seen.radius + np.clip(0.35 * seen.radius, 0.45, 1.2), seen.generation)
    wall = draw(outer, grid)
    canvas.hu += wall * np.where(canvas.hu < 0, 20 - canvas.hu, 0) * np.float32(0.85)
    canvas.hu += draw(seen, grid) * (-985 - canvas.hu)


def _visible(canvas: Canvas) -> Tree:
    """The airways that a scan of a healthy lung shows: none in the outer 2 cm.

    Hansell et al., Radiology 2008, doi 10.1148/radiol.2462070712.
    """
    tree, grid = canvas.airways, canvas.grid
    index = np.rint(grid.index(tree.end)).astype(int)
    z, y, x = (np.clip(index[:, k], 0, n - 1) for k, n in enumerate(grid.shape))
    keep = (tree.generation < 2) | (canvas.depth[z, y, x] > 20)
    return Tree(tree.start[keep], tree.end[keep], tree.radius[keep], tree.generation[keep])


# Root, targets, radius at the root and smallest radius of one tree; mm.
_Plan = tuple[NDArray[np.float64], NDArray[np.float64], float, float]


def _forest(rng: np.random.Generator, plans: list[_Plan]) -> Tree:
    """Grow the trees of all lobes at once."""
    if not plans:
        return _no_tree()
    roots, targets, radius, smallest = zip(*plans, strict=True)
    owner = np.repeat(np.arange(len(plans)), [len(t) for t in targets])
    return grow(rng, np.array(roots), np.concatenate(targets), owner, np.array(radius), np.array(smallest))


def _join(trees: list[Tree]) -> Tree:
    return Tree(
        np.concatenate([t.start for t in trees]),
        np.concatenate([t.end for t in trees]),
        np.concatenate([t.radius for t in trees]),
        np.concatenate([t.generation for t in trees]),
    )
