"""The assistant as an OpenAI-compatible server: `/v1/chat/completions` (whole or streamed), `/v1/models`, `/health`.

The text is the message; everything else of an answer (claims, evidence, tool calls, emergencies) stands in the extra field `medmpt`.
A case is bound by the model's name (`medmpt@demo-cap-01`) or by the request's extra field; only cases that the server offers.
"""

import asyncio
import hashlib
import json
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.requests import Request as HttpRequest

from agent.answering.answer import Answer, Event
from agent.assistant import Assistant
from agent.bridges.histories import Histories
from agent.bridges.openai_types import MODEL, ModelEntry, ModelList, Request, extra_of, usage_of
from agent.errors import AgentError, BadInput
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError

_ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)
_IGNORED = "these fields of the request change nothing here: {names}"
_NO_SYSTEM = "system messages are not followed: the assistant has its own rules"
_END = "data: [DONE]\n\n"


class Desk:
    """What the server knows between requests: cases that are open, and where each conversation stands."""

    def __init__(self, assistant: Assistant, cases: dict[str, str | Path]) -> None:
        """`cases`: what may be bound, by the name that clients use."""
        self._assistant, self.cases = assistant, cases
        self._histories = Histories()
        self._handles: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def events(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """The turn that a request asks for.

        Raises:
            BadInput: No question, no such model or case, or more than one choice.
        """
        name = _case_name(request)
        questions = [m.words().strip() for m in request.messages if m.role == "user"]
        if request.messages[-1].role != "user" or not questions[-1]:
            raise BadInput("the last message is the question and must be the user's, with text")
        if request.n not in (None, 1):
            raise BadInput("n must be 1: one verified answer is given")
        session = hashlib.sha256(f"api:{request.user or ''}".encode()).hexdigest()
        handle = self._handle(name, session) if name else None
        thread, first = self._histories.take(session, name, questions)
        thread = thread or self._assistant.new_thread(session)
        for earlier in (q for q in first if q and not stop.is_set()):
            for _ in self._assistant.ask(earlier, thread=thread, case=handle, session=session, stop=stop):
                pass
        language = request.medmpt.language
        yield from self._assistant.ask(questions[-1], thread=thread, case=handle, session=session, language=language, stop=stop)
        self._histories.put(session, name, questions, thread)

    def _handle(self, name: str, session: str) -> str:
        if name not in self.cases:
            raise BadInput(f"no such case: {name!r}; this server offers {', '.join(self.cases)}")
        with self._lock:
            if (name, session) not in self._handles:
                self._handles[name, session] = self._assistant.open_case(self.cases[name], session=session).handle
            return self._handles[name, session]


def _case_name(request: Request) -> str | None:
    model, at, named = request.model.partition("@")
    if model != MODEL:
        raise HTTPException(404, f"no such model: {request.model!r}; GET /v1/models lists them")
    asked = request.medmpt.case
    if at and asked is not None and asked != named:
        raise BadInput(f"the model's name binds case {named!r}, the field medmpt.case another: give one")
    return named if at else asked


def build_api(assistant: Assistant, cases: dict[str, str | Path]) -> FastAPI:
    """The server's application; `agent.bridges.door.Bearer` stands before it."""
    desk = Desk(assistant, cases)
    app = FastAPI(title="MedMPT Assistant", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/models")
    def models() -> ModelList:
        bound = [ModelEntry(id=f"{MODEL}@{name}", description=f"about the case {name}") for name in cases]
        return ModelList(data=[ModelEntry(id=MODEL, description="without a patient"), *bound])

    @app.get("/v1/models/{name}")
    def model(name: str) -> ModelEntry:
        found = next((m for m in models().data if m.id == name), None)
        if found is None:
            raise HTTPException(404, f"no such model: {name!r}")
        return found

    @app.post("/v1/chat/completions", response_model=None)
    async def completions(request: Request, http: HttpRequest) -> Response:
        turn = _Turn(request)
        pump = _Pump(desk, request)
        first = await pump.next()
        if isinstance(first, Exception):
            return _failed(first)
        if request.stream:
            return StreamingResponse(_streamed(turn, pump, first), media_type="text/event-stream", headers={"cache-control": "no-store"})
        return await _whole(turn, pump, first, http)

    return app


@dataclass
class _Turn:
    """What all chunks of a reply share."""

    request: Request
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def warnings(self) -> list[str]:
        """What of the request changes nothing."""
        ignored = self.request.ignored()
        found = [_IGNORED.format(names=", ".join(ignored))] if ignored else []
        return [*found, _NO_SYSTEM] if any(m.role in ("system", "developer") for m in self.request.messages) else found

    def chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        """One event of the stream."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice], **more})

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The reply in one piece."""
        message = {"role": "assistant", "content": answer.answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        extra = extra_of(answer, self.warnings())
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage_of(answer), "medmpt": extra}

    def usage(self, answer: Answer) -> str:
        """The last chunk of a client that asked for tokens."""
        return _event({**self._head("chat.completion.chunk"), "choices": [], "usage": usage_of(answer)})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.request.model}


class _Pump:
    """Runs the blocking turn in a thread and hands its events to the loop; `close` stops the turn."""

    def __init__(self, desk: Desk, request: Request) -> None:
        self._queue: asyncio.Queue[Event | Exception | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        threading.Thread(target=self._run, args=(desk, request), daemon=True, name="api-turn").start()

    def _run(self, desk: Desk, request: Request) -> None:
        last: Exception | None = None
        try:
            for event in desk.events(request, self._stop):
                self._put(event)
        except (*_ROOM_ERRORS, HTTPException) as failure:
            last = failure
        except BaseException:
            self._put(AgentError("internal failure; details are in the server's log"))
            raise
        self._put(last)

    def _put(self, item: Event | Exception | None) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)

    async def next(self) -> Event | Exception | None:
        return await self._queue.get()

    def close(self) -> None:
        self._stop.set()


async def _whole(turn: _Turn, pump: _Pump, first: Event | Exception | None, http: HttpRequest) -> Response:
    event = first
    try:
        while event is not None and not isinstance(event, Exception):
            if event.type == "done":
                return JSONResponse(turn.whole(event.answer))
            waiting = asyncio.ensure_future(pump.next())
            while not (await asyncio.wait({waiting}, timeout=0.5))[0]:
                if await http.is_disconnected():
                    waiting.cancel()
                    return Response(status_code=499)
            event = waiting.result()
    finally:
        pump.close()
    return _failed(event or AgentError("the turn ended without an answer"))


async def _streamed(turn: _Turn, pump: _Pump, first: Event | None) -> AsyncIterator[str]:
    """Tool steps as they happen in chunks without text, then the text line by line, then the evidence with the last chunk."""
    event: Event | Exception | None = first
    try:
        yield turn.chunk({"role": "assistant", "content": ""})
        while event is not None and not isinstance(event, Exception):
            if event.type == "done":
                for line in event.answer.answer.splitlines(keepends=True):
                    yield turn.chunk({"content": line})
                yield turn.chunk({}, "stop", medmpt=extra_of(event.answer, turn.warnings()))
                if turn.request.stream_options is not None and turn.request.stream_options.include_usage:
                    yield turn.usage(event.answer)
                break
            if event.type != "sentence":
                yield turn.chunk({}, medmpt={"step": event.model_dump(mode="json")})
            event = await pump.next()
        if isinstance(event, Exception):
            yield _event(_error(str(event), "server_error", None))
        yield _END
    finally:
        pump.close()


def _event(record: dict[str, Any]) -> str:
    return f"data: {json.dumps(record, ensure_ascii=False)}\n\n"


def _error(message: str, kind: str, code: int | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _failed(failure: Exception) -> JSONResponse:
    if isinstance(failure, HTTPException):
        return JSONResponse(_error(str(failure.detail), "invalid_request_error", failure.status_code), failure.status_code)
    if getattr(failure, "exit_code", 1) == 2:
        return JSONResponse(_error(str(failure), "invalid_request_error", 400), 400)
    status = 503 if getattr(failure, "status", "error") == "unavailable" else 500
    return JSONResponse(_error(str(failure), "server_error", status), status)


async def _http_error(_: HttpRequest, failure: Exception) -> Response:
    return _failed(failure)


async def _invalid(_: HttpRequest, failure: Exception) -> Response:
    assert isinstance(failure, RequestValidationError)
    told = "; ".join(f"{'.'.join(str(p) for p in e['loc'][1:])}: {e['msg']}" for e in failure.errors())
    return JSONResponse(_error(told, "invalid_request_error", 400), 400)
