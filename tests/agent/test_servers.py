"""The real graph against a small real HTTP server that behaves, or misbehaves in more than twenty ways."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import langchain_openai  # noqa: F401 - its first import takes seconds, which no time limit of a test should pay for
import pytest
from langchain.tools import ToolRuntime, tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.models.calling import ModelFailed, call
from agent.models.factory import make_model
from agent.models.server_model import CONNECT_SECONDS
from agent.models.turn_call import MAX_MODEL_CALLS
from tools.deps import Deps
from tools.errors import BadInput

QUESTION = "Interpret the labs and compute CURB-65"
Body = dict[str, Any]
Behaviour = Callable[["Handler", Body], None]


class Handler(BaseHTTPRequestHandler):
    """One request: recorded, then handed to the behaviour of the server."""

    server: "Stub"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(self.requestline.encode() + str(self.headers).encode() + raw)
        try:
            self.server.behaviour(self, json.loads(raw))
        except (BrokenPipeError, ConnectionResetError):
            self.server.dropped.set()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def reply(self, status: int, text: str, kind: str = "application/json", **headers: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()

    def chunk(self, delta: Body | None, finish: str | None = None, **more: object) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        data = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice], **more}
        self.event(json.dumps(data))

    def event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def say(self, text: str, finish: str = "stop") -> None:
        self.begin()
        for start in range(0, len(text), 400):
            self.chunk({"role": "assistant", "content": text[start : start + 400]})
        self.chunk({}, finish)
        self.event("[DONE]")

    def ask(self, *calls: tuple[str, str], text: str = "", finish: str = "tool_calls") -> None:
        made = [
            {"index": i, "id": f"c{len(self.server.seen)}-{i}", "type": "function", "function": {"name": n, "arguments": a}}
            for i, (n, a) in enumerate(calls)
        ]
        self.begin()
        self.chunk({"role": "assistant", "content": text, "tool_calls": made})
        self.chunk({}, finish)
        self.event("[DONE]")


class Stub(ThreadingHTTPServer):
    """A server with one behaviour; `seen` holds every byte that it was sent."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.seen: list[bytes] = []
        self.dropped = threading.Event()
        self.reading = threading.Event()

    @property
    def spec(self) -> str:
        return f"openai:m@http://127.0.0.1:{self.server_port}"


@pytest.fixture
def serve() -> Iterator[Callable[[Behaviour], Stub]]:
    running: list[Stub] = []

    def start(behaviour: Behaviour) -> Stub:
        stub = Stub(behaviour)
        running.append(stub)
        threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return stub

    yield start
    for stub in running:
        stub.shutdown()
        stub.server_close()


def ask(
    assistant: Assistant, question: str, thread: str, case: str | None, stop: threading.Event | None = None, session: str = "s"
) -> Answer:
    *_, last = assistant.ask(question, thread=thread, case=case, session=session, stop=stop)
    assert last.type == "done"
    return last.answer


def evidence_in(body: Body) -> dict[str, str]:
    """Key to text of what the tools told the model."""
    lines = [line for m in body["messages"] if m["role"] == "tool" for line in m["content"].splitlines() if line.startswith("[")]
    return {line[1 : line.index("]")]: line[line.index("]") + 2 :] for line in lines}


def answer_call(*sentences: tuple[str, str]) -> tuple[str, str]:
    return "give_answer", json.dumps({"sentences": [{"text": t, "evidence": [k]} for t, k in sentences], "notice": None})


def good(handler: Handler, body: Body) -> None:
    """A model that asks two tools at once and hands in what they said."""
    found = evidence_in(body)
    if not found:
        handler.ask(("interpret_labs", '{"analytes": null}'), ("calculate_score", '{"name": "curb_65", "inputs": null}'))
    else:
        handler.ask(answer_call(("Urea is raised at {{urea}}.", "L-urea"), (found["S-curb_65"], "S-curb_65")))


def prose(handler: Handler, body: Body) -> None:
    """The same without structured answers."""
    if not evidence_in(body):
        handler.ask(("interpret_labs", "{}"), ("calculate_score", '{"name": "curb_65"}'))
    else:
        handler.say(
            "Urea is raised at 11.2 mmol/L [L-urea]. CURB-65 is 5 points, high severity. [S-curb_65]\n- CRP is 182 mg/L, high [L-crp]."
        )


def test_a_model_orchestrates_and_is_verified(make_assistant, serve) -> None:
    stub = serve(good)
    assistant = make_assistant(stub.spec)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert answer.status == "answered"
    assert [c.text for c in answer.claims] == ["Urea is raised at 11.2 mmol/L.", "CURB-65 is 5 of 5 points: high severity."]
    assert [c.support for c in answer.claims] == ["measured", "calculated"]
    assert not [w for w in answer.warnings if "planner" in w]
    assert answer.model == stub.spec
    offered = json.loads(stub.seen[0].split(b"\r\n\r\n")[-1].split(b"\n\n", 1)[-1])["tools"]
    labs = next(t["function"] for t in offered if t["function"]["name"] == "interpret_labs")
    assert labs["strict"] is True
    assert labs["parameters"]["required"] == ["analytes"]


def test_keyed_prose_goes_through_the_same_verify(make_assistant, serve) -> None:
    assistant = make_assistant(serve(prose).spec)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert answer.status == "answered"
    assert [c.evidence for c in answer.claims] == [("L-urea",), ("L-crp",), ("S-curb_65",)]


def test_an_unsupported_sentence_is_objected_to_once(make_assistant, serve) -> None:
    def wrong_then_right(handler: Handler, body: Body) -> None:
        if not evidence_in(body):
            handler.ask(("interpret_labs", "{}"))
        elif "not supported" in body["messages"][-1]["content"]:
            handler.ask(answer_call(("Urea is raised at 11.2 mmol/L.", "L-urea"), ("He may go home.", "L-made-up")))
        else:
            handler.ask(answer_call(("Urea is raised at 11.2 mmol/L.", "L-urea"), ("He can go home.", "L-made-up")))

    stub = serve(wrong_then_right)
    assistant = make_assistant(stub.spec)
    answer = ask(assistant, "Interpret the labs", assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert len(stub.seen) == 3
    assert [c.text for c in answer.claims] == ["Urea is raised at 11.2 mmol/L."]
    assert {r.text for r in answer.removed} == {"He may go home.", "He can go home."}
    assert answer.status == "partial"


def test_a_record_is_worded_by_the_product(make_assistant, serve) -> None:
    """Wrong fields, words beside the fields, and keys alone: the record's own sentence stands, and what was replaced is named."""

    def embroiders(handler: Handler, body: Body) -> None:
        if not evidence_in(body):
            handler.ask(("interpret_labs", "{}"))
        else:
            said = (
                ("CRP is 999 mg/L.", "L-crp"),
                ("Urea is 11.2 mmol/L after a week of vomiting.", "L-urea"),
                ("", "L-sodium"),
            )
            handler.ask(answer_call(*said))

    stub = serve(embroiders)
    assistant = make_assistant(stub.spec)
    answer = ask(assistant, "Interpret the labs", assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert len(stub.seen) == 2, "what the record can say itself is not objected to"
    assert {r.text for r in answer.removed} == {"CRP is 999 mg/L.", "Urea is 11.2 mmol/L after a week of vomiting."}
    assert all("own wording" in r.because for r in answer.removed)
    told = {c.evidence[0]: c.text for c in answer.claims}
    ledger = {e.key: e for e in answer.evidence}
    assert told == {k: ledger[k].text for k in told}
    assert "999" not in answer.answer
    assert "vomiting" not in answer.answer


def _drip(handler: Handler, body: Body) -> None:
    handler.begin()
    while not handler.server.dropped.is_set():
        handler.chunk({"content": "a "})
        time.sleep(0.05)


def _die(handler: Handler, body: Body) -> None:
    handler.begin()
    handler.chunk({"role": "assistant", "content": "Urea is"})
    handler.connection.shutdown(socket.SHUT_RDWR)


def _events(*data: str) -> Behaviour:
    def behave(handler: Handler, body: Body) -> None:
        handler.begin()
        for one in data:
            handler.event(one)

    return behave


_NULL_DELTA = '{"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [{"index": 0, "delta": null}]}'
MISBEHAVIOURS: dict[str, Behaviour] = {
    "error 500": lambda h, b: h.reply(500, '{"error": {"message": "boom"}}'),
    "error 503 with html": lambda h, b: h.reply(503, "<html>down</html>", "text/html"),
    "rate limit": lambda h, b: h.reply(429, '{"error": {"message": "slow down"}}', retry_after="0.1"),
    "unauthorised": lambda h, b: h.reply(401, '{"error": {"message": "bad key sk-abcdefgh12345678"}}'),
    "not found": lambda h, b: h.reply(404, '{"error": {"message": "no model m"}}'),
    "context overflow": lambda h, b: h.reply(400, '{"error": {"message": "maximum context length is 2048 tokens"}}'),
    "never answers": lambda h, b: time.sleep(3),
    "drips for ever": _drip,
    "dies in mid-stream": _die,
    "broken json in the stream": _events('{"id": "x", "choices": [{"delta": {"content": "U'),
    "html in place of a stream": lambda h, b: h.reply(200, "<html>hello</html>", "text/html"),
    "json in place of a stream": lambda h, b: h.reply(200, '{"choices": []}'),
    "empty stream": _events("[DONE]"),
    "no choices": _events('{"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": null}', "[DONE]"),
    "null delta": _events(_NULL_DELTA, "[DONE]"),
    "error event": _events('{"error": {"message": "engine died", "code": 500}}', "[DONE]"),
    "empty answer": lambda h, b: h.say(""),
    "cut off at the limit": lambda h, b: h.say("Urea is raised at 11.2", finish="length"),
    "tool call cut off": lambda h, b: h.ask(("interpret_labs", '{"analytes": ["ur'), finish="length"),
    "tool call as text": lambda h, b: h.say('<tool_call>\n{"name": "interpret_labs", "arguments": {}}'),
    "broken arguments": lambda h, b: h.ask(("interpret_labs", '{"analytes": [')),
    "arguments that are a list": lambda h, b: h.ask(("interpret_labs", '["urea"]')),
    "wrong arguments": lambda h, b: h.ask(("calculate_score", '{"title": 3}')),
    "unknown tool": lambda h, b: h.ask(("delete_patient", "{}")),
    "nameless tool": lambda h, b: h.ask(("", "{}")),
    "endless tool calls": lambda h, b: h.ask(("interpret_labs", "{}")),
    "two hundred tool calls": lambda h, b: h.ask(*[("interpret_labs", "{}")] * 200),
    "answer of the wrong shape": lambda h, b: h.ask(("give_answer", '{"text": "fine"}')),
    "invented keys": lambda h, b: h.ask(answer_call(("Urea is normal.", "L-made-up"))),
    "no keys": lambda h, b: h.say("The patient is fine and can go home."),
    "a megabyte of prose": lambda h, b: h.say("All is well. " * 80_000),
}


@pytest.mark.parametrize("name", sorted(MISBEHAVIOURS))
def test_nothing_a_server_does_breaks_a_turn(make_assistant, serve, name: str) -> None:
    stub = serve(MISBEHAVIOURS[name])
    assistant = make_assistant(stub.spec, seconds=1.5)
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    answer = ask(assistant, QUESTION, thread, case)
    assert {"L-urea", "S-curb_65"} <= {e.key for e in answer.evidence}, answer.reason
    assert any("planner finished" in w for w in answer.warnings)
    assert "sk-abcdefgh" not in answer.model_dump_json()
    assert not any("fine and can go home" in c.text or "All is well" in c.text for c in answer.claims)
    stub.behaviour = good
    later = ask(assistant, QUESTION, thread, case)
    assert later.status == "answered", "the thread must not be corrupted"
    assert not any("planner" in w for w in later.warnings)
    assert len(assistant.history(thread, "s")) == 2


def test_a_dead_port_is_answered_by_the_planner_within_three_seconds(make_assistant) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assistant = make_assistant(f"openai:m@http://127.0.0.1:{port}")
    case = assistant.open_case("a", session="s").handle
    answers = [ask(assistant, QUESTION, assistant.new_thread("s"), case) for _ in range(3)]  # the first one pays for imports
    assert all(a.claims for a in answers)
    assert all(any("no connection" in w and "planner finished" in w for w in a.warnings) for a in answers)
    assert min(a.seconds for a in answers) < 3


def test_a_port_that_swallows_connections_costs_two_seconds(make_assistant) -> None:
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # more than its queue takes: whoever comes next hears nothing
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        assistant = make_assistant(f"vllm:m@http://127.0.0.1:{full.getsockname()[1]}")
        answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert answer.claims
    assert any("did not answer in time" in w and "planner finished" in w for w in answer.warnings), answer.warnings
    assert answer.seconds < 3 + CONNECT_SECONDS


class ProviderError(Exception):
    """As a provider's package defines them: of no common base."""


class FailingProvider(BaseChatModel):
    """A model of a provider whose package raises an error of its own in mid-stream."""

    @property
    def _llm_type(self) -> str:
        return "failing"

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self.bind(**more)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        raise NotImplementedError

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> Iterator[ChatGenerationChunk]:
        yield ChatGenerationChunk(message=AIMessageChunk(content="Urea"))
        raise ProviderError("quota of key-abcdef123456 is used up")


def test_an_error_of_any_provider_is_a_failure_of_the_model() -> None:
    with pytest.raises(ModelFailed, match="ProviderError: quota of key-… is used up"):
        call(FailingProvider(), [], [HumanMessage(content=QUESTION)], threading.Event(), 30.0)


def test_a_bug_of_ours_is_no_failure_of_the_model() -> None:
    class Buggy(FailingProvider):
        def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> Iterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk(content="Urea"))
            raise AssertionError("a rule of this house is broken")

    with pytest.raises(AssertionError, match="a rule of this house"):
        call(Buggy(), [], [HumanMessage(content=QUESTION)], threading.Event(), 30.0)


def test_a_hiccup_is_retried(make_assistant, serve) -> None:
    def once(handler: Handler, body: Body) -> None:
        if len(handler.server.seen) == 1:
            handler.reply(429, '{"error": {"message": "slow down"}}', retry_after="0.05")
        else:
            good(handler, body)

    assistant = make_assistant(serve(once).spec)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert answer.status == "answered"
    assert not any("planner" in w for w in answer.warnings)


def test_a_broken_call_is_explained_to_the_model(make_assistant, serve) -> None:
    def learns(handler: Handler, body: Body) -> None:
        if len(handler.server.seen) == 1:
            handler.ask(("interpret_labs", '{"analytes": ['))
        else:
            good(handler, body)

    stub = serve(learns)
    assistant = make_assistant(stub.spec)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert b"broken JSON" in stub.seen[1]
    assert answer.status == "answered"


def test_a_conversation_that_overflows_is_sent_again_as_a_summary(make_assistant, serve) -> None:
    def small_context(handler: Handler, body: Body) -> None:
        if sum(m["role"] == "user" for m in body["messages"]) > 1:
            handler.reply(400, '{"error": {"message": "maximum context length is 2048 tokens"}}')
        else:
            good(handler, body)

    stub = serve(small_context)
    assistant = make_assistant(stub.spec)
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    for _ in range(2):
        answer = ask(assistant, QUESTION, thread, case)
        assert answer.status == "answered"
        assert not any("planner" in w for w in answer.warnings)
    assert b"summary of the conversation" in stub.seen[-1]


def test_a_long_conversation_is_summarised_before_it_is_sent(make_assistant, serve) -> None:
    bodies: list[Body] = []

    def watched(handler: Handler, body: Body) -> None:
        bodies.append(body)
        good(handler, body)

    assistant = make_assistant(serve(watched).spec, llm_context=1024)
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    answers = [ask(assistant, f"{QUESTION}, please: {'word ' * 40}", thread, case) for _ in range(8)]
    assert {a.status for a in answers} == {"answered"}
    assert not any("planner" in w for a in answers for w in a.warnings)
    users = [m["content"] for m in bodies[-2]["messages"] if m["role"] == "user"]
    assert len(users) == 1
    told, _, question = users[0].rpartition("\n\n")
    assert question.startswith(QUESTION)
    assert told.count("- Asked:") == 7
    assert "Urea is raised at … mmol/L. [L-urea]" in told
    assert "11.2" not in told
    assert len(assistant.history(thread, "s")) == 8
    assert assistant.evidence(thread, "L-urea", "s") is not None


def test_a_turn_may_be_given_to_another_model(make_assistant, serve) -> None:
    stub, other = serve(good), serve(good)
    assistant = make_assistant()
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    named = []
    for spec in (None, stub.spec, "planner", stub.spec):
        *_, last = assistant.ask(QUESTION, thread=thread, case=case, session="s", llm=spec)
        assert last.type == "done"
        assert last.answer.status == "answered"
        named.append(last.answer.model)
    assert named == ["planner", stub.spec, "planner", stub.spec]
    assert len(stub.seen) == 2, "evidence of the earlier turns is in the thread: it can answer at once"
    assert other.seen == []
    assert len(assistant.history(thread, "s")) == 4
    assert ask(assistant, QUESTION, assistant.new_thread("t"), None, session="t").model == "planner", "nobody else's choice"


def test_a_model_is_called_a_bounded_number_of_times(make_assistant, serve) -> None:
    stub = serve(MISBEHAVIOURS["endless tool calls"])
    assistant = make_assistant(stub.spec)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert len(stub.seen) == MAX_MODEL_CALLS
    assert any(f"{MAX_MODEL_CALLS} calls without an answer" in w for w in answer.warnings)


def test_stop_cancels_at_the_server(make_assistant, serve) -> None:
    stub = serve(_drip)
    assistant = make_assistant(stub.spec)
    case, thread, stop = assistant.open_case("a", session="s").handle, assistant.new_thread("s"), threading.Event()
    threading.Timer(0.6, stop.set).start()
    answer = ask(assistant, QUESTION, thread, case, stop)
    assert answer.status == "partial"
    assert stub.dropped.wait(10), "the connection must be closed at the server"
    stub.behaviour = good
    assert ask(assistant, QUESTION, thread, case).status == "answered"


def _silent(handler: Handler, body: Body) -> None:
    """Says nothing; notices when the client goes."""
    handler.server.reading.set()
    if handler.connection.recv(1) == b"":
        handler.server.dropped.set()


def _silent_after_a_word(handler: Handler, body: Body) -> None:
    handler.begin()
    handler.chunk({"role": "assistant", "content": "Urea"})
    _silent(handler, body)


@pytest.mark.parametrize("behaviour", [_silent, _silent_after_a_word])
def test_stop_cancels_at_once_at_a_silent_server(make_assistant, serve, behaviour: Behaviour) -> None:
    stub = serve(behaviour)
    assistant = make_assistant(stub.spec, seconds=120.0)
    case, thread, stop = assistant.open_case("a", session="s").handle, assistant.new_thread("s"), threading.Event()
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(ask(assistant, QUESTION, thread, case, stop)))
    asking.start()
    assert stub.reading.wait(60)
    assert not stub.dropped.wait(0.3), "the request is alive until stop is pressed"
    stop.set()
    assert stub.dropped.wait(20), "far before the time limit of the call"
    asking.join(20)
    assert answers[0].status == "partial"
    stub.behaviour = good
    assert ask(assistant, QUESTION, thread, case).status == "answered"


def test_a_time_limit_cancels_at_a_silent_server(make_assistant, serve) -> None:
    stub = serve(_silent)
    assistant = make_assistant(stub.spec, seconds=5.0)
    answer = ask(assistant, QUESTION, assistant.new_thread("s"), assistant.open_case("a", session="s").handle)
    assert any("in time" in w and "planner finished" in w for w in answer.warnings), answer.warnings
    assert stub.dropped.wait(20)


def test_every_connection_is_closed_with_its_call(make_assistant, serve) -> None:
    def until_closed(handler: Handler, body: Body) -> None:
        good(handler, body)
        handler.server.reading.set()
        handler.connection.recv(1)
        handler.server.dropped.set()

    stub = serve(until_closed)
    model = make_model(stub.spec)
    for _ in range(2):
        stub.dropped.clear()
        model.invoke([("user", QUESTION)])
        assert stub.dropped.wait(10), "nothing stays open for a collector to find"


@tool(response_format="content_and_artifact")
def summarize_case(runtime: ToolRuntime[Deps]) -> tuple[str, dict[str, Any]]:
    """Summarise the case."""
    raise BadInput("cannot read '/srv/hospital/wards/7/patient-0042/ct.dcm'")


def test_the_server_gets_no_identity_no_paths_no_pixels(make_assistant, serve, tmp_path) -> None:
    def curious(handler: Handler, body: Body) -> None:
        if evidence_in(body):
            good(handler, body)
        else:
            handler.ask(("summarize_case", "{}"), ("interpret_labs", "{}"), ("calculate_score", '{"name": "curb_65"}'))

    stub = serve(curious)
    assistant = make_assistant(stub.spec, more=(summarize_case,))
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")
    ask(assistant, f"{QUESTION}; reach me at jane.roe@hospital.example or +44 7700 900123, files in {tmp_path}", thread, case)
    sent = b"\n".join(stub.seen)
    assert b"CURB-65" in sent
    for secret in ("jane.roe", "7700 900123", "/srv/hospital", "patient-0042", str(tmp_path), "test-cap", thread, case, "age_years"):
        assert secret.encode() not in sent, secret
