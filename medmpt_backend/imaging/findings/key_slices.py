"""Slices worth opening first."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.grid import per_slice
from medmpt_backend.imaging.anatomy.lungs import Lungs
from medmpt_backend.imaging.findings.groups import Findings, Point
from medmpt_backend.imaging.volume import Volume


def key_slices(
    volume: Volume, lungs: Lungs, low_share: NDArray[np.float64], clumps: Mapping[str, NDArray[np.bool_]], findings: Findings
) -> Mapping[str, Point]:
    """The slices with most lung, emphysema and dense clumps, the carina, and what findings are seen on.

    Args:
        volume: Full resolution.
        lungs: Both lungs.
        low_share: Per slice the percent of lung below -950 HU, NaN without lung.
        clumps: Masks on the lungs' grid by name.
        findings: All groups of findings.

    Returns:
        By name; a name without anything to show is absent.
    """
    factor = lungs.grid.factors[0]
    area = lungs.area
    found: dict[str, int] = {"largest_lungs": int(np.argmax(area)) * factor + factor // 2}
    if findings.airway.carina is not None:
        found["carina"] = findings.airway.carina.index
    large = np.repeat(area >= 0.25 * area.max(), factor)[: len(low_share)]
    share = np.where(np.pad(large, (0, len(low_share) - len(large))), np.nan_to_num(low_share), 0.0)
    if share.max() > 0:
        found["most_emphysema"] = int(np.argmax(share))
    for name, mask in clumps.items():
        counts = per_slice(mask)
        if counts.any():
            found[f"most_{name}"] = int(np.argmax(counts)) * factor + factor // 2
    dense = findings.consolidation
    if dense.slice is not None:  # what lies at wall and hilum leads where it is more than what lies inside
        inside = float(np.count_nonzero(clumps["consolidation"]) * np.prod(lungs.grid.spacing)) / 1000
        found["most_consolidation"] = dense.slice if (dense.ml or 0.0) > 2 * inside else found.get("most_consolidation", dense.slice)
    for name, group in (("effusion", findings.effusion), ("pneumothorax", findings.pneumothorax)):
        if group.slice is not None:
            found[f"most_{name}"] = group.slice
    for name, index in (("coronary_calcium", findings.calcium.coronary_slice), ("aortic_calcium", findings.calcium.aorta_slice)):
        if index is not None:
            found[f"most_{name}"] = index
    if findings.vessels.slice is not None:
        found["great_vessels"] = findings.vessels.slice
    last = volume.hu.shape[0] - 1
    return {name: Point(min(index, last), min(index, last) * volume.spacing[0]) for name, index in found.items()}
