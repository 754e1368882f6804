"""Plain questions that were answered with something else: fever, prognosis, risk, a nodule without a size, isolation."""

from pathlib import Path

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import judgements
from tools.bedside.matching.meant import record_of
from tools.case.demo import open_demo
from tools.case.record import Case, Patient, Presentation

DRUGS = DrugGraph.load()


def _first(case: Case, question: str) -> tuple[str, str]:
    found = judgements(question, record_of(case, DRUGS, question))[0]
    return found.key, found.text


@pytest.mark.parametrize(
    ("demo", "question", "key", "said"),
    [
        ("demo-viral-01", "退烧用什么药", "B-fever_relief-0", "Paracetamol"),
        ("demo-viral-01", "隔离要多久", "B-flu_isolation-0", "not known yet"),
        ("demo-viral-01", "她有哪些危险因素会变重", "B-viral_high_risk-0", "2 of 8"),
        ("demo-ipf-01", "What is the prognosis?", "B-prognosis_ipf-0", "stage II"),
        ("demo-copd-01", "Is the nodule worrying?", "B-nodule_unmeasured-0", "no size"),
        ("demo-cap-01", "Can he eat and drink?", "B-eat_and_drink-0", "swallow test"),
        ("demo-cap-01", "What's wrong with this patient?", "B-handover-0", "67-year-old man"),
        ("demo-viral-01", "要不要查流感", "B-virus_test-0", "SARS-CoV-2"),
        ("demo-copd-01", "他怎么这么喘", "B-breathless_why-0", "CO2 retention"),
        ("demo-copd-01", "sleeping tablet tonight?", "B-sleep_on_the_ward-0", "No sleeping tablet"),
        ("demo-ipf-01", "sleeping tablet tonight?", "B-sleep_on_the_ward-0", "No melatonin with fluvoxamine"),
        ("demo-copd-01", "diet and weight - he is only 58 kg", "B-nutrition_lung-0", "BMI 20.5"),
        ("demo-copd-01", "does he need a bronchodilator test", "B-reversibility_test-0", "Not in the acute illness"),
        ("demo-cap-01", "What oxygen saturation should we aim for?", "B-oxygen_target-0", "BTS then allows 94–98%"),
    ],
)
def test_the_question_that_was_asked_is_answered(demo: str, question: str, key: str, said: str, tmp_path: Path) -> None:
    case = open_demo(demo, tmp_path, lazy=True).case
    first = _first(case, question)
    assert first[0] == key
    assert said in first[1]


def test_a_child_is_dosed_by_weight() -> None:
    child = Case(case_id="own", patient=Patient(age_years=6, weight_kg=20), presentation=Presentation(symptoms=("fever",)))
    assert "10–15 mg/kg" in _first(child, "what can she have for the fever?")[1]
