"""Quantitative CT of the lungs: volumes, densities, key slices, and how far each figure can be trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import OutOfDomain
from medmpt_backend.imaging.anatomy.balls import box_of, opened
from medmpt_backend.imaging.anatomy.chest_domain import absent_side, require_chest
from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.densitometry import LAA_BELOW_HU, REGIONS, THIRDS, Histogram, histograms, region_codes
from medmpt_backend.imaging.figures import LungFigures, RegionFigures, SeriesRow, Side, Third
from medmpt_backend.imaging.findings.assemble import FINDING_DEFINITIONS, Middle, at_the_walls, findings_of, in_the_middle, seen_contrast
from medmpt_backend.imaging.findings.groups import Findings, Point
from medmpt_backend.imaging.findings.key_slices import key_slices
from medmpt_backend.imaging.findings.mediastinum import between_lungs
from medmpt_backend.imaging.findings.one_lung import without_other_side
from medmpt_backend.imaging.together import together
from medmpt_backend.imaging.validity import Limit, limits_of
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.messages import joined

__all__ = ["LungFigures", "Quantification", "RegionFigures", "clumps", "quantify"]

# Lederer et al., Cigarette smoking is associated with subclinical parenchymal lung disease: the MESA-Lung study, AJRCCM 2009,
# doi:10.1164/rccm.200812-1966OC.
HAA_HU = (-600, -250)
# Between aerated lung and the density that hides vessels. Definitions of ground glass differ between authors; this project uses this one.
GGO_HU = (-750, -300)
# From the upper end of ground glass to above soft tissue, without calcium and metal.
CONSOLIDATION_HU = (-299, 150)
# A clump must hold a ball of this radius: vessel edges, bronchial walls and the rim at the pleura are thinner.
GGO_CLUMP_MM = 3.0
CONSOLIDATION_CLUMP_MM = 5.0


@dataclass(frozen=True)
class Quantification:
    """Every figure of one chest CT.

    Attributes:
        series: Header facts.
        slices: Number of slices.
        spacing_mm: `(z, y, x)`.
        lungs: Both lungs.
        regions: Six thirds: right upper to left lower.
        key_slices: By name; a name without anything to show is absent.
        limits: What limits which figures; empty when all are inside the method's domain.
        definitions: By figure, what is counted, and the source.
        findings: Airway, pleura, consolidation, calcium, heart, bone and muscle, each with its validity.
        warnings: From reading the series, then one sentence per limit.
        absent_side: The side that holds no aerated lung, None where both lungs are there.
        spans: First and last slice of either lung.
    """

    series: SeriesInfo
    slices: int
    spacing_mm: tuple[float, float, float]
    lungs: LungFigures
    regions: tuple[RegionFigures, ...]
    key_slices: Mapping[str, Point]
    limits: tuple[Limit, ...]
    definitions: Mapping[str, str]
    findings: Findings
    warnings: tuple[str, ...] = field(default=())
    absent_side: Side | None = None
    spans: Mapping[Side, tuple[int, int]] = field(default_factory=dict)

    @property
    def status(self) -> Literal["ok", "partial"]:
        """`partial` when something named limits a figure."""
        return "partial" if self.limits else "ok"

    def fields(self) -> dict[str, Any]:
        """The fields of `MeasuredCT`."""
        return {
            "series": SeriesRow.of(self.series, self.slices, self.spacing_mm),
            "lungs": self.lungs,
            "regions": self.regions,
            "key_slices": dict(self.key_slices),
            "definitions": dict(self.definitions),
            **vars(self.findings),
        }

    def validity(self, figure: str) -> Literal["in", "out", "unknown"]:
        """Whether a figure (`laa950_pct`, ...) is inside the domain of the method."""
        found = {limit.validity for limit in self.limits if figure in limit.figures}
        return "out" if "out" in found else "unknown" if found else "in"


DEFINITIONS: Mapping[str, str] = {
    "lungs": "Air inside the body below -400 HU on a grid of about half resolution, without trachea and main bronchi, "
    "right and left separated; vessels and lesions inside are included (closing of 6 mm, holes filled). "
    "Dense disease that reaches the chest wall may lie outside.",
    "total_l": "Volume of both lungs at the depth of breath of the scan, litres.",
    "mean_hu": "Mean of all lung voxels at full resolution.",
    "median_hu": "Median of all lung voxels at full resolution.",
    "perc15_hu": "15th percentile of lung density: 15 % of the lung voxels are not denser than this.",
    "laa950_pct": "LAA-950: percent of lung voxels below -950 HU strictly. "
    "Source: Gevenois et al., AJRCCM 1995;152:653-657, doi:10.1164/ajrccm.152.2.7633722.",
    "haa_pct": "High-attenuation areas: percent of lung voxels from -600 to -250 HU, vessels included. "
    "Source: Lederer et al., AJRCCM 2009, doi:10.1164/rccm.200812-1966OC.",
    "ggo_pct": "Percent of lung volume in clumps from -750 to -300 HU that hold a ball of 3 mm radius, on the half-resolution grid. "
    "The range is this project's; other programs use other ranges.",
    "consolidation_pct": "Percent of lung volume in clumps from -299 to 150 HU that hold a ball of 5 mm radius, "
    "on the half-resolution grid. Nodules and masses of that size count; the range is this project's.",
    "thirds": "Each lung cut into three parts of equal height between its highest and lowest slice.",
    "position_mm": "Distance of the slice from the first slice at the head.",
    "not_measured": "Not looked for, so neither found nor excluded: nodules that nobody marked, reticulation and honeycombing, airway "
    "walls and the ratio of bronchus to artery, lymph nodes, emboli, fractures of ribs, soft tissues, upper abdomen. "
    "As an experiment only: calcium, heart size, great vessels, bone density, muscle and fat; asked for by name: pericardial fluid, "
    "metal, bullae, low vertebral bodies; `ct lobes`: lobes.",
}


def quantify(volume: Volume, lungs: Lungs | None = None) -> Quantification:
    """Measure both lungs.

    Args:
        volume: Full resolution, HU.
        lungs: A segmentation of this volume, where the caller has one already.

    Returns:
        All figures with what limits them.

    Raises:
        OutOfDomain: Not a chest as far as the anatomy shows, with the reason.
    """
    lungs = lungs or segment(volume)
    (volume, unchecked, middle), (walls, inside) = together(
        lambda: _middle(volume, lungs), lambda: (at_the_walls(volume, lungs), _densities(volume, lungs))
    )
    seen = findings_of(volume, lungs, middle, walls, inside.dense_ml)
    found, shares = inside.found, inside.shares
    figures = _both(sum(found[1:], found[0]), found, inside.pct(inside.ggo), inside.pct(inside.dense))
    limits = limits_of(volume, lungs, figures.median_hu)
    side = absent_side(lungs)
    absent: Side | None = None if side is None else "right" if side == RIGHT else "left"
    if absent is not None:
        seen = without_other_side(seen, absent)
    return Quantification(
        series=volume.series,
        slices=volume.hu.shape[0],
        spacing_mm=volume.spacing,
        lungs=figures,
        regions=tuple(_region(code, found[code - 1], shares) for code in range(1, REGIONS + 1)),
        key_slices=key_slices(volume, lungs, inside.low_share, {"ground_glass": inside.ggo, "consolidation": inside.dense}, seen),
        limits=limits,
        definitions={**DEFINITIONS, **FINDING_DEFINITIONS},
        findings=seen,
        warnings=volume.warnings + unchecked + tuple(limit.reason for limit in limits),
        absent_side=absent,
        spans=_spans(lungs),
    )


def _spans(lungs: Lungs) -> dict[Side, tuple[int, int]]:
    """First and last slice of either lung."""
    out: dict[Side, tuple[int, int]] = {}
    factor = lungs.grid.factors[0]
    names: tuple[tuple[Side, int], ...] = (("right", RIGHT), ("left", LEFT))
    for name, side in names:
        slices = np.flatnonzero((lungs.labels == side).any(axis=(1, 2)))
        if len(slices):
            out[name] = int(slices[0]) * factor, (int(slices[-1]) + 1) * factor - 1
    return out


def _middle(volume: Volume, lungs: Lungs) -> tuple[Volume, tuple[str, ...], Middle]:
    """The volume with its contrast checked, what is said of the chest and of contrast, and what lies between the lungs.

    Raises:
        OutOfDomain: Not a chest.
    """
    unchecked = _accepted(volume, lungs)
    between = between_lungs(lungs)
    series, contradicted = seen_contrast(volume.series, lungs, between)
    volume = replace(volume, series=series)
    return volume, unchecked + contradicted, in_the_middle(volume, lungs, between)


def _accepted(volume: Volume, lungs: Lungs) -> tuple[str, ...]:
    """What could not be checked on a chest; a refusal also names the choice that reading made between stacks."""
    try:
        return require_chest(volume, lungs)
    except OutOfDomain as error:
        choice = [warning for warning in volume.warnings if "; read: " in warning]
        raise OutOfDomain(joined([str(error), *choice]) if choice else str(error)) from error


@dataclass(frozen=True, eq=False)
class _Densities:
    """What is counted inside the lungs.

    Attributes:
        found: Histograms by region.
        low_share: Per slice the percent of its lung voxels below -950 HU, NaN without lung.
        ggo: Ground glass on the lungs' grid.
        dense: Consolidation there.
        sizes: Voxels of the grid by region; the first one is what is no lung.
        shares: By name the percent of each region.
    """

    found: list[Histogram]
    low_share: NDArray[np.float64]
    ggo: NDArray[np.bool_]
    dense: NDArray[np.bool_]
    sizes: NDArray[np.int64]
    shares: Mapping[str, NDArray[np.float64]]

    def pct(self, mask: NDArray[np.bool_]) -> float:
        """Percent of the lungs."""
        return 100.0 * np.count_nonzero(mask) / max(1, int(self.sizes[1:].sum()))

    @property
    def dense_ml(self) -> tuple[float, float]:
        """Consolidation inside the right and the left lung, ml."""
        inside = [part.litres * 10 * float(share) for part, share in zip(self.found, self.shares["consolidation"][1:], strict=True)]
        return sum(inside[:3]), sum(inside[3:])


def _densities(volume: Volume, lungs: Lungs) -> _Densities:
    """Histograms by region, share of low density by slice, ground glass and consolidation."""
    codes = region_codes(lungs)
    found, low_share = histograms(volume, lungs, codes)
    ggo = clumps(lungs, codes, GGO_HU, GGO_CLUMP_MM)
    dense = clumps(lungs, codes, CONSOLIDATION_HU, CONSOLIDATION_CLUMP_MM)
    inside = [np.count_nonzero(codes == code) for code in range(1, REGIONS + 1)]
    sizes = np.array([codes.size - sum(inside), *inside])
    shares = {
        name: 100.0 * np.bincount(codes[mask], minlength=REGIONS + 1) / np.maximum(sizes, 1)
        for name, mask in (("ggo", ggo), ("consolidation", dense))
    }
    return _Densities(found, low_share, ggo, dense, sizes, shares)


def clumps(lungs: Lungs, codes: NDArray[np.uint8], span: tuple[int, int], radius_mm: float) -> NDArray[np.bool_]:
    """Lung voxels of a density range that lie in a clump of at least a ball's size (morphological opening).

    Args:
        lungs: Masks and HU on the grid.
        codes: Non-zero inside the lungs.
        span: HU, both ends included.
        radius_mm: Radius of the ball; on a coarse grid at least 1.25 voxels.

    Returns:
        `(d, h, w)` bool on the grid.
    """
    out = np.zeros(codes.shape, dtype=bool)
    if not codes.any():
        return out
    box = box_of(codes > 0)
    hu = lungs.grid.hu[box]
    mask = (codes[box] > 0) & (hu >= span[0]) & (hu <= span[1])
    radius = max(radius_mm, 1.25 * max(lungs.grid.spacing))
    out[box] = opened(mask, radius, lungs.grid.spacing, radius + 0.6 * max(lungs.grid.spacing))
    return out


def _both(both: Histogram, found: list[Histogram], ggo_pct: float, consolidation_pct: float) -> LungFigures:
    """Figures of both lungs together."""
    return LungFigures(
        total_l=both.litres,
        left_l=sum(part.litres for part in found[3:]),
        right_l=sum(part.litres for part in found[:3]),
        mean_hu=both.mean,
        median_hu=both.percentile(50),
        perc15_hu=both.percentile(15),
        laa950_pct=both.percent(-1024, LAA_BELOW_HU - 1),
        haa_pct=both.percent(*HAA_HU),
        ggo_pct=float(ggo_pct),
        consolidation_pct=float(consolidation_pct),
    )


def _region(code: int, part: Histogram, shares: Mapping[str, NDArray[np.float64]]) -> RegionFigures:
    """Figures of one third; None where it holds no voxel."""
    side: Side = "right" if code <= 3 else "left"
    third: Third = THIRDS[(code - 1) % 3]
    if not part.total:
        return RegionFigures(side, third, 0.0, None, None, None, None)
    return RegionFigures(
        side,
        third,
        part.litres,
        part.mean,
        part.percent(-1024, LAA_BELOW_HU - 1),
        float(shares["ggo"][code]),
        float(shares["consolidation"][code]),
    )
