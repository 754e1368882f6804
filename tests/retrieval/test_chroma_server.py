"""Retrieval on a real Chroma server: the index that was built without one is put there."""

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgres import free_port

FEW = Path(__file__).parents[2] / "retrieval" / "data" / "packs" / "parkinson" / "guidelines"
PROGRAM = Path(sys.executable).parent / "chroma"


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """A server of this test's own."""
    if not PROGRAM.exists():
        pytest.skip("no `chroma` program beside this Python")
    url = f"http://127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        command = [str(PROGRAM), "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
        started = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        ends = time.monotonic() + 60
        while not _beats(url):
            assert time.monotonic() < ends
            assert started.poll() is None, (folder / "log").read_text()
            time.sleep(0.1)
        yield url
    finally:
        started.terminate()
        started.wait(30)


def _beats(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/api/v2/heartbeat", timeout=2):
            return True
    except OSError:
        return False


def _keys(cache: Path, url: str | None) -> list[str]:
    """Keys of a search in a process of its own: Chroma's client leaves sockets open, which would be reported against another test."""
    program = (
        "import sys; from pathlib import Path; from retrieval.index.guideline_index import GuidelineIndex; "
        "index = GuidelineIndex.open(Path(sys.argv[1]), embedder='hashing', chroma_url=sys.argv[2] or None, corpus_dir=Path(sys.argv[3])); "
        "print(*[h.passage.key for h in index.search(sys.argv[4], k=5).hits])"
    )
    command = [sys.executable, "-c", program, str(cache), url or "", str(FEW), "antiemetics to avoid in Parkinson's disease"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_an_index_built_without_a_server_answers_the_same_from_one(tmp_path: Path) -> None:
    alone = _keys(tmp_path / "cache", None)
    assert alone
    with server(tmp_path) as url:
        assert _keys(tmp_path / "cache", url) == alone
        with urllib.request.urlopen(f"{url}/api/v2/tenants/default_tenant/databases/default_database/collections") as told:
            assert b"medmpt-" in told.read()
