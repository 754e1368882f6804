"""A sentence whose condition on a number does not fit the number of the question is not shown."""

import pytest

from agent.answering.guidance.limits import fits, given
from agent.answering.guidance.passages import pieces_of
from tools.evidence import Evidence

CATEGORY_2 = "Free fluid, culture negative and pH of 7.20 or more: drainage not needed."
CATEGORY_3 = "Positive culture or pH below 7.20: drainage."


@pytest.mark.parametrize(
    ("question", "sentence", "holds"),
    [
        ("Pleural fluid pH 7.1, what now?", CATEGORY_2, False),
        ("Pleural fluid pH 7.1, what now?", CATEGORY_3, True),
        ("胸水pH 7.1怎么办", "pH≥7.4无需引流。", False),
        ("胸水pH 7.3怎么办", "pH>7.2且<7.4并LDH>900 IU/L者考虑引流。", True),
        ("pleural pH 7.1, drain or not?", "A pH above 7.2 and below 7.4 with LDH above 900 IU/L: drainage is considered.", False),
        ("Pleural pH 7.3, drain or not?", "A pH above 7.2 and below 7.4 with LDH above 900 IU/L: drainage is considered.", True),
        ("Metformin with an eGFR of 25?", "At an eGFR of 30 to 45 mL/min/1.73 m2 the dose is halved.", False),
        ("Metformin with an eGFR of 25?", "It is stopped at an eGFR below 30 mL/min/1.73 m2.", True),
        ("INR 9, no bleeding", "INR above 10 without bleeding: oral vitamin K.", False),
        ("Platelets 20, LMWH?", "Full dose is given when platelets are above 50 x10^9/L.", False),
        ("How is pH measured in pleural fluid?", CATEGORY_2, True),
        ("Glucose 3 mmol/L in the fluid", "Glucose below 60 mg/dL suggests infection.", True),
    ],
)
def test_conditions_on_numbers(question: str, sentence: str, holds: bool) -> None:
    assert fits(question, sentence) is holds


def test_a_number_without_a_name_is_given_to_nothing() -> None:
    assert given("Follow-up of a 7 mm nodule in a 64-year-old") == {}


def test_the_answer_leaves_it_out() -> None:
    passage = Evidence(key="G-1", kind="guideline", text=f"{CATEGORY_2} {CATEGORY_3}", source="ACCP: effusion", year=2000, locator="1")
    shown = " ".join(p.text for p in pieces_of([passage], "Pleural fluid pH 7.1, what now?", None, "en"))
    assert "not needed" not in shown
    assert "pH below 7.20: drainage" in shown
