"""Commands that open the assistant to other programs: `mcp`, `serve-api`."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel

from agent.errors import BadInput, Unavailable
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.assistant import Assistant

_CASE = "The one patient of every session: demo case id, case folder, bundle or study; then no client can open another."
_LLM = "Chat model that composes answers: planner, vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or PROVIDER:MODEL."


class Served(BaseModel):
    """What a server says when it has ended."""

    status: Literal["ok"] = "ok"
    url: str


def mcp(
    ctx: typer.Context,
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP instead of standard input and output.")] = False,
    host: Annotated[str, typer.Option(help="Address for --http; anything but loopback needs MEDMPT_API_KEY.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for --http.", min=1, max=65535)] = 8765,
    case: Annotated[str | None, typer.Option("--case", help=_CASE)] = None,
    llm: Annotated[str | None, typer.Option("--llm", help=_LLM)] = None,
) -> BaseModel:
    """Offer the clinical tools to other agents by the Model Context Protocol."""
    from agent.bridges.door import Bearer, is_loopback, refuse_open_door

    if importlib.util.find_spec("mcp") is None:
        raise Unavailable("the MCP server needs its extra: pip install 'medmpt-assistant[mcp]'")
    settings: Settings = ctx.obj if llm is None else replace(ctx.obj, llm=llm)
    if http:
        refuse_open_door(host, settings.api_key)
    from mcp.server.transport_security import TransportSecuritySettings

    from agent.bridges.desk import Desks
    from agent.bridges.mcp_server import build_server
    from tools.registry import TOOLS

    assistant = _open(settings)
    desks = Desks(assistant, settings.free_text, _source(assistant, case))
    try:
        if not http:
            build_server(assistant, TOOLS, desks).run("stdio")
            raise typer.Exit(0)
        import uvicorn

        # `Bearer` looks at the names; FastMCP's own list would refuse a server behind another name.
        security = None if is_loopback(host) else TransportSecuritySettings(enable_dns_rebinding_protection=False)
        server = build_server(assistant, TOOLS, desks, host=host, port=port, transport_security=security)
        sys.stderr.write(f"MCP server at http://{host}:{port}/mcp (Ctrl+C ends it)\n")
        uvicorn.run(Bearer(server.streamable_http_app(), settings.api_key, host), host=host, port=port, log_level="warning")
        return Served(url=f"http://{host}:{port}/mcp")
    finally:
        assistant.close()


def _open(settings: Settings) -> "Assistant":
    from agent.assistant import Assistant

    return Assistant.open(settings)


def _source(assistant: "Assistant", case: str | None) -> str | Path | None:
    """What `--case` names.

    Raises:
        BadInput: Neither a demo case nor a file here.
    """
    demos = [d.id for d in (*assistant.demo_cases(), *assistant.teaching_cases())]
    if case is None or case in demos:
        return case
    if not Path(case).exists():
        raise BadInput(f"--case {case!r} is neither a demo case ({', '.join(demos)}) nor a file or folder here")
    return Path(case).resolve()


COMMANDS: dict[str, Callable[..., BaseModel]] = {"mcp": mcp}
