"""Ground glass, consolidation, crazy paving, atelectasis."""

from typing import Literal

import numpy as np

from medmpt_backend.cohort.anatomy import RLL, Canvas
from medmpt_backend.cohort.findings.base import PaintedFinding, lift, quantile_cover, record, texture


def ground_glass(
    rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], amount: float = 0.3, peripheral: bool = True
) -> PaintedFinding:
    """Hazy patches that leave vessels visible; `amount` is the fraction of the chosen lobes."""
    inside = np.isin(canvas.lobes, lobes)
    score = texture(rng, canvas, 26.0) + 0.5 * texture(rng, canvas, 13.0)
    if peripheral:
        score += (canvas.grid.y / 120 - canvas.depth / 14).astype(np.float32)
    cover = quantile_cover(score, inside, amount, 0.35)
    rise = rng.uniform(190, 290) + texture(rng, canvas, 16.0) * 25
    canvas.hu += cover * np.where(canvas.hu < -500, rise, 0)
    return record(canvas, "ground_glass", cover > 0.5)


def crazy_paving(rng: np.random.Generator, canvas: Canvas, *, lobes: tuple[int, ...], amount: float = 0.3) -> PaintedFinding:
    """Ground glass with a superimposed fine mesh of septal lines."""
    haze = ground_glass(rng, canvas, lobes=lobes, amount=amount, peripheral=False)
    mesh = np.clip(1 - np.abs(texture(rng, canvas, 8.0)) / 0.25, 0, 1)
    lift(canvas, mesh * haze.mask, -330)
    return record(canvas, "crazy_paving", haze.mask)


def consolidation(rng: np.random.Generator, canvas: Canvas, *, lobe: int, amount: float = 0.6, patchy: bool = False) -> PaintedFinding:
    """Consolidation with air bronchograms: lobar (dependent parts first) or patchy along the bronchi."""
    inside = canvas.lobes == lobe
    if patchy:
        score = texture(rng, canvas, 22.0) + 0.4 * texture(rng, canvas, 10.0)
    else:
        score = (texture(rng, canvas, 40.0) * 0.6 + canvas.grid.y / 45 - canvas.grid.z / 90).astype(np.float32)
    cover = quantile_cover(score, inside, amount, 0.25)
    airway = canvas.hu < -930
    lift(canvas, cover * ~airway, 38 + texture(rng, canvas, 18.0) * 8)
    return record(canvas, "consolidation", cover > 0.5)


def atelectasis(rng: np.random.Generator, canvas: Canvas, *, side: Literal["left", "right"], amount: float = 0.1) -> PaintedFinding:
    """Dependent, band-like volume loss at one base."""
    lung = (canvas.lobes > 0) & ((canvas.lobes <= RLL) if side == "right" else (canvas.lobes > RLL))
    above = np.broadcast_to(canvas.grid.z - canvas.dome_height, canvas.grid.shape)
    score = (-above / 12 + canvas.grid.y / 60 + 0.4 * texture(rng, canvas, 30.0)).astype(np.float32)
    cover = quantile_cover(score, lung, amount, 0.4)
    lift(canvas, cover, 10)
    return record(canvas, "atelectasis", cover > 0.5)
