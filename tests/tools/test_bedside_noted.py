"""Values that only a note tells of, and values of the pleural fluid in a question or a note."""

import pytest

from agent.safety.danger import typed
from retrieval.drugs.graph import DrugGraph
from tools.bedside.record.view import Record
from tools.case.record import Case, Note, Patient

GRAPH = DrugGraph.load()


def _record(note: str, question: str = "") -> Record:
    case = Case(case_id="own", patient=Patient(age_years=50, sex="male"), notes=(Note(time="2026-01-01", kind="admission", text=note),))
    return Record(case, GRAPH, question)


def test_pleural_values_of_a_note_are_not_those_of_the_blood() -> None:
    record = _record("Diagnostic tap: turbid, pH 7.02, glucose 1.4 mmol/L, LDH 2860 U/L.")
    assert (record.value("pleural_ph"), record.value("pleural_glucose"), record.value("pleural_ldh")) == (7.02, 1.4, 2860)
    assert (record.value("ph"), record.value("glucose"), record.value("ldh")) == (None, None, None)


def test_a_value_of_a_note_counts_where_no_laboratory_row_stands() -> None:
    assert _record("Bloods: NT-proBNP 1200 ng/L.").value("nt_probnp") == 1200


@pytest.mark.parametrize(
    "note", ["Baseline NT-proBNP 1200 ng/L last year.", "NT-proBNP 1200, unit not given.", "His mother had NT-proBNP 1200 ng/L."]
)
def test_a_value_of_another_time_person_or_unit_does_not(note: str) -> None:
    assert _record(note).value("nt_probnp") is None


@pytest.mark.parametrize("question", ["fluid ph 7.02 glu 1.4 - needs drain?", "胸水pH 7.02，葡萄糖1.4，要置管吗"])
def test_typed_pleural_values(question: str) -> None:
    record = _record("Left effusion.", question)
    assert record.value("pleural_ph") == 7.02
    assert record.value("ph") is None
    assert typed(question) == ()


def test_a_blood_ph_still_alarms() -> None:
    assert [d.trigger.id for d in typed("IV fluid given, ph 7.02 now?")] == ["hypercapnic_acidosis"]
