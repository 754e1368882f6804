"""What fluid of the pleural space is like: its density, and whether it lies free or walled off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medmpt_backend.imaging.anatomy.cavity import Cavity
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT
from medmpt_backend.imaging.findings.groups import Form

# Of a patient on the back free fluid reaches the lowest part of the chest in most of its slices; what does not is walled off.
LOWEST_MM = 22.0
FREE_SHARE = 0.5
# A part below this tells nothing of its form.
LEAST_ML = 30.0


@dataclass(frozen=True)
class Character:
    """Mean density and form of the fluid of one side; None without fluid."""

    hu: float | None
    form: Form | None


def characters(mask: NDArray[np.bool_], cavity: Cavity) -> tuple[Character, Character]:
    """Density and form of the fluid, right and left.

    Args:
        mask: Fluid on the cavity's grid.
        cavity: The rib cage.
    """
    columns = np.flatnonzero((cavity.side > 0).any(axis=(0, 1)))
    if not mask.any() or not len(columns):
        return Character(None, None), Character(None, None)
    half = (columns[0] + columns[-1]) / 2
    right = np.arange(mask.shape[2]) < half
    found = []
    for side, own in ((RIGHT, right), (LEFT, ~right)):
        here = mask & ((cavity.side == side) | ((cavity.side == 0) & own))
        found.append(Character(_density(here, cavity), _form(here, cavity, side)))
    return found[0], found[1]


def _density(mask: NDArray[np.bool_], cavity: Cavity) -> float | None:
    """Mean HU away from the edge, where there is such a part."""
    if not mask.any():
        return None
    inner = ndimage.binary_erosion(mask, structure=np.ones((1, 3, 3), dtype=bool))
    return float(cavity.grid.hu[inner if inner.any() else mask].mean())


def _form(mask: NDArray[np.bool_], cavity: Cavity, side: int) -> Form | None:
    """`free`, `loculated` or `both`."""
    labels, _ = ndimage.label(mask)
    forms: set[Form] = set()
    lowest = _lowest_rows(cavity, side)
    for i, box in enumerate(ndimage.find_objects(labels), 1):
        part = labels[box] == i
        if np.count_nonzero(part) * cavity.grid.voxel_ml < LEAST_ML:
            continue
        areas = np.count_nonzero(part, axis=(1, 2))
        rows = box[1].start + part.shape[1] - 1 - np.argmax(part.any(axis=2)[:, ::-1], axis=1)
        gap = (lowest[box[0]] - rows) * cavity.grid.spacing[1]
        forms.add("free" if float(areas[gap <= LOWEST_MM].sum()) >= FREE_SHARE * float(areas.sum()) else "loculated")
    return "both" if len(forms) == 2 else next(iter(forms), None)


def _lowest_rows(cavity: Cavity, side: int) -> NDArray[np.float64]:
    """Per slice the last row of one side of the chest, the nearest slice's where there is none."""
    seen = (cavity.side == side).any(axis=2)
    last = seen.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    known = np.flatnonzero(seen.any(axis=1))
    if not len(known):
        return np.full(len(seen), np.inf)
    return np.asarray(np.interp(np.arange(len(seen)), known, last[known]), dtype=np.float64)
