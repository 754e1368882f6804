"""Lung cancer screening: Lung-RADS v2022 category, stage, and growth of nodules between studies.

Lung-RADS v2022: Christensen et al., Chest 2024;165:738 (American College of Radiology, November 2022).
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from medmpt_backend.findings import PAINTED, painters

ORDER = ("1", "2", "3", "4A", "4B", "4X")
NODULES = painters(lambda p: p.nodule)
_BENIGN = painters(lambda p: p.benign)
# Growth of the mean diameter within 12 months.
GROWN_MM = 1.5
# Volume doubling time of lung cancers by painter id, mean and deviation in days.
DOUBLING_DAYS = {key: f.painted.doubling_days for key, f in PAINTED.items() if f.painted is not None and f.painted.doubling_days}
# Fastest growth that is painted; below a month infection is likelier than a tumour.
_FASTEST_DAYS = 40.0
DAYS_PER_MONTH = 30.44


class Painted(Protocol):
    """What category and stage need to know of a painted finding."""

    @property
    def id(self) -> str: ...
    @property
    def visible(self) -> bool: ...
    @property
    def malignant(self) -> bool: ...
    @property
    def spiculated(self) -> bool: ...
    @property
    def size_mm(self) -> float | None: ...
    @property
    def solid_mm(self) -> float | None: ...
    @property
    def before_mm(self) -> float | None: ...


def lung_rads(found: Sequence[Painted]) -> str:
    """Category of a study: that of its most suspicious nodule; growth counts where a finding has a size before."""
    nodes = any(f.id == "lymphadenopathy" and f.visible for f in found)
    worst = "1"
    for nodule in found:
        if nodule.id not in NODULES or not nodule.visible:
            continue
        category = _category(nodule, nodule.before_mm)
        if category in ("3", "4A", "4B") and (nodule.spiculated or nodes):
            category = "4X"
        worst = max(worst, category, key=ORDER.index)
    return worst


def _category(nodule: Painted, before: float | None) -> str:
    size = nodule.size_mm or 0.0
    grown = before is not None and size - before > GROWN_MM
    stable = before is not None and not grown
    if nodule.id in _BENIGN:
        return "1"
    if nodule.id == "nodule_perifissural" and size < 10 and not grown:
        return "2"
    if nodule.id == "nodule_ground_glass":
        return "2" if size < 30 or stable else "3"
    if nodule.id == "nodule_part_solid":
        core = nodule.solid_mm or 0.0
        if grown:
            return "4A" if core < 4 else "4B"
        base = "2" if size < 6 else "3" if core < 6 else "4A" if core < 8 else "4B"
    elif grown:
        return "4A" if size < 8 else "4B"
    else:
        base = "2" if size < 6 else "3" if size < 8 else "4A" if size < 15 else "4B"
    # Stepped management: a stable nodule of category 3 or 4A goes down by one.
    return {"3": "2", "4A": "3"}.get(base, base) if stable else base


def doubling_days(rng: np.random.Generator, painter_id: str, malignant: bool) -> float | None:
    """Volume doubling time of one nodule in days; None for one that does not grow."""
    if not malignant or painter_id not in DOUBLING_DAYS:
        return None
    mean, deviation = DOUBLING_DAYS[painter_id]
    # Log-normal with this mean and deviation: doubling times are positive and skewed.
    spread = np.log(1 + (deviation / mean) ** 2)
    return float(max(_FASTEST_DAYS, rng.lognormal(np.log(mean) - spread / 2, np.sqrt(spread))))


def grown_mm(diameter_mm: float, days: float, doubling: float | None) -> float:
    """Diameter after some days of exponential growth of the volume."""
    return diameter_mm if doubling is None else float(diameter_mm * 2 ** (days / doubling / 3))


def stage(found: Sequence[Painted]) -> str | None:
    """Stage I to IV of a primary lung cancer from what was painted; the nodes painted with cancers are mediastinal (N2).

    Size limits of the T categories and stage groups: Goldstraw et al., J Thorac Oncol 2016;11:39 (TNM, 8th edition).
    """
    sizes = [f.size_mm or 0.0 for f in found if f.malignant and f.id in NODULES]
    if not sizes:
        return None
    spread = {f.id for f in found if f.malignant and f.id not in NODULES}
    if spread - {"lymphadenopathy"}:
        return "IV"
    size = max(sizes)
    return "III" if spread or size > 70 else "I" if size <= 40 else "II"
