import json
import sys
from typing import Annotated, Any

import pytest
import typer
from pydantic import BaseModel

from tools.errors import BadInput, ToolUnavailable
from ui.cli import find, main
from ui.cli.table import DECLARED, MODULES

COMMON = {"schema_version", "status", "reason", "warnings", "seconds"}
# A call for each command of the contract that cannot do work: a path that is not there, or an empty argument list.
ARGUMENTS = {
    "ct quantify": ["/nowhere/ct"],
    "ct measure": ["/nowhere/ct", "--at", "1,2,3"],
    "ct encode": ["/nowhere/ct", "--out", "/nowhere/f.npz"],
    "ct classify": ["/nowhere/ct"],
    "ct report": ["/nowhere/ct"],
    "ct explain": ["/nowhere/ct", "--out", "/nowhere/dir"],
    "labs interpret": ["/nowhere/labs.csv"],
    "calc": ["no_such_score"],
    "drugs check": ["/nowhere/case.json"],
    "drugs rank": ["/nowhere/case.json"],
    "parity": ["/nowhere/dir"],
}
# These would start work or a server when furnished; the walk asks them with an option that does not exist.
BAD_OPTION = ["--no-such-option"]


class Figures(BaseModel):
    status: str = "ok"
    total_l: float
    bad: float = float("nan")
    regions: list[dict[str, float | str]] = []


def quantify(ctx: typer.Context, path: str, at: Annotated[str, typer.Option(help="voxel")] = "") -> Figures:
    """Volumes of the lungs."""
    sys.stdout.write("a library that prints\n")
    if path == "bad":
        raise BadInput("cannot read 'bad'; give a folder")
    if path == "later":
        raise ToolUnavailable("weights missing; run `medmpt weights pull`")
    if path == "bug":
        raise ZeroDivisionError("division by zero")
    return Figures(total_l=4.5, regions=[{"side": "left", "volume_l": 2.0}])


class Said(BaseModel):
    status: str = "answered"
    id: str
    seconds: float = 0.5


class Batch(BaseModel):
    answers: tuple[Said, ...]


def ask(batch: Annotated[str, typer.Option("--batch")]) -> Batch:
    """Ask many."""
    return Batch(answers=(Said(id="a"), Said(id="b")))


@pytest.fixture
def furnished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "room_commands", lambda module: {"ct quantify": quantify, "ask": ask})


def one_object(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out = capsys.readouterr().out
    lines = out.strip().splitlines()
    assert len(lines) == 1, out
    record = json.loads(lines[0])
    assert set(record) >= COMMON
    return record


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_every_contract_command_answers_one_json_object(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("MEDMPT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MEDMPT_CACHE_DIR", str(tmp_path / "cache"))
    code = main([*name.split(), *ARGUMENTS.get(name, BAD_OPTION), "--json"])
    record = one_object(capsys)
    assert record["status"] in {"ok", "partial", "empty", "out_of_domain", "unavailable", "error"}
    assert code == {"error": 2}.get(record["status"], 0)
    assert (record["reason"] is None) == (record["status"] == "ok")


def test_result_has_the_common_fields_and_stdout_holds_nothing_else(furnished: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ct", "quantify", "x", "--json"]) == 0
    record = one_object(capsys)
    assert (record["status"], record["total_l"], record["bad"]) == ("ok", 4.5, None)


def test_a_declared_command_imports_no_other_module_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def commands(module: str) -> dict[str, object]:
        asked.append(module)
        return {"ct quantify": quantify, "ct measure": quantify}

    monkeypatch.setattr(find, "room_commands", commands)
    found = find.find(["ct", "quantify", "x"])
    assert (found.name, found.arguments, len(asked)) == ("ct quantify", ("x",), 1)
    assert find.group_commands("ct").keys() == {"ct quantify", "ct measure"}
    assert len(asked) == 1 + len(MODULES["ct"])


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (["ct", "quantify", "bad"], "error", 2),
        (["ct", "quantify", "later"], "unavailable", 0),
        (["ct", "quantify"], "error", 2),
        (["ct", "quantify", "x", "--frobnicate"], "error", 2),
        (["ct", "quantity", "x"], "error", 2),
        (["frobnicate"], "error", 2),
        ([], "error", 2),
        (["weights", "verify"], "unavailable", 0),
    ],
)
def test_errors_are_json_too(furnished: None, capsys: pytest.CaptureFixture[str], arguments: list[str], status: str, code: int) -> None:
    assert main([*arguments, "--json"]) == code
    record = one_object(capsys)
    assert record["status"] == status
    assert record["reason"]


def test_a_batch_writes_one_object_per_line(furnished: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--batch", "questions.jsonl", "--json"]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["id"], r["seconds"]) for r in records] == [("a", 0.5), ("b", 0.5)]


def test_a_bug_rises_after_one_json_object(furnished: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        main(["ct", "quantify", "bug", "--json"])
    assert "ZeroDivisionError" in one_object(capsys)["reason"]


def test_for_people(furnished: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ct", "quantify", "x"]) == 0
    out = capsys.readouterr().out
    assert "total_l  4.5" in out
    assert "left" in out
    assert main(["ct", "quantify", "--help"]) == 0
    helped = capsys.readouterr().out
    assert "--json" in helped
    assert "Volumes of the lungs" in helped
    assert main(["ct", "quantify", "bad"]) == 2
    assert "cannot read 'bad'" in capsys.readouterr().err


def test_long_texts_become_paragraphs(capsys: pytest.CaptureFixture[str]) -> None:
    from ui.cli.render import show

    words = "A sentence that is much too long for a cell of a table that also holds [other] cells."
    hits = [{"key": "G-1", "score": 0.9, "text": words, "text_zh": "中文"}]
    show("search", {"schema_version": 1, "status": "ok", "reason": None, "warnings": ["careful"], "hits": hits, "seconds": 0.1})
    out = " ".join(capsys.readouterr().out.split())
    assert words in out
    assert "G-1 · 0.9" in out
    assert "中文" not in out
    assert "careful" in out


def test_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in DECLARED)
