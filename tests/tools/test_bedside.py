"""Bedside judgements on small cases: what a record says, criteria, regimens, doses, verdicts, notes; nothing forbidden is ever advised."""

from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import attach, judgements
from tools.bedside.record.expression import holds
from tools.bedside.record.said import stance
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import notions, pattern_of
from tools.bedside.regimens import choose, forbidding, regimens
from tools.bedside.topics import asked
from tools.case.record import Allergy, Case, Condition, Medication, Note, Observation, Patient, Presentation, Vitals
from tools.deps import Deps
from tools.evidence import Evidence, ToolResult

GRAPH = DrugGraph.load()


def _case(**parts: object) -> Case:
    return Case.model_validate({"case_id": "t", **parts})


def _lab(name: str, value: float, unit: str, time: str = "2025-03-02T08:00:00") -> Observation:
    return Observation(analyte=name, value=value, unit=unit, time=time)


PATIENT = Patient(age_years=68, sex="male", weight_kg=70, height_cm=175)
COPD = _case(
    patient=PATIENT.model_copy(update={"conditions": (Condition(name="COPD"),)}),
    vitals=(Vitals(respiratory_rate=30, gcs=15, spo2_pct=85, fio2=0.24),),
    labs=(_lab("ph", 7.29, "1"), _lab("paco2", 70, "mm[Hg]"), _lab("pao2", 50, "mm[Hg]")),
)
PNEUMONIA = _case(
    patient=PATIENT,
    presentation=Presentation(symptoms=("fever", "cough"), findings=("right basal consolidation", "new confusion")),
    vitals=(Vitals(temperature_c=39.2, respiratory_rate=32, sbp_mmhg=84, dbp_mmhg=50, heart_rate=120, spo2_pct=88, fio2=0.4, gcs=14),),
    labs=(_lab("urea", 12, "mmol/L"), _lab("creatinine", 100, "umol/L"), _lab("crp", 240, "mg/L")),
)


def _says(question: str, case: Case) -> str:
    return " ".join(e.text for e in judgements(question, Record(case, GRAPH, question)))


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("haemoptysis since morning", True),
        ("no fever, haemoptysis or weight loss", False),
        ("denies haemoptysis", False),
        ("?haemoptysis", None),
        ("father had haemoptysis", None),
        ("咯血两天", True),
        ("无咯血", False),
        ("haemoptysis excluded", False),
        ("well today", None),
    ],
)
def test_a_clause_affirms_denies_or_is_silent(clause: str, said: bool | None) -> None:
    assert stance(clause, pattern_of(("haemoptysis", "咯血"))) is said


def test_unknown_stays_unknown_through_and_or_not() -> None:
    record = Record(COPD, GRAPH)
    assert holds("ph < 7.35 and paco2 > 45", record) is True
    assert holds("ph < 7.35 and lactate > 2", record) is None
    assert holds("ph > 7.35 and lactate > 2", record) is False
    assert holds("ph < 7.35 or lactate > 2", record) is True
    assert holds("not lactate > 2", record) is None


def test_a_relative_with_cancer_is_not_the_patient() -> None:
    case = _case(patient=PATIENT, notes=(Note(text="Brother had lung cancer at 58. No cancer herself."),))
    record = Record(case, GRAPH)
    assert record.notion("own_cancer") is False
    assert record.notion("brother_cancer") is True


def test_what_is_typed_outranks_the_record_and_says_so() -> None:
    case = COPD.model_copy(update={"labs": (*COPD.labs, _lab("potassium", 4.0, "mmol/L"))})
    record = Record(case, GRAPH, "his potassium is 5.9, what now?")
    found = record.get("potassium")
    assert found is not None
    assert found.number == 5.9
    assert found.typed
    assert "as typed" in _says("his potassium is 5.9, what now?", case)


def test_niv_criteria_are_met_with_the_values_and_open_without_a_gas() -> None:
    text = _says("Is he a candidate for NIV?", COPD)
    assert text.startswith("Yes")
    assert "7.29" in text
    assert "70 mmHg" in text
    bare = COPD.model_copy(update={"labs": ()})
    assert "arterial gas" in _says("Is he a candidate for NIV?", bare)
    mild = COPD.model_copy(update={"labs": (_lab("ph", 7.40, "1"), _lab("paco2", 50, "mm[Hg]"))})
    assert _says("Is he a candidate for NIV?", mild).startswith("Not now")


def test_severe_pneumonia_gets_a_combination_never_one_drug_alone() -> None:
    text = _says("Which antibiotic should I give?", PNEUMONIA)
    assert " plus " in text
    assert "ceftriaxone" in text
    anaphylaxis = Allergy(substance="penicillin", reaction="anaphylaxis", severity="severe")
    allergic = PNEUMONIA.model_copy(update={"patient": PATIENT.model_copy(update={"allergies": (anaphylaxis,)})})
    text = _says("Which antibiotic should I give?", allergic)
    assert "levofloxacin" in text
    assert "aztreonam" in text
    assert "cillin 1" not in text


def test_the_disease_of_the_question_decides_not_another_of_the_case() -> None:
    both = PNEUMONIA.model_copy(update={"patient": PATIENT.model_copy(update={"conditions": (Condition(name="IPF"),)})})
    text = _says("Which antifibrotic should I start?", both)
    assert "nintedanib" in text.casefold()
    assert "ceftriaxone" not in text


def test_renal_dose_is_that_of_this_clearance() -> None:
    failing = PNEUMONIA.model_copy(update={"labs": (*PNEUMONIA.labs, _lab("creatinine", 260, "umol/L", "2025-03-03T08:00:00"))})
    assert "750 mg every 48 hours" in _says("Levofloxacin dose for the pneumonia?", failing)
    assert "750 mg once daily" in _says("Levofloxacin dose for the pneumonia?", PNEUMONIA)


def test_prophylaxis_and_treatment_doses_stay_apart_and_an_anticoagulant_stands_on_top() -> None:
    plain = _case(patient=PATIENT, labs=(_lab("creatinine", 80, "umol/L"), _lab("platelets", 200, "10*9/L")))
    assert "40 mg" in _says("Enoxaparin dose for DVT prophylaxis?", plain)
    treated = _says("Enoxaparin treatment dose for a PE?", plain)
    assert "70 mg twice daily" in treated
    assert "40 mg" not in treated
    warfarin = plain.model_copy(update={"medications": (Medication(name="warfarin"),), "labs": (*plain.labs, _lab("inr", 3.4, "1"))})
    text = _says("Enoxaparin for DVT prophylaxis: which dose?", warfarin)
    assert text.startswith("No")
    assert "INR 3.4" in text


def test_a_question_whether_is_answered_with_the_reason_and_another_drug() -> None:
    case = _case(patient=PATIENT, medications=(Medication(name="rifampicin"),))
    text = _says("Can I add rivaroxaban?", case)
    assert "rifampicin" in text.casefold()
    assert "LMWH" in text
    nothing = _says("Can I add doxycycline?", _case(patient=PATIENT, medications=(Medication(name="amlodipine"),)))
    assert "not proof of safety" in nothing
    assert "amlodipine" in nothing


def test_what_to_stop_names_the_medicine_and_why() -> None:
    case = PNEUMONIA.model_copy(
        update={"medications": (Medication(name="ibuprofen"), Medication(name="ramipril"), Medication(name="sertraline"))}
    )
    text = _says("Which medicines should be stopped?", case)
    assert "ibuprofen" in text
    assert "ramipril" in text
    assert "Stop sertraline" not in text


def test_notes_stand_under_every_drug_that_is_named() -> None:
    case = _case(patient=PATIENT, medications=(Medication(name="simvastatin"),))
    passage = Evidence(key="G-1", kind="guideline", text="Clarithromycin 500 mg twice daily is an alternative.", source="test")
    result = ToolResult(tool="search_guidelines", status="ok", evidence=(passage,))
    deps = Deps(cache_dir=Path(), case=case, drugs=GRAPH, question="which macrolide?")
    notes = [e for e in attach(result, deps).evidence if e.key == "P-clarithromycin"]
    assert len(notes) == 1
    assert "simvastatin" in notes[0].text
    assert attach(result, replace(deps, case=None)) == result


ALLERGIES = ("penicillin", "ceftriaxone", "levofloxacin", "azithromycin", "doxycycline", "co-trimoxazole")
MEDICINES = ("warfarin", "simvastatin", "theophylline", "rifampicin", "amiodarone", "sertraline")


@pytest.mark.parametrize("allergy", ALLERGIES)
@pytest.mark.parametrize("medicine", MEDICINES)
def test_no_regimen_holds_a_drug_that_is_forbidden_here(allergy: str, medicine: str) -> None:
    patient = PATIENT.model_copy(update={"allergies": (Allergy(substance=allergy, reaction="anaphylaxis", severity="severe"),)})
    texts = [f"{r.disease[0]} treatment antibiotic regimen" for r in regimens()]
    for base in (PNEUMONIA, COPD):
        case = base.model_copy(update={"patient": patient, "medications": (Medication(name=medicine),)})
        for question in texts:
            record = Record(case, GRAPH, question)
            for item in choose(question, record)[:1]:
                head = item.text.split(". ")[0]
                for drug in GRAPH.mentions(head):
                    assert not forbidding(record, drug.id), (question, head)


def test_topics_answer_only_where_their_words_stand() -> None:
    support = {"niv_copd", "niv_neuromuscular", "niv_pneumonia", "ohs_support"}
    assert {"niv_copd"} <= {t.id for t in asked("Is he a candidate for NIV?")} <= support
    assert not asked("What is the weather?")
    assert all(n.words or n.field or n.test for n in notions().values())


def test_a_major_interaction_gives_way_to_the_next_option() -> None:
    ward = PNEUMONIA.model_copy(
        update={
            "vitals": (Vitals(temperature_c=38.6, respiratory_rate=26, sbp_mmhg=124, dbp_mmhg=70, heart_rate=98, spo2_pct=91, fio2=0.28),),
            "presentation": Presentation(symptoms=("fever", "cough"), findings=("right basal consolidation",)),
            "medications": (Medication(name="amiodarone"),),
        }
    )
    text = _says("Which antibiotic?", ward)
    assert "doxycycline" in text.split(".")[0]
    assert "azithromycin" not in text.split(".")[0]


def test_life_threatening_bleeding_is_reversed_and_sleep_apnoea_is_no_arrest() -> None:
    bleeding = _case(
        patient=PATIENT,
        presentation=Presentation(symptoms=("haemoptysis 400 mL since morning",)),
        medications=(Medication(name="warfarin"),),
        labs=(_lab("inr", 6.1, "1"),),
    )
    assert _says("What do I do about the INR?", bleeding).startswith("Reverse now")
    asleep = COPD.model_copy(update={"patient": PATIENT.model_copy(update={"conditions": (Condition(name="obstructive sleep apnoea"),)})})
    assert _says("Does he need NIV?", asleep).startswith("Yes")


def test_general_questions_are_not_about_the_patient() -> None:
    assert not judgements("What does the guideline say about NIV in COPD?", Record(COPD, GRAPH, ""))
    assert judgements("What does the guideline say about NIV for him?", Record(COPD, GRAPH, ""))


def test_a_topic_that_names_a_forbidden_drug_says_so_right_under_it() -> None:
    allergic = PATIENT.model_copy(update={"allergies": (Allergy(substance="prednisolone", reaction="anaphylaxis", severity="severe"),)})
    attack = _case(
        patient=allergic.model_copy(update={"conditions": (Condition(name="COPD exacerbation"),)}),
        presentation=Presentation(symptoms=("breathlessness",)),
        vitals=(Vitals(respiratory_rate=28, spo2_pct=87, fio2=0.24),),
    )
    deps = Deps(cache_dir=Path(), case=attack, drugs=GRAPH, question="Should he have steroids?")
    keys = [e.key for e in attach(ToolResult(tool="search_guidelines", status="empty"), deps).evidence]
    assert "B-steroids_aecopd-0" in keys
    assert "P-prednisolone" in keys


@pytest.mark.parametrize(
    ("question", "creatinine", "right", "wrong"),
    [
        ("What dose of co-trimoxazole to treat Pneumocystis pneumonia?", 600, "below 15 mL/min", "in 3–4 doses"),
        ("What dose of co-trimoxazole to treat Pneumocystis pneumonia?", 90, "in 3–4 doses", "below 15 mL/min"),
        ("What dose of oseltamivir?", 800, "not recommended without dialysis", "once daily for 5 days"),
        ("What dose of oseltamivir with a CrCl of 10?", 80, "not recommended without dialysis", "once daily for 5 days"),
        ("What dose of oseltamivir with a CrCl of 30?", 80, "30 mg once daily", "30 mg twice daily"),
        ("What dose of nirmatrelvir-ritonavir?", 500, "once daily on days 2 to 5", "150 mg/100 mg twice daily"),
        ("What dose of nirmatrelvir-ritonavir?", 140, "150 mg/100 mg twice daily", "days 2 to 5"),
    ],
)
def test_a_failing_kidney_never_gets_the_dose_of_the_band_above(question: str, creatinine: float, right: str, wrong: str) -> None:
    case = _case(patient=PATIENT, labs=(_lab("creatinine", creatinine, "umol/L"),))
    said = _says(question, case)
    assert right in said
    assert wrong not in said
