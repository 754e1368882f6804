"""Which stack of a mixed set of DICOM planes is read, and why the others are not."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers import rules
from medmpt_backend.imaging.readers.frames import CT_CLASSES, Frame
from medmpt_backend.imaging.readers.stack.passes import along, apart, step_of
from medmpt_backend.messages import Said, joined, messages

message = messages("medmpt_backend.imaging").said
# How kinds of images are called: derived, localizer, secondary.
_WORDS = messages("medmpt_backend.imaging").table("kinds")

# The normal of an axial plane lies this close to the body axis.
_AXIAL_COSINE = 0.85
MIN_SLICES = 8
# A stack that covers less than this share of the longest one is ranked behind it.
_COVERS = 0.8
# Sections thinner than this share of their interval leave gaps.
GAP_SHARE = 0.7
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_KERNEL_RANK = {"medium": 0, "soft": 1, None: 2, "sharp": 3}
_ELSEWHERE = ("ABDOMEN", "PELVIS", "HEAD", "BRAIN", "NECK", "SPINE", "LEG", "EXTREMITY", "KNEE", "SKULL", "FOOT", "HAND")

_ADVICE = {
    "modality": message("the images are {detail}, not CT; give a chest CT"),
    "colour": message("the images are in colour (RGB), a screenshot or a rendering; give the CT slices in HU"),
    "localizer": message("only localizer (scout) images were found; give the axial series"),
    "capture": message(
        "only captured images (secondary capture) were found: their numbers are no lung density; give the original axial series"
    ),
    "no position": message("the images have no position in the header (ImagePositionPatient); export the original series"),
    "no orientation": message(
        "the images have no orientation in the header (ImageOrientationPatient): left and right are unknown; export the original series"
    ),
    "pixel spacing": message("the images have no usable pixel spacing in the header; export the original series"),
    "not axial": message("the planes are not axial (coronal, sagittal or oblique reformats); give the axial series"),
}
_OTHER_KIND = message("only images of the kind {kind} were found: their numbers are no lung density; give the original axial series")


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes that belong together.

    Attributes:
        frames: Of one patient, series, kernel, thickness, matrix, orientation and pass.
        odd: `derived`, `secondary`, both, or None.
        extent: Travel along the normal, mm.
        step: Usual distance between planes, mm.
    """

    frames: list[Frame]
    odd: str | None
    extent: float
    step: float

    @property
    def thickness(self) -> float:
        """Thickness as far as known, else the interval."""
        return self.frames[0].thickness or self.step

    @property
    def name(self) -> Said:
        """Facts that tell it from another one, without identity."""
        first, kernel = self.frames[0], rules.known_kernel(self.frames[0].kernel)
        facts: list[str] = [plural(len(self.frames), "slice"), f"{self.thickness:.2f} mm"]
        facts += [message("kernel {name}", name=kernel[0])] if kernel else []
        facts += [message("acquisition {number}", number=first.acquisition)] if first.acquisition is not None else []
        return joined([*facts, *([_odd(self.odd)] if self.odd else [])], ", ", "、")


_COUNTED = messages("medmpt_backend.imaging").table("counted")


def plural(count: int, noun: str) -> Said:
    """`1 slice`, `2 slices`, with the Chinese of the noun's row in the catalogue's `counted`."""
    return Said(f"{count} {noun}" if count == 1 else f"{count} {noun}s", _COUNTED[noun].format(count=count))


def choose(frames: Sequence[Frame]) -> tuple[list[Frame], list[str]]:
    """The axial CT stack that suits lung work best.

    Original primary images come first, then whole coverage without gaps, thin sections, a medium kernel, the number of slices.

    Args:
        frames: Planes of any kind.

    Returns:
        The planes of one stack of one patient; and what was left out.

    Raises:
        BadInput: No axial CT plane, with the most frequent reason.
    """
    left_out: Counter[str] = Counter()
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
        raise BadInput(_ADVICE.get(reason, _OTHER_KIND).fill(detail=", ".join(found), kind=Said(reason, _WORDS.get(reason, reason))))
    stacks = [_stack(part) for group in groups.values() for part in apart(group, MIN_SLICES)]
    longest = max(stack.extent for stack in stacks)
    stacks.sort(key=lambda stack: _rank(stack, longest))
    return stacks[0].frames, [*_told(stacks), *_left_out(left_out)]


def _left_out(counts: Counter[str]) -> list[str]:
    """How many images were left out, and why."""
    return [
        message("{images} left out: {why}", images=plural(count, "image"), why=Said(why, _WORDS.get(why, why)))
        for why, count in sorted(counts.items())
    ]


def _stack(frames: list[Frame]) -> Stack:
    """A stack with what it is ranked by."""
    places = along(frames)
    return Stack(frames, rules.odd_type(frames[0].image_type), float(places.max() - places.min()), step_of(places))


def _rank(stack: Stack, longest: float) -> tuple[object, ...]:
    """Smaller is better; the last parts only make equal stacks come in the order of the scanner's numbers."""
    first = min(stack.frames, key=lambda frame: frame.number)
    kernel = rules.known_kernel(first.kernel)
    part = str(first.header.get("BodyPartExamined") or "").upper()
    return (
        len(stack.frames) < MIN_SLICES,
        stack.odd is not None,
        part.startswith(_ELSEWHERE),
        stack.extent < _COVERS * longest,
        stack.thickness < GAP_SHARE * stack.step,
        round(max(stack.thickness, stack.step) / 0.25),
        _KERNEL_RANK[kernel[1] if kernel else None],
        -len(stack.frames),
        int(str(first.header.get("SeriesNumber") or 0)),
        first.acquisition or 0,
        first.number,
        first.file.name,
    )


def _told(stacks: Sequence[Stack]) -> list[str]:
    """What was read and what was left, where there was a choice; what is odd about the images read."""
    told: list[str] = []
    chosen, others = stacks[0], stacks[1:]
    if others:
        rest = joined(stack.name for stack in others[:3])
        rest = message("{stacks} and {count} more", stacks=rest, count=len(others) - 3) if len(others) > 3 else rest
        found = message("{count} {kinds} found", count=len(stacks), kinds=_differences(stacks))
        told.append(message("{found}; read: {read}; left: {left}", found=found, read=chosen.name, left=rest))
    if chosen.odd:
        told.append(
            message(
                "the images are {odd} ones, not the scanner's original: densities may have been changed by averaging", odd=_odd(chosen.odd)
            )
        )
    if chosen.frames[0].by_imager:
        told.append(message("the header has no PixelSpacing; ImagerPixelSpacing was taken: sizes and volumes depend on it"))
    if not chosen.frames[0].header.get("Modality"):
        told.append(message("the header has no Modality; the images are stored as CT and were read as CT"))
    return told


def _odd(kinds: str) -> Said:
    """`derived`, `secondary` or both."""
    return Said(kinds, _WORDS[kinds])


def _differences(stacks: Sequence[Stack]) -> Said:
    """What tells the stacks apart, in words."""
    firsts = [stack.frames[0] for stack in stacks]
    words: list[Said] = []
    if len({frame.patient for frame in firsts}) > 1:
        words.append(message("stacks of {count} patients", count=len({frame.patient for frame in firsts})))
    series = len({str(frame.header.get("SeriesInstanceUID") or "") for frame in firsts})
    if series > 1 or not words:
        words.append(message("axial CT series") if series > 1 else message("acquisitions, kernels or thicknesses in one axial CT series"))
    return joined(words, " and ", "、")


def _unusable(frame: Frame) -> str | None:
    """Why a plane cannot be part of an axial CT series."""
    header = frame.header
    modality, storage = str(header.get("Modality") or "").upper(), str(header.get("SOPClassUID") or "")
    if modality != "CT" and (modality or storage not in CT_CLASSES):
        return "modality"
    if int(header.get("SamplesPerPixel") or 1) != 1:
        return "colour"
    refused = rules.refused_type(frame.image_type, frame.units)
    if refused or storage.startswith(_SECONDARY_CAPTURE):
        return refused or "capture"
    if frame.position is None or frame.orientation is None:
        return "no position" if frame.position is None else "no orientation"
    if frame.pixel_spacing is None or min(frame.pixel_spacing) <= 0:
        return "pixel spacing"
    normal = np.cross(frame.orientation[:3], frame.orientation[3:])
    return None if abs(float(normal[2])) >= _AXIAL_COSINE else "not axial"


def _key(frame: Frame) -> tuple[object, ...]:
    """What the planes of one stack share."""
    assert frame.orientation is not None
    assert frame.pixel_spacing is not None
    return (
        frame.patient,
        str(frame.header.get("SeriesInstanceUID") or ""),
        rules.odd_type(frame.image_type),
        frame.kernel,
        round(frame.thickness or 0.0, 1),
        int(frame.header.Rows),
        int(frame.header.Columns),
        tuple(round(value, 3) for value in frame.pixel_spacing),
        tuple(round(value, 2) for value in frame.orientation),
    )
