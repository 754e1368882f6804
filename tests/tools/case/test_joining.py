"""A CT, a bundle and a sheet of one patient become one case; differences are asked about."""

import json
from pathlib import Path

import pytest

from tools.case.files import load_case
from tools.case.joining.merge import Source, merge, unsettled
from tools.case.joining.store import write_case
from tools.errors import BadInput

BASE = {
    "case_id": "one",
    "patient": {"age_years": 60, "sex": "male", "allergies": [{"substance": "penicillin"}]},
    "labs": [{"time": "2025-01-01T08:00:00", "analyte": "creatinine", "value": 90, "unit": "umol/L", "specimen": "serum"}],
    "medications": [{"name": "warfarin", "dose": 3, "unit": "mg"}],
}


def sources(folder: Path, **other: object) -> list[Source]:
    files = []
    for name, data in (("one.json", BASE), ("two.json", {"case_id": "two", **other})):
        (folder / name).write_text(json.dumps(data))
        files.append(Source(name, load_case(folder / name)))
    return files


def test_what_only_one_source_has_is_taken_without_a_question(tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("time,analyte,value,unit\n2025-01-02T08:00:00,crp,50,mg/L\n")
    joined = merge([*sources(tmp_path, patient={"weight_kg": 70}), Source("sheet.csv", load_case(tmp_path / "sheet.csv"))])
    assert joined.conflicts == ()
    assert (joined.case.case_id, joined.case.patient.age_years, joined.case.patient.weight_kg) == ("one", 60, 70)
    assert [o.analyte for o in joined.case.labs] == ["creatinine", "crp"]
    assert [b.counts.get("labs", 0) for b in joined.brought] == [1, 0, 1]


def test_differences_are_conflicts_and_a_choice_decides(tmp_path: Path) -> None:
    both = sources(
        tmp_path,
        patient={"age_years": 31, "sex": "male"},
        labs=[{"time": "2025-01-01T08:00:30", "analyte": "Creatinine", "value": 120, "unit": "umol/L"}],
        medications=[{"name": "warfarin", "dose": 5, "unit": "mg"}],
    )
    joined = merge(both)
    assert {c.id: c.other_person for c in joined.conflicts} == {
        "age_years": True,
        "lab:creatinine@2025-01-01T08:00": False,
        "medicine:warfarin": False,
    }
    chosen = {"age_years": 1, "lab:creatinine@2025-01-01T08:00": 1}
    decided = merge(both, chosen)
    assert (decided.case.patient.age_years, [o.value for o in decided.case.labs]) == (31, [120])
    assert [c.id for c in unsettled(decided, chosen)] == ["medicine:warfarin"]


def test_studies_of_all_sources_stand_under_new_handles(tmp_path: Path) -> None:
    scans = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.dcm").write_bytes(name.encode())
        scans.append(Source(name, load_case(tmp_path / name)))
    folder = write_case(merge(scans), scans, tmp_path / "joined")
    opened = load_case(folder)
    assert {handle: (path / "1.dcm").read_text() for handle, path in opened.studies.items()} == {"ct-1": "a", "ct-2": "b"}
    assert folder.stat().st_mode & 0o777 == 0o700
    with pytest.raises(BadInput):
        write_case(merge(scans), scans, folder)
