"""One call of a chat model: streamed, stoppable, its failures named."""

import re
import threading
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage

from agent.draft import ANSWER_TOOL, read_draft
from agent.errors import AgentError, Stopped


class ModelFailed(AgentError):
    """The model gave no usable answer: server unreachable, refused, timed out, or broke off."""


def call(model: BaseChatModel, tools: Sequence[Any], messages: list[AnyMessage], stop: threading.Event) -> AIMessage:
    """Call `model` with `tools` and gather its stream.

    Raises:
        ModelFailed: The server or the model failed; says how.
        Stopped: `stop` was set; the request is closed at the server.
    """
    import httpx
    import openai

    whole: AIMessageChunk | None = None
    try:
        for chunk in model.bind_tools(tools).stream(messages):
            if stop.is_set():
                raise Stopped("stopped by the person")
            piece = chunk if isinstance(chunk, AIMessageChunk) else AIMessageChunk(content=chunk.content, tool_calls=chunk.tool_calls)
            whole = piece if whole is None else whole + piece
    except (openai.APIError, httpx.HTTPError, OSError, ValueError, KeyError, TypeError, IndexError) as failure:
        raise ModelFailed(_plain(failure)) from failure
    if whole is None:
        raise ModelFailed("the model sent nothing")
    return AIMessage(
        content=whole.text,
        tool_calls=whole.tool_calls,
        invalid_tool_calls=whole.invalid_tool_calls,
        response_metadata={k: v for k, v in whole.response_metadata.items() if k in ("finish_reason", "stop_reason")},
        usage_metadata=whole.usage_metadata,
    )


def _plain(failure: Exception) -> str:
    """One line about a failure, without keys or request bodies."""
    name = {"APIConnectionError": "no connection to the server", "APITimeoutError": "the server did not answer in time"}.get(
        type(failure).__name__
    )
    text = name or f"{type(failure).__name__}: {failure}"
    return re.sub(r"\s+", " ", re.sub(r"sk-[A-Za-z0-9_-]{6,}", "sk-…", text))[:200]


def problem_of(message: AIMessage, known: set[str]) -> str | None:
    """What is wrong with a model's message, as the model is told; None when it can be used."""
    if message.response_metadata.get("finish_reason") == "length":
        return "it was cut off at the length limit"
    if message.invalid_tool_calls:
        return "a tool call has broken JSON arguments"
    unknown = [c["name"] for c in message.tool_calls if c["name"] not in known | {ANSWER_TOOL}]
    if unknown:
        return f"there is no tool named {', '.join(sorted(set(unknown)))}"
    if message.tool_calls and any(c["name"] in known for c in message.tool_calls):
        return None
    if "<tool_call>" in message.text or "<|tool" in message.text:
        return "a tool call was written as text instead of being made"
    if read_draft(message) is None:
        return "the answer is empty" if not message.tool_calls else "the arguments of give_answer do not fit its schema"
    return None
