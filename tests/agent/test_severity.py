"""A stated score and what it brings: guidance for that severity, never a list for any patient."""

import pytest

from agent.answering.guidance.limits import fits
from agent.answering.guidance.passages import _grades
from agent.reading.plan import make_plan
from agent.reading.severity import stated

SCORES = frozenset({"curb_65", "crb_65"})


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("CURB-65 3, which antibiotic?", "high"),
        ("CURB-65 of 1, what do I give?", "low"),
        ("CURB-65 2分,选什么抗菌药", "moderate"),
        ("CURB-65评分为4,怎么治疗", "high"),
        ("CURB-65 2 vs 3, does the antibiotic differ?", None),
        ("what is CURB-65?", None),
    ],
)
def test_severity_of_a_stated_result(text: str, severity: str | None) -> None:
    found = stated(text, SCORES)
    assert (found[1] if found else None) == severity


@pytest.mark.parametrize("text", ["CURB-65 4, which antibiotic?", "CURB-65 4分用什么抗生素"])
def test_a_severe_pneumonia_gets_no_ranking_for_any_patient(text: str) -> None:
    names = [name for name, _ in make_plan(text, None, []).calls]
    queries = [str(args["query"]) for name, args in make_plan(text, None, []).calls if name == "search_guidelines"]
    assert "rank_drugs" not in names
    assert any(text in q for q in queries)  # the question's own words reach the tool
    assert "severe" in queries[0] or "重症" in queries[0]


def test_nonsevere_is_not_severe() -> None:
    assert _grades("Adults with nonsevere community-acquired pneumonia receive ...") == {"low", "moderate"}
    assert _grades("非重症社区获得性肺炎") == {"low", "moderate"}
    assert _grades("Adults with severe pneumonia") == {"high"}


def test_a_question_about_a_disease_is_searched_as_it_stands() -> None:
    text = "Does dabigatran need heparin lead-in for PE? how long"
    queries = [args["query"] for name, args in make_plan(text, None, []).calls if name == "search_guidelines"]
    assert queries[0] == text


def test_a_value_in_another_unit_is_not_held_against_a_limit() -> None:
    assert fits("BMI 48, pCO2 7.8: is it obesity hypoventilation?", "It needs a PaCO2 above 45 mmHg.")
    assert not fits("pCO2 38, is it obesity hypoventilation?", "It needs a PaCO2 above 45 mmHg.")
