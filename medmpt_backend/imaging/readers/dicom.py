"""A set of DICOM files: the axial CT series that suits lung work best becomes a `Volume`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import geometry, hounsfield, pixels
from medmpt_backend.imaging.readers.frames import DAMAGE, Frame, looks_like_dicom, read_frames
from medmpt_backend.imaging.readers.stack import burned
from medmpt_backend.imaging.readers.stack.choose import GAP_SHARE, MIN_SLICES, choose, plural
from medmpt_backend.imaging.readers.stack.series import Plane, facts, normal_of, require_upright, without_duplicates
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.messages import joined, messages

message = messages("medmpt_backend.imaging").said

# Uneven intervals are a habit of sections much thinner than their interval, and missing slices elsewhere.
_UNEVEN_SHARE = 0.5


def read_files(files: Sequence[Path]) -> Volume:
    """Read the axial CT series that suits lung work best out of mixed files.

    Args:
        files: Any files; those that are no DICOM images are skipped.

    Returns:
        The series in HU, LPS, head first; `warnings` says what was chosen, dropped or repaired.

    Raises:
        BadInput: Nothing usable, with the reason that explains most of the files.
    """
    frames, warnings = _frames(files)
    chosen, said = choose(frames)
    warnings += said
    require_upright(chosen)
    if len(chosen) < MIN_SLICES:
        raise BadInput(
            message(
                "the largest axial CT series has {slices}, fewer than {least}; give the whole series",
                slices=plural(len(chosen), "slice"),
                least=MIN_SLICES,
            )
        )
    first = chosen[0]
    geometry.require_size(len(chosen), int(first.header.Rows), int(first.header.Columns))
    decoder = pixels.Decoder()
    planes, said = without_duplicates(chosen, decoder)
    warnings += said
    stack, step, missing, said = _stack(planes, decoder)
    warnings += said
    assert first.orientation is not None
    assert first.pixel_spacing is not None
    rows, columns = np.array(first.orientation[3:]), np.array(first.orientation[:3])
    directions = np.stack([normal_of(first), rows, columns])
    hu, spacing, angle = geometry.to_lps(stack, directions, (step, first.pixel_spacing[0], first.pixel_spacing[1]))
    if missing is not None:
        reversed_stack = float((np.array([0.0, 0.0, -1.0]) @ directions.T)[0]) < 0
        index = len(stack) - 1 - missing if reversed_stack else missing
        warnings.append(message("slice {index} (0-based from the head) was missing and was interpolated from its neighbours", index=index))
    hounsfield.require_hounsfield(hu, declared=first.rescale is not None)
    if first.rescale is None:
        warnings.append(message("the header has no RescaleIntercept; the stored values were taken as HU because they reach air"))
    if angle > 1.0:
        warnings.append(message("the axes are rotated by {angle:.1f} degrees against the body axes; read as if straight", angle=angle))
    if str(first.header.get("BurnedInAnnotation") or "").upper() == "YES":
        warnings.append(burned.blank(hu))
    return Volume(hu, spacing, facts(first), tuple(warnings))


def _frames(files: Sequence[Path]) -> tuple[list[Frame], list[str]]:
    """Planes of all files, and what was skipped."""
    frames: list[Frame] = []
    others = 0
    damaged: list[Path] = []
    for file in files:
        if not looks_like_dicom(file):
            others += 1
            if not file.stat().st_size and file.suffix.lower() in (".dcm", ".ima", ""):
                damaged.append(file)
            continue
        try:
            frames += read_frames(file)
        except DAMAGE:
            damaged.append(file)
    if not frames:
        raise BadInput(_nothing(files, others, len(damaged)))
    if not damaged:
        return frames, []
    named = joined((repr(file.name) for file in damaged[:3]), ", ", "、")
    named = message("{files} and others", files=named) if len(damaged) > 3 else named
    return frames, [message("{files} skipped: {named}", files=plural(len(damaged), "damaged or empty DICOM file"), named=named)]


def _nothing(files: Sequence[Path], others: int, damaged: int) -> str:
    """Why no image was found."""
    if not files:
        return message("the folder is empty; give a folder with the DICOM files of a chest CT")
    if damaged:
        return message("{files} cannot be read: truncated or damaged; export the series again", files=plural(damaged, "DICOM file"))
    if len(files) == 1 and others:
        return message(
            "{file!r} is neither DICOM, nor a zip, nor NIfTI; give a DICOM folder, a .zip of one, or a .nii/.nii.gz file",
            file=files[0].name,
        )
    return message("none of {files} is a DICOM image; give a folder with the DICOM files of a chest CT", files=plural(len(files), "file"))


def _stack(planes: Sequence[Plane], decoder: pixels.Decoder) -> tuple[NDArray[np.int16], float, int | None, list[str]]:
    """HU of the sorted planes with one missing slice filled; returns stack, step in mm, index of the filled slice, warnings."""
    places, thickness = np.array([plane.along for plane in planes]), planes[0].frame.thickness
    spaced = thickness is not None and thickness < GAP_SHARE * float(np.median(np.diff(places)))
    step, absent, uneven = geometry.gaps(
        places, spaced=spaced and thickness is not None and thickness < _UNEVEN_SHARE * float(np.median(np.diff(places)))
    )
    if len(absent) > 1:
        raise BadInput(
            message("{count} slices are missing (after {places}); send the whole series", count=len(absent), places=_places(planes, absent))
        )
    first = planes[0].frame
    stack = np.empty((len(planes) + len(absent), int(first.header.Rows), int(first.header.Columns)), dtype=np.int16)
    if normal_of(first)[2] > 0:
        stack = stack[::-1]  # filled from the feet, so that it lies in memory as it is read later, from the head
    middle = planes[len(planes) // 2].frame
    inverted = pixels.is_inverted(middle, decoder.stored(middle))
    k = 0
    filled: int | None = None
    for i, plane in enumerate(planes):
        stack[k] = pixels.to_hu(plane.frame, decoder.stored(plane.frame), inverted=inverted)
        k += 1
        if absent == [i]:
            filled = k
            k += 1
    if filled is not None:
        stack[filled] = ((stack[filled - 1].astype(np.int32) + stack[filled + 1]) // 2).astype(np.int16)
    warnings: list[str] = [message("stored values run backwards (MONOCHROME1); they were inverted")] if inverted else []
    if uneven:
        warnings.append(uneven)
    if spaced:
        warnings.append(
            message(
                "the sections are {thickness:.1f} mm thick and {step:.1f} mm apart: what lies in the gaps was not seen",
                thickness=thickness,
                step=step,
            )
        )
    if filled is not None:
        warnings.append(message("one slice is missing at {along:.1f} mm along the scan axis", along=planes[filled - 1].along + step))
    return stack, step, filled, warnings


def _places(planes: Sequence[Plane], absent: Sequence[int]) -> str:
    """Positions before each gap, at most five."""
    counts = Counter(absent)
    named = [f"{planes[i].along:.1f} mm ({count})" for i, count in counts.items()]
    return ", ".join(named[:5]) + (" and others" if len(named) > 5 else "")
