"""`llm check` against a small real server that can everything, one that can only talk, and none."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import langchain_openai  # noqa: F401 - its first import takes seconds, which no time limit of a test should pay for
import pytest

from agent import commands
from agent.evaluation.qualify import PROBES
from agent.settings import Settings


class Handler(BaseHTTPRequestHandler):
    """A rule-driven model: able, or only talking."""

    server: "Server"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        delta = _able(body) if self.server.able else {"content": "I would rather talk about the weather."}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        words = str(delta.get("content", "")).split(" ")
        pieces = [{"content": w + " "} for w in words] if "content" in delta and self.server.able else [delta]
        for piece in [{"role": "assistant"}, *pieces]:
            self._chunk(piece, None)
        self._chunk({}, "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def _chunk(self, delta: dict[str, Any], finish: str | None) -> None:
        data = {
            "id": "x",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


def _able(body: dict[str, Any]) -> dict[str, Any]:
    asked = next(m["content"] for m in reversed(body["messages"]) if m["role"] == "user")
    if isinstance(body.get("tool_choice"), dict):
        return _calls((body["tool_choice"]["function"]["name"], {}))
    if "response_format" in body:
        return {"content": '{"analyte":"urea","high":true}'}
    if any(m["role"] == "tool" for m in body["messages"]):
        if "potassium" in asked:
            return _calls(("give_answer", {"sentences": [], "notice": "no_evidence"}))
        text = "尿素升高。" if "尿素" in asked else "Urea is raised."
        return _calls(("give_answer", {"sentences": [{"text": text, "evidence": ["L-urea"]}], "notice": None}))
    wanted = [("interpret_labs", {})] if "laboratory" in asked else []
    wanted += [("calculate_score", {"name": "curb_65"})] if "curb" in asked.lower() else []
    if wanted:
        return _calls(*wanted)
    return {"content": "amber-falcon-7" if "pass phrase" in asked else "one two three ready"}


def _calls(*made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "tool_calls": [
            {"index": i, "id": f"c{i}", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for i, (n, a) in enumerate(made)
        ]
    }


class Server(ThreadingHTTPServer):
    """Counts nothing, keeps nothing."""

    daemon_threads = True
    block_on_close = False
    able = True


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def _check(spec: str, tmp_path: Path) -> commands.CheckOut:
    context = SimpleNamespace(obj=Settings(data_dir=tmp_path, cache_dir=tmp_path, llm_seconds=60))
    return commands.llm_check(context, spec)  # type: ignore[arg-type]


def test_a_model_that_can_everything(server: Server, tmp_path: Path) -> None:
    found = _check(f"openai:m@http://127.0.0.1:{server.server_port}", tmp_path)
    assert found.status == "ok", found.reason
    assert [c.name for c in found.checks] == list(PROBES)


def test_a_model_that_only_talks(server: Server, tmp_path: Path) -> None:
    server.able = False
    found = _check(f"vllm:m@http://127.0.0.1:{server.server_port}", tmp_path)
    assert found.status == "partial"
    failed = {c.name for c in found.checks if not c.ok}
    assert {
        "tool_call",
        "parallel_calls",
        "forced_tool",
        "strict_arguments",
        "structured_answer",
        "json_schema",
        "chinese",
        "long_context",
    } <= failed
    assert "reachable" not in failed


def test_no_server_and_no_language_model(tmp_path: Path) -> None:
    found = _check("openai:m@http://127.0.0.1:9", tmp_path)
    assert (found.status, len(found.checks)) == ("unavailable", 1)
    assert _check("planner", tmp_path).status == "empty"
