"""The thirteen tools through a real LangGraph ToolNode."""

from pathlib import Path
from typing import Any, get_args

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from tools.case.record import Case, Observation
from tools.deps import Deps
from tools.evidence import ToolName, ToolResult
from tools.registry import TOOLS


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


def test_every_tool_of_the_contract_is_registered_once() -> None:
    assert [t.name for t in TOOLS] == list(dict.fromkeys(t.name for t in TOOLS))
    assert {t.name for t in TOOLS} == set(get_args(ToolName))


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
    assert ToolResult.model_validate(score.artifact).data["range"] == [2.0, 5.0]
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
