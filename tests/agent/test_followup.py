"""How a message takes up what stands before it: the fitted model, the question made whole, what the bedside room is asked."""

from pathlib import Path

import pytest

from agent.errors import BadInput
from agent.reading.dialogue import history, taken_up
from agent.reading.followup import KINDS, kinds_of
from agent.reading.patches import supposed
from agent.reading.plan import case_diseases, in_full, make_plan
from agent.reading.understand import understand
from agent.training.fit_followup import folder, read_followups
from agent.turn.prompts import CaseCard
from tools.case.files import load_case
from tools.case.record import Case

ROWS = read_followups(folder())


def test_the_labelled_follow_ups_are_many_and_of_every_kind() -> None:
    assert len(ROWS) >= 700
    assert {r.kind for r in ROWS} == set(KINDS)
    assert min(sum(r.text.isascii() == ascii_ for r in ROWS) for ascii_ in (True, False)) >= 250


def test_a_row_without_a_kind_is_refused_by_line(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("# note\nnonsense\ta\tb\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 2"):
        read_followups(tmp_path)


# None of these stands in the training rows.
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("what if she were on dialysis?", "detail"),
        ("若是肝硬化患者呢", "detail"),
        ("why wouldn't you use that one", "why"),
        ("这是为什么呢", "why"),
        ("make it shorter please", "shorter"),
        ("Put that into Chinese", "translate"),
        ("no, I meant edoxaban", "correct"),
        ("Summarise the patient", "new"),
        ("List the criteria for severe asthma", "new"),
    ],
)
def test_kinds_of_messages_it_has_not_seen(text: str, kind: str) -> None:
    assert text not in {r.text for r in ROWS}
    told = kinds_of(text)
    assert max(told, key=lambda k: told[k]) == kind


def test_a_detail_changes_the_question_it_goes_on_from() -> None:
    turn = in_full("and for apixaban?", None, ["Dose of enoxaparin in renal failure"])
    assert "apixaban" in turn.words.lower()
    assert "renal failure" in turn.words.lower()
    assert "enoxaparin" not in turn.words.lower()


def test_the_bedside_room_is_asked_in_full_where_the_message_alone_says_nothing() -> None:
    turn = in_full("If it rose to 220?", None, ["Does an ALT of 96 mean stopping isoniazid?"])
    assert any("isoniazid" in w for w in turn.wordings)


def test_two_that_were_asked_about_come_together() -> None:
    earlier = ["Does rifampicin change warfarin?", "And fluconazole?"]
    turn = in_full("Both together - which wins?", None, earlier, ["Yes: it lowers the INR.", "It raises the INR; amiodarone too."])
    assert turn.reading is not None
    assert {"fluconazole"} <= {d.id for d in turn.reading.drugs}
    assert "amiodarone" not in {d.id for d in turn.reading.drugs}


def test_what_the_last_answer_speaks_against_is_not_on_offer() -> None:
    said = "Ceftriaxone can be given. Amoxicillin is contraindicated after anaphylaxis."
    plan = make_plan("Which of these is safest with warfarin?", None, ["Which antibiotics for CAP?"], [said])
    assert "ceftriaxone" in {d.id for d in plan.reading.drugs}
    assert "amoxicillin" not in {d.id for d in plan.reading.drugs}


def test_back_to_the_first_question() -> None:
    turns = history(["Treatment of asthma in pregnancy?", "How long is PE anticoagulated?"], frozenset(), False)
    reading = understand("back to my first question, which dose?", frozenset(), False, turns[-1].question)
    assert "asthma" in taken_up(reading, turns).words.lower()


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("What if she drops to 75 systolic?", "sbp_mmhg", 75.0),
        ("if he falls to 85% sats", "spo2_pct", 85.0),
        ("And if she were 66?", "age_years", 66.0),
        ("如果血压掉到78呢", "sbp_mmhg", 78.0),
    ],
)
def test_a_number_behind_a_person_is_an_age_only_where_it_can_be(text: str, name: str, value: float) -> None:
    case = Case.model_validate({"case_id": "x", "patient": {"sex": "female", "age_years": 50}})
    assert [(p.name, p.value) for p in supposed(text, case).patches] == [(name, value)]


def test_a_disease_beside_the_one_spoken_of_does_not_take_its_place() -> None:
    turn = in_full("如果有慢阻肺呢？", None, ["首次自发性气胸怎么处理？"])
    assert "气胸" in turn.words
    assert "慢阻肺" in turn.words
    plan = make_plan("如果有慢阻肺呢？", None, ["首次自发性气胸，压缩30%，怎么处理？"])
    assert plan.parts == ()  # the earlier question in front is no part of the message


def test_by_how_much_it_grew_is_no_size() -> None:
    turn = in_full("what would you do if it grew by 2 mm?", None, ["8 mm solid nodule, what follow up?"])
    assert "8 mm" in turn.words


def test_what_is_offered_is_read_line_by_line_and_compared_with_its_partner() -> None:
    answer = "No: avoid amoxicillin. It is contraindicated. [1]\n\nInstead: ceftriaxone or doxycycline. [2]"
    turn = in_full("which of these is safest with warfarin?", None, ["Which antibiotic for pneumonia?"], [answer])
    assert turn.kind == "among"
    assert {"ceftriaxone", "doxycycline"} <= set(turn.wordings[0].replace(",", "").replace(":", "").split())
    assert "amoxicillin" not in turn.wordings[0]


def test_a_message_that_surely_needs_no_tool_raises_no_topic() -> None:
    case = Path(__file__).parents[2] / "tools" / "data" / "cases" / "demo-cap-01"
    card = CaseCard.of(load_case(case).case)
    assert make_plan("cheers, good night everyone", card, []).calls == ()
    assert "cap" in case_diseases(card)
    assert "cap" not in case_diseases(CaseCard.of(load_case(case.with_name("demo-ipf-01")).case))  # "no fever" is none
