"""LangGraph's conventions: the graph of `langgraph.json`, plain tools, and trajectories judged by `agentevals`."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.messages.utils import convert_to_openai_messages
from langgraph.checkpoint.memory import InMemorySaver

from agent.assistant import Assistant
from agent.bridges.studio import Wanted, graph_of
from agent.bridges.toolkit import bound
from agent.settings import Settings
from agent.turn.contexts import on_record
from agent.turn.graph import build_graph
from agent.turn.prompts import CaseCard
from tests.agent.bridges.conftest import Scripted

MakeAssistant = Callable[..., Assistant]
ROOT = Path(__file__).parents[3]


def load_as_langgraph_does(place: str) -> Any:
    path, _, name = place.partition(":")
    spec = importlib.util.spec_from_file_location("studio_by_path", ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["studio_by_path"] = module
    spec.loader.exec_module(module)
    return getattr(module, name)


def test_the_factory_of_langgraph_json_makes_a_graph_without_a_checkpointer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDMPT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MEDMPT_CACHE_DIR", str(tmp_path))
    listed = json.loads((ROOT / "langgraph.json").read_text())
    graph = load_as_langgraph_does(listed["graphs"]["medmpt"])()
    assert graph.checkpointer is None
    assert {"messages"} <= set(graph.get_input_jsonschema()["properties"])
    assert {"case", "language"} == set(graph.get_context_jsonschema()["properties"])
    names = {line.lstrip("#").partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    read = (ROOT / "agent/settings.py").read_text()
    assert all(n in read for n in names if n.startswith("MEDMPT_"))


def test_a_server_with_its_own_checkpoints_keeps_the_thread(make_assistant: MakeAssistant, tmp_path: Path) -> None:
    house = make_assistant()._parts
    graph = graph_of(Settings(data_dir=tmp_path, cache_dir=tmp_path), house).copy(update={"checkpointer": InMemorySaver()})
    config = {"configurable": {"thread_id": "t"}}

    def say(text: str, case: str | None = "a") -> dict[str, Any]:
        return dict(graph.invoke({"messages": [("user", text)]}, config, context=Wanted(case=case)))

    first = say("What is the urea?")
    assert "11.2" in first["answers"][-1]["answer"]
    second = say("and the CRP?")
    assert "182" in second["answers"][-1]["answer"]
    assert second["turns"] == 2
    assert [m.type for m in second["messages"] if m.type in ("human", "ai") and not getattr(m, "tool_calls", None)] == ["human", "ai"] * 2
    refused = say("and the sodium?", None)  # said, not raised: a server of LangGraph tells a client nothing of an error
    assert "one patient" in refused["messages"][-1].text
    assert refused["turns"] == 2
    assert "138" in say("and the sodium?")["messages"][-1].text
    stranger = graph.invoke({"messages": [("user", "hello")]}, {"configurable": {"thread_id": "u"}}, context=Wanted(case="x"))
    assert stranger["messages"][-1].text.startswith("no such case")


def test_the_picture_in_the_docs_is_the_graph() -> None:
    spec = importlib.util.spec_from_file_location("graph_picture", ROOT / "scripts/graph_picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.picture() in (ROOT / "docs/integration.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_exists() -> None:
    from ui.cli.table import DECLARED

    page = (ROOT / "docs/integration.md").read_text(encoding="utf-8")
    lines = [line.partition("#")[0].split() for block in page.split("```")[1::2] for line in block.splitlines() if "medmpt " in line]
    named = [words[words.index("medmpt") + 1 :] for words in lines if "medmpt" in words]
    unknown = [w for w in named if not (w[0] in DECLARED or " ".join(w[:2]) in DECLARED)]
    assert len(named) > 15
    assert not unknown


def asks(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    return AIMessage(
        content="", tool_calls=[{"name": n, "args": a, "id": f"{n}-{i}", "type": "tool_call"} for i, (n, a) in enumerate(wanted)]
    )


def test_plain_tools_work_in_create_agent_and_take_the_expected_way(make_assistant: MakeAssistant) -> None:
    match = pytest.importorskip("agentevals.trajectory.match", reason="pip install agentevals")
    assistant = make_assistant()
    tools = bound(assistant, assistant._parts.tools(), "a")
    wanted = ("calculate_score", {"name": "curb_65"}), ("interpret_labs", {"analytes": ["urea"]})
    script = Scripted(lines=[lambda _: asks(*wanted), lambda m: AIMessage(content=str(m[-1].text))])
    said = create_agent(script, tools).invoke({"messages": [("user", "How severe?")]})["messages"]
    assert "L-urea" in str(said[-1].text)
    assert all(m.artifact["status"] == "ok" for m in said if isinstance(m, ToolMessage))
    reference = [
        {"role": "user", "content": ""},
        {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": n, "arguments": json.dumps(a)}} for n, a in wanted]},
        {"role": "tool", "content": ""},
        {"role": "tool", "content": ""},
        {"role": "assistant", "content": ""},
    ]
    judge = match.create_trajectory_match_evaluator(trajectory_match_mode="unordered")
    assert judge(outputs=convert_to_openai_messages(said), reference_outputs=reference)["score"]
    missed = [reference[0], reference[-1]]
    assert not judge(outputs=convert_to_openai_messages(said), reference_outputs=missed)["score"]


_SAID = (
    "Adults with low-severity community-acquired pneumonia (CURB-65 score 0 or 1) can be treated at home with oral amoxicillin for {} days."
)
CAP, FALSE = _SAID.format(5), _SAID.format(9)


def hand_in(text: str) -> AIMessage:
    return asks(("give_answer", {"sentences": [{"text": text, "evidence": ["G-cap-low"]}], "notice": None}))


def test_a_strong_model_plans_asks_in_parallel_and_revises_after_an_objection(make_assistant: MakeAssistant, tmp_path: Path) -> None:
    """The way through the graph, step by step, as `agentevals` reads it from the checkpoints."""
    strict = pytest.importorskip("agentevals.graph_trajectory.strict", reason="pip install agentevals")
    utils = pytest.importorskip("agentevals.graph_trajectory.utils", reason="pip install agentevals")
    house = make_assistant()._parts
    script = Scripted(
        lines=[
            lambda _: asks(("calculate_score", {"name": "curb_65"}), ("search_guidelines", {"query": "pneumonia treatment"})),
            lambda _: hand_in(FALSE),
            lambda _: hand_in(CAP),
        ]
    )
    graph = build_graph(script, house.tools(), InMemorySaver(), "scripted")
    settings = Settings(data_dir=tmp_path, cache_dir=tmp_path)
    loaded = house.load_case("a")
    context = replace(on_record(settings, house, loaded, CaseCard.of(loaded.case), "en", "How bad is it?"), thread="t")
    config = {"configurable": {"thread_id": "t"}}
    answer = graph.invoke({}, config, context=context)["answers"][-1]
    assert [c["text"] for c in answer["claims"]] == [CAP]
    assert [r["text"] for r in answer["removed"]] == [FALSE]
    found = utils.extract_langgraph_trajectory_from_thread(graph, config)["outputs"]
    told = [s for s in found["steps"][-1] if s != "__start__"]
    # Both tools run in one step of the graph; the first draft is objected to once.
    steps = ["begin", "call_model", "tools", "call_model", "verify", "call_model", "verify", "answer"]
    way = {"inputs": [], "results": [], "steps": [told]}
    assert strict.graph_trajectory_strict_match(outputs=way, reference_outputs={**way, "steps": [steps]})["score"], told


def test_a_strong_model_goes_on_from_what_it_read_and_mends_only_what_was_objected_to(
    make_assistant: MakeAssistant, tmp_path: Path
) -> None:
    """Two rounds of tools, the second chosen by the first's result; one of two sentences is wrong, and the model is told which."""
    house = make_assistant()._parts

    def next_step(messages: list[Any]) -> AIMessage:
        told = " ".join(str(m.text) for m in messages if isinstance(m, ToolMessage))
        severe = "CURB-65 is 5" in told
        return asks(("search_guidelines", {"query": "severe pneumonia" if severe else "pneumonia at home"}))

    def draft(prose: str) -> AIMessage:
        score = {"text": "CURB-65 is 5 points.", "evidence": ["S-curb_65"]}
        return asks(("give_answer", {"sentences": [score, {"text": prose, "evidence": ["G-cap-low"]}], "notice": None}))

    def revised(messages: list[Any]) -> AIMessage:
        objection = " ".join(str(m.text) for m in messages[-3:])
        assert FALSE in objection, "the model reads which sentence was not carried"
        return draft(CAP)

    parallel = ("calculate_score", {"name": "curb_65"}), ("interpret_labs", {"analytes": ["urea"]})
    script = Scripted(lines=[lambda _: asks(*parallel), next_step, lambda _: draft(FALSE), revised])
    graph = build_graph(script, house.tools(), InMemorySaver(), "scripted")
    loaded = house.load_case("a")
    settings = Settings(data_dir=tmp_path, cache_dir=tmp_path)
    context = replace(on_record(settings, house, loaded, CaseCard.of(loaded.case), "en", "How bad is it, and what then?"), thread="t")
    answer = graph.invoke({}, {"configurable": {"thread_id": "t"}}, context=context)["answers"][-1]
    assert len(script.seen) == 4
    assert [c["name"] for c in answer["tool_calls"]] == ["calculate_score", "interpret_labs", "search_guidelines"]
    assert [c["args"] for c in answer["tool_calls"]][-1]["query"] == "severe pneumonia"
    assert [c["text"] for c in answer["claims"]][-1] == CAP
    assert any("CURB-65 is 5 points" in c["text"] for c in answer["claims"])
    assert [r["text"] for r in answer["removed"]] == [FALSE]
