"""Questions of several parts at the bedside, amounts worked out from the body, what stands in place of a refused medicine."""

import pytest

from retrieval.drugs.graph import DrugGraph
from retrieval.guidelines.parts import parts
from tools.bedside.attach import judgements, stop_list
from tools.bedside.parts import with_parts
from tools.bedside.record.view import Record
from tools.case.record import Case

GRAPH = DrugGraph.load()
FRAIL = Case.model_validate(
    {
        "case_id": "frail",
        "patient": {"age_years": 82, "sex": "female", "weight_kg": 50, "height_cm": 155, "conditions": [{"name": "epilepsy"}]},
        "presentation": {"question": "aspiration pneumonia", "symptoms": ["cough", "fever"], "findings": ["nursing home"]},
        "vitals": [
            {"temperature_c": 38.6, "heart_rate": 104, "respiratory_rate": 24, "sbp_mmhg": 118, "spo2_pct": 93, "fio2": 0.28, "gcs": 15}
        ],
        "labs": [
            {"analyte": "sodium", "value": 150, "unit": "mmol/L"},
            {"analyte": "potassium", "value": 3.2, "unit": "mmol/L"},
            {"analyte": "creatinine", "value": 110, "unit": "umol/L"},
        ],
        "medications": [
            {"name": "sodium valproate", "dose": 500, "unit": "mg", "frequency": "twice daily"},
            {"name": "citalopram", "dose": 20, "unit": "mg", "frequency": "daily"},
            {"name": "simvastatin", "dose": 40, "unit": "mg", "frequency": "nightly"},
            {"name": "amlodipine", "dose": 5, "unit": "mg", "frequency": "daily"},
        ],
        "notes": [{"text": "ECG: sinus rhythm, QTc 485 ms."}],
    }
)


def _said(question: str) -> list[str]:
    record = Record(FRAIL, GRAPH, question)
    found = with_parts(question, record, judgements(question, record))
    return [e.key for e in found]


@pytest.mark.parametrize(
    ("question", "count"),
    [("Which antibiotic, and how many days?", 2), ("抗生素用几天，要不要加甲硝唑？", 2), ("Is levofloxacin safe for her?", 1)],
)
def test_a_question_falls_into_its_parts(question: str, count: int) -> None:
    assert len(parts(question)) == count


def test_every_part_brings_its_own_answer() -> None:
    keys = _said("How do I correct the sodium, and does she need metronidazole?")
    assert any(k.startswith("B-hypernatraemia-") for k in keys)
    assert any(k.startswith("B-anaerobes-") for k in keys)


def test_amounts_come_from_the_body() -> None:
    record = Record(FRAIL, GRAPH, "")
    deficit, dose = record.get("water_deficit"), record.get("mgkg_15")
    assert deficit is not None
    assert deficit.shown == "1.6 L"
    assert dose is not None
    assert dose.shown == "750 mg"
    assert record.causing("qt-prolongation") == ["citalopram"]


def test_a_refused_antibacterial_gives_way_to_the_regimen_of_the_infection() -> None:
    question = "levofloxacin for her?"
    text = " ".join(e.text for e in judgements(question, Record(FRAIL, GRAPH, question)))
    assert "QTc 485 ms" in text
    assert "epilepsy" in text
    assert "Instead: Aspiration pneumonia" in text
    assert "ampicillin/sulbactam" in text


def test_a_carbapenem_beside_valproate_is_refused_with_the_way_out() -> None:
    question = "meropenem ok?"
    first = judgements(question, Record(FRAIL, GRAPH, question))[0]
    assert first.key == "B-valproate_carbapenem-0"
    assert first.text.startswith("No")
    assert "levetiracetam" in first.text


def test_the_list_of_medicines_names_doses_that_are_too_high() -> None:
    text = " ".join(e.text for e in stop_list(Record(FRAIL, GRAPH, "what should be stopped")))
    assert "lower the dose of simvastatin" in text.lower()
    assert "at most 20 mg" in text


def test_an_amount_put_to_a_medicine_is_judged_at_that_amount() -> None:
    question = "simvastatin 20 mg instead?"
    first = judgements(question, Record(FRAIL, GRAPH, question))[0]
    assert first.key.startswith("B-dose-simvastatin")
    assert "20 mg" in first.text
    assert "too high" not in first.text
