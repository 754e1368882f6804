"""The ledger: chained, append-only, erasable; replay gives the same bytes; AuditEvents and spans without contents."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from agent.assistant import Assistant
from ui.cli import main

MakeAssistant = Callable[..., Assistant]


def turns(assistant: Assistant, case: str | None = "a") -> str:
    handle, thread = assistant.open_case(case, session="s").handle if case else None, assistant.new_thread("s")
    for question in ("What is the urea?", "and the CRP?", "Compute CURB-65"):
        list(assistant.ask(question, thread=thread, case=handle, session="s"))
    return thread


def faults(assistant: Assistant) -> list[str]:
    return [f.what for f in assistant.ledger.verify(assistant.answers)[0]]


def test_a_turn_is_recorded_small_and_without_words(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    thread = turns(assistant)
    entries = list(assistant.ledger.chain.entries(thread))
    assert [e.body["n"] for e in entries if e.body] == [1, 2, 3]
    body = entries[-1].body or {}
    assert [t[0] for t in body["tools"]] == ["calculate_score"]
    assert body["claims"][0][1:] == [["S-curb_65"], "calculated"]
    assert set(body["versions"]) >= {"code", "data", "python"}
    assert "CURB" not in json.dumps(body).replace("S-curb_65", "")
    packed = assistant._store.rows("SELECT LENGTH(body) FROM audit")
    assert max(r[0] for r in packed) < 700
    assert faults(assistant) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit SET body = x'00' WHERE seq = 2", "its content was changed"),
        ("UPDATE audit SET body = NULL, salt = NULL WHERE seq = 2", "no later entry says"),
        ("DELETE FROM audit WHERE seq = 2", "missing"),
        ("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 2", "not that of its fields"),
        ("UPDATE audit SET hash = '00' WHERE seq = 2", "not that of its fields"),
        ("DELETE FROM turn WHERE n = 3; DELETE FROM checkpoints", "not stored any more"),
        ("UPDATE turn SET answer = (SELECT answer FROM turn WHERE n = 1) WHERE n = 2", "not the one that was given"),
    ],
)
def test_every_kind_of_tampering_is_seen(make_assistant: MakeAssistant, tmp_path: Path, change: str, told: str) -> None:
    assistant = make_assistant()
    turns(assistant)
    with sqlite3.connect(tmp_path / "data" / "threads.sqlite") as other:
        if "audit" in change and ("DELETE" in change or "body" not in change):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                other.execute(change)
            other.execute("DROP TRIGGER audit_stays")
            other.execute("DROP TRIGGER audit_unchanged")
        other.executescript(change)
    assert any(told in f for f in faults(assistant)), faults(assistant)


def test_erasing_takes_the_words_and_leaves_the_chain(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    first, second = turns(assistant), turns(assistant)
    assistant.erase([first])
    assert faults(assistant) == []
    entries = list(assistant.ledger.chain.entries())
    assert [e.body is None for e in entries] == [True] * 3 + [False] * 4
    assert entries[-1].kind == "erase"
    assert not list(assistant.ledger.chain.entries(first))
    assert [e.body["n"] for e in assistant.ledger.chain.entries(second) if e.body] == [1, 2, 3]
    assistant.run_tool("interpret_labs", {}, case=None, session="s", language="en")
    assistant.erase(assistant.threads(), everything=True)
    assert faults(assistant) == []
    assert [e.kind for e in assistant.ledger.chain.entries() if e.body is not None] == ["erase", "erase"]


def test_two_writers_make_one_chain(make_assistant: MakeAssistant, tmp_path: Path) -> None:
    one, two = make_assistant(), make_assistant()
    with futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(lambda a=a: [a.ledger.chain.append("tool", {"n": n}) for n in range(12)]) for a in (one, two)]:
            done.result()
    assert one.ledger.chain.verify()[:2] == ([], 24)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"MEDMPT_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("MEDMPT_EMBEDDER", "hashing")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    main([*words, "--json"])
    record: dict[str, Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    return record


def test_replay_gives_the_same_bytes_and_the_events_are_fhir(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    r4b = pytest.importorskip("fhir.resources.R4B.auditevent", reason="pip install 'medmpt-assistant[fhir]'")
    first = run(capsys, "ask", "What does the kidney function say?", "--case", "demo-cap-01")
    second = run(capsys, "ask", "And what is the CURB-65?", "--case", "demo-cap-01", "--thread", first["thread"])
    again = run(capsys, "replay", "last", "--out", str(house / "bytes.json"))
    assert (again["status"], again["same"], again["answer"]) == ("ok", True, second["answer"])
    assert json.loads((house / "bytes.json").read_bytes())["question"] == "And what is the CURB-65?"
    assert run(capsys, "replay", f"{first['thread']}:1")["same"]
    checked = run(capsys, "data", "verify-ledger")
    assert (checked["status"], checked["entries"]) == ("ok", 2)
    assert run(capsys, "data", "verify-ledger", "--expect", "0" * 64)["status"] == "error"
    assert run(capsys, "data", "audit-events", "--out", str(house / "events.ndjson"))["events"] == 2
    lines = (house / "events.ndjson").read_text().splitlines()
    for line in lines:
        event = r4b.AuditEvent.model_validate_json(line)
        assert event.agent[0].requestor is True
        assert "CURB" not in line
    run(capsys, "data", "erase", "--all")
    assert "no turn" in run(capsys, "replay", "last")["reason"] or "erased" in run(capsys, "replay", "last")["reason"]
    assert run(capsys, "data", "verify-ledger")["status"] == "ok"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[Any], threading.Event]]:
    """A real OTLP collector on loopback."""
    grpc = pytest.importorskip("grpc")
    service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc")
    messages = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    pytest.importorskip("openinference.instrumentation.langchain", reason="pip install 'medmpt-assistant[otel]'")
    got: list[Any] = []
    came = threading.Event()

    class Sink(service.TraceServiceServicer):  # type: ignore[misc,name-defined]
        def Export(self, request: Any, context: Any) -> Any:
            got.append(request)
            came.set()
            return messages.ExportTraceServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(Sink(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}", got, came
    server.stop(0)


def test_spans_reach_a_collector_without_contents(
    make_assistant: MakeAssistant, collector: tuple[str, list[Any], threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    from openinference.instrumentation.langchain import LangChainInstrumentor
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    from agent.audit.tracing import instrument

    url, got, came = collector
    provider: Any = instrument(OTLPSpanExporter(endpoint=url, insecure=True))
    try:
        assistant = make_assistant()
        thread = turns(assistant)
        provider.force_flush()
        assert came.wait(10)
    finally:
        LangChainInstrumentor().uninstrument()
        provider.shutdown()
    sent = b"".join(r.SerializeToString() for r in got)
    spans = {s.name for r in got for g in r.resource_spans for c in g.scope_spans for s in c.spans}
    assert {"call_model", "tools", "verify", "answer"} <= spans
    for secret in (b"urea", b"CURB-65", b"warfarin", b"penicillin", b"11.2", b"182", thread.encode()):
        assert secret not in sent, secret
