"""A Postgres server of its own for tests: in a temporary folder, on loopback, ended at the end."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def programs() -> Path:
    """Where the server's programs lie; skips the test where there are none."""
    found = [p for p in sorted(Path("/usr/lib/postgresql").glob("*/bin")) if (p / "initdb").exists()]
    if not found:
        pytest.skip("no Postgres server here: apt-get install postgresql")
    return found[-1]


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The server's address; it refuses to run as root, so another user runs it there."""
    where, port = programs(), free_port()
    become: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("Postgres does not run as root and setpriv is not there")
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for parent in [folder, *folder.parents][: len(folder.parts) - 2]:
            parent.chmod(parent.stat().st_mode | 0o011)
        os.chown(folder, 65534, 65534)
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
    try:
        _wait(where, port)
        yield f"postgresql://medmpt@127.0.0.1:{port}/postgres"
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
