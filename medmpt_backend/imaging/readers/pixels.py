"""Pixels of one DICOM frame as HU: decoding, padding, inverted greyscale."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from scipy import ndimage

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.readers.frames import DAMAGE, Frame, looks_like_dicom
from medmpt_backend.imaging.readers.hounsfield import AIR_HU, MAX_HU, to_int16
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

# A padding value whose HU lies inside the range of a body may also be a real voxel; then only padding that touches the border is padding.
_BODY_HU = (-1000, 3071)


class Decoder:
    """Decodes frames; keeps the last multi-frame file open so that its header is parsed once."""

    def __init__(self) -> None:
        self._file: object = None
        self._dataset: pydicom.Dataset | None = None

    def stored(self, frame: Frame) -> NDArray[np.integer]:
        """Stored values of a frame, `(rows, columns)`.

        Raises:
            BadInput: Truncated, damaged, or in a compression that is not supported.
        """
        if frame.starts is not None:
            return _plain(frame, frame.starts)
        try:
            with warnings.catch_warnings(), pydicom.config.disable_value_validation():
                warnings.simplefilter("ignore")
                if self._file != frame.file:
                    self._file, self._dataset = frame.file, _opened(frame.file)
                assert self._dataset is not None
                array = pixel_array(self._dataset, index=frame.index, raw=True)
        except DAMAGE as error:
            raise BadInput(
                message(
                    "{file!r} is truncated or damaged, or its compression is not supported ({kind})",
                    file=frame.file.name,
                    kind=type(error).__name__,
                )
            ) from error
        if array.shape != (int(frame.header.Rows), int(frame.header.Columns)):
            raise BadInput(
                message(
                    "{file!r} decodes to shape {shape}, its header says {wanted}",
                    file=frame.file.name,
                    shape=array.shape,
                    wanted=(int(frame.header.Rows), int(frame.header.Columns)),
                )
            )
        return array


def _plain(frame: Frame, starts: int) -> NDArray[np.integer]:
    """16-bit pixels that stand in the file as they are, without what other data may hold in unused high bits."""
    header = frame.header
    shape = int(header.Rows), int(header.Columns)
    signed = bool(int(header.get("PixelRepresentation") or 0))
    try:
        array = np.fromfile(frame.file, dtype="<i2" if signed else "<u2", count=shape[0] * shape[1], offset=starts)
    except OSError as error:
        raise BadInput(f"{frame.file.name!r} cannot be read ({type(error).__name__})") from error
    if array.size != shape[0] * shape[1]:
        raise BadInput(f"{frame.file.name!r} is truncated or damaged: it ends within its pixels")
    unused = 16 - int(header.BitsStored)
    if unused:
        array = (array << unused) >> unused
    return array.reshape(shape)


def _opened(file: Path) -> pydicom.Dataset:
    """A data set with a transfer syntax, also where the file was written without meta information."""
    dataset = pydicom.dcmread(file, force=looks_like_dicom(file))
    meta = getattr(dataset, "file_meta", None) or FileMetaDataset()
    if "TransferSyntaxUID" not in meta:
        implicit, _ = dataset.original_encoding
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        dataset.file_meta = meta
    return dataset


def to_hu(frame: Frame, stored: NDArray[np.integer], *, inverted: bool = False) -> NDArray[np.int16]:
    """HU of a frame.

    Args:
        frame: Header facts.
        stored: `(rows, columns)` as decoded.
        inverted: Whether the stored scale runs backwards (see `is_inverted`).

    Returns:
        `(rows, columns)` int16, HU; padding is air.
    """
    slope, intercept = frame.rescale or (1.0, 0.0)
    padding = _padding(frame, stored, slope, intercept)
    if inverted:
        stored = _flip(frame, stored)
    hu = to_int16(stored, slope, intercept)
    if padding is not None:
        hu[padding] = AIR_HU
    return hu


def is_inverted(frame: Frame, stored: NDArray[np.integer]) -> bool:
    """Whether a MONOCHROME1 frame stores air high and bone low.

    By the standard MONOCHROME1 concerns display alone and HU do not change; some exporters invert the numbers as well.
    Air in the corners decides.
    """
    if str(frame.header.get("PhotometricInterpretation", "")).upper() != "MONOCHROME1":
        return False
    slope, intercept = frame.rescale or (1.0, 0.0)
    return _corner(to_int16(stored, slope, intercept)) > -500 >= _corner(to_int16(_flip(frame, stored), slope, intercept))


def _corner(hu: NDArray[np.int16]) -> float:
    """Median HU of the four corners."""
    n = max(2, min(hu.shape) // 32)
    return float(np.median(np.concatenate([hu[:n, :n].ravel(), hu[:n, -n:].ravel(), hu[-n:, :n].ravel(), hu[-n:, -n:].ravel()])))


def _flip(frame: Frame, stored: NDArray[np.integer]) -> NDArray[np.integer]:
    """The stored scale run backwards."""
    bits = int(frame.header.get("BitsStored") or 16)
    top = -1 if int(frame.header.get("PixelRepresentation") or 0) else (1 << bits) - 1
    return (top - stored.astype(np.int32)).astype(np.int32)


def _padding(frame: Frame, stored: NDArray[np.integer], slope: float, intercept: float) -> NDArray[np.bool_] | None:
    """Mask of padding, None without any."""
    value = _signed(frame, frame.header.get("PixelPaddingValue"))
    if value is None:
        return None
    limit = _signed(frame, frame.header.get("PixelPaddingRangeLimit"))
    low, high = sorted((value, value if limit is None else limit))
    mask: NDArray[np.bool_] = stored == low if low == high else (stored >= low) & (stored <= high)
    if not mask.any():
        return None
    if _BODY_HU[0] <= low * slope + intercept <= min(_BODY_HU[1], MAX_HU):
        parts, _ = ndimage.label(mask)
        border = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
        mask = np.isin(parts, border[border > 0])
    return mask


def _signed(frame: Frame, value: object) -> int | None:
    """A padding attribute in the representation of the pixels: 63536 on a signed 16-bit image is -2000."""
    if value is None or value == "":
        return None
    number = int.from_bytes(value[:2], "little") if isinstance(value, bytes) else int(str(value))
    bits = int(frame.header.get("BitsAllocated") or 16)
    if int(frame.header.get("PixelRepresentation") or 0) and number >= 1 << (bits - 1):
        return number - (1 << bits)
    return number
