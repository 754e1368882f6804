"""One tool call outside a conversation: the node of the turn graph alone, with what leads every answer in front of the result."""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from agent.errors import BadInput
from agent.reading.lexicon import language_of
from agent.safety import lead
from agent.safety.requests import declined
from agent.turn.graph import timed
from agent.turn.state import TurnContext
from tools.evidence import ToolResult


def run_one(tools: Sequence[BaseTool], name: str, args: dict[str, Any], context: TurnContext) -> ToolResult:
    """Run the tool `name` on the case of `context`.

    Args:
        tools: The tools that may be called.
        name: Which one.
        args: As the caller gave them; the tool's own schema refuses what it does not know.
        context: The case as it is on record, and the language of the result.

    Raises:
        BadInput: There is no such tool, or what is asked for is declined.
    """
    if name not in {t.name for t in tools}:
        raise BadInput(f"no such tool: {name!r}; one of {', '.join(sorted(t.name for t in tools))}")
    words = " ".join(_texts(args))
    refused = declined(words, language_of(words)) if words.strip() else None
    if refused is not None:
        raise BadInput(refused)
    graph = StateGraph(MessagesState, context_schema=TurnContext)
    graph.add_node("tools", ToolNode(list(tools), handle_tool_errors=False, wrap_tool_call=timed))
    graph.add_edge(START, "tools")
    graph.add_edge("tools", END)
    call = {"name": name, "args": args, "id": "single", "type": "tool_call"}
    asked: Any = {"messages": [AIMessage(content="", tool_calls=[call])]}
    last = graph.compile().invoke(asked, context=context)["messages"][-1]
    assert isinstance(last, ToolMessage)
    return _led(ToolResult.model_validate(last.artifact), words, context)


def _led(result: ToolResult, words: str, context: TurnContext) -> ToolResult:
    """The result with the emergencies of what was typed and of the record first, and the passages that hold the first actions."""
    leading = lead(words, context.case, context.language)
    if not leading.headlines:
        return result
    held = {e.key for e in result.evidence}
    evidence = (*(e for e in leading.evidence if e.key not in held), *result.evidence)
    return result.model_copy(update={"emergencies": tuple(dict.fromkeys((*leading.headlines, *result.emergencies))), "evidence": evidence})


def _texts(value: Any) -> list[str]:
    """Every text that a caller typed."""
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [text for item in items for text in _texts(item)]
