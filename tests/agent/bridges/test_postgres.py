"""Conversations on a real Postgres server, which two assistants share."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'medmpt-assistant[postgres]'")

from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden, StoreFailure
from agent.sessions.opening import open_store
from agent.settings import Settings
from agent.turn.state import KEEP_TURNS

MakeAssistant = Callable[..., Assistant]


def programs() -> Path:
    found = [p for p in sorted(Path("/usr/lib/postgresql").glob("*/bin")) if (p / "initdb").exists()]
    if not found:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    return found[-1]


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own in a temporary folder, on loopback; it refuses to run as root, so another user runs it there."""
    where, folder = programs(), tmp_path_factory.mktemp("pg")
    become: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("Postgres does not run as root and setpriv is not there")
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for parent in [folder, *folder.parents][: len(folder.parts) - 2]:
            parent.chmod(parent.stat().st_mode | 0o011)
        os.chown(folder, 65534, 65534)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = folder / "data"
    quiet = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": folder,
        "env": {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    }
    subprocess.run([*become, where / "initdb", "-D", data, "-U", "medmpt", "-A", "trust", "-N", "-E", "UTF8"], check=True, **quiet)
    settings = ["-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", str(folder), "-c", "fsync=off", "-c", "shared_buffers=16MB"]
    server = subprocess.Popen([*become, where / "postgres", "-D", data, *settings], **quiet)
    url = f"postgresql://medmpt@127.0.0.1:{port}/postgres"
    try:
        _wait(where, port)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _wait(where: Path, port: int) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        ready = subprocess.run([where / "pg_isready", "-h", "127.0.0.1", "-p", str(port)], capture_output=True, check=False)
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("Postgres did not start")


def test_two_workers_share_threads_and_nothing_else(make_assistant: MakeAssistant, postgres: str, tmp_path: Path) -> None:
    one = make_assistant(folder=tmp_path / "one", threads_url=postgres)
    two = make_assistant(folder=tmp_path / "two", threads_url=postgres)
    case, other = one.open_case("a", session="s").handle, two.open_case("a", session="s").handle
    thread = one.new_thread("s")
    for n in range(KEEP_TURNS + 2):
        worker, handle = ((one, case), (two, other))[n % 2]
        list(worker.ask("Interpret the labs" if n else "What is the urea?", thread=thread, case=handle, session="s"))
    assert [a.question for a in two.history(thread, "s")] == [a.question for a in one.history(thread, "s")]
    assert len(one.history(thread, "s")) == KEEP_TURNS + 2
    with pytest.raises(Forbidden):
        two.history(thread, "somebody else")
    with pytest.raises(BadInput):
        list(two.ask("What is the urea?", thread=thread, case=two.open_case("b", session="s").handle, session="s"))
    assert not (tmp_path / "one" / "data" / "threads.sqlite").exists()
    rows = one._store.rows("SELECT COUNT(*) FROM checkpoints WHERE thread_id = ?", (thread,))
    assert rows[0][0] == 1, "only the newest checkpoint is kept"
    one.erase([thread])
    for table, column in (
        ("checkpoints", "thread_id"),
        ("checkpoint_blobs", "thread_id"),
        ("checkpoint_writes", "thread_id"),
        ("turn", "thread"),
    ):
        assert one._store.rows(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (thread,))[0][0] == 0
    assert two.threads("s") == []


def test_a_server_that_is_not_there_is_a_typed_error_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.sessions.postgres_store._CONNECT_SECONDS", 0.5)
    url = "postgresql://medmpt:secret@127.0.0.1:1/none"
    with pytest.raises(StoreFailure, match="MEDMPT_THREADS_URL") as told:
        open_store(Settings(data_dir=tmp_path, cache_dir=tmp_path, threads_url=url))
    assert "secret" not in str(told.value)
    assert "secret" not in repr(Settings(data_dir=tmp_path, cache_dir=tmp_path, threads_url=url))
