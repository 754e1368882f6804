"""What verify sees beyond single rules: own words, crossed pairs, unheard rhythms, other issuers, edits, poles and trees."""

import pytest

from agent.verify.binding import in_order
from agent.verify.facts.crossed import crossed
from agent.verify.facts.fields import own_words
from agent.verify.facts.named import wrong_issuer
from agent.verify.facts.rhythm import unheard
from agent.verify.facts.verbatim import carried
from agent.verify.opinion.edits import edits
from agent.verify.opinion.trees import Trees
from tools.evidence import Evidence

NIV = "After extubation at high risk of failure non-invasive ventilation is preferred over high flow (weak) unless contraindicated."
ARMS = "Pneumonitis occurred in 33.9 % with durvalumab and 24.8 % with placebo."


@pytest.mark.parametrize(
    ("claim", "held"),
    [
        ("After extubation at high risk of failure, non-invasive ventilation is preferred over high flow unless contraindicated.", True),
        ("After extubation at high risk of failure non-invasive ventilation is preferred over high flow.", False),
        ("After extubation at high risk of failure high flow is preferred over non-invasive ventilation unless contraindicated.", False),
        ("Non-invasive ventilation is preferred over high flow unless contraindicated.", False),
    ],
)
def test_a_claim_is_carried_by_its_evidences_own_words_only_where_nothing_binding_is_left_out(claim: str, held: bool) -> None:
    assert carried(claim, [NIV]) is held


def test_two_arms_with_each_others_figures_are_crossed() -> None:
    assert crossed("24.8 % of the durvalumab arm and 33.9 % of the placebo arm had pneumonitis.", [ARMS])
    assert not crossed("Placebo had 24.8 %, durvalumab 33.9 %.", [ARMS])
    assert crossed("度普利尤单抗100 mg，美泊利珠单抗300 mg。", ["度普利尤单抗300 mg，或美泊利珠单抗100 mg。"])


def test_numbers_and_names_in_their_own_order_are_a_piece_of_the_evidence() -> None:
    assert in_order("33.9 % had it with durvalumab, 24.8 % with placebo.", [ARMS])
    assert not in_order("24.8 % had it with durvalumab, 33.9 % with placebo.", [ARMS])


def test_a_rhythm_that_the_evidence_never_has_is_unheard() -> None:
    assert unheard("The circuit is changed every day.", "The circuit is changed only when soiled.")
    assert unheard("呼吸回路应每天更换。", "呼吸回路仅在污染时更换。")
    assert not unheard("It is given for a year.", "It lasts 12 months.")
    assert not unheard("It is taken every 12 h.", "It is taken twice daily.")


def test_a_guideline_of_another_issuer_is_seen_under_any_of_its_names() -> None:
    cited = [Evidence(key="G-1", kind="guideline", text="Risk is worked out.", source="British Thoracic Society: nodules (2015)")]
    assert wrong_issuer("Fleischner 2015 works out the risk.", cited)
    assert wrong_issuer("BTS 2015 works out the risk.", cited) is None


def test_words_that_are_no_field_of_a_record() -> None:
    cited = [Evidence(key="L-1", kind="lab", text="Sodium is 131 mmol/L (reference 133-146 mmol/L): low.", source="record")]
    assert own_words("Serum sodium is low at 131 mmol/L.", cited) == []
    assert own_words("Sodium is low at 131 mmol/L because of vomiting.", cited)


def test_one_turned_word_is_one_tight_edit_and_a_denial_with_its_contrary_is_none() -> None:
    told = "Rifampicin lowers the INR of patients on warfarin."
    turned = edits("Rifampicin raises the INR of patients on warfarin.", [told])
    assert turned["edit tight"] == 1.0
    assert turned["pole odd"] == 1.0
    assert edits("Rifampicin does not raise the INR of patients on warfarin.", [told])["pole odd"] == 0.0


def test_trees_follow_their_forks() -> None:
    model = Trees(0.0, ["a", "b"], [[0, 0.5, -2.0, [1, 0.5, 0.0, 2.0]]])
    assert model.doubt({}) < model.doubt({"a": 1.0}) == 0.5 < model.doubt({"a": 1.0, "b": 1.0})
