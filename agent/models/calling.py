"""One call of a chat model that runs elsewhere: streamed, stoppable, bounded in time, its failures named.

What is sent is scrubbed here: no paths, no contact data, no long numbers that look like an identifier.
"""

import json
import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import invalid_tool_call

from agent.answering.draft import ANSWER_TOOL, read_draft
from agent.errors import AgentError, Stopped
from agent.models.disconnect import CURRENT, HangUp

# A model that asks for more at once is not planning.
MAX_CALLS = 8
# Waits between looks at the stop button, in seconds.
_TICK = 0.05
# Longest wait that a rate limit may ask for before the planner takes over, in seconds.
_PATIENCE = 2.0
_LONGEST_TOOL_TEXT = 6000
_OURS = ("builtins", "agent", "tools", "retrieval", "medmpt_backend")
_PATH = re.compile(r"(?<![\w.])(?:[A-Za-z]:\\[^\s'\"]+|~?(?:/[\w.@+\-]+){2,}/?)")
_CONTACT = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+|(?<![\w.])\+?\d[\d\s-]{6,}\d(?:[Xx]|\b)")


class ModelFailed(AgentError):
    """The model gave no usable answer: server unreachable, refused, timed out, or broke off."""


class ContextOverflow(ModelFailed):
    """The prompt does not fit the model's context."""


def call(model: BaseChatModel, tools: Sequence[Any], messages: Sequence[AnyMessage], stop: threading.Event, seconds: float) -> AIMessage:
    """Call `model` with `tools` and gather its stream; a rate limit or a hiccup of the server is retried once.

    Args:
        model: The model.
        tools: Tool definitions.
        messages: The conversation.
        stop: Ends the call; its connection to the server is cut at once.
        seconds: Time limit of the call.

    Raises:
        ModelFailed: The server or the model failed; says how.
        ContextOverflow: The prompt is too long.
        Stopped: `stop` was set.
    """
    sent = [scrubbed(m) for m in messages]
    deadline = time.monotonic() + seconds
    try:
        return _gather(model, tools, sent, stop, deadline)
    except ModelFailed as first:
        cause = first.__cause__
        if not _kinds(cause) & {"RateLimitError", "InternalServerError"}:
            raise
        if stop.wait(min(_asked_wait(cause), _PATIENCE)):
            raise Stopped("stopped by the person") from first
        return _gather(model, tools, sent, stop, deadline)


def scrubbed(message: AnyMessage) -> BaseMessage:
    """The message as a server may see it: text only, without paths, contact data and over-long tool output."""
    if isinstance(message, ToolMessage):
        text = _PATH.sub("…", str(message.text))[:_LONGEST_TOOL_TEXT]
        return ToolMessage(content=text, tool_call_id=message.tool_call_id, name=message.name)
    if isinstance(message, HumanMessage):
        return HumanMessage(content=_CONTACT.sub("…", _PATH.sub("…", str(message.text))))
    return message


def _kinds(failure: BaseException | None) -> set[str]:
    """Names of the failure's classes: the clients that define them are imported only where one is used."""
    return {c.__name__ for c in type(failure).__mro__}


def _asked_wait(failure: Any) -> float:
    try:
        return float(failure.response.headers.get("retry-after", "0.5"))
    except ValueError:
        return 0.5


def _gather(model: BaseChatModel, tools: Sequence[Any], messages: list[BaseMessage], stop: threading.Event, deadline: float) -> AIMessage:
    whole: AIMessageChunk | None = None
    for piece in pieces(model, tools, messages, stop, deadline - time.monotonic()):
        whole = piece if whole is None else whole + piece
    if whole is None:
        raise ModelFailed("the model sent nothing")
    return _message(whole)


def pieces(
    model: BaseChatModel, tools: Sequence[Any], messages: Sequence[BaseMessage], stop: threading.Event, seconds: float
) -> Iterator[AIMessageChunk]:
    """The stream of one call, read in a thread of its own so that stop button and time limit are seen while the server is silent.

    Raises:
        ModelFailed: The server or the model failed, or `seconds` are over.
        Stopped: `stop` was set.
    """
    deadline = time.monotonic() + seconds
    arrived: queue.Queue[AIMessageChunk | BaseException | None] = queue.Queue()
    given_up, line = threading.Event(), HangUp()
    stream = (model.bind_tools(tools) if tools else model).stream(list(messages))
    threading.Thread(target=_pump, args=(stream, arrived, given_up, line), daemon=True).start()
    try:
        while (piece := _next(arrived, stop, deadline)) is not None:
            if isinstance(piece, BaseException):
                raise _named(piece) from piece
            yield piece
    finally:
        given_up.set()
        line.now()


def _pump(
    stream: Iterator[Any], arrived: "queue.Queue[AIMessageChunk | BaseException | None]", given_up: threading.Event, line: HangUp
) -> None:
    CURRENT.set(line)
    try:
        for chunk in stream:
            if given_up.is_set():
                break
            arrived.put(chunk if isinstance(chunk, AIMessageChunk) else AIMessageChunk(content=chunk.content, tool_calls=chunk.tool_calls))
    except BaseException as failure:  # noqa: BLE001 - handed to the waiting thread, which raises it
        arrived.put(failure)
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
        arrived.put(None)


def _next(arrived: "queue.Queue[AIMessageChunk | BaseException | None]", stop: threading.Event, deadline: float) -> Any:
    while True:
        if stop.is_set():
            raise Stopped("stopped by the person")
        if time.monotonic() > deadline:
            raise ModelFailed("the server did not finish in time")
        try:
            return arrived.get(timeout=_TICK)
        except queue.Empty:
            continue


def _named(failure: BaseException) -> BaseException:
    """The failure as this room names it; a bug of ours stays what it is."""
    if not _foreign(failure) and not isinstance(failure, OSError | ValueError | KeyError | TypeError | IndexError | AttributeError):
        return failure
    text = _plain(failure)
    if re.search(r"context.{0,12}length|maximum context|too many tokens|prompt is too long|context_length_exceeded", text, re.IGNORECASE):
        return ContextOverflow(text)
    return ModelFailed(text)


def _foreign(failure: BaseException) -> bool:
    """Whether the failure's class comes from a provider's or a transport's package: each has its own, and they share no base."""
    return type(failure).__module__.partition(".")[0] not in _OURS


def _plain(failure: BaseException) -> str:
    """One line about a failure, without keys, paths or request bodies."""
    text = f"{type(failure).__name__}: {failure}"
    if "APITimeoutError" in _kinds(failure) or isinstance(failure, TimeoutError):
        text = "the server did not answer in time"
    elif "APIConnectionError" in _kinds(failure) or isinstance(failure, OSError):
        text = "no connection to the server"
    hidden = re.sub(r"\b(sk|key|Bearer)[-_ ][A-Za-z0-9_\-]{6,}", r"\1-…", _PATH.sub("…", text))
    return re.sub(r"\s+", " ", hidden)[:200]


def _message(whole: AIMessageChunk) -> AIMessage:
    """The gathered message; arguments that are not complete JSON are invalid (LangChain would complete them by guessing)."""
    broken = {c.get("index") for c in whole.tool_call_chunks if not _is_object(c.get("args"))}
    return AIMessage(
        content=whole.text,
        tool_calls=[] if broken else whole.tool_calls,
        invalid_tool_calls=[invalid_tool_call(error="broken JSON")] if broken else whole.invalid_tool_calls,
        response_metadata={k: v for k, v in whole.response_metadata.items() if k in ("finish_reason", "stop_reason")},
        usage_metadata=whole.usage_metadata,
    )


def _is_object(args: str | None) -> bool:
    try:
        return isinstance(json.loads(args or "{}"), dict)
    except json.JSONDecodeError:
        return False


def problem_of(message: AIMessage, known: set[str]) -> str | None:
    """What is wrong with a model's message, as the model is told; None when it can be used."""
    if message.response_metadata.get("finish_reason") == "length":
        return "it was cut off at the length limit"
    if message.invalid_tool_calls:
        return "a tool call has broken JSON arguments"
    unknown = sorted({c["name"] for c in message.tool_calls} - known - {ANSWER_TOOL})
    if unknown:
        return f"there is no tool named {', '.join(unknown)[:80]}"
    if len(message.tool_calls) > MAX_CALLS:
        return f"it asks {len(message.tool_calls)} tools at once; at most {MAX_CALLS}"
    if any(c["name"] in known for c in message.tool_calls):
        return None
    if re.search(r"<tool_call>|<\|tool|\[TOOL_CALLS\]|<function=", message.text):
        return "a tool call was written as text instead of being made"
    if read_draft(message) is None:
        return "the answer is empty" if not message.tool_calls else "the arguments of give_answer do not fit its schema"
    return None
