"""Findings of the record answer yes-or-no inputs through the context module: denial, relatives and doubt never score."""

import pytest

from tools.case.record import Case, Condition, Patient, Presentation
from tools.scores.registry import find
from tools.scores.run import run


def answer(calculator: str, key: str, *findings: str, conditions: tuple[str, ...] = ()) -> object:
    patient = Patient(conditions=tuple(Condition(name=c) for c in conditions))
    case = Case(case_id="t", patient=patient, presentation=Presentation(findings=findings))
    resolved = run(find(calculator), case).inputs.get(key)
    return None if resolved is None else resolved.value


@pytest.mark.parametrize(
    ("calculator", "key", "finding", "expected"),
    [
        ("psi", "malignancy", "lung cancer", True),
        ("psi", "malignancy", "brother has lung cancer", None),
        ("psi", "malignancy", "母亲患肺癌", None),
        ("psi", "malignancy", "肺癌家族史", None),
        ("psi", "malignancy", "疑似肺癌", None),
        ("psi", "malignancy", "no known malignancy", False),
        ("psi", "malignancy", "癌胚抗原升高", None),
        ("psi", "malignancy", "previous cancer", None),
        ("psi", "heart_failure", "heart failure excluded", False),
        ("psi", "heart_failure", "possible heart failure", None),
        ("psi", "heart_failure", "排除心力衰竭", False),
        ("psi", "heart_failure", "心衰待排", None),
        ("psi", "cerebrovascular_disease", "既往脑卒中", True),
        ("psi", "pleural_effusion", "未见胸腔积液", False),
        ("psi", "confusion", "alert, not confused", False),
        ("wells_pe", "haemoptysis", "患者无咯血", False),
        ("wells_pe", "haemoptysis", "denies haemoptysis", False),
        ("wells_pe", "haemoptysis", "haemoptysis has resolved", False),
        ("wells_pe", "haemoptysis", "咯血3天", True),
        ("wells_pe", "previous_vte", "history of pulmonary embolism", True),
        ("wells_pe", "previous_vte", "no history of pulmonary embolism", False),
        ("wells_pe", "pe_most_likely", "?PE most likely", None),
        ("padua", "respiratory_failure", "respiratory failure?", None),
        ("stop_bang", "hypertension", "pulmonary hypertension", None),
        ("stop_bang", "hypertension", "hypertension", True),
        ("ats_idsa_severe_cap", "invasive_ventilation", "on non-invasive ventilation", None),
    ],
)
def test_a_finding_is_read_in_its_sentence(calculator: str, key: str, finding: str, expected: bool | None) -> None:
    assert answer(calculator, key, finding) is expected


def test_one_finding_may_say_two_things() -> None:
    assert answer("wells_pe", "haemoptysis", "no haemoptysis; brother has lung cancer") is False
    assert answer("wells_pe", "malignancy", "no haemoptysis; brother has lung cancer") is None


def test_a_diagnosis_of_the_list_stands_against_a_denied_finding() -> None:
    assert answer("psi", "heart_failure", "no signs of heart failure", conditions=("heart failure",)) is True


def test_a_relative_with_cancer_costs_no_points() -> None:
    findings = ("brother has lung cancer", "heart failure excluded", "?PE")
    case = Case(case_id="t", patient=Patient(age_years=70, sex="male"), presentation=Presentation(findings=findings))
    outcome = run(find("psi"), case)
    scored = {c.item.id: c.points for c in outcome.components}
    assert scored["malignancy"] is None
    assert scored["heart_failure"] == 0
