"""One reading per study: links share it, room is made by bytes, nobody waits for what is being measured."""

import os
import threading
from pathlib import Path

import nibabel
import numpy as np
import pytest

from tools.imaging.studies import Study, StudySource


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    hu = rng.integers(-1000, 200, (64, 64, 20), dtype=np.int16)
    path = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(hu, np.diag([-5.0, -5.0, 12.0, 1.0])), path)
    return path


def _another(scan: Path, name: str) -> Path:
    path = scan.with_name(name)
    path.write_bytes(scan.read_bytes())
    return path


def test_a_link_in_another_case_is_the_same_study(scan: Path) -> None:
    source = StudySource()
    first = source.open(scan)
    assert first.volume.hu.shape[0] == 20
    linked = scan.with_name("linked.nii")
    os.link(scan, linked)
    scan.unlink()
    again = source.open(linked)
    assert again is first
    assert again.drop_voxels()
    assert again.volume.hu.shape[0] == 20, "read under the name that is there now"
    os.utime(linked, (1, 1))
    assert source.open(linked) is not first


def test_room_is_made_by_bytes_and_the_newest_stays(scan: Path) -> None:
    size = 2 * 64 * 64 * 20
    source = StudySource(most_bytes=2 * size)
    studies = []
    for name in ("a.nii", "b.nii", "c.nii"):
        studies.append(source.open(_another(scan, name)))
        studies[-1].read_ahead()
        assert studies[-1].volume.hu.nbytes == size
    source.open(studies[-1].path)
    assert [study.bytes_held for study in studies] == [0, size, size]


def test_what_is_being_measured_is_neither_dropped_nor_waited_for(scan: Path) -> None:
    study = Study(scan)
    assert study.bytes_held == 0
    assert study.volume is not None
    held, done = threading.Event(), threading.Event()

    def measuring() -> None:
        with study._lock:
            held.set()
            done.wait(5)

    worker = threading.Thread(target=measuring)
    worker.start()
    held.wait(5)
    assert not study.drop_voxels()
    done.set()
    worker.join()
    assert study.drop_voxels()


def test_closing_forgets_only_what_was_closed(scan: Path) -> None:
    source = StudySource()
    mine, other = source.open(scan), source.open(_another(scan, "other.nii"))
    source.forget([scan])
    assert source.open(other.path) is other
    assert source.open(scan) is not mine


def test_two_files_that_are_not_there_are_two_studies(tmp_path: Path) -> None:
    source = StudySource()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert source.open(tmp_path / "one") is not source.open(tmp_path / "two")
