"""Lobes by their fissures, experimental: each fissure stands only where it stands out, else the lung is left in thirds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs
from medmpt_backend.imaging.asked.fissures import Evidence, Floats, Seen, Surface, bent, search, stands_out
from medmpt_backend.imaging.findings.groups import Judgement
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

Lobe = Literal["right upper", "right middle", "right lower", "left upper", "left lower", "right upper and middle"]
# A lung smaller than this is collapsed or missing.
LEAST_ML = 250.0
# Numbers in the mask.
LOBES: Mapping[Lobe, int] = {
    "right upper": 1,
    "right middle": 2,
    "right lower": 3,
    "left upper": 4,
    "left lower": 5,
    "right upper and middle": 6,
}
# From where on a fissure counts as seen: all three are asked for. Seven real oblique ones that look right reach 7.8 to 19.5, 0.34 to 0.63
# and 0.07 to 0.24; of 16 surfaces found in mirrored lungs, where none can lie, none does (nearest: 6.3, 0.31, 0.25).
OBLIQUE = Seen(7.0, 0.3, 0.3)
# A horizontal one that is seen reaches 6.9, 0.43, 0.34; those of 5 mm sections, where nobody can see one, up to 0.30, and a wrong one 0.33.
HORIZONTAL = Seen(6.5, 0.38, 0.4)
# Of the grid of the lungs.
MOST_SLICE_MM, MOST_PIXEL_MM = 5.5, 2.5
# The oblique fissure runs from high behind to low in front; the horizontal one is nearly level. Shares of half the lung's height and depth.
_USUAL_OBLIQUE = (0.05, -0.85, 0.0, 0.0, 0.0, 0.0), (0.2, 0.2, 0.12, 0.12, 0.08, 0.08)
_USUAL_HORIZONTAL = (0.02, 0.0, 0.0, 0.0, 0.0, 0.0), (0.2, 0.12, 0.12, 0.1, 0.08, 0.06)
# Of the right lung the middle lobe takes about this; what is far from it costs.
_MIDDLE_SHARE, _MIDDLE_SPREAD, _MIDDLE_COST = 0.16, 0.06, 0.04
_LEAST_GAP_MM = 4.0
# Searches, and how far what they find is moved before it is bent: a search may end beside the fissure.
_STARTS, _MOVES_MM = 3, (-10.0, 0.0, 10.0)

DEFINITIONS = {
    "litres": "Volume of the lobes inside the lungs' outline: parted by smooth surfaces along which the image looks like a thin plate and "
    "few vessels run. Upper and middle lobe of the right lung stand together where the horizontal fissure is not seen; a lung whose "
    "oblique fissure is not seen has no lobes.",
    "fissures": "By how many standard deviations the best surface stands out from surfaces 6 to 30 mm beside it. It counts as seen from "
    f"{OBLIQUE.deviations:.0f} on, the horizontal one from {HORIZONTAL.deviations} on, and only where few vessels lie on it.",
    "thirds_litres": "Each lung cut into three parts of equal height: no lobes.",
}


@dataclass(frozen=True, eq=False)
class LobeGroup:
    """Lobes.

    Attributes:
        validity: Never `in`.
        because: Why.
        litres: By lobe; a lung without a seen fissure has none, upper and middle lobe stand together where only the oblique one is seen.
        fissures: By name, how far each stands out.
        mask: Numbers of `LOBES` on the lungs' grid.
    """

    validity: Judgement
    because: str
    litres: Mapping[Lobe, float]
    fissures: Mapping[str, float]
    mask: NDArray[np.uint8] | None = None

    def missing(self) -> list[str]:
        """What is said of the lungs that were not parted, where the other one was."""
        said = {
            "right upper": message("No horizontal fissure stands out: the right upper and middle lobe stand together."),
            "right lower": message("No fissure stands out in the right lung: it is left in thirds."),
            "left lower": message("No fissure stands out in the left lung: it is left in thirds."),
        }
        if not self.litres:
            return []
        return [text for lobe, text in said.items() if lobe not in self.litres and (lobe != "right upper" or "right lower" in self.litres)]


def lobes_of(lungs: Lungs) -> LobeGroup:
    """Part each lung at its fissures.

    Args:
        lungs: Both lungs.
    """
    thick, wide = lungs.grid.spacing[0], max(lungs.grid.spacing[1:])
    if thick > MOST_SLICE_MM or wide > MOST_PIXEL_MM:
        because = message("Sections {thick:.1f} mm apart or pixels of {wide:.1f} mm are too coarse for fissures.", thick=thick, wide=wide)
        return LobeGroup("out", because, {}, {})
    mask = np.zeros(lungs.labels.shape, dtype=np.uint8)
    fissures: dict[str, float] = {}
    for side in (RIGHT, LEFT):
        if lungs.millilitres(side) >= LEAST_ML:
            evidence = Evidence(lungs.grid, lungs.labels == side)
            mask[evidence.box] += _parted(evidence, side, fissures)
    sizes = np.bincount(mask.ravel(), minlength=len(LOBES) + 1)
    litres = {lobe: float(sizes[number]) * lungs.grid.voxel_ml / 1000 for lobe, number in LOBES.items() if sizes[number]}
    if not litres:
        return LobeGroup("out", message("No fissure stands out: the lungs are left in thirds."), {}, fissures)
    because = message(
        "Experimental: surfaces were looked at on three real chests and compared with painted lobes (docs/imaging.md); no lobe outlined by "
        "a person was at hand; a collapsed or displaced lobe can mislead it; not for the report."
    )
    return LobeGroup("unknown", because, litres, fissures, mask)


def _parted(evidence: Evidence, side: int, fissures: dict[str, float]) -> NDArray[np.uint8]:
    """Numbers of the lobes of one lung in its crop; none where the oblique fissure is not seen."""
    out = np.zeros(evidence.mask.shape, dtype=np.uint8)
    name = "right" if side == RIGHT else "left"
    oblique = _settled(evidence, [_oblique(evidence, start) for start in range(_STARTS)])
    if not _seen(f"{name} oblique", stands_out(evidence, oblique), OBLIQUE, fissures):
        return out
    height = np.arange(len(out))[:, None, None] * evidence.spacing[0]
    lower = height > evidence.full(oblique)
    if side == LEFT:
        out[evidence.mask] = np.where(lower, LOBES["left lower"], LOBES["left upper"])[evidence.mask]
        return out
    level = _settled(evidence, [_level(evidence, oblique, start) for start in range(_STARTS)], oblique)
    upper = np.full(out.shape, LOBES["right upper and middle"], dtype=np.uint8)
    if _seen("right horizontal", stands_out(evidence, level, _before(level, oblique)), HORIZONTAL, fissures):
        upper = np.where(height > evidence.full(level), LOBES["right middle"], LOBES["right upper"])
    out[evidence.mask] = np.where(lower, LOBES["right lower"], upper)[evidence.mask]
    return out


def _seen(name: str, found: Seen, least: Seen, fissures: dict[str, float]) -> bool:
    """Whether a fissure stands out; how far is noted."""
    fissures[name] = round(found.deviations, 1)
    return found.deviations >= least.deviations and found.rise >= least.rise and found.vessels <= least.vessels


def _scaled(evidence: Evidence, shares: tuple[float, ...]) -> Floats:
    """Figures of a surface in mm: the slope from front to back by the lung's depth, the rest by its height."""
    by = np.full(len(shares), evidence.half[0])
    by[1] = evidence.half[1]
    return np.asarray(np.array(shares) * by, dtype=np.float64)


def _settled(evidence: Evidence, found: list[Surface], oblique: Surface | None = None) -> Surface:
    """What surfaces, moved along their normals and bent, become, whichever is worth most: the oblique fissure or one above it."""

    def where(surface: Surface) -> NDArray[np.bool_] | None:
        return None if oblique is None else _before(surface, oblique)

    moved = [one.moved(move) for one in found for move in _MOVES_MM]
    return max((bent(evidence, one, where(one)) for one in moved), key=lambda one: float(evidence.worth(one, where(one))))


def _before(level: Surface, oblique: Surface) -> NDArray[np.bool_]:
    """Columns in which a surface lies above the oblique fissure."""
    return np.asarray(level.z < oblique.z - _LEAST_GAP_MM / 2)


def _oblique(evidence: Evidence, start: int) -> Surface:
    usual, spread = (_scaled(evidence, shares) for shares in _USUAL_OBLIQUE)
    return evidence.surface(search(lambda figures: evidence.worth(evidence.surface(figures)), usual, spread, start))


def _level(evidence: Evidence, oblique: Surface, start: int) -> Surface:
    """The horizontal fissure, above the oblique one."""
    usual, spread = (_scaled(evidence, shares) for shares in _USUAL_HORIZONTAL)
    above = evidence.lung_above(oblique.z)

    def worth(figures: Floats) -> Floats:
        level = evidence.surface(figures)
        share = np.maximum(above - evidence.lung_above(level.z), 0).sum(axis=-1) / evidence.lung_size
        found = evidence.worth(level, level.z < oblique.z - _LEAST_GAP_MM)
        cost: Floats = _MIDDLE_COST * ((share - _MIDDLE_SHARE) / _MIDDLE_SPREAD) ** 2
        return found - cost

    return evidence.surface(search(worth, usual, spread, start))
