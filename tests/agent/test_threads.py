"""Threads survive a killed process; two conversations at once stay apart; export and erase."""

import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from langchain.tools import ToolRuntime, tool

from agent import commands
from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden, StoreFailure
from agent.sessions.sqlite_store import connect
from agent.settings import Settings
from agent.turn.state import KEEP_TURNS
from tools.deps import Deps

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


def test_a_long_thread_grows_with_its_turns(make_assistant, tmp_path: Path) -> None:
    assistant: Assistant = make_assistant()
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    file = tmp_path / "data" / "threads.sqlite"

    def stored() -> int:
        with sqlite3.connect(file) as reader:
            return sum(
                int(reader.execute(f"SELECT COALESCE(SUM(LENGTH({column})), 0) FROM {table}").fetchone()[0])
                for table, column in (("checkpoints", "checkpoint"), ("writes", "value"), ("turn", "answer"))
            )

    sizes = []
    for n in range(3 * KEEP_TURNS):
        list(assistant.ask("Interpret the labs" if n else "Compute CURB-65", thread=thread, case=case, session="s"))
        sizes.append(stored())
    half = sizes[-1] - sizes[len(sizes) // 2]
    rest = sizes[len(sizes) // 2] - sizes[KEEP_TURNS]
    assert half < 1.6 * max(rest, 1) * (len(sizes) - len(sizes) // 2) / (len(sizes) // 2 - KEEP_TURNS)
    assert [a.question for a in assistant.history(thread, "s")] == ["Compute CURB-65", *["Interpret the labs"] * (3 * KEEP_TURNS - 1)]
    first = assistant.history(thread, "s")[0].evidence[0]
    assert assistant.evidence(thread, first.key, "s") == first, "evidence of the first turn can still be opened"


def test_stop_is_heard_while_a_tool_is_busy(make_assistant) -> None:
    started, release = threading.Event(), threading.Event()

    @tool(response_format="content_and_artifact")
    def summarize_case(runtime: ToolRuntime[Deps]) -> tuple[str, dict]:
        "Hangs."
        started.set()
        release.wait(30)
        return "", {}

    assistant: Assistant = make_assistant(more=(summarize_case,))
    case, thread, stop = assistant.open_case("a", session="s").handle, assistant.new_thread("s"), threading.Event()
    asked = assistant.ask("Summarise the case", thread=thread, case=case, session="s", stop=stop)
    threading.Thread(target=lambda: (started.wait(30), stop.set())).start()
    try:
        *_, done = asked
        assert done.type == "done"
        assert "topped" in done.answer.answer
        assert not release.is_set(), "the answer came while the tool was still busy"
    finally:
        release.set()
    *_, after = assistant.ask("Interpret the labs", thread=thread, case=case, session="s")
    assert after.type == "done"
    assert after.answer.status == "answered", "the thread goes on"


def test_an_answer_is_shown_although_it_cannot_be_stored(make_assistant, tmp_path: Path) -> None:
    assistant: Assistant = make_assistant()
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    list(assistant.ask("Interpret the labs", thread=thread, case=case, session="s"))
    with sqlite3.connect(tmp_path / "data" / "threads.sqlite") as full:
        full.execute("CREATE TRIGGER full BEFORE INSERT ON checkpoints BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END")
    *_, done = assistant.ask("Compute CURB-65", thread=thread, case=case, session="s")
    assert done.type == "done"
    assert "CURB-65" in done.answer.answer
    assert any("disk is full" in w for w in done.answer.warnings)
    assert [a.question for a in assistant.history(thread, "s")] == ["Interpret the labs"]


@pytest.mark.parametrize(("content", "told"), [(b"not a database at all" * 100, "damaged"), (None, "cannot be written")])
def test_a_broken_store_is_a_typed_error(tmp_path: Path, content: bytes | None, told: str) -> None:
    if content is None:
        file = tmp_path / "file"
        file.write_text("a file where a folder should be")
        path = file / "threads.sqlite"
    else:
        path = tmp_path / "threads.sqlite"
        path.write_bytes(content)
    with pytest.raises(StoreFailure, match=told if content else "stored"):
        connect(path)
