"""One volume as DICOM files in the ways of other scanners and exports: each has to be read as the same volume."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from medmpt_backend.imaging.volume import Volume

Vec = tuple[float, float, float]


def _file(k: int, plane: NDArray[np.int16], spacing: Vec, orientation: list[float], place: list[float]) -> Dataset:
    """One CT slice with plain HU."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.SOPClassUID, data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = (
        CTImageStorage,
        generate_uid(),
        "1.2.3",
        "1.2.3.4",
    )
    data.Modality, data.PatientID, data.ImageType, data.InstanceNumber = "CT", "S", ["ORIGINAL", "PRIMARY", "AXIAL"], k + 1
    data.SliceThickness = round(spacing[0], 4)
    data.ImagePositionPatient, data.ImageOrientationPatient = [round(p, 4) for p in place], orientation
    data.PixelSpacing, data.Rows, data.Columns = [round(spacing[1], 6), round(spacing[2], 6)], *plane.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 1
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.RescaleIntercept, data.RescaleSlope, data.RescaleType = 15, 0, 1, "HU"
    data.PixelData = np.ascontiguousarray(plane, dtype="<i2").tobytes()
    return data


def _unsigned(data: Dataset, plane: NDArray[np.int16], intercept: int, bits: int) -> None:
    data.PixelRepresentation, data.RescaleIntercept, data.BitsStored, data.HighBit = 0, intercept, bits, bits - 1
    data.PixelData = np.clip(plane.astype(np.int32) - intercept, 0, 2**bits - 1).astype("<u2").tobytes()


FILES = (
    "unsigned, intercept -1024",
    "unsigned 12 bits, intercept -1024",
    "unsigned, intercept -8192",
    "slope 0.5",
    "padding -2000 with tag",
    "padding 63536 with tag on signed values",
    "feet first, prone",
    "numbered from the feet",
    "names in random order",
    "decubitus",
    "implicit, no thickness",
    "positions rounded to 0.1 mm",
    "localizer in the folder",
    "oblique by 3 degrees",
)


def written(volume: Volume, folder: Path, name: str) -> Path:
    """The volume as DICOM files in a folder, in one of the ways of `FILES`."""
    folder.mkdir(parents=True)
    order = np.random.default_rng(5).permutation(len(volume.hu))
    for k, plane in enumerate(volume.hu):
        data = _slice(k, plane, volume, name)
        where = folder / (f"IM{order[k]:04d}" if name == "names in random order" else f"{k:04d}.dcm")
        implicit = name == "implicit, no thickness"
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, data.SOPInstanceUID
        data.save_as(where, enforce_file_format=True, implicit_vr=implicit, little_endian=True)
    if name == "localizer in the folder":
        _scout(volume, folder)
    return folder


def _slice(k: int, plane: NDArray[np.int16], volume: Volume, name: str) -> Dataset:
    """One slice of `written`."""
    z = -k * volume.spacing[0]
    orientation, place = [1.0, 0, 0, 0, 1, 0], [0.0, 0.0, z]
    if name == "feet first, prone":
        plane, orientation = plane[::-1, ::-1], [-1.0, 0, 0, 0, -1, 0]
    if name == "decubitus":
        plane, orientation = np.ascontiguousarray(plane.T), [0.0, 1, 0, 1, 0, 0]
    if name == "positions rounded to 0.1 mm":
        place = [0.0, 0.0, round(z, 1)]
    if name == "oblique by 3 degrees":
        angle = np.deg2rad(3)
        orientation = [float(np.cos(angle)), float(np.sin(angle)), 0, float(-np.sin(angle)), float(np.cos(angle)), 0]
    spacing = volume.spacing if name != "decubitus" else (volume.spacing[0], volume.spacing[2], volume.spacing[1])
    data = _file(k, plane, spacing, orientation, place)
    padding = np.where(plane < -1024, -2000, plane).astype(np.int16)
    if name == "unsigned, intercept -1024":
        _unsigned(data, plane, -1024, 16)
    elif name == "unsigned 12 bits, intercept -1024":
        _unsigned(data, plane, -1024, 12)
    elif name == "unsigned, intercept -8192":
        _unsigned(data, plane, -8192, 16)
    elif name == "slope 0.5":
        data.RescaleSlope, data.RescaleIntercept = 0.5, -1024
        data.PixelData = ((plane.astype(np.int32) + 1024) * 2).clip(-32768, 32767).astype("<i2").tobytes()
    elif name.startswith("padding"):
        data.PixelData = padding.astype("<i2").tobytes()
        data.add_new(0x00280120, "US" if "63536" in name else "SS", 63536 if "63536" in name else -2000)
    elif name == "numbered from the feet":
        data.InstanceNumber = len(volume.hu) - k
    elif name == "feet first, prone":
        data.PatientPosition = "FFP"
    elif name == "decubitus":
        data.PatientPosition = "HFDL"
    elif name == "implicit, no thickness":
        del data.SliceThickness
    return data


def _scout(volume: Volume, folder: Path) -> None:
    """A localizer of another series in the same folder."""
    plane = volume.hu.max(axis=1)
    data = _file(0, plane, (1.0, 1.0, volume.spacing[2]), [1.0, 0, 0, 0, 0, -1], [0.0, 0.0, 0.0])
    data.SeriesInstanceUID, data.ImageType = "1.2.3.9", ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    data.file_meta.TransferSyntaxUID, data.file_meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.save_as(folder / "scout.dcm", enforce_file_format=True)
