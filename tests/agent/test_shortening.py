"""Long conversations: older tool results are cleared, then older turns are summarised, and the thread keeps everything."""

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from agent.models.shortening import CLEARED, fitted, sendable, summary, tokens_of, without_numbers
from agent.turn.planner import Planner

MODEL = Planner()


def turn(number: int, question: str = "Interpret the labs", answer: str = "Urea is 11.2 mmol/L, high. [L-urea]") -> list[AnyMessage]:
    call = {"name": "interpret_labs", "args": {}, "id": f"c{number}", "type": "tool_call"}
    return [
        HumanMessage(content=question, id=f"q-{number}"),
        AIMessage(content="", tool_calls=[call], id=f"a-{number}"),
        ToolMessage(
            content="[L-urea] Urea is 11.2 mmol/L " + "and so on " * 100,
            tool_call_id=f"c{number}",
            name="interpret_labs",
            id=f"t-{number}",
            artifact={"status": "ok"},
        ),
        AIMessage(content=answer, id=f"b-{number}"),
    ]


def conversation(turns: int) -> list[AnyMessage]:
    made = [m for n in range(turns) for m in turn(n)]
    return [*made, HumanMessage(content="And the urea?", id="q-now"), *turn(99)[1:3]]


def test_a_short_conversation_is_sent_as_it_is() -> None:
    messages = conversation(3)
    assert fitted(MODEL, messages, 100_000) == messages


def test_older_tool_results_are_cleared_first() -> None:
    messages = conversation(3)
    sent = fitted(MODEL, messages, 700)
    results = [m.text for m in sent if isinstance(m, ToolMessage)]
    assert results[:3] == [CLEARED] * 3
    assert results[3].startswith("[L-urea] Urea is 11.2"), "the present turn is whole"
    assert [m.id for m in sent] == [m.id for m in messages]
    assert tokens_of(sent) < 700 < tokens_of(messages)
    assert all(m.artifact for m in messages if isinstance(m, ToolMessage)), "the thread keeps its records"


def test_then_older_turns_become_a_summary_without_numbers() -> None:
    sent = fitted(MODEL, conversation(30), 700)
    assert [type(m) for m in sent] == [HumanMessage, AIMessage, ToolMessage]
    first = sent[0].text
    assert first.endswith("And the urea?")
    assert first.count("- Asked: Interpret the labs") == 12
    assert "18 earlier questions are left out" in first
    assert "Answered: Urea is … mmol/L, high. [L-urea]" in first
    assert "11.2" not in first
    assert "11.2" in sent[2].text


def test_what_is_too_long_is_sent_again_shorter() -> None:
    sizes = [tokens_of(m) for m in sendable(MODEL, conversation(5), 100_000)]
    assert len(sizes) == 3
    assert sizes == sorted(sizes, reverse=True)
    assert len(list(sendable(MODEL, conversation(0), 100_000))) == 1, "one turn cannot be made shorter"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CURB-65 is 5 of 5 points. [S-curb_65]", "CURB-65 is… of… points. [S-curb_65]"),
        ("尿素 11.2 mmol/L，偏高。", "尿素… mmol/L，偏高。"),
        ("尿素11.2mmol/L", "尿素…mmol/L"),
        ("FEV1 is 52 %, DLCO 2024-11-02", "FEV1 is… %, DLCO…"),
        ("CD4 < 200, SARS-CoV-2, -950 HU [G-03f524]", "CD4…, SARS-CoV-2,… HU [G-03f524]"),
        ("Temperature 39.1–40", "Temperature…"),
    ],
)
def test_numbers_stay_out_of_a_summary(text: str, left: str) -> None:
    assert without_numbers(text).replace(" …", "…") == left


def test_an_unfinished_turn_is_said_to_have_no_answer() -> None:
    told = summary([*turn(1), HumanMessage(content="And 7 mm?"), HumanMessage(content="hint", additional_kwargs={"aside": True})])
    assert "Asked: And 7 mm?\n  Tools: none\n  Answered: none" in told
    assert "hint" not in told


def test_chinese_counts_by_character() -> None:
    latin, chinese = HumanMessage(content="abc" * 30), HumanMessage(content="尿素升高" * 30)
    assert tokens_of([latin]) == 34
    assert tokens_of([chinese]) == 124
