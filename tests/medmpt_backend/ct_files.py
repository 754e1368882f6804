"""Small CT series on disk and small chests in memory, for the tests of readers and measurements."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def noise_body(shape: tuple[int, int, int] = (12, 40, 32), seed: int = 0) -> NDArray[np.int16]:
    """An asymmetric box of tissue in air: every axis and direction can be told apart. `(D, H, W)` int16, HU."""
    rng = np.random.default_rng(seed)
    hu = np.full(shape, -1000, dtype=np.int16)
    d, h, w = shape
    hu[1 : d - 2, 4 : h - 10, 3 : w - 8] = rng.integers(-200, 300, (d - 3, h - 14, w - 11), dtype=np.int16)
    return hu


def write_series(
    folder: Path,
    hu: NDArray[np.int16],
    *,
    spacing: tuple[float, float, float] = (2.0, 0.9, 0.7),
    names: Sequence[str] | None = None,
    uid: str | None = None,
    intercept: float | None = -1024,
    **tags: Any,
) -> list[Path]:
    """Write `(D, H, W)` HU (LPS, head first) as one classic CT series.

    Args:
        folder: Created when absent.
        hu: int16.
        spacing: mm `(z, y, x)`.
        names: File names, head first.
        uid: Series UID.
        intercept: None leaves the rescale tags out.
        **tags: Further attributes of every file.

    Returns:
        The files, head first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    uid = uid or generate_uid()
    files = []
    for k in range(len(hu)):
        data = _header(uid, hu.shape[1:], spacing, k, intercept)
        for key, value in tags.items():
            setattr(data, key, value)
        stored = hu[k].astype(np.int32) - int(intercept or 0)
        data.PixelData = stored.astype("<i2").tobytes()
        files.append(folder / (names[k] if names else f"slice{k:03d}.dcm"))
        data.save_as(files[-1], enforce_file_format=True)
    return files


def _header(uid: str, plane: tuple[int, ...], spacing: tuple[float, float, float], k: int, intercept: float | None) -> FileDataset:
    """Header of slice `k`."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.SeriesInstanceUID, data.Modality, data.ImageType = uid, "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PatientName, data.PatientID = "Secret^Person", "MRN-4711"
    data.InstanceNumber = 500 - k
    data.ImagePositionPatient = [-10.0, -20.0, 100.0 - k * spacing[0]]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing, data.SliceThickness = [spacing[1], spacing[2]], spacing[0]
    data.Rows, data.Columns = plane
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    if intercept is not None:
        data.RescaleIntercept, data.RescaleSlope = intercept, 1
    return data


def edit(file: Path, **tags: Any) -> None:
    """Change attributes of a file; None deletes."""
    data = pydicom.dcmread(file)
    for key, value in tags.items():
        if value is None:
            delattr(data, key)
        else:
            setattr(data, key, value)
    data.save_as(file, enforce_file_format=True)


def write_enhanced(file: Path, hu: NDArray[np.int16], spacing: tuple[float, float, float] = (2.0, 0.9, 0.7)) -> None:
    """Write `(D, H, W)` HU as one multi-frame Enhanced CT file, frames in a shuffled order."""
    data = _header(generate_uid(), hu.shape[1:], spacing, 0, None)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(data, name)
    order = np.random.default_rng(1).permutation(len(hu))
    data.NumberOfFrames = len(hu)
    measures, orientation, values = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [spacing[1], spacing[2]], spacing[0]
    orientation.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = -1024, 1, "HU"
    shared = Dataset()
    shared.PixelMeasuresSequence = DicomSequence([measures])
    shared.PlaneOrientationSequence = DicomSequence([orientation])
    shared.PixelValueTransformationSequence = DicomSequence([values])
    data.SharedFunctionalGroupsSequence = DicomSequence([shared])
    groups = []
    for k in order:
        position, group = Dataset(), Dataset()
        position.ImagePositionPatient = [-10.0, -20.0, 100.0 - int(k) * spacing[0]]
        group.PlanePositionSequence = DicomSequence([position])
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = DicomSequence(groups)
    data.PixelData = (hu[order].astype(np.int32) + 1024).astype("<i2").tobytes()
    data.save_as(file, enforce_file_format=True)


def chest_of_two_balloons(
    shape: tuple[int, int, int] = (60, 150, 150), spacing: tuple[float, float, float] = (1.5, 1.0, 1.0)
) -> NDArray[np.int16]:
    """Two lungs of -850 HU in tissue, without airway or bone, for measuring lesions. `(D, H, W)` int16, HU."""
    z, y, x = np.meshgrid(*[(np.arange(n) - n / 2) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij", sparse=True)
    hu = np.full(shape, -1000, dtype=np.int16)
    hu[np.broadcast_to((y / 62) ** 2 + (x / 72) ** 2 < 1, shape)] = 40
    for side in (-1, 1):
        hu[((z / 38) ** 2 + (y / 48) ** 2 + ((x - side * 34) / 28) ** 2) < 1] = -850
    return hu


def add_ball(
    hu: NDArray[np.int16], centre: tuple[int, int, int], radius_mm: float, value: int, spacing: tuple[float, float, float] = (1.5, 1.0, 1.0)
) -> None:
    """Paint a ball of a density in place; `centre` is `(z, y, x)`."""
    axes = [(np.arange(n) - c) * s for n, c, s in zip(hu.shape, centre, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    hu[z**2 + y**2 + x**2 <= radius_mm**2] = value
