"""`transformers:PATH`: the tiny model in this process, through its own template, constrained decoding and the real graph."""

import json
import shutil
from pathlib import Path

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage

from agent.errors import BadInput
from agent.models.calling import ContextOverflow, call
from agent.models.factory import make_model, shown_name
from agent.models.local_model import LocalModel, _Reader
from agent.models.schemas import definitions
from agent.turn.prompts import system_prompt
from agent.verify import check
from tools.registry import TOOLS

pytestmark = pytest.mark.xdist_group("llm")
OFFERED = definitions(TOOLS)
LABS = [SystemMessage(content=system_prompt("en", None)), HumanMessage(content="Interpret the labs")]


@pytest.fixture(scope="module")
def model(tiny: Path) -> LocalModel:
    return LocalModel.open(str(tiny))


def gathered(stream) -> tuple[AIMessageChunk, int]:
    whole, count = None, 0
    for piece in stream:
        whole = piece if whole is None else whole + piece
        count += 1
    assert whole is not None
    return whole, count


def test_it_calls_a_tool_with_valid_arguments(model: LocalModel) -> None:
    whole, count = gathered(model.bind_tools(OFFERED).stream(LABS))
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [("interpret_labs", {"analytes": None})]
    assert whole.content == ""
    assert whole.response_metadata["finish_reason"] == "tool_calls"
    assert count > 5, "it streams token by token, so that a stop is seen"
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 5


@pytest.mark.parametrize("name", ["summarize_case", "interpret_labs"])
def test_a_forced_tool_is_called_whatever_the_question(model: LocalModel, name: str) -> None:
    choice = {"type": "function", "function": {"name": name}}
    whole, _ = gathered(model.bind_tools(OFFERED, tool_choice=choice).stream([HumanMessage(content="Hello")]))
    assert [c["name"] for c in whole.tool_calls] == [name]


def test_some_tool_is_required(model: LocalModel) -> None:
    whole, _ = gathered(model.bind_tools(OFFERED, tool_choice="required").stream([HumanMessage(content="Count from one to ten in words.")]))
    assert len(whole.tool_calls) == 1


def test_a_tool_that_is_not_offered_cannot_be_forced(model: LocalModel) -> None:
    with pytest.raises(ValueError, match="not offered"):
        list(model.bind_tools(OFFERED, tool_choice="delete_patient").stream(LABS))


def test_a_schema_is_kept_by_a_model_that_never_saw_it(model: LocalModel) -> None:
    schema = {
        "type": "object",
        "properties": {"severity": {"enum": ["low", "high"]}, "points": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["severity", "points"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    made = json.loads(model.bind(response_format=wanted).invoke([HumanMessage(content="Tell me a joke")]).text)
    assert set(made) == {"severity", "points"}
    assert made["severity"] in ("low", "high")
    assert 0 <= made["points"] <= 9


def test_an_answer_that_is_cut_says_so(tiny: Path) -> None:
    short = LocalModel(folder=tiny, longest=4)
    whole, _ = gathered(short.bind_tools(OFFERED).stream(LABS))
    assert whole.response_metadata["finish_reason"] == "length"
    assert whole.tool_calls == []


def test_an_over_long_prompt_is_named(model: LocalModel) -> None:
    import threading

    with pytest.raises(ContextOverflow, match="maximum context length is 2048"):
        call(model, OFFERED, [HumanMessage(content="zyx wvu " * 2000)], threading.Event(), 60.0)


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_text_and_calls_are_split_at_any_cut(step: int) -> None:
    calls = ['{"name": "a", "arguments": {"x": "<b>"}}', '{"name": "b", "arguments": {}}']
    text = "\n".join(["I look.", *(f"<tool_call>\n{c}\n</tool_call>" for c in calls)])
    reader = _Reader("")
    pieces = [reader.take(text[i : i + step]) for i in range(0, len(text), step)] + [reader.end(cut=False)]
    whole, _ = gathered(iter(pieces))
    assert [(c["name"], c["args"]) for c in whole.tool_calls] == [("a", {"x": "<b>"}), ("b", {})]
    assert str(whole.content).strip() == "I look."


def test_it_answers_through_the_graph(tiny: Path, talk) -> None:
    conversation = talk(f"transformers:{tiny}")
    answer = conversation.ask("Interpret the labs")
    known = {e.key: e for e in answer.evidence}
    assert not any("planner" in w for w in answer.warnings), answer.warnings
    assert answer.claims
    assert all(check(c.text, c.evidence, known).support is not None for c in answer.claims)
    assert answer.model == "transformers:tiny", "a path is nobody's business"


def test_what_is_no_model_is_refused_by_name(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(BadInput, match=r"no folder with a config\.json"):
        make_model(f"transformers:{tmp_path / 'absent'}")
    shutil.copy(tiny / "config.json", tmp_path)
    with pytest.raises(BadInput, match="safetensors"):
        make_model(f"transformers:{tmp_path}")
    assert shown_name("transformers:/srv/models/qwen") == "transformers:qwen"
