"""Generated studies are valid DICOM, marked synthetic, and come back voxel for voxel."""

from pathlib import Path

import numpy as np
import pydicom

from medmpt_backend.imaging.load import load_volume
from tools.case.virtual.dicom_writer import write_series


def test_round_trip_through_the_reader(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    hu = rng.integers(-1024, 1200, (24, 32, 40)).astype(np.int16)
    write_series(hu, (5.0, 0.8, 0.9), tmp_path / "a", description="CHEST TEST")
    volume = load_volume(tmp_path / "a")
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(volume.spacing, (5.0, 0.8, 0.9), atol=1e-3)
    assert volume.series.synthetic


def test_every_slice_says_that_it_is_synthetic_and_uids_are_stable(tmp_path: Path) -> None:
    hu = np.full((3, 8, 8), -800, np.int16)
    for name in ("a", "b"):
        write_series(hu, (2.0, 1.0, 1.0), tmp_path / name, description="CHEST TEST")
    first = [pydicom.dcmread(p) for p in sorted((tmp_path / "a").iterdir())]
    assert [p.read_bytes() for p in sorted((tmp_path / "a").iterdir())] == [p.read_bytes() for p in sorted((tmp_path / "b").iterdir())]
    assert len({d.SOPInstanceUID for d in first}) == 3
    for d in first:
        assert str(d.PatientName).startswith("SYNTHETIC")
        assert "SYNTHETIC" in d.SeriesDescription
        assert "SYNTHETIC" in str(d.ImageComments)
