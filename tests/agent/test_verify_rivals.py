"""Fields of a claim against those of the place where the rest of it stands; figures worked out; advice turned round."""

from datetime import date

import pytest

from agent.verify import check
from agent.verify.facts.instances import readings
from agent.verify.opinion.limits import other_limit
from agent.verify.opinion.rivals import rival, turned_over
from agent.verify.opinion.use import advice_turned
from tools.evidence import Evidence
from tools.reports.lint import lint

FERRITIN = "A ferritin above 200 ug/L is raised. Ferritin of 900 ug/L or more marks macrophage activation in sepsis."
CHOICE = "Drug alpha is suggested in moderate disease and not in advanced disease."
ADVICE = "In that shock fluid bridges hypotension. Furosemide, morphine and propofol are avoided."
WEIGHT = "Lidocaine is infiltrated, at most 4 mg/kg. The limit is age x 20 ug/L above 40 years. Platelets are above 80 x 10^9/L."


def told(text: str, *, current: bool = True, year: int = 2025) -> Evidence:
    return Evidence(key="G-a", kind="guideline", text=text, source=f"GOLD {year}", year=year, current=current)


def test_a_value_belongs_to_the_limit_that_stands_where_the_claim_stands() -> None:
    assert other_limit("A ferritin of 300 ug/L marks macrophage activation in sepsis.", [FERRITIN])
    assert not other_limit("A ferritin of 950 ug/L marks macrophage activation in sepsis.", [FERRITIN])
    assert not other_limit("A ferritin of 300 ug/L is raised.", [FERRITIN])


def test_two_things_exchanged_around_a_denial() -> None:
    assert turned_over("Drug alpha is suggested in advanced disease but not in moderate disease.", [CHOICE])
    assert not turned_over("Drug alpha is suggested in moderate but not in advanced disease.", [CHOICE])


def test_another_side_where_all_else_stands_is_a_rival_and_silence_is_none() -> None:
    text = "The uterus is displaced to the left until delivery in cardiac arrest."
    assert rival("The uterus is displaced to the right until delivery.", [text]) is not None
    assert rival("The uterus is displaced to the left until delivery.", [text]) is None
    assert rival("The uterus is displaced until delivery.", [text]) is None


@pytest.mark.parametrize(
    ("claim", "turned"),
    [("Furosemide is given first.", True), ("Morphine is avoided.", False), ("Propofol should not be given.", False)],
)
def test_what_the_evidence_only_avoids_is_not_given(claim: str, turned: bool) -> None:
    assert advice_turned(claim, [ADVICE]) is turned


@pytest.mark.parametrize(
    ("claim", "read"),
    [
        ("A man of 60 kg receives at most 240 mg of lidocaine.", "4 mg/kg"),
        ("For a 70-year-old the limit is 1400 ug/L.", "age x 20"),
        ("A platelet count of 60 is too low.", ">80"),
    ],
)
def test_figures_are_worked_out_from_conditions(claim: str, read: str) -> None:
    item = told(WEIGHT)
    assert any(read in other for other in readings(claim, [item], [WEIGHT]))


def test_a_replaced_edition_may_be_named_by_its_year() -> None:
    item = told("Group E begins with LABA plus LAMA.", current=False)
    assert check("Per GOLD 2025, group E begins with LABA plus LAMA.", ("G-a",), {"G-a": item}).support is not None
    assert check("Group E begins with both LABA and LAMA.", ("G-a",), {"G-a": item}).support is None


@pytest.mark.parametrize(
    ("report", "kinds"),
    [
        ("CT. Female, 55.\nFindings: Right empyema; a 14F drain lies in it.\nImpression: Right empyema, drain in place.", set()),
        ("Findings: Fractures of the left 2nd to 5th ribs.\nImpression: Left rib fractures (2nd to 8th).", {"count"}),
        ("Findings: Subcarinal node 21 mm short axis.\nImpression: No enlarged mediastinal nodes.", {"presence"}),
        ("所见：气管插管尖端位于隆突上方5cm。\n印象：气管插管误入右主支气管。", {"presence"}),
    ],
)
def test_own_reports_that_the_linter_had_misread(report: str, kinds: set[str]) -> None:
    assert {r.kind for r in lint(report, today=date(2026, 11, 30)).remarks} == kinds
