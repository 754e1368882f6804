"""Headers of DICOM files as `Frame`s: one per image plane, for classic and for multi-frame Enhanced CT files.

Only the tags named here are read; names, dates and numbers of the patient never enter memory.
"""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality", "ImageType", "Manufacturer", "ManufacturerModelName",
    "SeriesDescription", "ContrastBolusAgent", "ContrastBolusVolume", "ContrastBolusAgentSequence",
    "SliceThickness", "ConvolutionKernel", "GantryDetectorTilt",
    "InstanceNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation", "NumberOfFrames", "RescaleIntercept", "RescaleSlope",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
DAMAGE = (
    InvalidDicomError,
    ValueError,
    RuntimeError,
    AttributeError,
    EOFError,
    OSError,
    KeyError,
    TypeError,
    IndexError,
    NotImplementedError,
    struct.error,
)


@dataclass(frozen=True)
class Frame:
    """One image plane.

    Attributes:
        file: Where its pixels are.
        index: Frame number inside a multi-frame file, None in a classic file.
        header: The tags of `_TAGS`, without pixels.
        number: InstanceNumber, or the frame number.
        image_type: Upper-case values of ImageType (or of the frame type).
        position: Upper left pixel, LPS, mm; None where the header has none.
        orientation: Row and column cosines; None where the header has none.
        pixel_spacing: Between rows, between columns, mm; None where the header has none.
        rescale: Slope and intercept; None where the header has none.
        thickness: Nominal slice thickness, mm.
        kernel: Convolution kernel.
    """

    file: Path
    index: int | None
    header: Dataset
    number: int
    image_type: tuple[str, ...]
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, ...] | None
    rescale: tuple[float, float] | None
    thickness: float | None
    kernel: str | None


def read_frames(file: Path) -> list[Frame]:
    """The planes of one file, without pixels.

    Args:
        file: A DICOM file.

    Returns:
        One frame for a classic image, many for a multi-frame one, none for an object without an image.

    Raises:
        InvalidDicomError: Not DICOM, or damaged; one of `DAMAGE`.
    """
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
        if "Rows" not in header or "Columns" not in header:
            return []
        if "PerFrameFunctionalGroupsSequence" in header:
            return [_enhanced(file, header, i) for i in range(len(header.PerFrameFunctionalGroupsSequence))]
        return [_classic(file, header)]


def _classic(file: Path, header: Dataset) -> Frame:
    """The frame of a single-frame file."""
    return Frame(
        file=file,
        index=None,
        header=header,
        number=int(header.get("InstanceNumber") or 0),
        image_type=_upper(header.get("ImageType")),
        position=_floats(header.get("ImagePositionPatient"), 3),
        orientation=_floats(header.get("ImageOrientationPatient"), 6),
        pixel_spacing=_floats(header.get("PixelSpacing"), 2),
        rescale=_rescale(header),
        thickness=_positive(header.get("SliceThickness")),
        kernel=_text(header.get("ConvolutionKernel")),
    )


def _enhanced(file: Path, header: Dataset, index: int) -> Frame:
    """Frame `index` of a multi-frame file: per-frame groups first, shared groups after."""
    groups = [header.PerFrameFunctionalGroupsSequence[index], *(header.get("SharedFunctionalGroupsSequence") or [])]

    def item(name: str) -> Dataset:
        found = [group[name].value[0] for group in groups if name in group and len(group[name].value)]
        return found[0] if found else Dataset()

    measures, values = item("PixelMeasuresSequence"), item("PixelValueTransformationSequence")
    return Frame(
        file=file,
        index=index,
        header=header,
        number=index + 1,
        image_type=_upper(item("CTImageFrameTypeSequence").get("FrameType") or header.get("ImageType")),
        position=_floats(item("PlanePositionSequence").get("ImagePositionPatient"), 3),
        orientation=_floats(item("PlaneOrientationSequence").get("ImageOrientationPatient"), 6),
        pixel_spacing=_floats(measures.get("PixelSpacing"), 2),
        rescale=_rescale(values),
        thickness=_positive(measures.get("SliceThickness")),
        kernel=_text(item("CTReconstructionSequence").get("ConvolutionKernel") or header.get("ConvolutionKernel")),
    )


def _floats(value: Any, count: int) -> tuple[float, ...] | None:
    """Exactly `count` finite numbers, or None."""
    if value is None or isinstance(value, str) or not hasattr(value, "__len__") or len(value) != count:
        return None
    return tuple(float(v) for v in value)


def _rescale(header: Dataset) -> tuple[float, float] | None:
    """Slope and intercept, None without an intercept."""
    if header.get("RescaleIntercept") in (None, ""):
        return None
    slope = header.get("RescaleSlope")
    return (float(slope) if slope not in (None, "") else 1.0, float(header.RescaleIntercept))


def _positive(value: Any) -> float | None:
    """A positive number or None."""
    return float(value) if value not in (None, "") and float(value) > 0 else None


def _text(value: Any) -> str | None:
    """The first non-empty text of a possibly multi-valued attribute."""
    if value is None:
        return None
    parts = [value] if isinstance(value, str) else list(value)
    return next((str(part).strip() for part in parts if str(part).strip()), None)


def _upper(value: Any) -> tuple[str, ...]:
    """Values of ImageType in upper case."""
    if value is None:
        return ()
    return tuple(str(part).upper() for part in ([value] if isinstance(value, str) else value))
