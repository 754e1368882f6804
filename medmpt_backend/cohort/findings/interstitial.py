"""Septal thickening, reticulation, honeycombing, traction and fibrotic bands."""

import numpy as np
from scipy import ndimage

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, lift, quantile_cover, record, sink, spot, texture


def fibrosis(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.16, honeycombing: bool = True) -> tuple[PaintedFinding, ...]:
    """Subpleural, basal reticulation with traction bronchiectasis: probable UIP; with honeycombing (clustered walled cysts): UIP."""
    inside = canvas.lungs
    to_wall = ndimage.distance_transform_edt(inside, sampling=canvas.grid.spacing).astype(np.float32)
    basal = np.clip(-canvas.grid.z / 60, -0.5, 2)
    score = (texture(rng, canvas, 36.0) * 0.5 - to_wall / 9 + basal + canvas.grid.y / 140).astype(np.float32)
    zone = quantile_cover(score, inside, amount, 0.5)
    net = np.abs(texture(rng, canvas, 5.5))
    lines = np.clip(1 - net / 0.42, 0, 1)
    lift(canvas, zone * lines, -150)
    canvas.hu += zone * (1 - lines) * np.where(canvas.hu < -600, 110, 0)
    out = [record(canvas, "reticulation", zone > 0.5), _traction(rng, canvas, zone > 0.3)]
    if honeycombing:
        core = (zone > 0.85) & (to_wall < 14) & (np.broadcast_to(canvas.grid.z, canvas.grid.shape) < -15)
        holes = core & (net > 0.42)
        sink(canvas, holes, -930)
        lift(canvas, core & ~holes, -60)
        out.append(record(canvas, "honeycombing", core))
    return tuple(f for f in out if f.mask.any())


def nsip(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.35) -> tuple[PaintedFinding, ...]:
    """Non-specific interstitial pneumonia: symmetric basal ground glass and fine lines that spare the subpleural band, with traction.

    Travis et al., Am J Respir Crit Care Med 2008;177:1338.
    """
    inside = canvas.lungs
    to_wall = ndimage.distance_transform_edt(inside, sampling=canvas.grid.spacing).astype(np.float32)
    patches = texture(rng, canvas, 40.0)
    symmetric = (patches + patches[:, :, ::-1]) * np.float32(0.35)
    spared = np.clip(1 - to_wall / 7, 0, 1) * np.float32(2.5)
    score = (symmetric - canvas.grid.z / 45 + canvas.grid.y / 110 - to_wall / 40 - spared).astype(np.float32)
    zone = quantile_cover(score, inside, amount, 0.7)
    canvas.hu += zone * np.where(canvas.hu < -500, float(rng.uniform(170, 230)), 0).astype(np.float32)
    lines = np.clip(1 - np.abs(texture(rng, canvas, 4.5)) / 0.35, 0, 1)
    core = quantile_cover(score, inside, 0.6 * amount, 0.5)
    lift(canvas, core * lines * np.float32(0.7), -320)
    out = [
        record(canvas, "ground_glass", zone > 0.5),
        record(canvas, "reticulation", core > 0.5),
        _traction(rng, canvas, core > 0.3),
    ]
    return tuple(f for f in out if f.mask.any())


def _traction(rng: np.random.Generator, canvas: Canvas, zone: np.ndarray) -> PaintedFinding:
    """Dilated, irregular airways inside fibrotic lung."""
    from medmpt_backend.cohort.trees import Tree, draw

    tree = canvas.airways
    index = np.rint(canvas.grid.index((tree.start + tree.end) / 2)).astype(int)
    ok = np.all((index >= 0) & (index < canvas.grid.shape), axis=1) & (tree.generation >= 2)
    ok[ok] = zone[tuple(index[ok].T)]
    picked = Tree(tree.start[ok], tree.end[ok], tree.radius[ok] * rng.uniform(1.5, 2.2) + 0.8, tree.generation[ok])
    if not ok.any():
        return record(canvas, "traction_bronchiectasis", np.zeros(canvas.grid.shape, bool))
    wall, lumen = draw(picked, canvas.grid, widen=1.3), draw(picked, canvas.grid)
    lift(canvas, wall * canvas.lungs, -40)
    sink(canvas, lumen * canvas.lungs, -950)
    return record(canvas, "traction_bronchiectasis", (wall > 0.3) & canvas.lungs)


def septal_thickening(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.5) -> PaintedFinding:
    """Smooth interlobular septal lines, 15 mm apart, peripheral and basal, as in interstitial oedema."""
    inside = canvas.lungs
    score = (-canvas.depth / 30 - canvas.grid.z / 110 + 0.4 * texture(rng, canvas, 50.0)).astype(np.float32)
    zone = quantile_cover(score, inside, amount, 0.6)
    cells = np.minimum(np.abs(texture(rng, canvas, 15.0)), np.abs(texture(rng, canvas, 15.0)))
    lines = np.clip(1 - cells / 0.09, 0, 1) * zone
    lift(canvas, lines, -330)
    canvas.hu += zone * np.where(canvas.hu < -600, 35, 0)
    return record(canvas, "interlobular_septal_thickening", (zone > 0.5) & (cells < 0.12))


def fibrotic_bands(rng: np.random.Generator, canvas: Canvas, *, lobe: int, number: int = 3) -> PaintedFinding:
    """Linear scars reaching the pleura: sequelae of an old infection."""
    from medmpt_backend.cohort.trees import Tree, draw

    starts, ends = [], []
    for _ in range(number):
        deep = canvas.grid.millimetres(np.array([spot(rng, canvas, lobe, (14, 45))]))[0]
        edge = canvas.grid.millimetres(np.array([spot(rng, canvas, lobe, (1, 6))]))[0]
        step = edge - deep
        starts.append(deep)
        ends.append(deep + step * min(1.0, 38 / max(1e-6, float(np.linalg.norm(step)))))
    radius = rng.uniform(1.0, 1.9, number)
    cover = draw(Tree(np.array(starts), np.array(ends), radius, np.zeros(number, np.int64)), canvas.grid) * canvas.lungs
    lift(canvas, cover, 20)
    return record(canvas, "pulmonary_fibrotic_sequela", cover > 0.3)
