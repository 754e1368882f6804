"""The masks behind the findings, to be shown: fluid, air and dense tissue on a coarse grid, plaques voxel by voxel."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import fraction
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.anatomy.space import cavity_of
from medmpt_backend.imaging.findings import pleura
from medmpt_backend.imaging.findings.assemble import no_calcium, seen_contrast
from medmpt_backend.imaging.findings.calcium import Spot, plaques
from medmpt_backend.imaging.findings.mediastinum import between_lungs
from medmpt_backend.imaging.volume import Volume


@dataclass(frozen=True, eq=False)
class Seen:
    """Masks of one study.

    Attributes:
        pockets: `effusion`, `pneumothorax`, `dense`: masks on one coarse grid.
        factors: Voxels of the volume per voxel of these masks, `(z, y, x)`.
        spots: Plaques; none where calcium cannot be seen.
    """

    pockets: Mapping[str, NDArray[np.bool_]]
    factors: tuple[int, int, int]
    spots: tuple[Spot, ...]


def seen(volume: Volume, lungs: Lungs) -> Seen:
    """All masks of one study.

    Args:
        volume: Full resolution.
        lungs: Its lungs.
    """
    cavity = cavity_of(lungs)
    shape, coarse, fine = cavity.grid.hu.shape, cavity.grid.factors, lungs.grid.factors
    wet = pleura.fluid(cavity)
    airway = fraction(lungs.airway.mask, coarse, shape) > 0.2 if lungs.airway else np.zeros(shape, dtype=bool)
    pockets = {
        "effusion": wet.mask,
        "pneumothorax": pleura.air(cavity, fraction(lungs.inside, coarse, shape) >= 0.5, airway).mask,
        "dense": pleura.dense_tissue(cavity, wet.mask).mask,
    }
    between = between_lungs(lungs)
    series, _ = seen_contrast(volume.series, lungs, between)
    hidden = no_calcium(volume, series, lungs, between)
    spots = () if hidden else plaques(volume, lungs, between).spots
    return Seen(pockets, (coarse[0] * fine[0], coarse[1] * fine[1], coarse[2] * fine[2]), spots)
