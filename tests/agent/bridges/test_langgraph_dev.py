"""`langgraph dev` on `langgraph.json`, asked by LangGraph's own client; its server lives in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import free_port

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`langgraph` of MEDMPT_LANGGRAPH, or of an environment made here over this one's packages, with what the server pins otherwise."""
    given = os.environ.get("MEDMPT_LANGGRAPH")
    if given:
        return Path(given)
    place = tmp_path_factory.mktemp("langgraph")
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (place / "lib" / version / "site-packages" / "below.pth").write_text(sysconfig.get_path("purelib"))
    made = subprocess.run(
        [str(place / "bin" / "pip"), "install", "-q", "langgraph-cli[inmem]"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"langgraph-cli[inmem] cannot be installed here: {made.stderr[-200:]}")
    return place / "bin" / "langgraph"


@pytest.fixture(scope="module")
def address(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The running server."""
    folder, port = tmp_path_factory.mktemp("dev"), free_port()
    own = {
        "PYTHONPATH": str(ROOT),
        "MEDMPT_DATA_DIR": str(folder / "data"),
        "MEDMPT_CACHE_DIR": str(folder / "cache"),
        "MEDMPT_EMBEDDER": "hashing",
        "LANGSMITH_TRACING": "false",
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    }
    command = [str(program), "dev", "--no-browser", "--no-reload", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
    try:
        ends = time.monotonic() + 180
        while not _answers(f"http://127.0.0.1:{port}/ok"):
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < ends
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def test_a_thread_of_the_dev_server_is_about_one_patient(address: str) -> None:
    from langgraph_sdk import get_sync_client

    with get_sync_client(url=address) as client:
        _talk(client)


def _talk(client: Any) -> None:
    assert {"case", "language"} == set(client.assistants.get_schemas(_assistant(client))["context_schema"]["properties"])
    thread = client.threads.create()["thread_id"]

    def say(text: str, **context: str) -> str:
        said: Any = client.runs.wait(thread, "medmpt", input={"messages": [{"role": "user", "content": text}]}, context=context)
        return str(said["messages"][-1]["content"])

    assert "CURB-65 is 5 points" in say("What is the CURB-65?", case="demo-cap-01")
    assert "214 mg/L" in say("and the CRP?", case="demo-cap-01")
    assert "one patient" in say("and the sodium?", case="demo-copd-01")
    assert "no such case" in str(_values(client, "hello", case="nobody"))
    kinds = [p.event for p in _stream(client, case="demo-cap-01", language="zh")]
    assert "values" in kinds
    assert "error" not in kinds


def _assistant(client: Any) -> str:
    return str(client.assistants.search()[0]["assistant_id"])


def _values(client: Any, text: str, **context: str) -> Any:
    return client.runs.wait(None, "medmpt", input={"messages": [{"role": "user", "content": text}]}, context=context)


def _stream(client: Any, **context: str) -> list[Any]:
    asked = {"messages": [{"role": "user", "content": "What is the urea?"}]}
    return list(client.runs.stream(None, "medmpt", input=asked, context=context, stream_mode=["values", "updates"]))
