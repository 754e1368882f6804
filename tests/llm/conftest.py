"""A real model behind a real HTTP server: the tiny model of `make_tiny_model.py`, served by `transformers serve` and by vLLM.

The vLLM variant has the marker `vllm` and its own environment: MEDMPT_VLLM_PYTHON names its Python, else what `medmpt llm install` made.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.answering.answer import Answer, Event
from agent.assistant import Assistant
from agent.evaluation.qualify import Probe, qualify
from agent.evaluation.question_set import case_folder
from agent.models.factory import make_model
from agent.models.serving.install import known_folder
from agent.models.serving.launch import ServeOptions, arguments, environment
from agent.models.serving.server import stop
from agent.settings import Settings, own_data_dir
from tools.registry import TOOLS

TINY = Path(__file__).parent / "tiny"
# Generous: on a machine that is busy with something else all of it takes many times as long; a server that dies is noticed at once.
READY_SECONDS = 1500.0
CALL_SECONDS = 240.0
SESSION = "llm-tests"


@pytest.fixture(scope="session")
def tiny() -> Path:
    """The folder of the tiny model."""
    if not (TINY / "model.safetensors").exists():
        pytest.skip("the tiny model is not there: python tests/llm/make_tiny_model.py --out tests/llm/tiny")
    return TINY


@dataclass
class Served:
    """One running server."""

    kind: str
    name: str
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def spec(self) -> str:
        return f"openai:{self.name}@http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Without a word, and with the engine that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(kind: str, folder: Path, log: Path) -> Iterator[Served]:
    """Run a server for the time of the block."""
    port = free_port()
    command, env = _vllm(folder, port) if kind == "vllm" else _transformers(folder, port)
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
        )
    served = Served(kind, str(folder), port, process)
    try:
        _wait(served, log)
        yield served
    finally:
        stop(process)


def _transformers(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    program = shutil.which("transformers", path=str(Path(sys.executable).parent))
    assert program is not None, "transformers is a dependency of the project"
    env = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return [program, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"], env


def _vllm(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    named = os.environ.get("MEDMPT_VLLM_PYTHON")
    python = Path(named) if named else known_folder(Settings.from_environment().data_dir, own_data_dir()) / "bin" / "python"
    if not python.exists():
        pytest.skip("vLLM is not installed: medmpt llm install --device cpu, or name its Python in MEDMPT_VLLM_PYTHON")
    # vLLM tells a family by the name of the model; the tiny one writes tool calls as the default family does.
    options = ServeOptions(str(folder), port=port, context=2048, sequences=4, device="cpu")
    return arguments(python, options), environment(options)


def _wait(served: Served, log: Path) -> None:
    ends = time.monotonic() + READY_SECONDS
    while time.monotonic() < ends:
        if served.process.poll() is not None:
            pytest.fail(f"{served.kind} ended with code {served.process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            if httpx.get(f"http://127.0.0.1:{served.port}/health", timeout=2.0).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(1.0)
    pytest.fail(f"{served.kind} was not healthy in time:\n{log.read_text(errors='replace')[-3000:]}")


KINDS = ["transformers", pytest.param("vllm", marks=pytest.mark.vllm)]


@pytest.fixture(scope="session", params=KINDS)
def served(request: pytest.FixtureRequest, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The tiny model behind each kind of server, for all tests."""
    with serving(request.param, tiny, tmp_path_factory.mktemp(request.param) / "server.log") as running:
        yield running


@pytest.fixture
def another(served: Served, tiny: Path, tmp_path: Path) -> Iterator[Served]:
    """A server of the same kind for one test, which may kill it."""
    with serving(served.kind, tiny, tmp_path / "another.log") as running:
        yield running


@pytest.fixture(scope="session")
def probes(served: Served) -> dict[str, Probe]:
    """What `llm check` finds of this server; `transformers serve` refuses no length and would read 12,000 words for a minute."""
    without = ("long_context",) if served.kind == "transformers" else ()
    return {p.name: p for p in qualify(make_model(served.spec, CALL_SECONDS), TOOLS, CALL_SECONDS, without)}


@pytest.fixture
def needs(probes: dict[str, Probe]) -> Callable[..., None]:
    """Skip a test whose capability `llm check` proved absent."""

    def declare(*names: str) -> None:
        absent = [f"{n}: {probes[n].detail}" for n in names if not probes[n].ok]
        if absent:
            pytest.skip(f"llm check: {'; '.join(absent)}")

    return declare


@dataclass
class Talk:
    """One conversation about the demo case."""

    assistant: Assistant
    case: str | None
    thread: str
    events: list[Event] = field(default_factory=list)

    def ask(self, question: str, stop: threading.Event | None = None) -> Answer:
        self.events = list(self.assistant.ask(question, thread=self.thread, case=self.case, session=SESSION, stop=stop))
        last = self.events[-1]
        assert last.type == "done"
        return last.answer


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Derived things of all tests here: the index is built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def talk(tmp_path: Path, cache: Path) -> Iterator[Callable[..., Talk]]:
    """Opens conversations of the real assistant, with the real tools, and closes them."""
    with ExitStack() as closing:

        def begin(spec: str, case: str | None = "demo-cap-01", seconds: float = CALL_SECONDS) -> Talk:
            settings = Settings(data_dir=tmp_path / "data", cache_dir=cache, llm=spec, llm_seconds=seconds, embedder="hashing")
            assistant = Assistant.open(settings)
            closing.callback(assistant.close)
            handle = assistant.open_case(case_folder(case), session=SESSION).handle if case else None
            return Talk(assistant, handle, assistant.new_thread(SESSION))

        yield begin


class _Forward(BaseHTTPRequestHandler):
    server: "Between"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(body)
        try:
            self._pass(self.server.edit(body))
        except (httpx.TransportError, BrokenPipeError, ConnectionResetError):
            self.server.broken.set()
            self.close_connection = True

    def _pass(self, body: dict[str, Any]) -> None:
        url = f"http://127.0.0.1:{self.server.target}{self.path}"
        with httpx.stream("POST", url, json=body, headers={"authorization": "Bearer none"}, timeout=CALL_SECONDS) as reply:
            self.send_response(reply.status_code)
            self.send_header("content-type", reply.headers.get("content-type", "application/json"))
            self.end_headers()
            for raw in reply.iter_raw():
                self.wfile.write(raw)
                self.wfile.flush()
                self.server.passed(raw)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


class Between(ThreadingHTTPServer):
    """Stands between agent and server: sees and changes requests, sees what streams back."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, served: Served, edit: Callable[[dict[str, Any]], dict[str, Any]], passed: Callable[[bytes], None]) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.target, self.name = served.port, served.name
        self.edit, self.passed = edit, passed
        self.seen: list[dict[str, Any]] = []
        self.broken = threading.Event()

    @property
    def spec(self) -> str:
        return f"openai:{self.name}@http://127.0.0.1:{self.server_port}"


@pytest.fixture
def between() -> Iterator[Callable[..., Between]]:
    """Puts a `Between` before a server."""
    running: list[Between] = []

    def start(
        served: Served,
        edit: Callable[[dict[str, Any]], dict[str, Any]] = lambda body: body,
        passed: Callable[[bytes], None] = lambda raw: None,
    ) -> Between:
        made = Between(served, edit, passed)
        running.append(made)
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return made

    yield start
    for one in running:
        one.shutdown()
        one.server_close()
