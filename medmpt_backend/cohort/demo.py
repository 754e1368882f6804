"""Studies of the demo cases, by recipe and seed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from medmpt_backend.cohort import findings
from medmpt_backend.cohort.anatomy import LLL, RLL, RUL, Canvas, Habitus
from medmpt_backend.cohort.findings import PaintedFinding
from medmpt_backend.cohort.patients.patient import draw_scan
from medmpt_backend.cohort.thorax import Scan, SyntheticStudy, finish, start
from medmpt_backend.errors import BadInput

Painted = tuple[PaintedFinding, ...]


def _normal(_: np.random.Generator, __: Canvas) -> Painted:
    return ()


def _pneumonia(rng: np.random.Generator, canvas: Canvas) -> Painted:
    """Right lower lobe pneumonia with a small parapneumonic effusion and haze beside it."""
    haze = findings.ground_glass(rng, canvas, lobes=(RLL,), amount=0.5, peripheral=False)
    solid = findings.consolidation(rng, canvas, lobe=RLL, amount=0.32)
    fluid = findings.pleural_effusion(rng, canvas, side="right", depth_mm=16)
    return haze, solid, fluid


def _copd(rng: np.random.Generator, canvas: Canvas) -> Painted:
    """Upper-lobe emphysema with a solid nodule in the right upper lobe."""
    nodule = findings.solid_nodule(rng, canvas, lobe=RUL, diameter_mm=11, spiculated=True)
    return findings.emphysema(rng, canvas, amount=0.22), nodule


def _uip(rng: np.random.Generator, canvas: Canvas) -> Painted:
    """Usual interstitial pneumonia: basal, subpleural reticulation with honeycombing."""
    return findings.fibrosis(rng, canvas, amount=0.17, honeycombing=True)


def _viral(rng: np.random.Generator, canvas: Canvas) -> Painted:
    """Peripheral ground glass in both lower lobes."""
    return (findings.ground_glass(rng, canvas, lobes=(RLL, LLL), amount=0.4),)


SHAPE = (136, 320, 320)
# Second number of the seed of a drawn scan.
_SCAN = 3
# Largest pixel: larger ones would put the densities outside the domain of `ct quantify` (`validity.COARSE_PIXEL_MM`).
_PIXEL_MM = 1.15

RECIPES: dict[str, tuple[Habitus, Callable[[np.random.Generator, Canvas], Painted]]] = {
    "normal": (Habitus(), _normal),
    "pneumonia": (Habitus(fat=20, lung_hu=-835), _pneumonia),
    "copd": (Habitus(half_depth=101, base=178, dome=52, fat=12, lung_hu=-885), _copd),
    "uip": (Habitus(half_width=124, base=142, dome=82, lung_hu=-815), _uip),
    "viral": (Habitus(half_width=126, half_depth=88, fat=24, breast=0.8, lung_hu=-830), _viral),
}


def generate(recipe: str, seed: int, scan: Scan | None = None) -> SyntheticStudy:
    """Generate the study of one demo recipe.

    Args:
        recipe: A name of `RECIPES`.
        seed: Seed; the same seed gives the same voxels.
        scan: How it is scanned; by default drawn as a patient's scan is, with 136 slices of 320 x 320.

    Raises:
        BadInput: The recipe does not exist.
    """
    if recipe not in RECIPES:
        raise BadInput(f"no demo recipe {recipe!r}; there are: {', '.join(RECIPES)}")
    habitus, painter = RECIPES[recipe]
    scan = scan or _drawn(seed, habitus)
    rng = np.random.default_rng(seed)
    canvas = start(rng, scan, habitus)
    return finish(rng, canvas, scan, painter(rng, canvas))


def _drawn(seed: int, habitus: Habitus) -> Scan:
    drawn = draw_scan(np.random.default_rng([seed, _SCAN]), SHAPE, habitus)
    depth, height, width = drawn.spacing
    return replace(drawn, spacing=(depth, min(height, _PIXEL_MM), min(width, _PIXEL_MM)))
