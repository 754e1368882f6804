"""What-ifs become typed patches on a copy of the case; the answer says so and the record stays as it is."""

import pytest

from agent.reading.patches import supposed
from tools.case.patches import patched, told
from tools.case.record import Allergy, Case, Medication, Observation, Patient, Vitals

CASE = Case(
    case_id="p",
    patient=Patient(age_years=67, sex="female", weight_kg=72),
    vitals=(Vitals(time="2026-01-01T08:00:00", sbp_mmhg=120, respiratory_rate=20, fio2=0.21),),
    labs=(
        Observation(time="2026-01-01", analyte="creatinine", value=1.1, unit="mg/dL"),
        Observation(time="2026-01-01", analyte="urea", value=6.0, unit="mmol/L"),
        Observation(time="2026-01-01", analyte="platelets", value=342, unit="10*9/L"),
    ),
    medications=(Medication(name="warfarin"),),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("if her eGFR fell to 25, which doses change?", "estimated glomerular filtration rate 25 mL/min/1.73 m²"),
        ("suppose the urea came back at 12", "urea 12 mmol/L (record: 6 mmol/L)"),
        ("if the creatinine were 3, would you halve it?", "creatinine 3 mg/dL (record: 1.1 mg/dL)"),
        ("imagine her systolic was 84", "systolic pressure 84 mmHg (record: 120)"),
        ("assume she is 81", "age 81 years (record: 67)"),
        ("suppose weight 45 kg", "weight 45 kg (record: 72)"),
        ("what if platelets drop below 50", "platelet count 49 10^9/L (record: 342 10*9/L)"),
        ("assume penicillin anaphylaxis", "allergy to penicillin (anaphylaxis)"),
        ("if she were pregnant", "pregnant"),
        ("if she were not pregnant", "not: pregnant"),
        ("if we stopped the warfarin", "no longer takes warfarin"),
        ("suppose he were already on amiodarone", "takes amiodarone"),
        ("假设她怀孕了怎么办", "pregnant"),
        ("要是肌酐涨到3", "creatinine 3 mg/dL (record: 1.1 mg/dL)"),
        ("把吸氧改成FiO2 50%", "inspired oxygen fraction 0.5 (record: 0.21)"),
        ("如果把华法林停了", "no longer takes warfarin"),
        ("体重按60公斤算", "weight 60 kg (record: 72)"),
        ("her creatinine is 2.5 now, dose?", "creatinine 2.5 mg/dL (record: 1.1 mg/dL)"),
    ],
)
def test_a_supposition_is_read_with_the_records_own_unit(text: str, said: str) -> None:
    found = supposed(text, CASE)
    assert [told(p, CASE, "en") for p in found.patches] == [said]
    assert not found.unit_of


@pytest.mark.parametrize(
    "text", ["What is her creatinine?", "CURB-65 counts urea above 7", "Dose for CrCl 30 to 50?", "她的肌酐高吗", "Interpret the labs"]
)
def test_a_plain_question_supposes_nothing(text: str) -> None:
    assert supposed(text, CASE).patches == ()


def test_a_blood_pressure_of_two_numbers_supposes_both() -> None:
    assert [(p.name, p.value) for p in supposed("if bp were 104/75?", CASE).patches] == [("sbp_mmhg", 104), ("dbp_mmhg", 75)]


def test_a_follow_up_supposes_what_it_names() -> None:
    assert supposed("And with a urea of 12?", CASE).patches == ()
    assert supposed("And with a urea of 12?", CASE, before="Which antibiotic?").patches[0].value == 12


def test_a_number_without_a_name_is_that_of_the_value_named_before() -> None:
    assert supposed("And if it were 12?", CASE, "Is her urea high?").patches[0].name == "urea"
    assert supposed("如果升到9呢？", CASE, "尿素高吗").patches[0].value == 9
    assert supposed("And if it were 12 mm?", CASE, "Is her urea high?").patches == ()


def test_a_unit_that_nothing_settles_is_asked_for() -> None:
    found = supposed("if her bilirubin were 3", CASE)
    assert (found.patches, found.unit_of) == ((), ("bilirubin",))
    assert supposed("if her bilirubin were 3 mg/dL", CASE).patches[0].unit == "mg/dL"


def test_the_copy_holds_the_supposition_and_the_record_is_untouched() -> None:
    before = CASE.model_dump_json()
    new = patched(CASE, supposed("if her eGFR were 25 and she were allergic to penicillin and not on warfarin", CASE).patches)
    assert CASE.model_dump_json() == before
    assert {o.analyte for o in new.labs} == {"urea", "platelets", "egfr"}  # a creatinine of 1.1 would contradict it
    assert new.patient.allergies == (Allergy(substance="penicillin"),)


def test_every_tool_runs_on_the_copy_and_the_answer_says_so(make_assistant) -> None:
    assistant = make_assistant()
    case = assistant.open_case("a", session="s").handle

    def ask(question: str):
        events = assistant.ask(question, thread=assistant.new_thread("s"), case=case, session="s")
        return next(e.answer for e in events if e.type == "done")

    recorded = ask("Interpret the labs")
    what_if = ask("Interpret the labs if the urea were 3 mmol/L")
    assert what_if.assumptions == ("urea 3 mmol/L (record: 11.2 mmol/L)",)
    assert what_if.answer.startswith("Supposed, not recorded: urea 3 mmol/L")
    assert "11.2" not in what_if.answer.split("\n\n", 1)[1]
    assert recorded.assumptions == ()
    assert ask("Interpret the labs").answer == recorded.answer
    asked = ask("what if her bilirubin were 3, interpret the labs")
    assert "unit" in asked.answer
    assert asked.status == "partial"
