"""Bronchiectasis, wall thickening, tree-in-bud, mosaic attenuation."""

import numpy as np

from medmpt_backend.cohort.anatomy import Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, lift, quantile_cover, record, sink, texture
from medmpt_backend.cohort.trees import Tree, draw


def _in_lobes(canvas: Canvas, lobes: tuple[int, ...], generations: tuple[int, int]) -> Tree:
    tree = canvas.airways
    index = np.rint(canvas.grid.index((tree.start + tree.end) / 2)).astype(int)
    ok = np.all((index >= 0) & (index < canvas.grid.shape), axis=1)
    ok &= (tree.generation >= generations[0]) & (tree.generation <= generations[1])
    ok[ok] = np.isin(canvas.lobes[tuple(index[ok].T)], lobes)
    return Tree(tree.start[ok], tree.end[ok], tree.radius[ok], tree.generation[ok])


def bronchiectasis(
    rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], widen_mm: float = 2.2, plugged: float = 0.15
) -> PaintedFinding:
    """Airways wider than their artery with thick walls; a share of them filled with mucus."""
    tree = _in_lobes(canvas, lobes, (1, 5))
    wide = Tree(tree.start, tree.end, tree.radius + widen_mm, tree.generation)
    wall, lumen = draw(wide, canvas.grid, widen=1.5) * canvas.lungs, draw(wide, canvas.grid) * canvas.lungs
    lift(canvas, wall, 0)
    sink(canvas, lumen, -970)
    full = rng.random(len(wide.radius)) < plugged
    if full.any():
        plug = Tree(wide.start[full], wide.end[full], wide.radius[full], wide.generation[full])
        lift(canvas, draw(plug, canvas.grid) * canvas.lungs, 12)
    return record(canvas, "bronchiectasis", wall > 0.3)


def mucus_plugs(
    rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], share: float = 0.35, widen_mm: float = 1.6, dense: bool = False
) -> PaintedFinding:
    """Branching tubes of mucus (finger in glove); `dense` mucus is typical of allergic aspergillosis."""
    tree = _in_lobes(canvas, lobes, (2, 6))
    full = rng.random(len(tree.radius)) < share
    plug = Tree(tree.start[full], tree.end[full], tree.radius[full] + widen_mm, tree.generation[full])
    cover = draw(plug, canvas.grid) * canvas.lungs
    # High-attenuation mucus is denser than muscle, 70 HU and more: Agarwal et al., Clin Exp Allergy 2013;43:850.
    lift(canvas, cover, (110.0 if dense else 14.0) + float(rng.normal(0, 4)))
    return record(canvas, "mucus_plugs", cover > 0.4)


def peribronchial_thickening(rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], wall_mm: float = 1.4) -> PaintedFinding:
    """Thick walls of central and segmental bronchi; the lumen stays."""
    tree = _in_lobes(canvas, lobes, (0, 4))
    wall = draw(tree, canvas.grid, widen=1.1 + wall_mm * rng.uniform(0.8, 1.2)) * canvas.lungs
    lumen = draw(tree, canvas.grid)
    ring = wall * (1 - lumen)
    lift(canvas, ring, -10)
    return record(canvas, "peribronchial_thickening", ring > 0.3)


def tree_in_bud(rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], amount: float = 0.3) -> PaintedFinding:
    """Plugged small airways: centrilobular branching dots that spare the pleura by a few mm."""
    inside = np.isin(canvas.lobes, lobes)
    zone = quantile_cover(texture(rng, canvas, 40.0), inside, amount, 0.4) * (canvas.depth > 4)
    places = np.argwhere(zone > 0.6)
    if not len(places):
        return record(canvas, "tree_in_bud", np.zeros(canvas.grid.shape, bool))
    number = int(len(places) * min(1.0, 0.00022 * float(np.prod(canvas.grid.spacing))))
    stems = canvas.grid.millimetres(places[rng.choice(len(places), size=max(1, number), replace=False)])
    tips = np.repeat(stems, 3, axis=0) + rng.normal(0, 2.6, (3 * len(stems), 3))
    start = np.concatenate([np.repeat(stems, 3, axis=0), tips])
    end = np.concatenate([tips, tips + 0.01])
    radius = np.concatenate([np.full(len(tips), 0.7), np.full(len(tips), 1.5)])
    cover = draw(Tree(start, end, radius, np.zeros(len(radius), np.int64)), canvas.grid) * inside
    lift(canvas, cover, -120)
    return record(canvas, "tree_in_bud", cover > 0.25)


def mosaic_attenuation(rng: np.random.Generator, canvas: Canvas, *, amount: float = 0.45) -> PaintedFinding:
    """Sharply bounded lobules of lower attenuation with smaller vessels (air trapping) beside normal lung."""
    zone = quantile_cover(texture(rng, canvas, 24.0), canvas.lungs, amount, 0.12)
    canvas.hu += zone * np.where(canvas.hu < -600, -62, 0)
    sink(canvas, zone * (canvas.vessels < 0.5) * (canvas.vessels > 0.02) * 0.5, -840)
    canvas.hu += (1 - zone) * canvas.lungs * np.where(canvas.hu < -600, 28, 0)
    return record(canvas, "mosaic_attenuation", zone > 0.5)
