"""Inputs of calculators out of a message in a person's words."""

import pytest

from tools.scores.registry import calculators
from tools.scores.run import run
from tools.scores.said.typed import typed_inputs


@pytest.mark.parametrize(
    ("score", "message", "expected"),
    [
        ("cockcroft_gault", "woman, weighs 52 kg, creat 98 umol/L", {"sex": "female", "weight": "52 kg", "creatinine": "98 umol/L"}),
        ("pack_years", "he had 12 a day over 31 years", {"cigarettes_per_day": "12", "smoking_years": "31"}),
        ("pack_years", "每日25支，吸烟22年", {"cigarettes_per_day": "25", "smoking_years": "22"}),
        ("aa_gradient", "po2 7.9 kPa, pco2 5.1 kPa, breathing air", {"pao2": "7.9 kPa", "paco2": "5.1 kPa", "fio2": "0.21"}),
        ("volume_doubling_time", "6 mm last time, 9 mm now, 4 months between", {"diameter_1": "6 mm", "diameter_2": "9 mm", "days": "122"}),
        ("steroid_conversion", "cortisone 6 mg as prednisone", {"dose": "6 mg", "from_drug": "cortisone", "to_drug": "prednisone"}),
        ("bmi", "身高1.72米，体重81公斤", {"height": "1.72 m", "weight": "81 kg"}),
        ("fib_4", "58M: AST 61, ALT 33, plt 140", {"age": "58", "ast": "61", "alt": "33", "platelets": "140"}),
        ("lights_criteria", "LDH 310, serum LDH 240, fluid LDH 305", {"serum_ldh": "240", "pleural_ldh": "305"}),
    ],
)  # fmt: skip
def test_a_value_is_read_by_its_name_its_word_or_its_unit(score: str, message: str, expected: dict[str, str]) -> None:
    found = typed_inputs(calculators()[score], message)
    assert {k: found.get(k) for k in expected} == expected


@pytest.mark.parametrize(
    "message", ["start dialysis at urea above 35?", "what is a normal creatinine", "CURB-65 components", "尿素超过7算几分"]
)
def test_a_limit_or_a_question_gives_no_value(message: str) -> None:
    assert typed_inputs(calculators()["curb_65"], message) == {}


def test_a_bare_value_impossible_in_the_own_unit_is_read_in_the_one_where_it_is_possible() -> None:
    calculator = calculators()["cockcroft_gault"]
    assert typed_inputs(calculator, "70 kg, creatinine 150")["creatinine"] == "150 umol/L"
    assert typed_inputs(calculator, "70 kg, creatinine 1.7")["creatinine"] == "1.7"


def test_what_is_denied_is_no() -> None:
    found = typed_inputs(calculators()["wells_pe"], "heart rate 96, no haemoptysis, previous DVT")
    assert (found["haemoptysis"], found["previous_vte"]) == ("no", "yes")


def test_a_message_with_every_input_is_computed() -> None:
    calculator = calculators()["winters"]
    outcome = run(calculator, None, typed_inputs(calculator, "bicarb 9, what pco2 to expect"))
    assert outcome.value == pytest.approx(21.5)
