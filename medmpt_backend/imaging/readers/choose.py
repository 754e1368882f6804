"""Which series of a mixed set of DICOM planes is read, and why the others are not."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers.frames import Frame

Reason = Literal["modality", "colour", "localizer", "derived", "geometry", "not axial"]
# The normal of an axial plane lies this close to the body axis.
_AXIAL_COSINE = 0.85

_ADVICE: dict[Reason, str] = {
    "modality": "the images are {detail}, not CT; give a chest CT",
    "colour": "the images are in colour (RGB), a screenshot or a rendering; give the CT slices in HU",
    "localizer": "only localizer (scout) images were found; give the axial series",
    "derived": "only derived or secondary images were found (reformats, screenshots); give the original axial series",
    "geometry": "the images have no position, orientation or pixel spacing in the header; export the original series",
    "not axial": "the planes are not axial (coronal, sagittal or oblique reformats); give the axial series",
}


def plural(count: int, noun: str) -> str:
    """`1 slice`, `2 slices`; nouns in -s take -es (`2 series` stays)."""
    if count == 1 or noun.endswith("series"):
        return f"{count} {noun}"
    return f"{count} {noun}s"


def choose(frames: Sequence[Frame]) -> tuple[list[Frame], list[str]]:
    """The axial CT series with most slices.

    Args:
        frames: Planes of any kind.

    Returns:
        The planes of one series with one matrix, spacing and orientation; and what was left out.

    Raises:
        BadInput: No axial CT plane, with the most frequent reason.
    """
    left_out: Counter[Reason] = Counter()
    groups: dict[tuple[object, ...], list[Frame]] = defaultdict(list)
    for frame in frames:
        reason = _unusable(frame)
        if reason:
            left_out[reason] += 1
        else:
            groups[_key(frame)].append(frame)
    if not groups:
        reason = left_out.most_common(1)[0][0]
        found = sorted({str(frame.header.get("Modality") or "of unknown modality") for frame in frames})
        raise BadInput(_ADVICE[reason].format(detail=", ".join(found)))
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
    warnings = [f"{plural(count, 'image')} left out: {reason}" for reason, count in sorted(left_out.items())]
    if len(ranked) > 1:
        rest = ", ".join(str(len(group)) for _, group in ranked[1:4])
        warnings.insert(
            0, f"{len(ranked)} axial CT series found; the one with most slices ({len(ranked[0][1])}) was read, the next have {rest}"
        )
    return ranked[0][1], warnings


def _unusable(frame: Frame) -> Reason | None:
    """Why a plane cannot be part of an axial CT series."""
    header = frame.header
    if str(header.get("Modality") or "").upper() != "CT":
        return "modality"
    if int(header.get("SamplesPerPixel") or 1) != 1:
        return "colour"
    if "LOCALIZER" in frame.image_type or "SCOUT" in frame.image_type:
        return "localizer"
    if "SECONDARY" in frame.image_type or (frame.image_type[:1] == ("DERIVED",) and "REFORMATTED" in frame.image_type):
        return "derived"
    if frame.position is None or frame.orientation is None or frame.pixel_spacing is None or min(frame.pixel_spacing) <= 0:
        return "geometry"
    normal = np.cross(frame.orientation[:3], frame.orientation[3:])
    return None if abs(float(normal[2])) >= _AXIAL_COSINE else "not axial"


def _key(frame: Frame) -> tuple[object, ...]:
    """What the planes of one stack share."""
    assert frame.orientation is not None
    assert frame.pixel_spacing is not None
    return (
        str(frame.header.get("SeriesInstanceUID") or ""),
        int(frame.header.Rows),
        int(frame.header.Columns),
        tuple(round(value, 3) for value in frame.pixel_spacing),
        tuple(round(value, 2) for value in frame.orientation),
    )
