"""Two chest CTs of one patient: whether they can be compared, which lesions belong together, and how they grew."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.candidates import Candidate, candidates
from medmpt_backend.imaging.readers.rules import known_kernel
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import joined, messages

message = messages("medmpt_backend.imaging").said

Status = Literal["new", "grown", "stable", "shrunk", "gone"]

# Volume changes below this are within the error of measuring: Callister et al., British Thoracic Society guidelines for the
# investigation and management of pulmonary nodules, Thorax 2015.
CHANGE_PCT = 25.0
# Thickness and lung volume that differ by more than this make volumes differ by themselves.
MAX_THICKNESS_RATIO = 1.6
MAX_LUNG_CHANGE = 0.2
# Lesions further apart than this, after the lungs were laid on each other, are two lesions.
PAIR_MM = 20.0


@dataclass(frozen=True)
class Pair:
    """The same lesion on both scans, or on one of them.

    Attributes:
        current: On the current scan, None where it is gone.
        prior: On the prior scan, None where it is new.
        status: By volume, changes below 25 % are stable; `new` and `gone` hold for the places that were listed on the other scan.
        growth_pct: Change of volume.
        doubling_days: Volume doubling time, None without growth or without the interval.
    """

    current: Candidate | None
    prior: Candidate | None
    status: Status
    growth_pct: float | None
    doubling_days: float | None


@dataclass(frozen=True)
class Comparison:
    """Pairs, and whether sizes can be compared at all."""

    pairs: tuple[Pair, ...]
    comparable: bool
    because: str | None
    lung_change_pct: float


def compare(current: Volume, prior: Volume, days: float | None = None, most: int = 10) -> Comparison:
    """Find the lesions of both scans and pair them.

    Args:
        current: The later scan.
        prior: The earlier scan.
        days: Between them; headers with dates are not read.
        most: Candidates per scan.

    Returns:
        Pairs in the order of the current scan's candidates, then what is gone.

    Raises:
        OutOfDomain: One of them is not a whole chest.
    """
    lungs = segment(current), segment(prior)
    found = candidates(current, most, lungs[0]), candidates(prior, most, lungs[1])
    return compare_lesions((current, prior), lungs, found, days)


def compare_lesions(
    volumes: tuple[Volume, Volume],
    lungs: tuple[Lungs, Lungs],
    lesions: tuple[tuple[Candidate, ...], tuple[Candidate, ...]],
    days: float | None = None,
) -> Comparison:
    """Pair lesions that were found or measured on the current and on the prior scan, each argument in this order.

    Args:
        volumes: Both scans.
        lungs: Their segmentations.
        lesions: What was measured on each.
        days: Between them.
    """
    (current, prior), (now, before) = volumes, lesions
    change = sum(lungs[0].millilitres(s) for s in (RIGHT, LEFT)) / max(1.0, sum(lungs[1].millilitres(s) for s in (RIGHT, LEFT))) - 1
    reasons = _reasons(current, prior, change)
    places = [_place(c, current, lungs[0]) for c in now], [_place(c, prior, lungs[1]) for c in before]
    partner = _partners(now, before, places)
    pairs = [_pair(c, before[partner[i]] if i in partner else None, days) for i, c in enumerate(now)]
    pairs += [_pair(None, c, days) for j, c in enumerate(before) if j not in partner.values()]
    return Comparison(tuple(pairs), not reasons, joined(reasons, " ", "") or None, 100 * change)


def _reasons(current: Volume, prior: Volume, change: float) -> list[str]:
    """What forbids comparing sizes."""
    found: list[str] = []
    thick = [max(v.series.thickness_mm or 0.0, v.spacing[0]) for v in (current, prior)]
    if max(thick) > MAX_THICKNESS_RATIO * min(thick):
        found.append(message("Slices are {now:.1f} mm thick now and {before:.1f} mm before.", now=thick[0], before=thick[1]))
    kernels = [known_kernel(v.series.kernel) for v in (current, prior)]
    sharp = [kernel is not None and kernel[1] == "sharp" for kernel in kernels]
    if sharp[0] != sharp[1]:
        found.append(message("One scan has a sharp kernel and the other has not."))
    if abs(change) > MAX_LUNG_CHANGE:
        found.append(
            message("The lungs hold {change:+.0f} % of air and tissue against before: the depth of breath differs.", change=100 * change)
        )
    return found


def _place(candidate: Candidate, volume: Volume, lungs: Lungs) -> NDArray[np.float64]:
    """Where a lesion lies in its lung, as shares of the lung's extent times the usual size of a lung, mm."""
    mask = lungs.labels == (RIGHT if candidate.side == "right" else LEFT)
    point = np.array(candidate.at[::-1]) / np.array(lungs.grid.factors)
    spans = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    low, high = np.array([s[0] for s in spans]), np.array([s[-1] for s in spans])
    size = (high - low + 1) * np.array(lungs.grid.spacing)
    return np.asarray((point - low) * np.array(lungs.grid.spacing) / size * _USUAL_MM, dtype=np.float64)


_USUAL_MM = np.array([230.0, 180.0, 120.0])


def _partners(
    now: tuple[Candidate, ...], before: tuple[Candidate, ...], places: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]
) -> dict[int, int]:
    """Nearest pairs first, each lesion once, on the same side."""
    options = [
        (float(np.linalg.norm(places[0][i] - places[1][j])), i, j)
        for i, one in enumerate(now)
        for j, other in enumerate(before)
        if one.side == other.side
    ]
    partner: dict[int, int] = {}
    for apart, i, j in sorted(options):
        if apart <= PAIR_MM and i not in partner and j not in partner.values():
            partner[i] = j
    return partner


def _pair(now: Candidate | None, before: Candidate | None, days: float | None) -> Pair:
    """Status, growth and doubling time."""
    if now is None or before is None:
        return Pair(now, before, "new" if before is None else "gone", None, None)
    ratio = now.volume_mm3 / before.volume_mm3
    growth = 100 * (ratio - 1)
    status: Status = "grown" if growth >= CHANGE_PCT else "shrunk" if growth <= -CHANGE_PCT else "stable"
    doubling = days * math.log(2) / math.log(ratio) if days is not None and status == "grown" else None
    return Pair(now, before, status, growth, doubling)
