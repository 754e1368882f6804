"""What a second reader found dangerous in the rows of the clinics and wards: each is asked of a patient in whom it would harm."""

import re
from pathlib import Path
from typing import Any

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import attach, judgements
from tools.bedside.judging import Applied
from tools.bedside.record.view import Record
from tools.bedside.record.wording import write
from tools.case.record import Case
from tools.deps import Deps
from tools.drugs.patient import infusion_reaction
from tools.evidence import ToolResult

GRAPH = DrugGraph.load()
MAN: dict[str, Any] = {"age_years": 60, "sex": "male", "weight_kg": 70, "height_cm": 175}
WOMAN: dict[str, Any] = {"age_years": 31, "sex": "female", "weight_kg": 60, "height_cm": 165, "pregnant": True}


def _case(patient: dict[str, Any], *conditions: str, **parts: Any) -> Case:
    held = [{"name": name} for name in conditions]
    return Case.model_validate({"case_id": "t", "patient": {**patient, "conditions": held}, **parts})


def _labs(**values: tuple[float, str]) -> list[dict[str, Any]]:
    return [{"analyte": name, "value": v, "unit": u, "time": "2025-03-02T08:00:00"} for name, (v, u) in values.items()]


def _allergic(patient: dict[str, Any], substance: str, reaction: str) -> dict[str, Any]:
    return {**patient, "allergies": [{"substance": substance, "reaction": reaction}]}


@pytest.mark.parametrize(
    ("case", "question", "said", "never"),
    [
        (
            _case(_allergic(MAN, "ceftazidime", "urticaria"), "Cystic fibrosis"),
            "Which IV antibiotics for this exacerbation?",
            "neither ceftazidime nor aztreonam",
            r"aztreonam 2 g",
        ),
        (
            _case(_allergic(MAN, "ceftazidime", "rash"), "Bronchiectasis", presentation={"findings": ["QTc 490 ms"]}),
            "First growth of Pseudomonas, should we eradicate it?",
            "",
            r"aztreonam is the usual",
        ),
        (
            _case(MAN, "Idiopathic pulmonary fibrosis", "Cirrhosis"),
            "How do I start pirfenidone?",
            "Child-Pugh C",
            r"^267 mg",
        ),
        (
            _case(WOMAN, "Hypersensitivity pneumonitis"),
            "How do we treat her?",
            "no mycophenolate",
            r"Fibrotic or steroid-dependent: mycophenolate",
        ),
        (
            _case(WOMAN, "Rheumatoid arthritis", "Interstitial lung disease"),
            "Which immunosuppressant as first line?",
            "no mycophenolate",
            r"Mycophenolate is preferred",
        ),
        (
            _case(WOMAN, "Pulmonary arterial hypertension"),
            "Which drug treatment next?",
            "no endothelin antagonist",
            r"ambrisentan 5",
        ),
        (
            _case(MAN, "Sarcoidosis", "Heart failure"),
            "Is infliximab the next step in second line?",
            "No infliximab",
            r"5 mg/kg",
        ),
        (
            _case(MAN, "Kidney transplant", presentation={"findings": ["CMV viraemia"]}, labs=_labs(creatinine=(900, "umol/L"))),
            "What dose of ganciclovir for his CMV?",
            "three times a week",
            r"2\.5 mg/kg",
        ),
        (
            _case(MAN, "Asthma", presentation={"findings": ["acute severe asthma"]}, labs=_labs(paco2=(50, "mm[Hg]"), ph=(7.3, "1"))),
            "What pressures shall I set on the NIV?",
            "ICU",
            r"IPAP 15",
        ),
        (
            _case(MAN, "Small-cell lung cancer", presentation={"findings": ["drowsy"]}, labs=_labs(sodium=(128, "mmol/L"))),
            "How fast can we correct his sodium, hypertonic saline?",
            "hardly explains",
            r"150 mL of 3%",
        ),
        (
            _case(MAN, "Acute myeloid leukaemia"),
            "What is first-line treatment for his aspergillosis?",
            "",
            r"osimertinib",
        ),
        (
            _case(MAN, "Lung adenocarcinoma"),
            "He has back pain, what do I do?",
            "whole spine within a week",
            r"then 8 mg twice daily",
        ),
    ],
)
def test_what_would_harm_is_not_said(case: Case, question: str, said: str, never: str) -> None:
    lines = [e.text for e in judgements(question, Record(case, GRAPH, question))]
    assert said in " ".join(lines), lines
    assert not any(re.search(never, line) for line in lines), lines


@pytest.mark.parametrize(
    ("reaction", "allergic"),
    [
        ("red man, flushing during fast infusion", False),
        ("输注反应，面颈潮红", False),
        ("anaphylaxis during infusion", True),
        ("rash", True),
    ],
)
def test_an_infusion_reaction_is_no_allergy(reaction: str, allergic: bool) -> None:
    case = _case(_allergic(MAN, "vancomycin", reaction), "Pneumonia")
    assert infusion_reaction(case.patient.allergies[0]) is not allergic
    question = "Can I give vancomycin again, he went red on it last time?"
    record = Record(case, GRAPH, question)
    result = attach(ToolResult(tool="check_medications", status="empty"), Deps(cache_dir=Path(), case=case, question=question, drugs=GRAPH))
    told = " ".join(e.text for e in result.evidence)
    assert record.call("allergic", "vancomycin") is allergic
    if not allergic:
        assert "the same drug is contraindicated" not in told
        assert "Not a true allergy" in told


def test_a_bracket_is_closed_where_its_last_value_is_missing() -> None:
    record = Applied(Record(_case(MAN, labs=_labs(pao2=(50, "mm[Hg]"))), GRAPH), {}, {})
    assert write("a[[? (PaO2 {pao2}]][[? , SpO2 {spo2})]]: b", record, "en") == "a (PaO2 50 mmHg): b"
    assert write("a[[? (SpO2 {spo2}]][[? , PaO2 {pao2})]]: b", record, "en") == "a, PaO2 50 mmHg: b"
    assert write("a[[? (SpO2 {spo2}]][[? , FiO2 {fio2})]]: b", record, "en") == "a: b"


def _first(case: Case, question: str) -> str:
    result = attach(ToolResult(tool="search_guidelines", status="empty"), Deps(cache_dir=Path(), case=case, question=question, drugs=GRAPH))
    return result.evidence[0].text if result.evidence else ""


TB = _case(
    MAN,
    "Pulmonary tuberculosis",
    labs=_labs(alt=(236, "U/L"), bilirubin=(46, "umol/L"), uric_acid=(620, "umol/L")),
    medications=[{"name": name} for name in ("isoniazid", "rifampicin", "pyrazinamide", "ethambutol")],
)
IPF = _case(
    MAN,
    "Idiopathic pulmonary fibrosis",
    labs=_labs(alt=(60, "U/L")),
    lung_function=[{"time": "2026-02-01", "fvc_pct": 62.0, "dlco_pct": 36.0}],
    notes=[{"time": "2026-02-01T09:00:00", "kind": "clinic", "text": "FVC fell from 74% to 62% in 12 months."}],
    medications=[{"name": "nintedanib"}, {"name": "apixaban"}],
)
COPD = _case(
    MAN,
    "COPD",
    labs=_labs(eosinophils=(0.12, "10*9/L")),
    medications=[{"name": name} for name in ("tiotropium", "olodaterol")],
)


@pytest.mark.parametrize(
    ("case", "question", "start"),
    [
        (TB, "转氨酶这么高，药要停吗？", "Yes: stop isoniazid"),
        (IPF, "Is he a candidate for lung transplant?", "Refer early"),
        (IPF, "Is it a problem that he takes apixaban with nintedanib?", "Yes, it adds bleeding risk"),
        (IPF, "Is his fibrosis progressing?", "Yes: progression by lung function, FVC 74% to 62%"),
        (COPD, "Should I add an inhaled steroid?", "Possible: eosinophils 0.12"),
        (COPD, "Anything else to stop the flare-ups?", "In this order: stop smoking"),
        (
            _case({**MAN, "sex": "female", "age_years": 66}, "Lung cancer", presentation={"findings": ["femoral vein thrombosis"]}),
            "Which anticoagulant for the leg clot?",
            "Apixaban, rivaroxaban or edoxaban",
        ),
        (_case(MAN, "阿司匹林过敏性哮喘"), "腰痛能吃布洛芬吗？", "No"),
    ],
)
def test_the_topic_that_is_asked_for_leads(case: Case, question: str, start: str) -> None:
    assert _first(case, question).startswith(start)


def test_traction_bronchiectasis_is_no_bronchiectasis() -> None:
    fibrosis = Record(_case(MAN, presentation={"findings": ["traction bronchiectasis at the bases"]}), GRAPH)
    airways = Record(_case(MAN, presentation={"findings": ["bronchiectasis of the lower lobes"]}), GRAPH)
    assert fibrosis.notion("bronchiectasis") is False
    assert airways.notion("bronchiectasis") is True


def test_a_single_value_is_no_course_of_a_long_question() -> None:
    case = _case(MAN, "Bilateral lung transplant", lung_function=[{"time": "2026-02-01", "fev1_pct": 74.0}])
    said = _first(case, "FEV1 is down by a fifth, what do I need to rule out?")
    assert "one value only" not in said
    assert "acute rejection and infection" in said


def test_sedatives_that_are_taken_are_held_with_a_high_co2() -> None:
    medicines = [{"name": "codeine"}, {"name": "zopiclone"}]
    case = _case(MAN, "Obesity hypoventilation syndrome", labs=_labs(paco2=(78, "mm[Hg]"), ph=(7.27, "1")), medications=medicines)
    question = "He wants his usual codeine and zopiclone. Give?"
    lines = [e.text for e in judgements(question, Record(case, GRAPH, question))]
    assert [line.split(" for now")[0] for line in lines[:2]] == ["Hold codeine", "Hold zopiclone"]
    target = "What sat target and what do I put on him?"
    assert "With pH 7.27 NIV as well" in " ".join(e.text for e in judgements(target, Record(case, GRAPH, target)))


def test_what_speaks_against_a_medicine_comes_before_a_topic_that_is_only_alike() -> None:
    case = _case(MAN, "COPD", presentation={"findings": ["QTc 492 ms"]}, medications=[{"name": "amiodarone"}])
    question = "Can I give him azithromycin to keep flare-ups away?"
    lines = [e.text for e in judgements(question, Record(case, GRAPH, question))]
    assert "QT" in lines[0], lines
    assert not lines[0].startswith("In this order")


def test_fever_alone_is_no_reason_to_admit() -> None:
    vitals = {
        "temperature_c": 38.5,
        "heart_rate": 96,
        "respiratory_rate": 20,
        "sbp_mmhg": 122,
        "dbp_mmhg": 76,
        "spo2_pct": 96,
        "fio2": 0.21,
    }
    young = _case(
        {**MAN, "age_years": 29},
        presentation={"symptoms": ["cough", "fever"], "findings": ["left lower lobe consolidation", "no confusion"]},
        vitals=[{"time": "2026-03-01T08:00:00", "gcs": 15, **vitals}],
        labs=_labs(urea=(4.1, "mmol/L"), crp=(38, "mg/L")),
    )
    assert _first(young, "Does he need to be admitted?").startswith("Home treatment is possible: CURB-65 0")
    low = young.model_copy(update={"vitals": (young.vitals[0].model_copy(update={"spo2_pct": 88.0}),)})
    assert _first(low, "Does he need to be admitted?").startswith("No, not home")
