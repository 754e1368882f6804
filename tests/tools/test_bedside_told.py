"""A patient told in the message, values as people type them, and the dangers that came to light with them."""

from pathlib import Path

import pytest

from agent.safety.danger import typed
from retrieval.concepts.context import statuses
from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import attach, judgements
from tools.bedside.matching.meant import record_of
from tools.bedside.record.typed import typed_value
from tools.bedside.told import told
from tools.case.record import Case, Condition, Medication, Observation, Patient, Presentation, StudyRef
from tools.deps import Deps
from tools.evidence import ToolResult
from tools.labs.interpret import interpret_labs

DRUGS = DrugGraph.load()


def _case(
    *,
    texts: tuple[str, ...] = (),
    report: str = "",
    conditions: tuple[str, ...] = (),
    drugs: tuple[str, ...] = (),
    labs: tuple[Observation, ...] = (),
) -> Case:
    return Case(
        case_id="own",
        patient=Patient(age_years=70, sex="female", weight_kg=60, height_cm=165, conditions=tuple(Condition(name=c) for c in conditions)),
        presentation=Presentation(findings=texts),
        studies=(StudyRef(id="ct-1", path="x", report=report),) if report else (),
        medications=tuple(Medication(name=d) for d in drugs),
        labs=labs,
    )


def _said(case: Case, question: str) -> dict[str, str]:
    return {e.key: e.text for e in judgements(question, record_of(case, DRUGS, question))}


@pytest.mark.parametrize(
    ("message", "age", "sex", "weight"),
    [
        ("31M first pneumothorax, 2.5 cm, sats 97", 31, "male", None),
        ("lady of 54 kg, pleural infection", None, "female", 54),
        ("58岁男性，慢阻肺急性加重", 58, "male", None),
        ("35 yo, pregnant, asthma attack", 35, "female", None),
    ],
)
def test_the_patient_of_a_message(message: str, age: float | None, sex: str, weight: float | None) -> None:
    case = told(message)
    assert case is not None
    assert (case.patient.age_years, case.patient.sex, case.patient.weight_kg) == (age, sex, weight)


@pytest.mark.parametrize(
    "message", ["What are Light's criteria?", "慢阻肺分级标准", "dose of amoxicillin in CAP", "GOLD 2026 and eosinophils"]
)
def test_a_question_of_knowledge_tells_of_nobody(message: str) -> None:
    assert told(message) is None


@pytest.mark.parametrize(
    ("message", "allergies", "medicines"),
    [
        ("Pneumocystis, 62 kg, co-trimoxazole allergy, what instead", ["co-trimoxazole"], []),
        ("71M on warfarin with pneumonia", [], ["warfarin"]),
        ("患者磺胺过敏，肺孢子菌肺炎怎么治", ["磺胺"], []),
        ("71M, no known drug allergies, COPD", [], []),
    ],
)
def test_allergies_and_medicines_of_a_told_patient(message: str, allergies: list[str], medicines: list[str]) -> None:
    case = told(message)
    assert case is not None
    assert [DRUGS.allergens(a.substance) for a in case.patient.allergies] == [DRUGS.allergens(name) for name in allergies]
    assert [m.name for m in case.medications] == medicines


@pytest.mark.parametrize(
    "question",
    ["PJP, 48 kg, dose of co-trimoxazole", "PJP, she weighs 48 kg, dose of co-trimoxazole", "肺孢子菌肺炎，体重48公斤，复方磺胺怎么给"],
)
def test_an_amount_is_for_the_weight_that_was_typed(question: str) -> None:
    said = _said(_case(), question)["B-pjp_cotrimoxazole-0"]
    assert "720 mg to 960 mg a day for 48 kg" in said


def test_a_bleed_of_20_ml_is_not_massive() -> None:
    case = _case()
    assert _said(case, "咯血20毫升，先做什么？")["B-haemoptysis-0"].startswith("Not massive")
    assert _said(case, "要是突然咯血两百毫升呢？先做什么")["B-haemoptysis-0"].startswith("Life-threatening")


def test_only_what_a_told_patient_takes_is_a_medicine() -> None:
    case = told("70M on warfarin, not on digoxin, pneumonia")
    assert case is not None
    assert [m.name for m in case.medications] == ["warfarin"]


def test_an_allergy_to_something_unknown_leaves_it_to_the_passages() -> None:
    assert told("45F pneumonia, allergic to zorbifloxacin") is None


def test_a_told_patient_gets_what_the_topic_says(tmp_path: Path) -> None:
    question = "68M COPD exacerbation, pH 7.27 PaCO2 66. is he a candidate for NIV?"
    found = attach(ToolResult(tool="search_guidelines", status="empty"), Deps(cache_dir=tmp_path, question=question))
    assert found.evidence[0].key == "B-niv_copd-0"
    assert "7.27 (as typed)" in found.evidence[0].text
    assert not attach(ToolResult(tool="search_guidelines", status="empty"), Deps(cache_dir=tmp_path, question="What is NIV?")).evidence


@pytest.mark.parametrize(
    ("name", "question", "number", "shown"),
    [
        ("sbp", "BP 74/38, cold and clammy", 74, "74"),
        ("bp", "BP 74/38, cold and clammy", 74, "74/38 mmHg"),
        ("sbp", "血压突然掉到82/50", 82, "82"),
        ("potassium", "K 6.3 with a wide QRS", 6.3, "6.3 mmol/L"),
        ("potassium", "血气钾6.1", 6.1, "6.1 mmol/L"),
        ("creatinine", "creat 164 today", 164, "164 µmol/L"),
        ("weight", "PJP, 60kg, dose of co-trimoxazole", 60, "60 kg"),
        ("weight", "she lost 12 kg since May", None, ""),
        ("weight", "15 mg/kg or 30 mL/kg", None, ""),
        ("sbp", "血压降到90以下再停药", None, ""),
        ("platelets", "血小板升到50以后呢", None, ""),
        ("potassium", "vitamin K 5 mg", None, ""),
        ("potassium", "补钾 40 mmol", None, ""),
    ],
)
def test_values_as_people_type_them(name: str, question: str, number: float | None, shown: str) -> None:
    found = typed_value(name, question, {})
    assert (found.number if found else None) == number
    assert found is None or found.shown == shown


def test_a_typed_pressure_outranks_the_record_in_embolism() -> None:
    case = _case(
        report="CT pulmonary angiogram (no reaction): thrombus in both lower lobe arteries, RV/LV ratio 1.4",
        conditions=("ischaemic stroke",),
    )
    said = _said(case, "BP 74/38 now, what do we do?")
    assert said["B-pe_lysis-0"].startswith("Reperfusion is needed now (high-risk PE, BP 74/38 mmHg (as typed)), but an ischaemic stroke")
    assert "B-lysis_dose-0" not in _said(case, "alteplase dose for the crash trolley?")
    assert _said(case, "she looks dry, a litre of saline?")["B-pe_fluid-0"].startswith("No litre")


@pytest.mark.parametrize(
    ("text", "mention", "denied"),
    [
        ("CTPA (no reaction): thrombus in the artery", "thrombus", False),
        ("CT (no contrast) shows an effusion", "effusion", False),
        ("no (definite) effusion", "effusion", True),
        ("effusion (absent)", "effusion", True),
        ("造影（无过敏）：右肺动脉血栓", "血栓", False),
    ],
)
def test_a_bracket_ends_a_denial(text: str, mention: str, denied: bool) -> None:
    at = text.index(mention)
    assert ("negated" in statuses(text, at, at + len(mention))) is denied


def test_counts_that_fall_on_azathioprine_with_allopurinol() -> None:
    labs = (Observation(analyte="wbc", value=2.1, unit="10^9/L"), Observation(analyte="neutrophils", value=0.9, unit="10^9/L"))
    said = _said(_case(drugs=("azathioprine", "allopurinol"), labs=labs), "white count is down, why and what do I stop?")
    assert said["B-azathioprine_counts-0"].startswith("Stop azathioprine today")
    assert "Likely cause: allopurinol blocks xanthine oxidase" in said["B-azathioprine_counts-0"]


def test_no_direct_anticoagulant_beside_an_inducer() -> None:
    case = _case(report="CTPA shows embolus in the right lower lobe artery", drugs=("carbamazepine",))
    assert _said(case, "which anticoagulant do I start?")["B-inducer_anticoagulant-0"].startswith("No DOAC: carbamazepine")


def test_a_likely_diagnosis_names_its_reasons() -> None:
    case = _case(texts=("beta-D-glucan 420 pg/mL",), report="diffuse ground-glass opacity", conditions=("kidney transplant",))
    said = _said(case, "what's the most likely diagnosis?")
    assert (
        "Pneumocystis pneumonia until excluded (ground glass with immunosuppression, beta-D-glucan 420 pg/mL"
        in said["B-likely_diagnosis-0"]
    )


def test_gases_that_are_critical_together_stand_in_one_line(tmp_path: Path) -> None:
    labs = (
        Observation(analyte="ph", value=7.27, time="2026-01-01T08:00"),
        Observation(analyte="paco2", value=70, unit="mmHg", time="2026-01-01T08:00"),
    )
    found = interpret_labs(Deps(cache_dir=tmp_path, case=_case(labs=labs)))
    assert len(found.emergencies) == 1
    assert "pH 7.27" in found.emergencies[0]
    assert "NIV if optimal treatment does not mend it" in found.emergencies[0]


@pytest.mark.parametrize(
    ("message", "danger"),
    [
        ("tazocin = anaphylaxis, so which antibiotic?", None),
        ("pen anaphylaxis, long QT. which antibiotic?", None),
        ("she is in anaphylaxis", "anaphylaxis"),
        ("K 6.2 with peaked T waves", "hyperkalaemia"),
        ("血压突然掉到76/40怎么办", "shock"),
    ],
)
def test_dangers_as_people_type_them(message: str, danger: str | None) -> None:
    assert [d.trigger.id for d in typed(message)] == ([danger] if danger else [])
