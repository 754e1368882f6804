"""Which of several stacks is read, what is refused by its type, and what the words of a header mean."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.load import load_volume
from medmpt_backend.imaging.readers.rules import contrast, known_kernel, known_maker, refused_type
from tests.medmpt_backend.ct_files import edit, noise_body, write_series


@pytest.fixture
def hu() -> NDArray[np.int16]:
    return noise_body(shape=(20, 40, 32))


@pytest.mark.parametrize("image_type", [["ORIGINAL", "SECONDARY", "AXIAL"], ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]])
def test_honest_odd_types_are_read_with_a_warning(tmp_path: Path, hu: NDArray[np.int16], image_type: list[str]) -> None:
    write_series(tmp_path, hu, ImageType=image_type)
    volume = load_volume(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert any("secondary" in warning for warning in volume.warnings)


@pytest.mark.parametrize("word", ["MIP", "MINIP", "IODINE", "PROJECTION IMAGE"])
def test_projections_and_maps_are_refused(tmp_path: Path, hu: NDArray[np.int16], word: str) -> None:
    write_series(tmp_path, hu, ImageType=["DERIVED", "PRIMARY", "AXIAL", word])
    with pytest.raises(BadInput, match="no lung density"):
        load_volume(tmp_path)


def test_thinner_then_medium_kernel_then_the_rest_is_named(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    sharp = np.where(hu > -500, hu + 7, hu).astype(np.int16)
    write_series(tmp_path / "thick", hu[::2], spacing=(4.0, 0.9, 0.7), ConvolutionKernel="STANDARD")
    write_series(tmp_path / "sharp", sharp, ConvolutionKernel="LUNG")
    write_series(tmp_path / "medium", hu, ConvolutionKernel="STANDARD")
    volume = load_volume(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert volume.series.kernel == "STANDARD"
    said = " ".join(volume.warnings)
    assert "kernel LUNG" in said
    assert "4.00 mm" in said


def test_two_acquisitions_at_the_same_positions_are_told_apart(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    uid = "1.2.3.4"
    later = np.where(hu > -500, hu + 60, hu).astype(np.int16)
    write_series(tmp_path / "a", hu, uid=uid, AcquisitionNumber=1)
    write_series(tmp_path / "b", later, uid=uid, AcquisitionNumber=2)
    volume = load_volume(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert any("acquisition 2" in warning for warning in volume.warnings)


def test_two_patients_are_told_apart_without_their_numbers(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    uid = "1.2.3.4"
    for k, file in enumerate(write_series(tmp_path, hu, uid=uid)):
        if k >= 12:
            edit(file, PatientID="MRN-9999")
    volume = load_volume(tmp_path)
    assert len(volume.hu) == 12
    said = " ".join(volume.warnings)
    assert "2 patients" in said
    assert "9999" not in said


def test_text_that_no_table_knows_stays_out_of_the_result(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_series(tmp_path, hu, ConvolutionKernel="GARCIA", Manufacturer="GARCIA^LUZ")
    volume = load_volume(tmp_path)
    assert volume.series.kernel is None
    assert volume.series.manufacturer is None


def test_nrrd_and_metaimage_equal_dicom(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    data = np.ascontiguousarray(hu[::-1]).astype("<i2").tobytes()
    nrrd = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 32 40 20\n"
        "space directions: (0.7,0,0) (0,0.9,0) (0,0,2)\nendian: little\nencoding: raw\nspace origin: (0,0,0)\n\n"
    )
    (tmp_path / "v.nrrd").write_bytes(nrrd.encode() + data)
    meta = (
        "ObjectType = Image\nNDims = 3\nBinaryDataByteOrderMSB = False\nCompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\n"
        "ElementSpacing = 0.7 0.9 2\nDimSize = 32 40 20\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (tmp_path / "v.mha").write_bytes(meta.encode() + data)
    for name in ("v.nrrd", "v.mha"):
        volume = load_volume(tmp_path / name)
        assert np.array_equal(volume.hu, hu)
        assert volume.spacing == pytest.approx((2.0, 0.9, 0.7))
    (tmp_path / "w.nrrd").write_bytes(nrrd.replace("space: left-posterior-superior\n", "").encode() + data)
    with pytest.raises(BadInput, match="left and right are unknown"):
        load_volume(tmp_path / "w.nrrd")


@pytest.mark.parametrize(
    ("agent", "route", "meaning"),
    [
        ("WITHOUT CONTRAST", "", "no"),
        ("ORAL", "", "no"),
        ("N/A", "", "no"),
        ("0 ML", "", "no"),
        ("Omnipaque 300", "ORAL", "no"),
        ("ORAL/RECTAL & IV CONTRAST", "", "yes"),
        ("100 ml Ultravist", "IV", "yes"),
        ("Iohexol 300 mgI/ml non-ionic", "", "yes"),
        ("平扫", "", "no"),
        ("", "", "unknown"),
        ("xyz", "", "unknown"),
    ],
)
def test_contrast_words(agent: str, route: str, meaning: str) -> None:
    assert contrast(agent, route, None, coded=False) == meaning


def test_tables() -> None:
    assert refused_type(("ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI")) is None
    assert refused_type(("ORIGINAL", "PRIMARY", "AXIAL"), "MGML") == "material map"
    assert known_kernel("FC08-H") == ("FC08-H", "medium")
    assert known_maker("SIEMENS Healthineers") == "Siemens"
