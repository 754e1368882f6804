"""Loading cases: folders, bundles, single studies; identity and escaping paths are refused."""

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.case.demo import demo_cases
from tools.case.fhir import import_bundle
from tools.case.files import load_case, parse_case
from tools.case.record import Case
from tools.errors import BadInput

FHIR = Path(__file__).resolve().parents[2] / "../shared/data/fhir"


def write(folder: Path, **fields: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "case.json").write_text(json.dumps({"schema_version": 1, "case_id": "t", **fields}), encoding="utf-8")
    return folder


def test_a_folder_with_a_study(tmp_path: Path) -> None:
    folder = write(tmp_path / "c", studies=[{"id": "ct-1", "path": "ct"}, {"id": "ct-2", "path": "gone"}])
    (folder / "ct").mkdir()
    loaded = load_case(folder)
    assert loaded.studies == {"ct-1": (folder / "ct").resolve()}
    assert "ct-2" in loaded.warnings[0]


@pytest.mark.parametrize("path", ["../other", "/etc/passwd", "ct/../../x", "."])
def test_a_study_path_may_not_leave_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInput, match="leaves the case folder"):
        load_case(write(tmp_path / "c", studies=[{"id": "ct-1", "path": path}]))


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    folder = write(tmp_path / "c", studies=[{"id": "ct-1", "path": "ct"}])
    (folder / "ct").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="leaves the case folder"):
        load_case(folder)


@pytest.mark.parametrize("field", ["name", "patient_name", "mrn", "address", "dateOfBirth", "phone", "姓名", "住院号"])
def test_identity_is_refused_by_name(field: str) -> None:
    with pytest.raises(BadInput, match=rf"{field}.*looks like an identity"):
        parse_case({"case_id": "t", "patient": {"age_years": 60, field: "x"}})


def test_an_unknown_field_and_a_wrong_value_are_named() -> None:
    with pytest.raises(BadInput, match=r"unknown field 'patient\.shoe_size'"):
        parse_case({"case_id": "t", "patient": {"shoe_size": 42}})
    with pytest.raises(BadInput, match=r"patient\.sex"):
        parse_case({"case_id": "t", "patient": {"sex": "robot"}})


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"x"'])
def test_json_that_is_no_case(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput):
        load_case(path)


def test_a_single_study_becomes_a_case(tmp_path: Path) -> None:
    study = tmp_path / "scan.nii.gz"
    study.write_bytes(b"x")
    loaded = load_case(study)
    assert loaded.studies == {"ct-1": study.resolve()}
    assert loaded.case.studies[0].id == "ct-1"
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="empty"):
        load_case(tmp_path / "empty")
    with pytest.raises(BadInput, match="does not exist"):
        load_case(tmp_path / "nowhere")


def test_the_contract_example_loads() -> None:
    example = {
        "schema_version": 1, "case_id": "demo-cap-01", "synthetic": True, "language": "en",
        "patient": {"age_years": 67, "sex": "male", "weight_kg": 72.0, "height_cm": 171.0, "pregnant": False,
                    "smoking": {"status": "former", "pack_years": 35.0, "quit_years_ago": 4.0},
                    "allergies": [{"substance": "penicillin", "reaction": "urticaria", "severity": "moderate"}],
                    "conditions": [{"name": "COPD", "code": "ICD-10:J44.9", "since": "2015"}]},
        "presentation": {"question": "Cause of fever and right chest pain?", "symptoms": ["fever", "cough"], "duration_days": 3.0,
                         "findings": ["confusion"]},
        "vitals": [{"time": "2025-03-01T08:00:00", "temperature_c": 39.1, "heart_rate": 112, "respiratory_rate": 31, "sbp_mmhg": 92,
                    "dbp_mmhg": 58, "spo2_pct": 88.0, "fio2": 0.21, "gcs": 14}],
        "labs": [{"time": "2025-03-01T08:10:00", "analyte": "urea", "loinc": "22664-7", "value": 11.2, "unit": "mmol/L", "comparator": None,
                  "specimen": "serum"}],
        "lung_function": [{"time": "2024-11-02", "fev1_l": 1.6, "fev1_pct": 52.0, "fvc_pct": 78.0, "dlco_pct": 61.0}],
        "medications": [{"name": "warfarin", "atc": "B01AA03", "dose": 3.0, "unit": "mg", "route": "oral", "frequency": "daily",
                         "since": "2023"}],
        "studies": [{"id": "ct-1", "path": "ct", "date": "2025-03-01", "report": None, "prior": False}],
        "notes": [{"time": "2025-03-01T09:00:00", "kind": "admission", "text": "…"}],
    }  # fmt: skip
    case = parse_case(example)
    assert parse_case(case.model_dump(mode="json")) == case


def test_demo_cases_are_complete_and_synthetic() -> None:
    assert len(demo_cases()) >= 3
    root = Path(__file__).resolve().parents[2] / "tools/data/cases"
    for name in demo_cases():
        case = parse_case(json.loads((root / name / "case.json").read_text(encoding="utf-8")))
        assert case.case_id == name
        assert case.synthetic
        assert case.labs
        assert case.vitals
        assert case.medications
        assert case.studies


def bundle(*resources: dict[str, object]) -> dict[str, object]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


PATIENT: dict[str, object] = {"resourceType": "Patient", "gender": "female", "birthDate": "1930-05-01", "name": [{"family": "Secret"}]}


def test_ages_over_89_are_generalised_and_identifiers_dropped() -> None:
    lab: dict[str, object] = {
        "resourceType": "Observation", "status": "final", "effectiveDateTime": "2025-01-02T08:00:00Z",
        "category": [{"coding": [{"code": "laboratory"}]}], "code": {"coding": [{"code": "1988-5"}], "text": "C reactive\u200b protein"},
        "valueQuantity": {"value": 5, "comparator": "<", "unit": "mg/L"}, "referenceRange": [{"high": {"value": 8}}],
    }  # fmt: skip
    imported = import_bundle(bundle(PATIENT, lab))
    assert imported.case.patient.age_years == 90
    assert any("over 89" in w for w in imported.warnings)
    assert "Secret" not in imported.case.model_dump_json()
    (o,) = imported.case.labs
    assert (o.analyte, o.comparator, o.value, o.reference_high) == ("crp", "<", 5.0, 8.0)


def test_not_one_patient_is_refused() -> None:
    for resources in ((), (PATIENT, PATIENT)):
        with pytest.raises(BadInput):
            import_bundle(bundle(*resources))
    with pytest.raises(BadInput, match="Bundle"):
        import_bundle({"resourceType": "Patient"})


RICH: dict[str, object] = {
    "resourceType": "Observation", "status": "final", "effectiveDateTime": "2025-01-02T08:00:00Z",
    "category": [{"coding": [{"code": "laboratory"}]}], "code": {"coding": [{"code": "55284-4"}], "text": "pressure"},
    "component": [{"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}],
    "referenceRange": [{"low": {"value": 1}, "high": {"value": 2}}], "valueQuantity": {"value": 5, "unit": "mg/L"},
}  # fmt: skip
JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=True)
    | st.text(max_size=3)
    | st.just([1])
    | st.just({})
    | st.just([{}])
)


def _places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(p for k, v in children for p in _places(v, (*path, k)))]


@given(st.data())
def test_a_damaged_bundle_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    allergy: dict[str, object] = {
        "resourceType": "AllergyIntolerance",
        "code": {"text": "dust"},
        "reaction": [{"manifestation": [{"text": "rash"}]}],
    }
    drug: dict[str, object] = {"resourceType": "MedicationRequest", "status": "active", "medicationCodeableConcept": {"text": "x"}}
    whole = json.loads(json.dumps(bundle(PATIENT, RICH, allergy, drug)))
    path = data.draw(st.sampled_from([p for p in _places(whole) if p]))
    parent = whole
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = data.draw(JUNK)
    with contextlib.suppress(BadInput):
        assert import_bundle(whole).case.patient.age_years in (None, 90)


@pytest.mark.skipif(not FHIR.is_dir(), reason="needs ../shared/data/fhir beside the checkout")
def test_six_real_bundles_import_without_identity() -> None:
    paths = sorted(FHIR.glob("*.json"))
    assert len(paths) == 6
    cases: dict[str, Case] = {p.name.split("_")[0]: load_case(p).case for p in paths}
    for p in paths:
        text = cases[p.name.split("_")[0]].model_dump_json()
        raw = json.loads(p.read_text(encoding="utf-8"))
        patient = next(e["resource"] for e in raw["entry"] if e["resource"]["resourceType"] == "Patient")
        secrets = [patient["birthDate"], patient["id"], *(i["value"] for i in patient["identifier"])]
        secrets += [n for name in patient["name"] for n in (name["family"], *name["given"])]
        assert not [s for s in secrets if s in text]
        assert "\u200b" not in text
    buddy = cases["Buddy"]
    assert "Chronic congestive heart failure" in [c.name for c in buddy.patient.conditions]
    assert any(v.sbp_mmhg and v.dbp_mmhg for v in buddy.vitals)
    assert {"nt_probnp", "sodium", "hba1c", "platelets"} <= {o.analyte for o in buddy.labs}
    assert any(f.fev1_fvc for f in buddy.lung_function)
    assert "resolved" not in cases["Tracey"].model_dump_json()
    assert "peanuts" in [a.substance for a in cases["Kermit"].patient.allergies]


def test_a_laboratory_sheet_alone_is_a_case_without_a_patient(tmp_path: Path) -> None:
    sheet = tmp_path / "labs.csv"
    sheet.write_text("time,analyte,value,unit\n2025-03-01,urea,11.2,mmol/L\n", encoding="utf-8")
    loaded = load_case(sheet)
    assert [(o.analyte, o.value) for o in loaded.case.labs] == [("urea", 11.2)]
    assert loaded.case.patient.age_years is None
    assert "no age and no sex" in loaded.warnings[0]
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        load_case(tmp_path / "latin.csv")
