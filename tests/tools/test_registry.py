"""The thirteen tools through a real LangGraph ToolNode."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic import ValidationError

from tools.case.record import Case, Observation
from tools.deps import Deps
from tools.evidence import ToolResult
from tools.registry import TOOLS
from tools.scores.payload import ScoreData
from tools.spec import specs


def _run(deps: Deps, *calls: tuple[str, dict[str, Any]]) -> list[ToolMessage]:
    graph = StateGraph(MessagesState, context_schema=Deps)
    graph.add_node("tools", ToolNode(list(TOOLS)))
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    asked = AIMessage("", tool_calls=[{"name": n, "args": a, "id": f"call-{i}"} for i, (n, a) in enumerate(calls)])
    state = graph.compile().invoke({"messages": [asked]}, context=deps)
    return [m for m in state["messages"] if isinstance(m, ToolMessage)]


@pytest.fixture
def deps(tmp_path: Path) -> Deps:
    return Deps(cache_dir=tmp_path, case=Case(case_id="x", labs=(Observation(analyte="urea", value=11.2, unit="mmol/L"),)))


CONTRACT = {
    "quantify_ct", "encode_ct", "classify_ct", "draft_report", "check_report", "find_similar_cases", "interpret_labs", "calculate_score",
    "rank_drugs", "check_medications", "query_drug_graph", "search_guidelines", "summarize_case",
}  # fmt: skip


def test_every_tool_of_the_contract_is_registered_once() -> None:
    assert [t.name for t in TOOLS] == list(dict.fromkeys(t.name for t in TOOLS))
    assert {t.name for t in TOOLS} >= CONTRACT


def test_every_record_names_a_function_that_is_there_and_both_labels() -> None:
    orders = [s.order for s in specs().values()]
    assert len(orders) == len(set(orders))
    for spec in specs().values():
        assert callable(spec.load())
        assert all(spec.labels)
        assert not spec.labels[1].isascii()


def test_a_payload_that_is_not_its_tool_s_is_refused() -> None:
    """A stored record gets the type back that its tool's record names; what is not of that shape is no result of this tool."""
    for spec in specs().values():
        assert spec.results
        with pytest.raises(ValidationError):
            ToolResult.model_validate({"tool": spec.name, "status": "ok", "data": {"teapot": 1}})
    bare = ToolResult.model_validate({"tool": "interpret_labs", "status": "ok", "data": {}})
    assert bare.data is None
    assert bare.model_dump(mode="json")["data"] == {}


def test_a_result_of_an_unknown_tool_is_refused() -> None:
    with pytest.raises(ValidationError, match="no tool is called 'teleport'"):
        ToolResult(tool="teleport", status="ok")


_PING = """
from pydantic import Field

from tools.evidence import ToolResult
from tools.spec import Arguments, ToolSpec


class OfPing(Arguments):
    word: str = Field(description="A word")


def ping(deps, word):
    return ToolResult(tool="ping", status="ok", reason=word)


SPEC = ToolSpec(
    name="ping", order=99, function="tools.labs.tool_ping:ping", prompt="Answer with the word that was given.", arguments=OfPing,
    intent="ping", labels=("Ping", "回声"),
)
"""
_LOOK = """
from agent.models.schemas import definitions
from agent.reading.queries import TOOL_OF
from agent.reading.reader import shipped
from agent.reading.features import Message
from tools.registry import TOOLS
from ui.i18n import named
assert "ping" in {t.name for t in TOOLS}
assert "ping" in {d["function"]["name"] for d in definitions(TOOLS)}
assert TOOL_OF["ping"] == "ping"
opinion = shipped().read(Message("what do the labs show", True))
assert opinion.tools["ping"] < 1e-6 < 0.5 < opinion.tools["interpret_labs"]
print(named("tool", "ping", "zh"))
"""


def test_a_new_tool_is_one_module(tmp_path: Path) -> None:
    """The recipe of CONTRIBUTING.md on a copy: a module with its `SPEC`, and nothing else."""
    root = Path(__file__).parents[2]
    shutil.copytree(root / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for room in ("agent", "retrieval", "medmpt_backend", "ui"):
        (tmp_path / room).symlink_to(root / room)
    (tmp_path / "tools" / "labs" / "tool_ping.py").write_text(_PING, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", _LOOK], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "回声"


def test_the_model_sees_a_described_schema_without_the_runtime() -> None:
    for t in TOOLS:
        schema = t.tool_call_schema.model_json_schema()
        assert "runtime" not in schema["properties"]
        assert "runtime" not in schema.get("required", [])
        assert len(t.description) > 30


def test_several_tools_at_once_return_text_and_a_record(deps: Deps) -> None:
    labs, score, ct = _run(
        deps, ("interpret_labs", {}), ("calculate_score", {"name": "curb_65", "inputs": {"age": "70"}}), ("classify_ct", {})
    )
    record = ToolResult.model_validate(labs.artifact)
    assert record.evidence[0].key == "L-urea"
    assert "[L-urea] Urea is 11.2 mmol/L" in labs.text
    data = ToolResult.model_validate(score.artifact).payload(ScoreData)
    assert data is not None
    assert data.range == (2.0, 5.0)
    model = ToolResult.model_validate(ct.artifact)
    assert model.status == "unavailable"
    assert "medmpt weights import CHECKPOINT" in (model.reason or "")


def test_bad_input_is_an_error_result_with_the_reason(deps: Deps) -> None:
    (message,) = _run(deps, ("calculate_score", {"name": "no_such_score"}))
    record = ToolResult.model_validate(message.artifact)
    assert record.status == "error"
    assert "no_such_score" in (record.reason or "")


def test_an_unknown_argument_is_refused(deps: Deps) -> None:
    (message,) = _run(deps, ("interpret_labs", {"colour": "red"}))
    assert message.status == "error"
    assert "colour" in message.text
