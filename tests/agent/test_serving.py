"""The vLLM command line, and a server that is awaited, dies, or never gets healthy (small real processes in its place)."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.errors import AgentError, Unavailable
from agent.models.serving.family import family_of
from agent.models.serving.launch import ServeOptions, arguments, environment
from agent.models.serving.server import python_of, running, stop, wait_healthy

HEALTHY = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.mark.parametrize(
    ("model", "parser", "reasoning"),
    [
        ("Qwen/Qwen3-8B", "hermes", "qwen3"),
        ("Qwen/Qwen3-4B-Instruct-2507", "hermes", None),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "qwen3_xml", None),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3_json", None),
        ("openai/gpt-oss-20b", "openai", "openai_gptoss"),
        ("google/medgemma-27b-text-it", "gemma4", "gemma4"),
        ("some/finetune", "hermes", None),
    ],
)
def test_each_family_gets_its_parsers(model: str, parser: str, reasoning: str | None) -> None:
    line = arguments(Path("/p"), ServeOptions(model))
    assert line[line.index("--tool-call-parser") + 1] == parser == family_of(model).tool_parser
    assert (line[line.index("--reasoning-parser") + 1] if "--reasoning-parser" in line else None) == reasoning


def test_the_command_line_follows_the_hardware() -> None:
    one = arguments(Path("/p"), ServeOptions("m", device="cpu"))
    assert "--enforce-eager" in one
    assert "--tensor-parallel-size" not in one
    many = arguments(Path("/p"), ServeOptions("m", tensor_parallel=4, pipeline_parallel=2, nodes=2))
    assert many[many.index("--tensor-parallel-size") + 1] == "4"
    assert many[many.index("--pipeline-parallel-size") + 1] == "2"
    assert many[many.index("--distributed-executor-backend") + 1] == "ray"
    assert "--tool-strict-level" in many
    env = environment(ServeOptions("m", device="cpu"), {"PATH": "/bin"})
    assert env["HF_HUB_OFFLINE"] == "1"
    assert env["VLLM_NO_USAGE_STATS"] == "1"
    assert "HF_HUB_OFFLINE" not in environment(ServeOptions("m", offline=False), {})


def test_without_the_environment_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="medmpt llm install"):
        python_of(tmp_path)


def _start(code: str, port: int, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as sink:
        return subprocess.Popen([sys.executable, "-c", code, str(port)], stdout=sink, stderr=subprocess.STDOUT)


def test_a_healthy_server_is_awaited_and_stopped(tmp_path: Path) -> None:
    options = ServeOptions("m", port=_free_port())
    process = _start(HEALTHY, options.port, tmp_path / "log")
    wait_healthy(process, options, tmp_path / "log", 20, lambda _: None)
    assert process.poll() is None
    stop(process)
    assert process.poll() is not None


def test_a_server_that_dies_is_noticed_with_its_last_words(tmp_path: Path) -> None:
    options = ServeOptions("m", port=_free_port())
    process = _start("import sys; print('no such model'); sys.exit(3)", options.port, tmp_path / "log")
    with pytest.raises(AgentError, match=r"code 3(.|\n)*no such model"):
        wait_healthy(process, options, tmp_path / "log", 20, lambda _: None)


def test_a_model_that_is_not_there_is_told_in_our_words(tmp_path: Path) -> None:
    options = ServeOptions("some/model", port=_free_port())
    process = _start(
        "import sys; sys.exit('huggingface_hub.errors.LocalEntryNotFoundError: pass local_files_only=False')",
        options.port,
        tmp_path / "log",
    )
    with pytest.raises(AgentError, match=r"some/model is neither a folder nor .* --online"):
        wait_healthy(process, options, tmp_path / "log", 20, lambda _: None)


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    options = ServeOptions("m", port=_free_port())
    process = _start("import time; time.sleep(60)", options.port, tmp_path / "log")
    started = time.monotonic()
    with pytest.raises(AgentError, match="not healthy after 1 s"):
        wait_healthy(process, options, tmp_path / "log", 1, lambda _: None)
    assert time.monotonic() - started < 15
    stop(process)


ENGINE = """#!{python}
import http.server, os, pathlib, subprocess, sys
engine = subprocess.Popen(["sleep", "300"])
pathlib.Path({note!r}).write_text(str(engine.pid))
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), H).serve_forever()
"""


def test_no_engine_outlives_its_server(tmp_path: Path) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(ENGINE.format(python=sys.executable, note=str(tmp_path / "engine")))
    python.chmod(0o755)
    with running(tmp_path, ServeOptions("m", port=_free_port()), tmp_path / "log", ready_seconds=60) as process:
        engine = int((tmp_path / "engine").read_text())
        process.kill()
        process.wait(20)
        os.kill(engine, 0)  # a dead server alone does not end it
    ends = time.monotonic() + 20
    while _alive(engine) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not _alive(engine)


def _alive(process: int) -> bool:
    """Whether it runs; an ended process that nobody has waited for does not."""
    try:
        return " Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


def test_an_environment_is_found_with_another_data_folder_or_none(tmp_path: Path) -> None:
    from agent.models.serving.install import folder_of, known_folder, note_folder

    home, mine, other = tmp_path / "home", tmp_path / "mine", tmp_path / "other"
    assert known_folder(other, home) == folder_of(other), "nowhere yet: where it would be made"
    python = folder_of(mine) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    note_folder(folder_of(mine), home)
    assert known_folder(mine, home) == known_folder(other, home) == known_folder(home, home) == folder_of(mine)
    python.unlink()
    assert known_folder(other, home) == folder_of(other), "a note of what is gone misleads nobody"
