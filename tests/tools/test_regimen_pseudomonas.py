"""Pseudomonas that grew before decides the antibiotic of a COPD exacerbation; where beta-lactams are out that is said."""

from retrieval.drugs.graph import DrugGraph
from tools.bedside.record.view import Record
from tools.bedside.regimens import choose
from tools.case.record import Allergy, Case, Condition, Patient, Presentation

ASKED = "which antibiotic, pseudomonas grew last year"


def _said(*allergies: Allergy, question: str = ASKED) -> str:
    patient = Patient(age_years=70, sex="male", conditions=(Condition(name="COPD"),), allergies=allergies)
    seen = Presentation(question="COPD exacerbation", symptoms=("purulent sputum",))
    record = Record(Case(case_id="own", patient=patient, presentation=seen), DrugGraph.load(), question)
    return " ".join(e.text for e in choose(question, record))


def test_it_is_covered_where_it_grew_and_only_there() -> None:
    assert _said().startswith("COPD exacerbation: piperacillin/tazobactam")
    assert "Pseudomonas" not in _said(question="which antibiotic")


def test_an_allergy_moves_on_and_severe_ones_are_told() -> None:
    assert "ceftazidime" in _said(Allergy(substance="penicillin", reaction="mild rash"))
    said = _said(Allergy(substance="penicillin", reaction="anaphylaxis", severity="severe"))
    assert "piperacillin" not in said
    assert "may not cover it" in said
