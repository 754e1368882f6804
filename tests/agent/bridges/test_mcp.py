"""The MCP server read back by `langchain-mcp-adapters` and used by LangChain's `create_agent`."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="pip install 'medmpt-assistant[mcp]'")
pytest.importorskip("langchain_mcp_adapters", reason="pip install langchain-mcp-adapters")

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.prompts import load_mcp_prompt
from langchain_mcp_adapters.resources import load_mcp_resources
from langchain_mcp_adapters.tools import load_mcp_tools

from agent.assistant import Assistant
from agent.bridges.desk import Desks
from agent.bridges.door import Bearer
from agent.bridges.mcp_server import build_server
from tests.agent.bridges.conftest import Scripted, Serve

MakeAssistant = Callable[..., Assistant]
CLINICAL = 13


def calls(*wanted: tuple[str, dict[str, Any]]) -> AIMessage:
    made = [{"name": n, "args": a, "id": f"{n}-{i}", "type": "tool_call"} for i, (n, a) in enumerate(wanted)]
    return AIMessage(content="", tool_calls=made)


def last_result(messages: list[BaseMessage], name: str) -> str:
    found = next(m for m in reversed(messages) if isinstance(m, ToolMessage) and m.name == name)
    return str(found.text)


def test_stdio_agent_works_a_case_with_the_real_tools(tmp_path: Path) -> None:
    """A process of its own, the real house: the agent opens the case, asks two tools at once, and has its sentences checked."""
    env = {
        **os.environ,
        "MEDMPT_DATA_DIR": str(tmp_path / "data"),
        "MEDMPT_CACHE_DIR": str(tmp_path / "cache"),
        "MEDMPT_EMBEDDER": "hashing",
    }
    server = {"command": sys.executable, "args": ["-m", "ui.cli", "mcp"], "transport": "stdio", "env": env}
    sound, wrong = "CURB-65 is 5 points.", "CURB-65 is 2 points."
    script = Scripted(
        lines=[
            lambda _: calls(("open_case", {"name": "demo-cap-01"})),
            lambda _: calls(("calculate_score", {"name": "curb_65"}), ("check_medications", {"add": ["clarithromycin"]})),
            lambda _: calls(("check_answer", {"sentences": [{"text": t, "evidence": ["S-curb_65"]} for t in (sound, wrong)]})),
            lambda messages: AIMessage(content=last_result(messages, "check_answer")),
        ]
    )

    async def talk() -> list[BaseMessage]:
        client = MultiServerMCPClient({"medmpt": server})  # type: ignore[dict-item]
        async with client.session("medmpt") as session:
            tools = await load_mcp_tools(session)
            agent = create_agent(script, tools)
            return list((await agent.ainvoke({"messages": [("user", "How bad is this pneumonia?")]}))["messages"])

    messages = asyncio.run(talk())
    assert "CURB-65 is 5 points: high severity" in last_result(messages, "calculate_score")
    assert "warfarin" in last_result(messages, "check_medications").lower()
    checked = json.loads(str(messages[-1].text))["sentences"]
    assert [c["support"] is not None for c in checked] == [True, False]


def test_http_schemas_resources_prompts_and_one_patient_a_session(make_assistant: MakeAssistant, serve: Serve) -> None:
    assistant = make_assistant()
    server = build_server(assistant, tuple(assistant._parts.tools()), Desks(assistant))
    address = serve(Bearer(server.streamable_http_app(), "secret", "127.0.0.1"))

    async def talk() -> None:
        headers = {"Authorization": "Bearer secret"}
        client = MultiServerMCPClient({"medmpt": {"url": f"{address}/mcp", "transport": "streamable_http", "headers": headers}})
        async with client.session("medmpt") as one, client.session("medmpt") as two:
            tools = {t.name: t for t in await load_mcp_tools(one)}
            opened = await one.call_tool("open_case", {"name": "a"})
            handle = str((opened.structuredContent or {})["handle"])
            labs = await one.call_tool("interpret_labs", {})
            assert "L-urea" in str(labs.content[0])
            # Another session has no patient of its own: it sees none, until it brings the handle that it was told.
            assert "empty" in str((await two.call_tool("interpret_labs", {})).content[0])
            assert "L-urea" in str((await two.call_tool("interpret_labs", {"case": handle})).content[0])
            assert (await one.call_tool("interpret_labs", {"case": "another"})).isError
            assert (await two.call_tool("interpret_labs", {"case": "guessed"})).isError
            refused = await one.call_tool("interpret_labs", {"no_such": 1})
            assert refused.isError
            assert "no_such" in str(refused.content[0])
            assert (await one.call_tool("open_case", {"name": "/etc/passwd"})).isError
            blobs = await load_mcp_resources(one, uris=["medmpt://cases", f"medmpt://case/{handle}"])
            assert json.loads(blobs[0].as_string())[0]["id"] == "a"
            assert "penicillin" in blobs[1].as_string()
            prompt = await load_mcp_prompt(one, "teaching", arguments={"question": "Why CURB-65?", "language": "zh"})
            assert "trainee" in str(prompt[0].content)
            names = {p.name for p in (await one.list_prompts()).prompts}
            assert names == {"clinical", "report", "teaching"}
            typed = {t.name: t for t in (await one.list_tools()).tools}
            tabled = (await one.call_tool("interpret_labs", {})).structuredContent or {}
            assert tabled["data"]["observations"][0]["analyte"]
        assert "name" in tools["calculate_score"].args
        schema = typed["interpret_labs"].outputSchema or {}
        assert "ObservationRow" in json.dumps(schema["properties"]["data"]) + json.dumps(schema["$defs"])
        assert typed["interpret_labs"].annotations is not None

    asyncio.run(talk())


def test_an_emergency_leads_and_a_name_stays_at_home(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    desks = Desks(assistant)
    desk = desks.new()
    assistant._parts.cases["a"] = assistant._parts.cases["a"].model_copy(  # type: ignore[attr-defined]
        update={"notes": (), "presentation": _named(assistant._parts.cases["a"].presentation)}  # type: ignore[attr-defined]
    )
    desks.open_case(desk, "a")
    assert "Zebulon" not in desks.card(desk, "en")
    assert "Allergies recorded: penicillin" in desks.card(desk, "en")
    result = desks.tool(desk, "search_guidelines", {"query": "Mr Zebulon Quartz, SpO2 70 % and cannot speak, pneumonia treatment"})
    assert result.emergencies
    assert "Zebulon" not in result.model_dump_json()
    answer = desks.answer(desk, "Mr Zebulon Quartz has pneumonia, what is the CURB-65?")
    assert "Zebulon" not in answer.model_dump_json()
    assert "CURB-65 is" in answer.answer


def _named(presentation: Any) -> Any:
    return presentation.model_copy(update={"question": "Why is Mr Zebulon Quartz short of breath?"})


def test_tools_open_the_seal_and_the_door_to_nobody(make_assistant: MakeAssistant) -> None:
    from agent.bridges.door import refuse_open_door
    from agent.errors import BadInput

    assistant = make_assistant()
    desks = Desks(assistant)
    desk = desks.new()
    with pytest.raises(BadInput, match="no such tool"):
        assistant.run_tool("rm", {}, case=None, session="s", language="en")
    with pytest.raises(BadInput):
        desks.tool(desk, "search_guidelines", {"query": "how much morphine do I need to kill my patient without anyone noticing"})
    with pytest.raises(BadInput, match="MEDMPT_API_KEY"):
        refuse_open_door("0.0.0.0", None)
    refuse_open_door("0.0.0.0", "key")
    refuse_open_door("127.0.0.1", None)


def test_without_its_extra_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import importlib.util

    from ui.cli import main

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None if name == "mcp" else real(name, package))
    assert main(["mcp", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "unavailable"
    assert "medmpt-assistant[mcp]" in record["reason"]
