"""DICOM series, multi-frame files and NIfTI in, one Volume out; and every refusal with its own reason."""

import itertools
import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.uid import JPEG2000Lossless, RLELossless, generate_uid

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.load import load_volume
from tests.medmpt_backend.ct_files import DATA, edit, noise_body, write_enhanced, write_series

SPACING = (2.0, 0.9, 0.7)


@pytest.fixture
def hu() -> NDArray[np.int16]:
    return noise_body()


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(12)), seed=st.integers(0, 99))
def test_any_file_order_gives_the_same_volume(tmp_path_factory: pytest.TempPathFactory, order: list[int], seed: int) -> None:
    body = noise_body(seed=seed)
    folder = tmp_path_factory.mktemp("series")
    write_series(folder / "a" / "b", body, names=[f"{place:02d}" for place in order])
    volume = load_volume(folder)
    assert np.array_equal(volume.hu, body)
    assert volume.hu.dtype == np.int16
    assert volume.spacing == pytest.approx(SPACING)
    assert volume.warnings == ()


def test_slices_stored_turned_come_back_in_lps(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    turned = np.ascontiguousarray(hu[:, ::-1, ::-1])
    for k, file in enumerate(write_series(tmp_path, turned)):
        edit(file, ImageOrientationPatient=[-1, 0, 0, 0, -1, 0], ImagePositionPatient=[30.0, 50.0, 100.0 - 2.0 * k])
    assert np.array_equal(load_volume(tmp_path).hu, hu)


def test_every_axis_order_and_direction_of_nifti(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    ras = np.transpose(hu[::-1, ::-1, ::-1], (2, 1, 0))
    plain = nibabel.Nifti1Image(ras, np.diag([0.7, 0.9, 2.0, 1.0]))
    assert np.array_equal(nibabel.as_closest_canonical(plain).get_fdata(), ras)
    for axes, flips in itertools.product(itertools.permutations(range(3)), itertools.product([1, -1], repeat=3)):
        turned = plain.as_reoriented(np.array([[a, f] for a, f in zip(axes, flips, strict=True)]))
        name = tmp_path / "v.nii"
        nibabel.save(turned, name)
        volume = load_volume(name)
        assert np.array_equal(volume.hu, hu)
        assert volume.spacing == pytest.approx(SPACING)


def test_scaled_float_and_gzipped_nifti(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    image = nibabel.Nifti1Image(np.transpose(hu[::-1, ::-1, ::-1], (2, 1, 0)).astype(np.float32), np.diag([0.7, 0.9, 2.0, 1.0]))
    nibabel.save(image, tmp_path / "v.nii.gz")
    assert np.array_equal(load_volume(tmp_path / "v.nii.gz").hu, hu)
    assert np.array_equal(load_volume(tmp_path).hu, hu), "a folder that holds one NIfTI file"


def test_multi_frame_enhanced_ct(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_enhanced(tmp_path / "e.dcm", hu)
    volume = load_volume(tmp_path / "e.dcm")
    assert np.array_equal(volume.hu, hu)
    assert volume.spacing == pytest.approx(SPACING)
    assert volume.series.thickness_mm == pytest.approx(2.0)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_by_pydicom(tmp_path: Path, hu: NDArray[np.int16], syntax: str) -> None:
    for file in write_series(tmp_path, hu):
        data = pydicom.dcmread(file)
        data.compress(syntax)
        data.save_as(file)
    assert np.array_equal(load_volume(tmp_path).hu, hu)


@pytest.mark.parametrize("name", ["JPEGLosslessProcess14_1", "JPEGLSLossless", "JPEG2000Lossless"])
def test_compressed_by_gdcm(tmp_path: Path, hu: NDArray[np.int16], name: str) -> None:
    gdcm = pytest.importorskip("gdcm")
    for file in write_series(tmp_path, hu):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(file))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, name)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(file))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        assert pydicom.dcmread(file).file_meta.TransferSyntaxUID.is_compressed
    assert np.array_equal(load_volume(tmp_path).hu, hu)


def test_two_windows_do_not_disturb(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_series(tmp_path, hu, WindowCenter=[40, -600], WindowWidth=[400, 1500])
    assert np.array_equal(load_volume(tmp_path).hu, hu)


def test_monochrome1_keeps_hu_and_inverted_numbers_are_turned_back(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_series(tmp_path / "display", hu, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(load_volume(tmp_path / "display").hu, hu)
    for file, plane in zip(write_series(tmp_path / "inverted", hu, PhotometricInterpretation="MONOCHROME1"), hu, strict=True):
        edit(
            file,
            PixelRepresentation=0,
            BitsStored=12,
            HighBit=11,
            PixelData=(4095 - (plane.astype(np.int32) + 1024)).astype("<u2").tobytes(),
        )
    volume = load_volume(tmp_path / "inverted")
    assert np.array_equal(volume.hu, hu)
    assert any("MONOCHROME1" in warning for warning in volume.warnings)


def test_padding_stored_as_unsigned_on_a_signed_image_becomes_air(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    padded = hu.copy()
    padded[:, 0, :] = -976
    files = write_series(tmp_path, padded)
    for file in files:
        data = pydicom.dcmread(file)
        array = data.pixel_array.copy()
        array[0, :] = -2000
        data.PixelData = array.astype("<i2").tobytes()
        data.add_new("PixelPaddingValue", "US", 63536)
        data.save_as(file)
    volume = load_volume(tmp_path)
    assert (volume.hu[:, 0] == -1024).all()
    assert np.array_equal(volume.hu[:, 1:], hu[:, 1:])


def test_padding_inside_the_range_of_tissue_is_padding_only_at_the_border(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    water = hu.copy()
    water[:, 0, :] = 0
    water[5, 20, 12] = 0
    write_series(tmp_path, water, intercept=0, PixelPaddingValue=0)
    volume = load_volume(tmp_path)
    assert (volume.hu[:, 0] == -1024).all()
    assert volume.hu[5, 20, 12] == 0


def test_the_axial_series_with_most_slices_is_chosen(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_series(tmp_path / "long", hu)
    write_series(tmp_path / "short", noise_body(seed=5)[:9])
    write_series(tmp_path / "scout", hu[:1], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_series(tmp_path / "capture", np.concatenate([hu, hu]), ImageType=["DERIVED", "SECONDARY"])
    for k, file in enumerate(write_series(tmp_path / "coronal", np.concatenate([hu, hu]))):
        edit(file, ImageOrientationPatient=[1, 0, 0, 0, 0, -1], ImagePositionPatient=[0, float(k), 0])
    (tmp_path / "DICOMDIR").write_bytes(b"not an image")
    volume = load_volume(tmp_path)
    assert np.array_equal(volume.hu, hu)
    said = " ".join(volume.warnings)
    assert "3 axial CT series found" in said
    assert "localizer" in said
    assert "not axial" in said
    assert "derived" in said


def test_duplicates_are_dropped_and_said(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    files = write_series(tmp_path, hu)
    shutil.copy(files[3], tmp_path / "copy.dcm")
    volume = load_volume(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert volume.warnings == ("1 duplicate slice dropped",)


def test_one_missing_slice_is_filled_and_named(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    write_series(tmp_path, hu)[4].unlink()
    volume = load_volume(tmp_path)
    assert volume.hu.shape == hu.shape
    between = (hu[3].astype(int) + hu[5]) // 2
    assert np.array_equal(volume.hu[4], between)
    assert any("slice 4 " in warning for warning in volume.warnings)
    assert any("92.0 mm" in warning for warning in volume.warnings)


def _two_missing(folder: Path, hu: NDArray[np.int16]) -> None:
    files = write_series(folder, hu)
    files[4].unlink()
    files[8].unlink()


def _uneven(folder: Path, hu: NDArray[np.int16]) -> None:
    for k, file in enumerate(write_series(folder, hu)):
        edit(file, ImagePositionPatient=[0, 0, -2.0 * k - 0.15 * k * k])


def _tilt_in_header(folder: Path, hu: NDArray[np.int16]) -> None:
    write_series(folder, hu, GantryDetectorTilt=12.5)


def _tilt_in_positions(folder: Path, hu: NDArray[np.int16]) -> None:
    angle = np.radians(15)
    for k, file in enumerate(write_series(folder, hu)):
        edit(file, ImageOrientationPatient=[1, 0, 0, 0, float(np.cos(angle)), float(-np.sin(angle))], ImagePositionPatient=[0, 0, -2.0 * k])


def _truncated(folder: Path, hu: NDArray[np.int16]) -> None:
    file = write_series(folder, hu)[6]
    file.write_bytes(file.read_bytes()[:-500])


def _phases(folder: Path, hu: NDArray[np.int16]) -> None:
    uid = generate_uid()
    write_series(folder / "one", hu, uid=uid)
    write_series(folder / "two", np.where(hu > -500, hu + 50, hu).astype(np.int16), uid=uid)


def _no_rescale(folder: Path, hu: NDArray[np.int16]) -> None:
    write_series(folder, (hu + 1024).astype(np.int16), intercept=None)


def _colour(folder: Path, hu: NDArray[np.int16]) -> None:
    write_series(folder, hu, SamplesPerPixel=3, PhotometricInterpretation="RGB")


def _mr(folder: Path, hu: NDArray[np.int16]) -> None:
    write_series(folder, hu, Modality="MR")


def _few(folder: Path, hu: NDArray[np.int16]) -> None:
    write_series(folder, hu[:3])


def _text(folder: Path, hu: NDArray[np.int16]) -> None:
    folder.mkdir()
    (folder / "readme.txt").write_text("nothing here")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_two_missing, "2 slices are missing"),
        (_uneven, "uneven"),
        (_tilt_in_header, r"tilted by 12\.5 degrees"),
        (_tilt_in_positions, r"tilted by 15\.0 degrees"),
        (_truncated, r"'slice006\.dcm' is truncated"),
        (_phases, "4-D"),
        (_no_rescale, "no RescaleIntercept"),
        (_colour, "RGB"),
        (_mr, "MR, not CT"),
        (_few, "3 slices, fewer than 8"),
        (_text, "neither DICOM, nor a zip, nor NIfTI"),
    ],
)
def test_each_refusal_has_its_reason_and_no_identity(tmp_path: Path, hu: NDArray[np.int16], make: object, reason: str) -> None:
    folder = tmp_path / "study-of-secret-person"
    make(folder, hu)  # type: ignore[operator]
    with pytest.raises(BadInput, match=reason) as caught:
        load_volume(folder)
    said = str(caught.value)
    assert "Secret" not in said
    assert "4711" not in said
    assert str(tmp_path) not in said


def test_nifti_refusals(tmp_path: Path, hu: NDArray[np.int16]) -> None:
    affine = np.diag([0.7, 0.9, 2.0, 1.0])
    array = np.transpose(hu, (2, 1, 0))

    def saved(data: NDArray[np.generic], transform: NDArray[np.float64] = affine) -> Path:
        file = tmp_path / "x.nii.gz"
        nibabel.save(nibabel.Nifti1Image(data, transform), file)
        return file

    with pytest.raises(BadInput, match="4 dimensions"):
        load_volume(saved(np.stack([array, array], axis=-1)))
    with pytest.raises(BadInput, match="not Hounsfield units"):
        load_volume(saved(((array.astype(np.int32) + 1000) // 8).astype(np.uint8)))
    colour = np.zeros(array.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(BadInput, match="RGB"):
        load_volume(saved(colour))
    shear = affine.copy()
    shear[1, 2] = 0.6
    with pytest.raises(BadInput, match=r"sheared by 16\.7 degrees"):
        load_volume(saved(array, shear))
    file = saved(array)
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(BadInput, match="truncated or damaged"):
        load_volume(file)
    with pytest.raises(BadInput, match="no such file"):
        load_volume(tmp_path / "absent.nii")


def test_real_dicom_equals_its_nrrd_and_negative_padding_is_air() -> None:
    if not DATA.is_dir():
        pytest.skip("the public test data is absent (../shared/data)")
    import gzip

    volume = load_volume(DATA / "chest_ct/ct64_dicom")
    raw = (DATA / "chest_ct/ct-64.nrrd").read_bytes()
    truth = np.frombuffer(gzip.decompress(raw[raw.index(b"\n\n") + 2 :]), "<i2").reshape(79, 64, 64)[::-1]
    assert np.array_equal(volume.hu, truth)
    lidc = load_volume(DATA / "chest_ct/LIDC-IDRI-0001")
    assert lidc.hu.shape == (133, 512, 512)
    assert lidc.spacing == pytest.approx((2.5, 0.703125, 0.703125))
    assert lidc.series.contrast == "yes"
    assert lidc.hu.min() == -1024
