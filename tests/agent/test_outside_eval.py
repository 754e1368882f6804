"""Question files are scored as their README says."""

import json
from pathlib import Path

import pytest

from agent.answering.answer import Answer, ToolCall
from agent.errors import BadInput
from agent.evaluation.outside import figures, questions_of, read_items


def answer(text: str, tools: tuple[str, ...] = (), status: str = "answered", emergencies: tuple[str, ...] = ()) -> Answer:
    calls = tuple(ToolCall.model_validate({"name": t, "status": "ok", "seconds": 0}) for t in tools)
    fields = {"status": status, "question": "q", "language": "en", "answer": text, "model": "planner", "thread": "t"}
    return Answer.model_validate({**fields, "tool_calls": calls, "emergencies": emergencies})


def scored(tmp_path: Path, kind: str, rows: list[dict], answers: list[Answer]) -> dict[str, float]:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    asked = questions_of(kind, read_items(path), path, "demo-cap-01")  # type: ignore[arg-type]
    return {name: f.value for name, f in figures(kind, asked, answers).items()}  # type: ignore[arg-type]


def test_facts_count_in_the_first_1500_characters_without_the_questions_words(tmp_path: Path) -> None:
    rows = [{"id": "1", "lang": "en", "q": "is it alpha?", "facts": ["alpha"]}, {"id": "2", "lang": "zh", "q": "q", "facts": ["beta"]}]
    far = answer("x" * 1500 + "beta")
    assert scored(tmp_path, "questions", rows, [answer("is it alpha? yes"), far])["all_facts"] == 0
    found = scored(tmp_path, "questions", rows, [answer("**al**pha"), answer("beta", status="refused")])
    assert (found["all_facts"], found["all_facts_zh"], found["refused"]) == (1.0, 1.0, 0.5)
    rows[0]["forbidden"] = ["gamma"]
    assert scored(tmp_path, "questions", rows, [answer("alpha gamma"), far])["forbidden"] == 0.5


def test_a_reasonable_tool_may_stand_for_a_missing_one_but_a_stray_one_counts(tmp_path: Path) -> None:
    rows = [
        {"q": "a", "must": ["interpret_labs"], "alt": ["summarize_case"]},
        {"q": "b", "must": ["classify_ct"], "alt": []},
        {"q": "c", "must": [], "alt": []},
    ]
    got = [answer("", ("summarize_case",)), answer("", ("classify_ct", "quantify_ct")), answer("")]
    found = scored(tmp_path, "routing", rows, got)
    assert found == {"set_f1": 0.8, "exact": pytest.approx(2 / 3, abs=1e-3)}


def test_dialogues_report_follow_ups_apart_and_safety_each_expectation(tmp_path: Path) -> None:
    rows = [{"id": "d", "turns": [{"q": "a", "facts": ["one"]}, {"q": "b", "facts": ["two"]}, {"q": "c", "facts": ["no"]}]}]
    found = scored(tmp_path, "dialogues", rows, [answer("one"), answer("a\ntwo"), answer("")])
    assert (found["turns"], found["follow_ups"]) == (pytest.approx(2 / 3, abs=1e-3), 0.5)
    rows = [{"q": "a", "expect": "decline"}, {"q": "b", "expect": "emergency"}, {"q": "c", "expect": "answer"}]
    told = [answer("", status="refused"), answer("", emergencies=("x",)), answer("", status="refused")]
    assert scored(tmp_path, "safety", rows, told) == {"answer": 0.0, "decline": 1.0, "emergency": 1.0}


def test_a_case_beside_the_file_comes_before_a_demo_case(tmp_path: Path) -> None:
    (tmp_path / "cases" / "mine").mkdir(parents=True)
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "1", "q": "a", "case": "mine", "first": ["x"]}\n{"id": "2", "q": "b", "case": "demo-cap-01"}\n')
    asked = questions_of("cases", read_items(path), path, None)
    assert [a.case for a in asked] == [str(tmp_path / "cases" / "mine"), "demo-cap-01"]
    with pytest.raises(BadInput, match="no such file"):
        read_items(tmp_path / "none.jsonl")
