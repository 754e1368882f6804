"""The clinical tools as plain LangChain tools for any agent: bound to one patient, without a runtime, results scrubbed.

from agent.bridges.toolkit import clinical_tools
agent = create_agent(model, clinical_tools("demo-cap-01"))
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, create_model

from agent.assistant import Assistant
from agent.bridges.desk import Desk, Desks
from agent.errors import AgentError
from agent.settings import Settings
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError

_ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)


def clinical_tools(case: str | Path | None = None, assistant: Assistant | None = None) -> list[BaseTool]:
    """The thirteen tools on one patient.

    Args:
        case: Demo case id or a path of a case; None without a patient.
        assistant: One that is open already; None opens one by the environment's settings.
    """
    from tools.registry import TOOLS

    opened = assistant or Assistant.open(Settings.from_environment())
    return bound(opened, TOOLS, case)


def bound(assistant: Assistant, tools: Sequence[BaseTool], case: str | Path | None) -> list[BaseTool]:
    """`tools` through a desk of its own."""
    desks = Desks(assistant, case=case)
    desk = desks.new()
    return [
        StructuredTool.from_function(
            func=_function(desks, desk, tool.name),
            name=tool.name,
            description=tool.description,
            args_schema=_arguments(tool),
            response_format="content_and_artifact",
        )
        for tool in tools
    ]


def _arguments(tool: BaseTool) -> type[BaseModel]:
    schema: Any = tool.tool_call_schema
    fields: dict[str, Any] = {n: (f.annotation, f) for n, f in schema.model_fields.items() if n != "runtime"}
    return create_model(f"{tool.name}Arguments", __config__={"extra": "forbid"}, **fields)


def _function(desks: Desks, desk: Desk, name: str) -> Callable[..., tuple[str, dict[str, Any]]]:
    """A refusal is told to the agent as a result: it must go on without."""

    def run(**args: Any) -> tuple[str, dict[str, Any]]:
        try:
            result = desks.tool(desk, name, {k: v for k, v in args.items() if v is not None})
        except _ROOM_ERRORS as refusal:
            return f"{name}: {refusal.status} ({refusal})", {"tool": name, "status": refusal.status, "reason": str(refusal)}
        return result.for_model(), result.model_dump(mode="json")

    return run
