"""Two-minute qualification of a chat model: what works of what the graph needs.

Every probe is one small request; a probe fails with a reason and never stops the others.
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool

from agent.answering.draft import ANSWER_TOOL, Draft, read_draft
from agent.models.calling import ModelFailed, call, pieces
from agent.models.schemas import definitions
from agent.reading.lexicon import language_of
from agent.turn.prompts import system_prompt
from retrieval.messages.patterns import patterns

EVIDENCE = "interpret_labs: ok\n[L-urea] Urea is 11.2 mmol/L (reference 2.5–7.8 mmol/L): high."
_NEEDLE = "amber-falcon-7"
# About 6,000 tokens: what a turn with five long passages and a conversation before it comes to.
_FILLER = "The ward round began at eight and the next patient was seen without delay. " * 400
_SCHEMA = {
    "type": "object",
    "properties": {"analyte": {"type": "string"}, "high": {"type": "boolean"}},
    "required": ["analyte", "high"],
    "additionalProperties": False,
}


class Failed(Exception):
    """A probe's expectation that was not met."""


@dataclass(frozen=True)
class Probe:
    """One thing that was tried."""

    name: str
    ok: bool
    detail: str
    seconds: float


@dataclass
class Bench:
    """The model under test with its tools."""

    model: BaseChatModel
    tools: Sequence[BaseTool]
    seconds: float = 60.0
    stop: threading.Event = field(default_factory=threading.Event)

    def ask(self, *messages: AnyMessage) -> AIMessage:
        """One call with all tools offered."""
        prompt = SystemMessage(content=system_prompt("en", None).replace("No patient case is open", "A patient case is open"))
        return call(self.model, definitions(self.tools), [prompt, *messages], self.stop, self.seconds)


# What the page tries before a person relies on a model: seconds, not minutes.
QUICK = ("reachable", "tool_call", "structured_answer")


def qualify(
    model: BaseChatModel, tools: Sequence[BaseTool], seconds: float = 60.0, without: Collection[str] = (), only: Collection[str] = ()
) -> list[Probe]:
    """Run every probe (or `only` those named) but those `without`; where the server cannot be reached the rest is not tried."""
    bench = Bench(model, tools, seconds)
    done: list[Probe] = []
    for name, probe in ((n, p) for n, p in PROBES.items() if n not in without and (not only or n in only)):
        start = time.perf_counter()
        try:
            detail, ok = probe(bench), True
        except (Failed, ModelFailed) as failure:
            detail, ok = str(failure), False
        done.append(Probe(name, ok, detail, round(time.perf_counter() - start, 2)))
        if name == "reachable" and not ok:
            break
    return done


def _reachable(bench: Bench) -> str:
    message = call(bench.model, [], [HumanMessage(content="Answer with the single word: ready")], bench.stop, bench.seconds)
    return message.text.strip()[:40] or "something answers, without text"


def _names(message: AIMessage) -> list[str]:
    return [c["name"] for c in message.tool_calls]


def _tool_call(bench: Bench) -> str:
    message = bench.ask(HumanMessage(content="Interpret the laboratory values."))
    if "interpret_labs" not in _names(message):
        raise Failed(f"expected a call of interpret_labs, got {_names(message) or message.text[:60]!r}")
    return "interpret_labs was called"


def _parallel(bench: Bench) -> str:
    message = bench.ask(HumanMessage(content="Interpret the laboratory values and compute CURB-65. Ask both tools in one message."))
    missing = {"interpret_labs", "calculate_score"} - set(_names(message))
    if missing:
        raise Failed(f"not called in the same message: {', '.join(sorted(missing))}")
    return "two tools in one message"


def _forced(bench: Bench) -> str:
    """A tool that the question does not call for, asked for by `tool_choice`."""
    name = "summarize_case"
    by_name = bench.model._llm_type in ("openai-compatible", "transformers")
    choice: Any = {"type": "function", "function": {"name": name}} if by_name else name
    model: Any = bench.model.bind_tools(definitions(bench.tools), tool_choice=choice)
    prompt = SystemMessage(content=system_prompt("en", None))
    message = call(model, [], [prompt, HumanMessage(content="Hello")], bench.stop, bench.seconds)
    if _names(message) != [name]:
        raise Failed(f"tool_choice was ignored: got {_names(message) or message.text[:60]!r}")
    return "tool_choice is obeyed"


def _arguments(bench: Bench) -> str:
    message = bench.ask(HumanMessage(content="Compute the score named curb_65."))
    calls = [c for c in message.tool_calls if c["name"] == "calculate_score"]
    if not calls:
        raise Failed("calculate_score was not called")
    unknown = set(calls[0]["args"]) - {"name", "inputs"}
    if unknown or calls[0]["args"].get("name") != "curb_65":
        raise Failed(f"arguments {json.dumps(calls[0]['args'], ensure_ascii=False)[:80]}")
    return "arguments fit the schema"


def _answered(bench: Bench, question: str) -> tuple[AIMessage, Draft]:
    asked = AIMessage(content="", tool_calls=[{"name": "interpret_labs", "args": {}, "id": "c1", "type": "tool_call"}])
    told = ToolMessage(content=EVIDENCE, tool_call_id="c1", name="interpret_labs")
    message = bench.ask(HumanMessage(content=question), asked, told)
    draft = read_draft(message)
    if draft is None or not draft.sentences:
        raise Failed(f"no answer could be read from {message.text[:60] or _names(message)!r}")
    return message, draft


def _structured(bench: Bench) -> str:
    message, draft = _answered(bench, "Is the urea raised?")
    if ANSWER_TOOL not in _names(message):
        raise Failed("the answer came as prose: keyed prose is used instead")
    return f"{len(draft.sentences)} sentence(s) through {ANSWER_TOOL}"


def _citation(bench: Bench) -> str:
    _, draft = _answered(bench, "Is the urea raised?")
    if not any("L-urea" in s.evidence for s in draft.sentences):
        raise Failed("the evidence that it was given is not cited")
    return "cites the key it was given"


def _no_invention(bench: Bench) -> str:
    try:
        _, draft = _answered(bench, "Is the potassium raised?")
    except Failed:
        return "no sentence without evidence"
    invented = {k for s in draft.sentences for k in s.evidence} - {"L-urea"}
    if invented:
        raise Failed(f"invented keys: {', '.join(sorted(invented))[:60]}")
    return "invents no key"


def _chinese(bench: Bench) -> str:
    _, draft = _answered(bench, patterns("agent.evaluation").text("chinese_please"))
    if not any(language_of(s.text) == "zh" for s in draft.sentences):
        raise Failed(f"not in Chinese: {draft.sentences[0].text[:40]}")
    return "answers in Chinese"


def _json_schema(bench: Bench) -> str:
    asked = {"type": "json_schema", "json_schema": {"name": "finding", "schema": _SCHEMA, "strict": True}}
    question = HumanMessage(content="Urea is 11.2 mmol/L, which is high. Say so as JSON with the fields analyte and high.")
    message = call(bench.model.bind(response_format=asked), [], [question], bench.stop, bench.seconds)  # type: ignore[arg-type]
    try:
        found = json.loads(message.text)
    except json.JSONDecodeError as wrong:
        raise Failed(f"not JSON: {message.text[:40]!r}") from wrong
    if not isinstance(found, dict) or set(found) != {"analyte", "high"} or not isinstance(found["high"], bool):
        raise Failed(f"not the schema: {message.text[:60]}")
    return "fits the schema"


def _streaming(bench: Bench) -> str:
    count, start, first = 0, time.perf_counter(), 0.0
    for chunk in pieces(bench.model, [], [HumanMessage(content="Count from one to ten in words.")], bench.stop, bench.seconds):
        if chunk.text:
            count += 1
            first = first or time.perf_counter() - start
    if count < 2:
        raise Failed("the text came in one piece")
    return f"{count} pieces, the first after {first:.2f} s"


def _long_context(bench: Bench) -> str:
    text = f"{_FILLER}The pass phrase is {_NEEDLE}. {_FILLER}What is the pass phrase? Answer with the phrase only."
    message = call(bench.model, [], [HumanMessage(content=text)], bench.stop, bench.seconds)
    if _NEEDLE not in message.text:
        raise Failed("the phrase in the middle of 12,000 words was not found")
    return "finds a phrase in the middle of 12,000 words"


PROBES: dict[str, Callable[[Bench], str]] = {
    "reachable": _reachable,
    "tool_call": _tool_call,
    "parallel_calls": _parallel,
    "forced_tool": _forced,
    "strict_arguments": _arguments,
    "structured_answer": _structured,
    "citation": _citation,
    "no_invented_citation": _no_invention,
    "json_schema": _json_schema,
    "streaming": _streaming,
    "chinese": _chinese,
    "long_context": _long_context,
}


def offered(model: Any) -> bool:
    """Whether a model is one that can be qualified (the planner is not a language model)."""
    return getattr(model, "_llm_type", "") != "planner"
