"""The clinical tools as an MCP server (`mcp` 1.x, FastMCP): typed tools, passages and cases as resources, three prompts.

The sessions of a connection are told apart by the protocol; each has one patient (`agent.bridges.desk`). Blocking work runs in threads.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, redirect_stdout
from functools import partial
from sys import stderr
from typing import Any
from weakref import WeakKeyDictionary, finalize

import anyio.to_thread
from langchain_core.tools import BaseTool
from mcp.server.fastmcp import Context, FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.server.fastmcp.tools.base import Tool
from mcp.server.fastmcp.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, create_model

from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.bridges.desk import Desk, Desks
from agent.bridges.mcp_texts import PROMPTS, RULES, prompt_text
from agent.errors import AgentError
from agent.sessions.views import CaseView
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from tools.evidence import Language, ToolResult

_ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)
_CASE = "Handle that open_case gave; leave out for the patient of this session"
_READ_ONLY = ToolAnnotations(readOnlyHint=True, destructiveHint=False, idempotentHint=True, openWorldHint=False)


class _Arguments(ArgModelBase):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class OpenedCase(BaseModel):
    """A case as a foreign agent may know it."""

    handle: str
    name: str
    card: str
    studies: tuple[str, ...] = ()
    synthetic: bool = True
    warnings: tuple[str, ...] = ()


class SentenceToCheck(BaseModel):
    """One sentence with the keys that are said to carry it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=2000)
    evidence: list[str] = Field(default_factory=list, max_length=20)


class CheckedSentence(BaseModel):
    """Whether the evidence carries a sentence, and if not, why."""

    text: str
    support: str | None
    because: str | None


class Checked(BaseModel):
    """The sentences of an answer, each checked."""

    sentences: tuple[CheckedSentence, ...]


class _Rooms:
    """Desks by protocol session."""

    def __init__(self, desks: Desks) -> None:
        self.desks = desks
        self._of: WeakKeyDictionary[Any, Desk] = WeakKeyDictionary()

    def desk(self, context: "Context[Any, Any, Any]", handle: str | None = None) -> Desk:
        session = context.session
        mine = self._of.get(session)
        if mine is None:
            mine = self._of[session] = self.desks.new()
            finalize(session, self.desks.forget, mine)
        return self.desks.of(mine, handle)


def build_server(assistant: Assistant, tools: tuple[BaseTool, ...], desks: Desks, **settings: Any) -> "FastMCP[Any]":
    """The MCP server.

    Args:
        assistant: Behind every tool.
        tools: The clinical tools that are offered.
        desks: Its sessions.
        settings: Of FastMCP: host, port.
    """
    rooms = _Rooms(desks)
    offered = [*(_clinical(t, rooms) for t in tools), *_own(rooms)]
    server: FastMCP[Any] = FastMCP("medmpt", instructions=RULES, log_level="WARNING", tools=offered, lifespan=_quiet, **settings)
    _resources(server, assistant, rooms)
    for name, (title, description) in PROMPTS.items():
        server.prompt(name=name, title=title, description=description)(_prompt(name))
    return server


@asynccontextmanager
async def _quiet(_: "FastMCP[Any]") -> AsyncIterator[None]:
    """On stdio the protocol owns standard output: what a library prints goes to standard error."""
    with redirect_stdout(stderr):
        yield


async def _in_thread(work: Callable[..., Any], *args: Any) -> Any:
    """Run blocking work in a thread; a typed refusal becomes the tool's error, a bug rises."""
    try:
        return await anyio.to_thread.run_sync(partial(work, *args), abandon_on_cancel=True)
    except _ROOM_ERRORS as refusal:
        raise ToolError(str(refusal)) from refusal


def _clinical(tool: BaseTool, rooms: _Rooms) -> Tool:
    """One of the house's tools, with its own argument model and a typed result."""
    schema: Any = tool.tool_call_schema
    fields: dict[str, Any] = {n: (f.annotation, f) for n, f in schema.model_fields.items() if n != "runtime"}
    fields["case"] = (str | None, Field(default=None, description=_CASE, max_length=100))
    fields["language"] = (Language | None, Field(default=None, description="Of the result: en or zh; left out, that of the words"))

    async def run(ctx: "Context[Any, Any, Any]", case: str | None = None, language: Language | None = None, **args: Any) -> CallToolResult:
        desk = rooms.desk(ctx, case)
        given = {k: v for k, v in args.items() if v is not None}
        result: ToolResult = await _in_thread(rooms.desks.tool, desk, tool.name, given, language)
        text = "\n".join([*(f"EMERGENCY: {e}" for e in result.emergencies), result.for_model(language or "en")])
        return CallToolResult(content=[TextContent(type="text", text=text)], structuredContent=result.model_dump(mode="json"))

    return _tool(tool.name, tool.description, run, fields, ToolResult, ToolResult.schema_of(tool.name))


def _tool(
    name: str,
    description: str,
    run: Callable[..., Any],
    fields: dict[str, Any],
    output: type[BaseModel],
    schema: dict[str, Any] | None = None,
) -> Tool:
    arguments = create_model(f"{name}Arguments", __base__=_Arguments, **fields)
    metadata = FuncMetadata(arg_model=arguments, output_model=output, output_schema=schema or output.model_json_schema())
    return Tool(
        fn=run,
        name=name,
        description=description,
        parameters=arguments.model_json_schema(by_alias=True),
        fn_metadata=metadata,
        is_async=True,
        context_kwarg="ctx",
        annotations=_READ_ONLY,
    )


def _own(rooms: _Rooms) -> list[Tool]:
    """`open_case`, `ask` and `check_answer`: what no single clinical tool does."""

    async def open_case(ctx: "Context[Any, Any, Any]", name: str, language: Language = "en") -> OpenedCase:
        desk = rooms.desk(ctx)
        view: CaseView = await _in_thread(rooms.desks.open_case, desk, name)
        card = rooms.desks.card(desk, language)
        studies = tuple(s.id for s in view.studies)
        return OpenedCase(handle=view.handle, name=view.name, card=card, studies=studies, synthetic=view.synthetic, warnings=view.warnings)

    async def ask(
        ctx: "Context[Any, Any, Any]", question: str, case: str | None = None, language: Language | None = None
    ) -> CallToolResult:
        answered: Answer = await _in_thread(rooms.desks.answer, rooms.desk(ctx, case), question, language)
        sources = [f"[{i}] {e.key}: {e.source}" for i, e in enumerate(answered.evidence, 1)]
        text = "\n".join([answered.answer, "", *sources])
        return CallToolResult(content=[TextContent(type="text", text=text)], structuredContent=answered.model_dump(mode="json"))

    async def check_answer(ctx: "Context[Any, Any, Any]", sentences: list[SentenceToCheck], case: str | None = None) -> Checked:
        from agent.answering.draft import DraftSentence

        drafted = [DraftSentence(text=s.text, evidence=tuple(s.evidence)) for s in sentences]
        verdicts = await _in_thread(rooms.desks.check, rooms.desk(ctx, case), drafted)
        return Checked(sentences=tuple(CheckedSentence(text=v.text, support=v.support, because=v.because) for v in verdicts))

    handle = (str | None, Field(default=None, description=_CASE, max_length=100))
    spoken = (Language | None, Field(default=None, description="Of the answer: en or zh; left out, the question's"))
    return [
        _tool(
            "open_case",
            "Open a patient for this session, once: the tools then speak of this patient. Ids stand in the resource medmpt://cases.",
            open_case,
            {"name": (str, Field(description="Id of a case", max_length=100)), "language": (Language, Field(default="en"))},
            OpenedCase,
        ),
        _tool(
            "ask",
            "Ask the whole assistant: it chooses tools, checks every sentence against its evidence and answers with citations.",
            ask,
            {"question": (str, Field(min_length=1, max_length=8000)), "case": handle, "language": spoken},
            Answer,
        ),
        _tool(
            "check_answer",
            "Check sentences that you wrote against the evidence that the tools gave in this session: number, unit, negation, side, drug.",
            check_answer,
            {"sentences": (list[SentenceToCheck], Field(min_length=1, max_length=60)), "case": handle},
            Checked,
        ),
    ]


def _resources(server: "FastMCP[Any]", assistant: Assistant, rooms: _Rooms) -> None:
    """Passages by key, the cases that may be opened, and the card of an open one."""

    @server.resource("medmpt://passage/{key}", title="Guideline passage", mime_type="application/json")
    async def passage(key: str) -> str:
        found = await _in_thread(assistant.passage, key)
        if found is None:
            raise ToolError(f"no passage has the key {key!r}; keys come from search_guidelines")
        return str(found.model_dump_json())

    @server.resource("medmpt://cases", title="Cases that open_case takes", mime_type="application/json")
    async def cases() -> str:
        from json import dumps

        return dumps([c.model_dump() for c in assistant.demo_cases()], ensure_ascii=False)

    @server.resource("medmpt://case/{handle}", title="Card of an open case", mime_type="text/plain")
    async def case(handle: str, ctx: Context) -> str:  # type: ignore[type-arg] # with parameters pydantic copies it, and the copy is empty
        return rooms.desks.card(rooms.desk(ctx, handle), "en")


def _prompt(name: str) -> Callable[..., str]:
    def prompt(question: str, language: Language = "en") -> str:
        return prompt_text(name, question, language)

    return prompt
