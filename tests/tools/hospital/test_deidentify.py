"""No planted identifier is left in what is written; what measures stays; the same patient keeps the days between studies."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydicom
import pytest

from medmpt_backend.imaging.load import load_volume
from tests.tools.hospital.conftest import PLANTED, plant
from tools.case.files import load_case
from tools.errors import BadInput
from tools.hospital.commands import dicom_deidentify
from tools.hospital.deidentify import Deidentifier, burned_in
from tools.hospital.inbox import Inbox
from tools.hospital.secret import secret_of


def _taken(source: Path, root: Path, secret: bytes = b"s" * 32) -> Path:
    inbox = Inbox(root, secret)
    for file in source.iterdir():
        inbox.add(pydicom.dcmread(file))
    (arrived,) = inbox.finish()
    return arrived.folder


def test_no_planted_identifier_is_left_in_any_byte(tmp_path: Path) -> None:
    folder = _taken(plant(tmp_path / "in"), tmp_path / "out")
    written = [f for f in folder.rglob("*") if f.is_file()]
    assert len(written) == 7
    words = {part.casefold() for value in PLANTED.values() for part in value.replace("^", " ").split() if "planted" in part.casefold()}
    for file in written:
        text = file.read_bytes().decode("latin-1").casefold()
        assert "planted" not in text, [w for w in words if w in text]
        assert "19511224" not in text
        assert "20250301" not in text
        assert "planted" not in str(file.relative_to(folder)).casefold()


def test_what_measures_stays(tmp_path: Path) -> None:
    source = plant(tmp_path / "in", 9)
    before = load_volume(source)
    folder = _taken(source, tmp_path / "out")
    loaded = load_case(folder)
    after = load_volume(loaded.studies["ct-1"])
    assert (after.hu == before.hu).all()
    assert after.spacing == before.spacing
    assert loaded.case.patient.age_years == 73.0
    assert not loaded.case.synthetic


def test_a_patient_keeps_the_days_between_studies_and_another_secret_gives_other_numbers() -> None:
    def one(day: str, patient: str, secret: bytes) -> pydicom.Dataset:
        ds = pydicom.Dataset()
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.PatientID, ds.PatientName, ds.StudyDate, ds.Modality = patient, "A^B", day, "CT"
        Deidentifier(secret).clean(ds)
        return ds

    first, second = one("20250101", "p1", b"k" * 32), one("20250131", "p1", b"k" * 32)
    assert first.PatientID == second.PatientID
    days = [pydicom.valuerep.DA(d.StudyDate) for d in (first, second)]
    assert (days[1] - days[0]).days == 30
    assert one("20250101", "p1", b"x" * 32).PatientID != first.PatientID
    assert one("20250101", "p2", b"k" * 32).PatientID != first.PatientID


def test_text_in_pixels_is_flagged_and_left_out_unless_asked(tmp_path: Path) -> None:
    source = plant(tmp_path / "in", 3)
    shown = sorted(source.iterdir())[0]
    ds = pydicom.dcmread(shown)
    ds.BurnedInAnnotation = "YES"
    with pytest.raises(BadInput, match="burned into the pixels"):
        Inbox(tmp_path / "a", b"s" * 32).add(pydicom.dcmread(_saved(ds)))
    inbox = Inbox(tmp_path / "b", b"s" * 32, burned_in=True)
    inbox.add(pydicom.dcmread(_saved(ds)))
    assert inbox.finish()[0].burned_in == 1
    capture = pydicom.Dataset()
    capture.ImageType, capture.Modality = ["DERIVED", "SECONDARY", "SCREEN SAVE"], "CT"
    assert burned_in(capture)
    capture.BurnedInAnnotation = "NO"
    assert not burned_in(capture)


def _saved(ds: pydicom.Dataset) -> io.BytesIO:
    out = io.BytesIO()
    ds.save_as(out)
    out.seek(0)
    return out


def test_a_report_object_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    ds = pydicom.dcmread(sorted(plant(tmp_path / "in", 1).iterdir())[0])
    ds.Modality = "SR"
    inbox = Inbox(tmp_path / "out", b"s" * 32)
    with pytest.raises(BadInput, match="only CT images"):
        inbox.add(ds)
    inbox.finish()
    assert not (tmp_path / "out").exists()


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = secret_of(tmp_path / "data")
    assert len(first) == 32
    assert secret_of(tmp_path / "data") == first
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_case_names_no_person(tmp_path: Path) -> None:
    folder = _taken(plant(tmp_path / "in", 2), tmp_path / "out")
    case = json.loads((folder / "case.json").read_text())
    assert set(case["patient"]) == {"age_years", "sex"}


def test_other_files_of_a_disc_are_passed_over_and_counted(tmp_path: Path) -> None:
    disc = plant(tmp_path / "in", 2)
    (disc / "Smith_John_report.pdf").write_bytes(b"%PDF-1.4 of nobody")
    context: Any = SimpleNamespace(obj=SimpleNamespace(data_dir=tmp_path / "data"))
    made = dicom_deidentify(context, disc, tmp_path / "out")
    assert made.images == 2
    assert any("1 other files are not DICOM" in w for w in made.warnings)
    assert "Smith" not in made.model_dump_json()
    assert all(p.suffix in (".dcm", ".json") for p in (tmp_path / "out").rglob("*") if p.is_file())
    with pytest.raises(BadInput, match=r"report\.pdf is not a DICOM object$"):
        dicom_deidentify(context, disc / "Smith_John_report.pdf", tmp_path / "b")
