"""What people said of answers comes out as a sheet or as lines, and goes with its conversation."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.keeping.feedback import Feedback
from ui.cli import main


def test_feedback_is_listed_exported_and_erased(
    make_assistant: Callable[..., Assistant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assistant = make_assistant()
    first, second = assistant.new_thread("s"), assistant.new_thread("s")
    assistant.give_feedback(first, "s", Feedback(question="Urea?", verdict="bad", comment="=cmd|' /C calc'!A0", model="planner"))
    assistant.give_feedback(second, "s", Feedback(question="抗生素？", verdict="good"))
    assistant.close()
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"MEDMPT_{name}_DIR", str(tmp_path / name.lower()))

    def run(*words: str) -> dict[str, object]:
        main(["feedback", *words, "--json"])
        record: dict[str, object] = json.loads(capsys.readouterr().out)
        return record

    assert (run("list")["good"], run("list")["bad"]) == (1, 1)
    sheet, lines = tmp_path / "said.csv", tmp_path / "said.jsonl"
    assert run("export", "--out", str(sheet))["file"] == str(sheet)
    assert sheet.stat().st_mode & 0o777 == 0o600
    with sheet.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(r["verdict"], r["thread"]) for r in rows] == [("bad", first), ("good", second)]
    assert rows[0]["comment"].startswith("'="), "no sheet takes a comment for a formula"
    run("export", "--out", str(lines), "--verdict", "good")
    assert [json.loads(line)["question"] for line in lines.read_text(encoding="utf-8").splitlines()] == ["抗生素？"]
    assert run("export", "--out", str(tmp_path / "said.doc"))["status"] == "error"
    again = make_assistant()
    again.erase([first, second])
    again.close()
    assert run("export", "--out", str(sheet))["status"] == "empty"
