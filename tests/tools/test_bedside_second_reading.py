"""What the reader of the night's topics found dangerous, in either language: each is asked of a patient in whom it would harm."""

import re
from typing import Any

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import judgements
from tools.bedside.judging import Applied
from tools.bedside.record.expression import holds
from tools.bedside.record.view import Record
from tools.bedside.record.wording import write
from tools.bedside.topics import topics
from tools.case.record import Case

GRAPH = DrugGraph.load()
MAN: dict[str, Any] = {"age_years": 60, "sex": "male", "weight_kg": 70, "height_cm": 175}


def _case(patient: dict[str, Any], *conditions: str, medicines: tuple[str, ...] = (), **parts: Any) -> Case:
    held = [{"name": name} for name in conditions]
    taken = [{"name": name} for name in medicines]
    return Case.model_validate({"case_id": "t", "patient": {**patient, "conditions": held}, "medications": taken, **parts})


def _labs(**values: tuple[float, str]) -> list[dict[str, Any]]:
    return [{"analyte": name, "value": v, "unit": u, "time": "2025-03-02T08:00:00"} for name, (v, u) in values.items()]


ALLERGIC = {**MAN, "allergies": [{"substance": "amoxicillin", "reaction": "anaphylaxis"}]}


@pytest.mark.parametrize(
    ("case", "question", "said", "never"),
    [
        (
            _case(MAN, "Bilateral lung transplant", medicines=("tacrolimus",), labs=_labs(tacrolimus_level=(12.0, "ug/L"))),
            "Is this tacrolimus level too high?",
            "ask the centre for its target before the dose is lowered",
            r"lower the dose by about 25",
        ),
        (
            _case(MAN, "Acute pulmonary embolism", medicines=("apixaban",), presentation={"symptoms": ["haemoptysis"]}),
            "What do we do about the haemoptysis?",
            "is not stopped for a small bleed",
            r"(?i)hold apixaban",
        ),
        (
            _case(MAN, "Lung cancer", medicines=("pembrolizumab",), labs=_labs(alt=(95, "U/L"), bilirubin=(85, "umol/L"))),
            "Can the pembrolizumab go on with these LFTs?",
            "Hold the checkpoint inhibitor",
            r"(?i)it can go on: grade 1|below 3 times normal: go on",
        ),
        (
            _case(MAN, "Rheumatoid arthritis", "ILD", medicines=("methotrexate",), labs=_labs(creatinine=(320, "umol/L"))),
            "Should the methotrexate continue?",
            "methotrexate",
            r"can go on for the joints",
        ),
        (
            _case(ALLERGIC, "Aspiration pneumonia", medicines=("warfarin",), labs=_labs(inr=(2.4, "1"))),
            "He is on warfarin and a drinker: can I add metronidazole?",
            "neither here: penicillin reaction",
            r"choose amoxicillin/clavulanate \(not here",
        ),
        (
            _case(MAN, "Atrial fibrillation", medicines=("warfarin",), labs=_labs(creatinine=(80, "umol/L"), inr=(2.2, "1"))),
            "How do I switch from warfarin to apixaban?",
            "Atrial fibrillation needs no starting dose",
            r"10 mg twice daily until day 7",
        ),
    ],
)
def test_what_would_have_harmed_is_not_said(case: Case, question: str, said: str, never: str) -> None:
    text = " ".join(e.text for e in judgements(question, Record(case, GRAPH, question)))
    assert said in text
    assert not re.search(never, text), text


def _row(topic: str, case: Case, question: str, language: Any) -> str:
    record = Applied(Record(case, GRAPH, question), {}, {})
    found = next(v for v in topics()[topic].verdict if holds(v.test, record))
    return write(found.en if language == "en" else found.zh, record, language)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_leave_out_what_the_patient_must_not_have(language: str) -> None:
    weak = _case(MAN, "Motor neurone disease", "Myasthenia gravis")
    wanted = {"en": "no botulinum toxin in myasthenia", "zh": "重症肌无力不用肉毒毒素"}[language]
    assert wanted in _row("saliva_weak_muscles", weak, "drooling", language)
    dried = _case(MAN, "Tuberculosis", medicines=("isoniazid",), labs=_labs(creatinine=(400, "umol/L"), alt=(300, "U/L")))
    bridge = _row("tb_bridging", dried, "What while the liver is bad?", language)
    assert {"en": "amikacin 15", "zh": "阿米卡星 15"}[language] not in bridge
    assert {"en": "750–1000 mg three times a week", "zh": "750–1000 mg 每周三次"}[language] in bridge
    assert {"en": "Ringer's lactate", "zh": "乳酸林格"}[language] in _row("fluid_kind", _case(MAN, "Pneumonia"), "Which fluid?", language)


@pytest.mark.parametrize(
    "name", ["Double lung transplant", "Aortic valve replacement 2015 (mechanical)", "Hip replacement", "Double vision"]
)
def test_a_condition_with_a_word_of_advice_in_it_is_not_lost(name: str) -> None:
    assert _case(MAN, name).patient.conditions[0].name == name


def test_a_checkpoint_inhibitor_in_the_list_is_known() -> None:
    case = _case(MAN, "Lung cancer", "Heart failure", medicines=("nivolumab", "ipilimumab"))
    text = " ".join(
        e.text for e in judgements("Eight loose stools a day, what now?", Record(case, GRAPH, "Eight loose stools a day, what now?"))
    )
    assert "7 or more" in text
    assert "here vedolizumab" in text


def test_latent_infection_in_pregnancy_is_not_treated_as_disease() -> None:
    woman = {**MAN, "age_years": 29, "sex": "female", "pregnant": True}
    question = "Which regimen for her latent TB?"
    text = " ".join(e.text for e in judgements(question, Record(_case(woman, "Latent tuberculosis"), GRAPH, question)))
    assert "until 2–3 months after birth" in text
    assert "Treat now" not in text
