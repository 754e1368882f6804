"""Headers of DICOM files as `Frame`s: one per image plane, for classic and for multi-frame Enhanced CT files.

Only the tags named here are read. The patient's number is read to tell two patients apart: a hash of it is kept, the number is not;
names and dates never enter memory.
"""

import hashlib
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "PatientID",
    "Modality", "ImageType", "Manufacturer", "ManufacturerModelName",
    "SeriesDescription", "ContrastBolusAgent", "ContrastBolusVolume", "ContrastBolusRoute",
    "ContrastBolusAgentSequence", "BodyPartExamined", "BurnedInAnnotation", "RescaleType", "ImagerPixelSpacing",
    "SliceThickness", "ConvolutionKernel", "GantryDetectorTilt", "KVP", "StudyDate", "AcquisitionDate", "SeriesDate",
    "InstanceNumber", "AcquisitionNumber", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "NumberOfFrames", "RescaleIntercept", "RescaleSlope",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
# Looked up once: by name, every file would look them up again.
_NUMBERS: list[BaseTag] = [Tag(name) for name in _TAGS]
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
CT_CLASSES = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)
# Pixels stored one after the other can be read where they stand; everything else is left to the decoder.
_PLAIN_SYNTAXES: dict[str, int] = {ImplicitVRLittleEndian: 8, ExplicitVRLittleEndian: 12}
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
# A file without the preamble begins with a group of file meta information or of identification.
_FIRST_GROUPS = (b"\x02\x00\x00\x00", b"\x02\x00\x01\x00", b"\x02\x00\x02\x00", b"\x08\x00")


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
        kernel: Convolution kernel as written.
        patient: Hash of the patient's number, empty without one.
        acquisition: AcquisitionNumber, None without one.
        units: RescaleType.
        by_imager: Whether the spacing is that of the detector, for want of the image's own.
        starts: Byte at which 16-bit pixels of a single plane stand in the file as they are, None where a decoder is needed.
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
    patient: str = ""
    acquisition: int | None = None
    units: str = ""
    by_imager: bool = False
    starts: int | None = None


def looks_like_dicom(file: Path) -> bool:
    """Whether a file has the DICOM preamble, or begins like a data set written without one."""
    try:
        with file.open("rb") as source:
            head = source.read(140)
    except OSError:
        return False
    if head[128:132] == b"DICM":
        return True
    return len(head) >= 140 and head.startswith(_FIRST_GROUPS) and head[2:4] < b"\x20\x00" and head[3:4] == b"\x00"


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
        with file.open("rb") as source:
            header = pydicom.dcmread(source, stop_before_pixels=True, specific_tags=_NUMBERS, force=True)
            starts = _plain_start(source, header)
        if "Rows" not in header or "Columns" not in header:
            return []
        patient = hashlib.sha256(str(header.get("PatientID") or "").strip().encode()).hexdigest()[:16] if header.get("PatientID") else ""
        header.pop("PatientID", None)
        if "PerFrameFunctionalGroupsSequence" in header:
            return [_enhanced(file, header, i, patient) for i in range(len(header.PerFrameFunctionalGroupsSequence))]
        return [_classic(file, header, patient, starts)]


def _plain_start(source: BinaryIO, header: Dataset) -> int | None:
    """Where uncompressed 16-bit pixels of one plane begin, read at the element at which the header ended; None for all else."""
    syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
    size = _PLAIN_SYNTAXES.get(str(syntax))
    if size is None or int(header.get("BitsAllocated") or 0) != 16 or int(header.get("SamplesPerPixel") or 1) != 1:
        return None
    if int(header.get("HighBit") or 0) != int(header.get("BitsStored") or 0) - 1 or int(header.get("NumberOfFrames") or 1) != 1:
        return None
    at = source.tell()
    element = source.read(size)
    if (
        len(element) < size
        or element[:4] != _PIXEL_DATA
        or int.from_bytes(element[-4:], "little") != 2 * int(header.Rows) * int(header.Columns)
    ):
        return None
    return at + size


def _classic(file: Path, header: Dataset, patient: str, starts: int | None) -> Frame:
    """The frame of a single-frame file."""
    own = _floats(header.get("PixelSpacing"), 2)
    return Frame(
        file=file,
        index=None,
        header=header,
        number=int(header.get("InstanceNumber") or 0),
        image_type=_upper(header.get("ImageType")),
        position=_floats(header.get("ImagePositionPatient"), 3),
        orientation=_floats(header.get("ImageOrientationPatient"), 6),
        pixel_spacing=own or _floats(header.get("ImagerPixelSpacing"), 2),
        rescale=_rescale(header),
        thickness=_positive(header.get("SliceThickness")),
        kernel=_text(header.get("ConvolutionKernel")),
        patient=patient,
        acquisition=_whole(header.get("AcquisitionNumber")),
        units=str(header.get("RescaleType") or ""),
        by_imager=own is None,
        starts=starts,
    )


def _enhanced(file: Path, header: Dataset, index: int, patient: str) -> Frame:
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
        rescale=_rescale(values) or _rescale(header),
        thickness=_positive(measures.get("SliceThickness")),
        kernel=_text(item("CTReconstructionSequence").get("ConvolutionKernel") or header.get("ConvolutionKernel")),
        patient=patient,
        acquisition=_whole(item("FrameContentSequence").get("FrameAcquisitionNumber")),
        units=str(values.get("RescaleType") or header.get("RescaleType") or ""),
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


def _whole(value: Any) -> int | None:
    """A whole number or None."""
    try:
        return int(str(value))
    except ValueError:
        return None


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
