"""Nodules, masses, cavities, and diffuse small nodules."""

from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, ball, lift, record, sink, soft, spot, texture, voxel_mm
from medmpt_backend.cohort.grid import Field
from medmpt_backend.cohort.trees import Tree, draw

# Fleischner glossary 2024: a nodule measures up to 30 mm, a mass more.
MASS_MM = 30.0


def solid_nodule(
    rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float, spiculated: bool = False, rays: int = 0
) -> PaintedFinding:
    """A solid nodule or mass, smooth or spiculated, away from vessels and pleura; `rays` adds that many straight spicules."""
    distance = _place(rng, canvas, lobe, diameter_mm, 0.16 if spiculated else 0.05)
    cover = soft(distance, voxel_mm(canvas)) * canvas.lungs
    if spiculated:
        tufts = texture(rng, canvas, 5.0)
        cover = np.maximum(cover, np.clip(1 - distance / (0.25 * diameter_mm), 0, 1) * (tufts > 1.1) * canvas.lungs * 0.55)
    if rays:
        cover = np.maximum(cover, _spicules(rng, canvas, distance, diameter_mm, rays) * canvas.lungs)
    lift(canvas, cover, 35)
    return record(canvas, "mass" if diameter_mm > MASS_MM else "nodule_solid", (distance < 0) & canvas.lungs, diameter_mm)


def _spicules(rng: np.random.Generator, canvas: Canvas, distance: Field, diameter_mm: float, number: int) -> Field:
    """Thin strands, 2 mm and more long, that leave a lesion in all directions."""
    centre = canvas.grid.millimetres(np.argwhere(distance == distance.min())[:1])
    away = rng.normal(0, 1, (number, 3))
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    length = diameter_mm / 2 + rng.uniform(2, 4 + 0.3 * diameter_mm, (number, 1))
    tips, roots = centre + away * length, centre + away * diameter_mm / 3
    middle = (tips + roots) / 2
    start, end = np.concatenate([roots, middle]), np.concatenate([middle, tips])
    radius = np.concatenate([np.full(number, 0.9), np.full(number, 0.5)])
    return draw(Tree(start, end, radius, np.zeros(2 * number, np.int64)), canvas.grid)


def ground_glass_nodule(rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float) -> PaintedFinding:
    """A pure ground-glass nodule: hazy, vessels stay visible."""
    distance = _place(rng, canvas, lobe, diameter_mm, 0.08)
    lift(canvas, soft(distance, 1.5 * voxel_mm(canvas)) * canvas.lungs, -620 + 30 * texture(rng, canvas, 4.0))
    return record(canvas, "nodule_ground_glass", (distance < 0) & canvas.lungs, diameter_mm)


def part_solid_nodule(rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float, solid_mm: float) -> PaintedFinding:
    """A part-solid nodule: a ground-glass nodule with a solid core."""
    distance = _place(rng, canvas, lobe, diameter_mm, 0.08)
    lift(canvas, soft(distance, 1.5 * voxel_mm(canvas)) * canvas.lungs, -600)
    core = distance + (diameter_mm - solid_mm) / 2
    lift(canvas, soft(core, voxel_mm(canvas)) * canvas.lungs, 25)
    return record(canvas, "nodule_part_solid", (distance < 0) & canvas.lungs, diameter_mm)


Calcification = Literal["diffuse", "central", "laminated", "popcorn"]


def calcified_granuloma(
    rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float, pattern: Calcification = "diffuse"
) -> PaintedFinding:
    """A smooth nodule with one of the four benign patterns of calcification; `popcorn` is a hamartoma with fat.

    Erasmus et al., RadioGraphics 2000;20:43.
    """
    distance = _place(rng, canvas, lobe, diameter_mm, 0.0)
    cover = soft(distance, voxel_mm(canvas)) * canvas.lungs
    mask = (distance < 0) & canvas.lungs
    if pattern == "diffuse":
        lift(canvas, cover, 620)
        return record(canvas, "granuloma_calcified", mask, diameter_mm)
    lift(canvas, cover, 40)
    deep = -distance / (diameter_mm / 2)
    if pattern == "popcorn":
        lumps = texture(rng, canvas, max(3.5, diameter_mm / 4)) * (deep > 0.15)
        sink(canvas, cover * np.clip(-1.5 * lumps - 0.9, 0, 1), -70)
        lift(canvas, cover * np.clip(2 * lumps - 1.0, 0, 1), 480)
        return record(canvas, "hamartoma", mask, diameter_mm)
    rings = np.clip(3 * (deep - 0.45), 0, 1) if pattern == "central" else np.clip(1.6 * np.cos(deep * 2 * np.pi) - 0.3, 0, 1)
    lift(canvas, cover * rings, 560)
    return record(canvas, "granuloma_calcified", mask, diameter_mm)


def perifissural_nodule(rng: np.random.Generator, canvas: Canvas, *, diameter_mm: float) -> PaintedFinding:
    """A small flat-sided nodule on a fissure: an intrapulmonary lymph node."""
    lobes = canvas.lobes.astype(np.int16)
    edge = np.zeros(canvas.grid.shape, bool)
    # A fissure separates lobes of the same lung: 1-3 on the right, 4-5 on the left.
    same_lung = (lobes[1:] <= 3) == (lobes[:-1] <= 3)
    edge[1:] = (lobes[1:] != lobes[:-1]) & (lobes[1:] > 0) & (lobes[:-1] > 0) & same_lung & (canvas.depth[1:] > 12)
    places = np.argwhere(edge)
    z, y, x = (int(v) for v in places[rng.integers(len(places))])
    grid = canvas.grid
    mm = grid.millimetres(np.array([[z, y, x]]))[0]
    oval = np.sqrt((grid.x - mm[0]) ** 2 + (grid.y - mm[1]) ** 2 + ((grid.z - mm[2]) * 1.6) ** 2) - diameter_mm / 2
    lift(canvas, soft(oval, voxel_mm(canvas)) * canvas.lungs, 20)
    return record(canvas, "nodule_perifissural", (oval < 0) & canvas.lungs, diameter_mm)


def halo_nodule(rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float) -> PaintedFinding:
    """A nodule with a halo of ground glass (halo sign)."""
    distance = _place(rng, canvas, lobe, diameter_mm * 1.7, 0.1)
    lift(canvas, soft(distance, 4.0) * canvas.lungs, -560)
    lift(canvas, soft(distance + 0.35 * diameter_mm, voxel_mm(canvas)) * canvas.lungs, 30)
    return record(canvas, "halo_sign", (distance < 0) & canvas.lungs, diameter_mm)


def cavity(
    rng: np.random.Generator, canvas: Canvas, *, lobe: int, diameter_mm: float, wall_mm: float, fluid: bool = False
) -> PaintedFinding:
    """A thick-walled cavity, with an air-fluid level when asked (an abscess)."""
    distance = _place(rng, canvas, lobe, diameter_mm, 0.12)
    lift(canvas, soft(distance, voxel_mm(canvas)) * canvas.lungs, 35)
    hollow = soft(distance + wall_mm, voxel_mm(canvas)) * canvas.lungs
    if fluid:
        y = np.broadcast_to(canvas.grid.y, canvas.grid.shape)
        level = float(np.quantile(y[hollow > 0.5], 0.55)) if np.any(hollow > 0.5) else 0.0
        hollow = hollow * (y < level)
    sink(canvas, hollow, -975)
    return record(canvas, "cavity", (distance < 0) & canvas.lungs, diameter_mm)


def diffuse_nodules(
    rng: np.random.Generator, canvas: Canvas, *, pattern: Literal["centrilobular", "perilymphatic", "miliary"], density: float = 1.0
) -> PaintedFinding:
    """Many small nodules: centrilobular (hazy, spare the pleura), perilymphatic (on pleura, fissures, bundles) or miliary (random)."""
    inside = canvas.lungs
    weight = np.where(inside, 1.0, 0.0)
    if pattern == "centrilobular":
        weight *= (canvas.depth > 6) & (canvas.vessels < 0.1)
    elif pattern == "perilymphatic":
        near_wall = np.clip(1 - canvas.depth / 6, 0, 1)
        near_vessel = np.clip(canvas.vessels * 4, 0, 1)
        weight *= 0.03 + near_wall + near_vessel + (canvas.grid.z > 0) * 0.2
    flat = np.flatnonzero(weight > 0.02)
    litres = inside.sum() * np.prod(canvas.grid.spacing) / 1e6
    number = int(min(len(flat), 260 * litres * density))
    p = weight.ravel()[flat]
    chosen = rng.choice(flat, size=number, replace=False, p=p / p.sum())
    size, value = {"centrilobular": (2.4, -560.0), "perilymphatic": (1.7, -80.0), "miliary": (1.3, -60.0)}[pattern]
    cover = _dots(canvas, chosen, size)
    lift(canvas, cover * inside, value)
    return record(canvas, f"nodules_{pattern}", (cover > 0.25) & inside)


def _dots(canvas: Canvas, flat: np.ndarray, radius_mm: float) -> Field:
    """Coverage of small balls at flat voxel indices."""
    voxels = np.stack(np.unravel_index(flat, canvas.grid.shape), 1).astype(np.int64)
    mm = canvas.grid.millimetres(voxels)
    radius = np.full(len(mm), radius_mm)
    return draw(Tree(mm, mm + 0.01, radius, np.zeros(len(mm), np.int64)), canvas.grid)


def _place(rng: np.random.Generator, canvas: Canvas, lobe: int, diameter_mm: float, rough: float) -> Field:
    """Signed distance to a lesion at a random free place of the lobe."""
    radius = diameter_mm / 2
    centre = spot(rng, canvas, lobe, (min(radius + 4, 22.0), radius + 30))
    return ball(rng, canvas, centre, radius, rough)
