"""The list of medicines as a whole: interactions and kidney doses, and what a negative answer looked up."""

from pathlib import Path

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.asks import review
from tools.bedside.record.view import Record
from tools.case.record import Case, Medication, Observation, Patient
from tools.deps import Deps
from tools.drugs.medications import check_medications


def _case(*drugs: str, creatinine: float | None = 250.0) -> Case:
    labs = (Observation(analyte="creatinine", value=creatinine, unit="umol/L", time="2026-01-01T08:00:00"),) if creatinine else ()
    patient = Patient(age_years=70, sex="male", weight_kg=70)
    return Case(case_id="review", patient=patient, medications=tuple(Medication(name=d) for d in drugs), labs=labs)


def _said(question: str, case: Case) -> list[str]:
    return [e.text for e in review.reviewed(Record(case, DrugGraph.load(), question))]


@pytest.mark.parametrize(
    "question",
    [
        "Which of the tablets need another dose with these kidneys?",
        "Do any of his medicines have to be adjusted for the eGFR and renal function?",
        "哪些药要按肾功能调整剂量？",
    ],
)
def test_the_dose_for_this_clearance_comes_from_the_graph_and_the_rest_is_named(question: str) -> None:
    first, rest = _said(question, _case("enoxaparin", "amlodipine"))
    assert "Enoxaparin" in first
    assert "below 30 mL/min" in first
    assert "24 mL/min" in rest
    assert "amlodipine" in rest


def test_without_a_creatinine_no_dose_is_judged() -> None:
    (only,) = _said("Which drugs need dose adjustment for renal function?", _case("enoxaparin", creatinine=None))
    assert "cannot be judged" in only


def test_interactions_and_doses_are_both_answered_and_the_unknown_is_named() -> None:
    said = _said(
        "Do the medicines interact, and is any dose wrong for this renal function?", _case("ciprofloxacin", "theophylline", "zzyzxine")
    )
    assert "interaction" in said[0]
    assert any("dose adjustment" in s for s in said)
    assert "zzyzxine" in said[-1]


def test_nothing_found_says_what_was_looked_up(tmp_path: Path) -> None:
    (only,) = _said("他的药有相互作用吗？", _case("loratadine", "amlodipine"))
    assert "loratadine, amlodipine (1 pairs" in only or "amlodipine, loratadine (1 pairs" in only
    result = check_medications(Deps(cache_dir=tmp_path, case=_case("loratadine", "amlodipine", creatinine=80.0)))
    assert [e.key for e in result.evidence] == ["D-checked"]
    assert "not proof of safety" in result.evidence[0].text


@pytest.mark.parametrize(
    "question",
    ["Is ciprofloxacin safe with these medicines and kidneys?", "What is the renal function?", "Any penicillin dose for these kidneys?"],
)
def test_a_question_that_names_a_medicine_or_asks_no_dose_is_left_to_others(question: str) -> None:
    assert _said(question, _case("enoxaparin", "amlodipine")) == []
