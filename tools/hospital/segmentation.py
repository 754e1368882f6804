"""Lung masks as DICOM SEG objects that an archive takes and a viewer reloads (highdicom)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tools.errors import BadInput
from tools.hospital.extra import need

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# SNOMED CT: label of the mask, segment number, code, meaning.
_SEGMENTS = ((1, "3341006", "Right lung"), (2, "44029006", "Left lung"))
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Reloaded:
    """A SEG read back.

    Attributes:
        labels: `(D, H, W)` uint8, head first, from the first slice that holds a segment to the last: its number at each voxel.
        names: Segment number to its meaning.
        millilitres: Segment number to volume.
    """

    labels: NDArray[np.uint8]
    names: dict[int, str]
    millilitres: dict[int, float]


def lung_segmentation(path: Path) -> "Dataset":
    """A SEG of both lungs of one plain axial series.

    Args:
        path: DICOM folder with exactly one series.

    Returns:
        A highdicom `Segmentation`; `save_as` writes it.

    Raises:
        BadInput: Not a folder with one plain axial series, or slices were mended while reading.
        BackendError: Not a chest.
    """
    hd = need("highdicom")
    images = _series(path)
    from medmpt_backend.imaging.anatomy.lungs import segment
    from medmpt_backend.imaging.load import load_volume

    volume = load_volume(path)
    if volume.hu.shape != (len(images), images[0].Rows, images[0].Columns):
        raise BadInput(f"{path.name}: the series was mended while reading ({'; '.join(volume.warnings)}); masks would not fit its slices")
    mask = _full(segment(volume), volume.hu.shape)
    return _segmentation(hd, images, mask)


def read_segmentation(path: Path) -> Reloaded:
    """Read a SEG that `lung_segmentation` or another program wrote.

    Raises:
        BadInput: Not a DICOM SEG.
    """
    hd = need("highdicom")
    from pydicom.errors import InvalidDicomError

    try:
        seg = hd.seg.segread(path)
    except (InvalidDicomError, ValueError, AttributeError) as error:
        raise BadInput(f"{path.name} is not a DICOM segmentation: {error}") from error
    volume = seg.get_volume(combine_segments=True)
    head_first = volume.array[::-1] if volume.affine[2, 0] > 0 else volume.array
    ml = float(np.prod(volume.spacing)) / 1000.0
    names = {n: seg.get_segment_description(n).segmented_property_type.meaning for n in seg.segment_numbers}
    labels = np.ascontiguousarray(head_first).astype(np.uint8)
    return Reloaded(labels, names, {n: float(np.count_nonzero(labels == n)) * ml for n in names})


def _series(path: Path) -> "list[Dataset]":
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    if not path.is_dir():
        raise BadInput(f"{path.name}: a SEG refers to the instances of a series; give a DICOM folder")
    images = []
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        try:
            ds = dcmread(file)
        except InvalidDicomError:
            continue
        if "PixelData" in ds and ds.get("Modality") == "CT":
            images.append(ds)
    if not images or len({ds.SeriesInstanceUID for ds in images}) != 1:
        raise BadInput(f"{path.name}: {len({ds.get('SeriesInstanceUID') for ds in images})} CT series; a SEG is made for exactly one")
    for ds in images:
        if tuple(round(float(x), 3) for x in ds.get("ImageOrientationPatient", ())) != _AXIAL:
            raise BadInput(f"{path.name}: not a plain axial series; a SEG would not lie on its slices")
    return sorted(images, key=lambda ds: -float(ds.ImagePositionPatient[2]))


def _full(lungs: Any, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The mask on the grid of the images; it lives on a coarser one."""
    labels: NDArray[np.uint8] = lungs.labels
    at = [np.minimum(np.arange(n) // f, m - 1) for n, f, m in zip(shape, lungs.grid.factors, labels.shape, strict=True)]
    return np.ascontiguousarray(labels[np.ix_(*at)])


def _segmentation(hd: Any, images: "list[Dataset]", mask: NDArray[np.uint8]) -> "Dataset":
    import highdicom.seg  # noqa: F401  (fills `hd.seg`)
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code
    from pydicom.uid import generate_uid

    how = hd.AlgorithmIdentificationSequence(name="MedMPT Assistant lungs", version="1", family=codes.DCM.ArtificialIntelligence)
    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=meaning,
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=Code(code, "SCT", meaning),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=how,
        )
        for number, code, meaning in _SEGMENTS
    ]
    made: Dataset = hd.seg.Segmentation(
        source_images=images,
        pixel_array=mask,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=900,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="MedMPT Assistant",
        manufacturer_model_name="MedMPT Assistant",
        software_versions="0.1.0",
        device_serial_number="0",
        series_description="Lungs, automatic, not verified",
        content_label="LUNGS",
        content_creator_name="",
        omit_empty_frames=True,
    )
    return made
