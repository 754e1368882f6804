"""Two chest CTs of one patient: whether they can be compared, which lesions belong together, and how they grew."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.anatomy.lungs import LEFT, RIGHT, Lungs, segment
from medmpt_backend.imaging.anatomy.registration import lay
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
# Lesions further apart than this, after the lungs were laid on each other, are two lesions; lungs are deformed by breath.
PAIR_MM = 15.0
# Lungs whose outlines do not come to lie on each other: another patient, a lung removed, a large change of shape.
MOST_APART_MM = 6.0
# A lesion that spans fewer slices than this on either scan has no volume to compare.
LEAST_SLICES = 2.5
# Growth of a lesion with ground glass: its mean diameter by at least this (MacMahon et al., Fleischner Society, Radiology 2017).
SUBSOLID_MM = 2.0


@dataclass(frozen=True)
class Pair:
    """The same lesion on both scans, or on one of them.

    Attributes:
        current: On the current scan, None where it is gone.
        prior: On the prior scan, None where it is new.
        status: Solid: by volume, changes below 25 % are stable. With ground glass: by 2 mm of diameter. `new` and `gone` hold for the
            places that were listed on the other scan.
        growth_pct: Change of volume.
        doubling_days: Volume doubling time, None without growth or without the interval.
        because: Why the sizes of this lesion cannot be compared, None where they can.
    """

    current: Candidate | None
    prior: Candidate | None
    status: Status
    growth_pct: float | None
    doubling_days: float | None
    because: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Pairs, and whether sizes can be compared at all; how far apart the outlines of the lungs lie once laid on each other, mm."""

    pairs: tuple[Pair, ...]
    comparable: bool
    because: str | None
    lung_change_pct: float
    apart_mm: float


def compare(
    current: Volume, prior: Volume, days: float | None = None, most: int = 10, lungs: tuple[Lungs, Lungs] | None = None
) -> Comparison:
    """Find the lesions of both scans and pair them.

    Args:
        current: The later scan.
        prior: The earlier scan.
        days: Between them; by the dates of the headers where None.
        most: Candidates per scan.
        lungs: Their segmentations, where the caller has them.

    Returns:
        Pairs in the order of the current scan's candidates, then what is gone.

    Raises:
        OutOfDomain: One of them is not a whole chest.
    """
    lungs = lungs or (segment(current), segment(prior))
    days = days if days is not None else days_between(current, prior)
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
    laid = lay(lungs[0], lungs[1])
    reasons = _reasons(current, prior, change)
    if laid.apart_mm > MOST_APART_MM:
        reasons.append(
            message(
                "The outlines of the lungs lie {apart:.0f} mm apart when laid on each other: pairs are not certain.", apart=laid.apart_mm
            )
        )
    places = [_place(c, current) for c in now], [laid(_place(c, prior)) for c in before]
    partner = _partners(now, before, places)
    step = max(v.spacing[0] for v in volumes)
    pairs = [_unless_thin(_pair(c, before[partner[i]] if i in partner else None, days), step) for i, c in enumerate(now)]
    pairs += [_pair(None, c, days) for j, c in enumerate(before) if j not in partner.values()]
    return Comparison(tuple(pairs), not reasons, joined(reasons, " ", "") or None, 100 * change, laid.apart_mm)


def days_between(current: Volume, prior: Volume) -> float | None:
    """Days from the prior to the current scan by their headers; None where one has no date, or where they do not come in order."""
    now, before = current.series.day, prior.series.day
    return float(now - before) if now is not None and before is not None and now > before else None


def no_days(current: Volume, prior: Volume) -> str:
    """Why there are no days between two scans."""
    if current.series.day is None or prior.series.day is None:
        which = message("both scans") if current.series.day is None and prior.series.day is None else message("one scan")
        return message("No study date in the header of {which}: no doubling times; give --days.", which=which)
    if current.series.day == prior.series.day:
        return message("Both headers give the same study date: no doubling times; give --days if that is not so.")
    return message("The header of the current scan gives an earlier date than that of the prior one: no doubling times; check their order.")


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


def _place(candidate: Candidate, volume: Volume) -> NDArray[np.float64]:
    """Where a lesion lies, `(z, y, x)` in mm from the first voxel."""
    return np.asarray((np.array(candidate.at[::-1]) + 0.5) * np.array(volume.spacing), dtype=np.float64)


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
    change, least = growth, CHANGE_PCT
    if {now.type, before.type} & {"ground_glass", "part_solid"}:
        longer, wider = now.long_mm - before.long_mm, _round_mm(now.volume_mm3) - _round_mm(before.volume_mm3)
        change, least = longer if abs(longer) > abs(wider) else wider, SUBSOLID_MM
    status: Status = "grown" if change >= least else "shrunk" if change <= -least else "stable"
    doubling = days * math.log(2) / math.log(ratio) if days is not None and status == "grown" and ratio > 1 else None
    return Pair(now, before, status, growth, doubling)


def _round_mm(volume_mm3: float) -> float:
    """Diameter of a ball of this volume."""
    return float((6 * volume_mm3 / math.pi) ** (1 / 3))


def _unless_thin(pair: Pair, step_mm: float) -> Pair:
    """A pair without a doubling time, and why, where one of the two spans too few slices."""
    sizes = [c.long_mm for c in (pair.current, pair.prior) if c is not None]
    if len(sizes) < 2 or min(sizes) >= LEAST_SLICES * step_mm:
        return pair
    because = message(
        "A lesion of {size:.0f} mm spans too few slices of {step:.1f} mm: its volume is not certain.", size=min(sizes), step=step_mm
    )
    return replace(pair, doubling_days=None, because=because)
