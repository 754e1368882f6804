"""The real graph, the real tools and a real model behind a real server, from the first tool call to the verified answer."""

import json
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from langchain_core.messages import HumanMessage

from agent import commands
from agent.errors import Stopped
from agent.evaluation.question_set import questions
from agent.models.calling import pieces
from agent.models.factory import make_model
from agent.models.schemas import definitions
from agent.reading.lexicon import language_of
from agent.settings import Settings
from agent.turn.prompts import NOTICES, system_prompt
from agent.verify import check
from tools.registry import TOOLS

pytestmark = [pytest.mark.xdist_group("llm"), pytest.mark.timeout(1800)]
LABS = "Interpret the labs"
DEMO = "Interpret the labs, compute CURB-65 and say what the guideline recommends"
DEMO_ZH = "解读化验，计算 CURB-65，并说明指南建议"


def by_planner(answer) -> bool:
    return any("planner finished" in w or "规划器" in w for w in answer.warnings)


def all_supported(answer) -> bool:
    known = {e.key: e for e in answer.evidence}
    return all(check(c.text, c.evidence, known).support is not None for c in answer.claims)


def raw(served, **more) -> httpx.Response:
    body = {
        "model": served.name,
        "messages": [{"role": "system", "content": system_prompt("en", None)}, {"role": "user", "content": LABS}],
        "tools": definitions(TOOLS),
        "temperature": 0,
        **more,
    }
    return httpx.post(f"http://127.0.0.1:{served.port}/v1/chat/completions", json=body, timeout=240.0)


def test_the_model_calls_a_tool_by_itself(served, needs) -> None:
    needs("tool_call")
    call = raw(served).json()["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call["name"] == "interpret_labs"
    assert json.loads(call["arguments"]) == {"analytes": None}


def test_a_forced_tool_is_called(served, needs) -> None:
    needs("forced_tool")
    forced = {"type": "function", "function": {"name": "summarize_case"}}
    message = raw(served, tool_choice=forced).json()["choices"][0]["message"]
    assert [c["function"]["name"] for c in message["tool_calls"]] == ["summarize_case"]


def test_tools_are_asked_in_parallel(served, talk, needs) -> None:
    needs("parallel_calls")
    conversation = talk(served.spec)
    answer = conversation.ask(DEMO)
    kinds = [e.type for e in conversation.events]
    assert {"interpret_labs", "calculate_score"} <= {c.name for c in answer.tool_calls}
    assert not by_planner(answer), answer.warnings
    assert kinds.index("step_started") < kinds.index("sentence")


def test_tokens_stream_from_the_server(served, needs) -> None:
    needs("tool_call")
    model = make_model(served.spec, 240.0)
    pieces = list(model.bind_tools(definitions(TOOLS)).stream([("system", system_prompt("en", None)), ("user", LABS)]))
    assert len(pieces) >= 2
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole + piece
    assert [c["name"] for c in whole.tool_calls] == ["interpret_labs"]


def test_a_structured_answer(served, needs) -> None:
    needs("json_schema")
    schema = {
        "type": "object",
        "properties": {"severity": {"type": "string", "enum": ["low", "moderate", "high"]}},
        "required": ["severity"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema, "strict": True}}
    body = {"model": served.name, "messages": [{"role": "user", "content": "CURB-65 is 4"}], "response_format": wanted, "temperature": 0}
    reply = httpx.post(f"http://127.0.0.1:{served.port}/v1/chat/completions", json=body, timeout=240.0).json()
    assert json.loads(reply["choices"][0]["message"]["content"])["severity"] in ("low", "moderate", "high")


def test_answers_come_through_give_answer(served, needs, between, talk) -> None:
    needs("tool_call", "structured_answer")
    watched = between(served)
    answer = talk(watched.spec).ask(LABS)
    assert not by_planner(answer), answer.warnings
    assert len(watched.seen) >= 2
    assert "give_answer" in {t["function"]["name"] for t in watched.seen[0]["tools"]}
    assert answer.claims


def test_steps_are_live_and_sentences_verified(served, talk, needs) -> None:
    needs("tool_call")
    conversation = talk(served.spec)
    answer = conversation.ask(LABS)
    kinds = [e.type for e in conversation.events]
    assert kinds[0] == "step_started"
    assert kinds[1] == "step_finished"
    assert kinds[-1] == "done"
    assert [e.claim for e in conversation.events if e.type == "sentence"] == list(answer.claims)
    assert all_supported(answer)
    assert answer.model == served.spec


@pytest.mark.parametrize(("question", "language"), [(DEMO, "en"), (DEMO_ZH, "zh")])
def test_the_demo_question_is_answered_and_verified(served, talk, needs, question: str, language: str) -> None:
    needs("parallel_calls", "structured_answer")
    answer = talk(served.spec).ask(question)
    assert not by_planner(answer), answer.warnings
    assert answer.status in ("answered", "partial")
    assert answer.claims
    assert all_supported(answer)
    assert {language_of(c.text) for c in answer.claims} == {language}


def test_cited_keys_exist(served, talk, needs) -> None:
    needs("tool_call", "citation")
    answer = talk(served.spec).ask(DEMO)
    known = {e.key for e in answer.evidence}
    assert {k for c in answer.claims for k in c.evidence} <= known
    assert answer.claims


def test_a_score_keeps_its_number(served, talk, needs) -> None:
    needs("tool_call")
    answer = talk(served.spec).ask("Compute CURB-65")
    assert [c.name for c in answer.tool_calls] == ["calculate_score"]
    assert any(c.support in ("calculated", "quoted") and "5" in c.text for c in answer.claims)


def test_a_greeting_needs_no_tool(served, talk) -> None:
    answer = talk(served.spec).ask("Hello")
    assert answer.tool_calls == ()
    assert NOTICES["greeting"]["en"] in answer.answer


def test_out_of_scope_is_refused(served, talk) -> None:
    answer = talk(served.spec).ask("What is the capital of France?")
    assert answer.tool_calls == ()
    assert NOTICES["out_of_scope"]["en"] in answer.answer
    assert "Paris" not in answer.answer


def test_the_same_question_twice_in_a_thread(served, talk) -> None:
    conversation = talk(served.spec)
    first, second = conversation.ask(LABS), conversation.ask(LABS)
    assert first.claims
    assert second.claims
    assert all_supported(second)
    assert len(conversation.assistant.history(conversation.thread, "llm-tests")) == 2


def test_the_same_question_has_the_same_answer(served, talk) -> None:
    first, second = talk(served.spec).ask(LABS), talk(served.spec).ask(LABS)
    assert [c.text for c in first.claims] == [c.text for c in second.claims]
    assert first.warnings == second.warnings


def test_two_conversations_at_once(served, talk, needs) -> None:
    needs("tool_call")
    one, two = talk(served.spec), talk(served.spec)
    answers: dict[str, object] = {}
    threads = [threading.Thread(target=lambda c=c, q=q: answers.update({q: c.ask(q)})) for c, q in ((one, LABS), (two, "Compute CURB-65"))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(600)
    assert {c.name for c in answers[LABS].tool_calls} == {"interpret_labs"}
    assert {c.name for c in answers["Compute CURB-65"].tool_calls} == {"calculate_score"}
    assert all(all_supported(a) for a in answers.values())


def test_a_truncated_answer_is_finished_by_the_planner(served, talk, between) -> None:
    short = between(served, edit=lambda body: {**body, "max_tokens": 4, "max_completion_tokens": 4})
    answer = talk(short.spec).ask(LABS)
    assert len(short.seen) == 3, "two retries with an explanation, then the planner"
    assert by_planner(answer)
    assert any("cut off" in w for w in answer.warnings), answer.warnings
    assert answer.claims


def test_finish_reason_length_reaches_the_agent(served) -> None:
    message = make_model(served.spec, 240.0).bind(max_tokens=3).invoke([("user", "Count from one to ten in words.")])
    assert message.response_metadata["finish_reason"] == "length"


def test_an_over_long_prompt_is_finished_by_the_planner(served, talk, between) -> None:
    limited = between(served, edit=lambda body: {**body, "max_tokens": 24, "max_completion_tokens": 24})
    answer = talk(limited.spec).ask(f"{LABS}. " + "Zyx-wvu qpo; " * 600)
    assert by_planner(answer)
    assert any(c.name == "interpret_labs" for c in answer.tool_calls)
    if served.kind == "vllm":
        assert any("context" in w for w in answer.warnings), answer.warnings


def test_stop_closes_the_request(served, talk, between) -> None:
    stop = threading.Event()

    def press(raw: bytes) -> None:
        stop.set()
        time.sleep(0.2)

    watched = between(served, passed=press)
    conversation = talk(watched.spec)
    answer = conversation.ask(DEMO, stop)
    assert answer.status == "partial"
    assert answer.claims == ()
    assert conversation.ask("Hello").status in ("answered", "refused"), "the thread goes on"


def test_stop_ends_the_decoding_at_the_server(served) -> None:
    vllm = served.kind == "vllm"
    endless = {"max_tokens": 1900, **({"extra_body": {"ignore_eos": True}} if vllm else {})}
    made = counted(served, "generation_tokens_total") if vllm else 0.0
    stop = threading.Event()
    stream = pieces(make_model(served.spec, 240.0).bind(**endless), [], [HumanMessage(content=LABS)], stop, 240.0)
    next(stream)
    stop.set()
    with pytest.raises(Stopped):
        list(stream)
    if vllm:
        ends = time.monotonic() + 60
        while counted(served, "num_requests_running") and time.monotonic() < ends:
            time.sleep(0.05)
        assert counted(served, "num_requests_running") == 0
        assert counted(served, "generation_tokens_total") - made < 1500, "it was cut off, not finished"


def counted(served, name: str) -> float:
    """A figure of vLLM's own metrics."""
    page = httpx.get(f"http://127.0.0.1:{served.port}/metrics", timeout=10.0).text
    return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines() if line.startswith(f"vllm:{name}"))


def test_the_server_gets_no_case_id_and_no_path(served, talk, between) -> None:
    watched = between(served)
    talk(watched.spec).ask(DEMO)
    sent = json.dumps([b["messages"] for b in watched.seen], ensure_ascii=False)
    assert watched.seen
    assert "demo-cap-01" not in sent
    assert str(Path(__file__).parents[2]) not in sent


def test_a_server_killed_in_mid_stream(another, talk, between) -> None:
    killed = threading.Event()

    def kill(raw: bytes) -> None:
        if not killed.is_set():
            killed.set()
            another.kill()

    answer = talk(between(another, passed=kill).spec).ask(DEMO)
    assert killed.is_set()
    assert by_planner(answer)
    assert {"interpret_labs", "calculate_score"} <= {c.name for c in answer.tool_calls}
    assert all_supported(answer)
    dead = talk(another.spec).ask(LABS)
    assert by_planner(dead)
    assert any("no connection" in w for w in dead.warnings)
    assert dead.claims


def test_a_dead_port_is_answered_by_the_planner(talk) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    answer = talk(f"vllm:m@http://127.0.0.1:{port}").ask(DEMO)
    assert by_planner(answer)
    assert answer.claims


def _context(tmp_path: Path, cache: Path) -> SimpleNamespace:
    return SimpleNamespace(obj=Settings(data_dir=tmp_path, cache_dir=cache, llm_seconds=240, embedder="hashing"))


def test_llm_check_says_what_works(served, probes) -> None:
    assert probes["reachable"].ok
    assert probes["tool_call"].ok, probes["tool_call"].detail
    if served.kind == "vllm":
        assert not probes["long_context"].ok, "two thousand tokens cannot hold 12,000 words"
        assert probes["forced_tool"].ok, probes["forced_tool"].detail


def test_eval_llm_runs(served, tmp_path, cache) -> None:
    found = commands.eval_llm(_context(tmp_path, cache), served.spec, limit=4)
    assert found.metrics["facts_present"].n == 4
    assert found.metrics["unsupported_after_verify"].value == 0
    assert found.baselines["planner"]["facts_present"].value >= 0.75
    assert found.metrics["seconds"].value > 0
    assert bool(found.warnings) == (found.metrics["finished_by_planner"].value > 0)


def test_the_question_set_is_large_and_half_chinese() -> None:
    asked = [q.question for q in questions()]
    assert len(asked) >= 120
    assert sum(language_of(q) == "zh" for q in asked) * 2 == len(asked)
