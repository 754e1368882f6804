"""Order, duplicates, tilt and header facts of one DICOM series."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import geometry, rules
from medmpt_backend.imaging.readers.frames import Frame
from medmpt_backend.imaging.readers.pixels import Decoder
from medmpt_backend.imaging.readers.stack.choose import plural
from medmpt_backend.imaging.volume import SeriesInfo
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# Positions closer than this are one position.
_SAME_MM = 0.01
# More positions than this share with differing images only where there are several phases.
_MAX_REPEATED = 0.1
# Slices shifted sideways by less than this still stack.
_MAX_SHIFT_MM = 1.0


@dataclass(frozen=True)
class Plane:
    """A frame and its position along the normal, mm."""

    along: float
    frame: Frame


def normal_of(frame: Frame) -> NDArray[np.float64]:
    """Unit normal of a plane, LPS."""
    assert frame.orientation is not None
    normal = np.cross(frame.orientation[:3], frame.orientation[3:]).astype(np.float64)
    return normal / np.linalg.norm(normal)


def require_upright(frames: Sequence[Frame]) -> None:
    """Refuse a tilted gantry, by the header and by the positions, and a table that moved sideways during the scan.

    Raises:
        BadInput: With the angle, or with the shift.
    """
    tilts = [float(frame.header.get("GantryDetectorTilt") or 0.0) for frame in frames]
    worst = max(tilts, key=abs)
    points = np.array([frame.position for frame in frames], dtype=np.float64)
    normal = normal_of(frames[0])
    points = points[np.argsort(points @ normal)]
    travel = points[-1] - points[0]
    lean = 0.0
    if np.linalg.norm(travel) > 1.0:
        lean = math.degrees(math.acos(min(1.0, abs(float(travel @ normal)) / float(np.linalg.norm(travel)))))
    steps = np.diff(points, axis=0)
    sideways = np.linalg.norm(steps - np.outer(steps @ normal, normal), axis=1)
    if len(sideways) > 4 and float(np.median(sideways)) < 0.05 and float(sideways.max()) > _MAX_SHIFT_MM:
        raise BadInput(
            message(
                "the table or the field of view shifted by {shift:.0f} mm between two slices: they do not stack straight; "
                "give a series with one field of view",
                shift=float(sideways.max()),
            )
        )
    angle = max(abs(worst), lean)
    if angle > geometry.MAX_TILT_DEGREES:
        raise BadInput(
            message(
                "the gantry was tilted by {angle:.1f} degrees; slices of a tilted scan do not stack straight: give a series without tilt",
                angle=angle,
            )
        )


def without_duplicates(frames: Sequence[Frame], decoder: Decoder) -> tuple[list[Plane], list[str]]:
    """Planes sorted along the normal, one per position.

    Args:
        frames: One series.
        decoder: For comparing planes that share a position.

    Returns:
        Sorted planes and what was dropped.

    Raises:
        BadInput: Several different images at many positions: a 4-D series.
    """
    normal = normal_of(frames[0])
    planes = sorted(
        (Plane(float(np.array(frame.position) @ normal), frame) for frame in frames),
        key=lambda p: (p.along, p.frame.number, p.frame.file.name),
    )
    kept: list[Plane] = []
    same = different = 0
    for plane in planes:
        if not kept or plane.along - kept[-1].along > _SAME_MM:
            kept.append(plane)
        elif _equal(kept[-1].frame, plane.frame, decoder):
            same += 1
        else:
            different += 1
    if different > _MAX_REPEATED * len(kept):
        raise BadInput(
            message(
                "{different} of {kept} positions hold several different images: several phases or time points (4-D); give one phase",
                different=different,
                kept=len(kept),
            )
        )
    warnings: list[str] = [message("{slices} dropped", slices=plural(same, "duplicate slice"))] if same else []
    if different:
        warnings.append(
            message(
                "{slices} with another image at the same position dropped; the one with the lowest number was kept",
                slices=plural(different, "slice"),
            )
        )
    return kept, warnings


def _equal(one: Frame, other: Frame, decoder: Decoder) -> bool:
    """Whether two planes hold the same stored values."""
    uid = one.header.get("SOPInstanceUID")
    if one.index is None and uid and uid == other.header.get("SOPInstanceUID"):
        return True
    return bool(np.array_equal(decoder.stored(one), decoder.stored(other)))


def facts(frame: Frame) -> SeriesInfo:
    """Header facts of the series, in words of known tables, without identity."""
    header = frame.header
    uid = str(header.get("SeriesInstanceUID") or header.get("SOPInstanceUID") or "")
    marks = " ".join(str(header.get(name) or "") for name in ("Manufacturer", "ManufacturerModelName", "SeriesDescription")) + " ".join(
        frame.image_type
    )
    kernel = rules.known_kernel(frame.kernel)
    return SeriesInfo(
        uid_hash=hashlib.sha256(uid.encode()).hexdigest()[:16],
        thickness_mm=frame.thickness,
        kernel=kernel[0] if kernel else None,
        contrast=_contrast(header),
        manufacturer=rules.known_maker(str(header.get("Manufacturer") or "").strip()),
        synthetic="synthetic" in marks.lower(),
        step_hu=abs(frame.rescale[0]) if frame.rescale else 1.0,
        kvp=_kilovolts(header),
        day=_day(header),
    )


def _kilovolts(header: Any) -> float | None:
    """Tube voltage, None for a header without a number."""
    try:
        return float(header.get("KVP"))
    except (TypeError, ValueError):
        return None


def _day(header: Any) -> int | None:
    """The day of the study, else of the acquisition or the series; None for a header without a date of the calendar."""
    for name in ("StudyDate", "AcquisitionDate", "SeriesDate"):
        text = re.sub(r"\D", "", str(header.get(name) or ""))[:8]
        try:
            return datetime.strptime(text, "%Y%m%d").date().toordinal()
        except ValueError:
            continue
    return None


def _contrast(header: Any) -> Literal["yes", "no", "unknown"]:
    """Whether an intravenous agent was given, as far as the header says."""
    volume = header.get("ContrastBolusVolume")
    return rules.contrast(
        str(header.get("ContrastBolusAgent") or ""),
        str(header.get("ContrastBolusRoute") or ""),
        None if volume in (None, "") else float(volume),
        coded=bool(len(header.get("ContrastBolusAgentSequence") or [])),
    )
