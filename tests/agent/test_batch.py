"""`ask --batch`: rows with a case and a conversation of their own; a row that fails does not stop the others."""

import json
from pathlib import Path

from agent.turn.batch import Batch, read_rows


def _write(folder: Path, rows: list[object]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def test_rows_carry_case_and_thread_and_fail_alone(make_assistant, tmp_path: Path) -> None:
    assistant = make_assistant()
    path = _write(
        tmp_path,
        [
            {"id": 1, "question": "Interpret the labs", "case": "a", "thread": "t"},
            {"id": 2, "question": "Compute CURB-65", "case": "a", "thread": "t"},
            {"id": 3, "question": "Interpret the labs", "case": "c"},
            {"id": 4, "question": "Interpret the labs", "case": "b", "thread": "t"},
            "{broken",
            {"id": 6, "question": " "},
            {"id": 7, "question": "Interpret the labs", "case": 5},
            {"id": 8, "question": "Interpret the labs"},
        ],
    )
    batch = Batch(assistant, "someone")
    answers = [batch.answer(row) for row in read_rows(path)]
    assert [a.id for a in answers] == ["1", "2", "3", "4", None, "6", "7", "8"]
    assert answers[0].thread == answers[1].thread != answers[2].thread
    assert "11.2" in answers[0].answer
    assert "45" in answers[2].answer
    assert [a.status == "error" for a in answers] == [False, False, False, True, True, True, True, False]
    assert "one patient" in (answers[3].reason or "")
    assert answers[7].reason
    assert "case" in answers[7].reason.lower()
    assert len(assistant.history(answers[0].thread, "someone")) == 2


def test_the_case_of_the_command_serves_rows_without_one(make_assistant, tmp_path: Path) -> None:
    assistant = make_assistant()
    handle = assistant.open_case("a", session="s").handle
    batch = Batch(assistant, "s", handle)
    (row,) = read_rows(_write(tmp_path, [{"question": "Interpret the labs"}]))
    assert "11.2" in batch.answer(row).answer
