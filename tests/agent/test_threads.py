"""Threads survive a killed process; two conversations at once stay apart; export and erase."""

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from agent import commands
from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden
from agent.settings import Settings

HERE = Path(__file__).parent
_VICTIM = """
    import importlib.util, sys, time
    from pathlib import Path
    spec = importlib.util.spec_from_file_location("house", sys.argv[1])
    house = importlib.util.module_from_spec(spec)
    sys.modules["house"] = house
    spec.loader.exec_module(house)
    from langchain.tools import ToolRuntime, tool
    from agent.assistant import Assistant
    from agent.settings import Settings
    from tools.deps import Deps

    folder = Path(sys.argv[2])

    @tool(response_format="content_and_artifact")
    def summarize_case(runtime: ToolRuntime[Deps]) -> tuple[str, dict]:
        "Hangs."
        (folder / "reached").touch()
        time.sleep(120)
        return "", {}

    assistant = Assistant(Settings(data_dir=folder / "data", cache_dir=folder / "cache"), house.SmallHouse(folder, (summarize_case,)))
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    (folder / "thread").write_text(thread)
    for question in ("Interpret the labs", "Compute CURB-65", "Summarise the case"):
        list(assistant.ask(question, thread=thread, case=case, session="s"))
"""


def test_a_killed_process_keeps_the_earlier_turns(make_assistant, tmp_path: Path) -> None:
    script = tmp_path / "victim.py"
    script.write_text(textwrap.dedent(_VICTIM))
    victim = subprocess.Popen(
        [sys.executable, str(script), str(HERE / "conftest.py"), str(tmp_path)], cwd=HERE.parents[1], env=_environment()
    )
    try:
        deadline = time.monotonic() + 90
        while not (tmp_path / "reached").exists():
            assert victim.poll() is None, "the process ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        victim.kill()
        victim.wait()
    assistant: Assistant = make_assistant()
    thread = (tmp_path / "thread").read_text()
    assert [a.question for a in assistant.history(thread, "s")] == ["Interpret the labs", "Compute CURB-65"]
    case = assistant.open_case("a", session="s").handle
    *_, done = assistant.ask("Summarise the case", thread=thread, case=case, session="s")
    assert done.type == "done"
    assert done.answer.status == "answered"
    assert len(assistant.history(thread, "s")) == 3


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(HERE.parents[1])}


def test_two_conversations_at_once_stay_apart(make_assistant) -> None:
    assistant: Assistant = make_assistant()
    answers: dict[str, list[Answer]] = {"one": [], "two": []}
    failures: list[BaseException] = []

    def talk(session: str, case: str) -> None:
        try:
            handle, thread = assistant.open_case(case, session=session).handle, assistant.new_thread(session)
            for _ in range(4):
                *_, done = assistant.ask("Interpret the labs and compute CURB-65", thread=thread, case=handle, session=session)
                assert done.type == "done"
                answers[session].append(done.answer)
        except BaseException as failure:
            failures.append(failure)
            raise

    runners = [threading.Thread(target=talk, args=pair) for pair in (("one", "a"), ("two", "c"))]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    assert not failures
    assert all("11.2 mmol/L" in a.answer and "45 mmol/L" not in a.answer for a in answers["one"])
    assert all("45 mmol/L" in a.answer and "11.2 mmol/L" not in a.answer for a in answers["two"])


def _context(folder: Path) -> typer.Context:
    return SimpleNamespace(obj=Settings(data_dir=folder / "data", cache_dir=folder / "cache"))  # type: ignore[return-value]


def test_export_and_erase(make_assistant, tmp_path: Path) -> None:
    assistant: Assistant = make_assistant()
    thread = assistant.new_thread("s")
    list(assistant.ask("Hello", thread=thread, case=None, session="s"))
    exported = commands.data_export(_context(tmp_path))
    assert [t["thread"] for t in exported.threads] == [thread]
    assert "Hello" in str(exported.threads[0]["answers"])
    with pytest.raises(BadInput):
        commands.data_erase(_context(tmp_path))
    assert commands.data_erase(_context(tmp_path), thread="nobody's").status == "empty"
    assert commands.data_erase(_context(tmp_path), everything=True).erased == 1
    assert commands.data_export(_context(tmp_path)).status == "empty"
    with pytest.raises(Forbidden):
        assistant.history(thread, "s")
    raw = b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir())
    assert b"Hello. I answer" not in raw, "erased text must not linger in the database file"
