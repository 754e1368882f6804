"""Tool definitions as a server gets them: strict where the schema allows it, so that constrained decoding cannot break a call."""

from collections.abc import Sequence
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.answering.draft import answer_tool_schema


def definitions(tools: Sequence[BaseTool]) -> list[dict[str, Any]]:
    """OpenAI definitions of `tools` and of `give_answer`."""
    return [*(strict_definition(t) for t in tools), answer_tool_schema()]


def strict_definition(tool: BaseTool) -> dict[str, Any]:
    """One definition in which every argument is required and an optional one may be null; free-form objects stay unconstrained."""
    made: dict[str, Any] = convert_to_openai_tool(tool)
    function = made["function"]
    parameters = function.setdefault("parameters", {"type": "object", "properties": {}})
    properties: dict[str, Any] = parameters.get("properties", {})
    required = set(parameters.get("required", []))
    parameters["additionalProperties"] = False
    if any(_free_form(p) for p in properties.values()):
        return made
    parameters["properties"] = {name: p if name in required else _nullable(p) for name, p in properties.items()}
    parameters["required"] = list(properties)
    function["strict"] = True
    return made


def _free_form(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "object" and schema.get("additionalProperties") not in (None, False):
        return True
    return any(_free_form(part) for part in schema.get("anyOf", []))


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    plain = {k: v for k, v in schema.items() if k != "default"}
    if any(part.get("type") == "null" for part in plain.get("anyOf", [])):
        return plain
    described = {"description": plain.pop("description")} if "description" in plain else {}
    return {"anyOf": [plain, {"type": "null"}], **described}


def without_nulls(args: dict[str, Any]) -> dict[str, Any]:
    """Arguments as the tool expects them: a null means that the argument was left out."""
    return {k: v for k, v in args.items() if v is not None}
