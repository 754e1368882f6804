"""Commands that open the assistant to other programs: `mcp`, `serve-api`."""

import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from pydantic import BaseModel

from agent.errors import BadInput, Unavailable
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.assistant import Assistant

_CASE = "The one patient of every session: demo case id, case folder, bundle or study; then no client can open another."
_LLM = "Chat model that composes answers: planner, vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or PROVIDER:MODEL."

# An open stream does not keep a server that was told to end.
_SERVING: dict[str, Any] = {"log_level": "warning", "timeout_graceful_shutdown": 5}


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
        uvicorn.run(Bearer(server.streamable_http_app(), settings.api_key, host), host=host, port=port, **_SERVING)
        return Served(url=f"http://{host}:{port}/mcp")
    finally:
        assistant.close()


def serve_api(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on; anything but loopback needs MEDMPT_API_KEY.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8766,
    case: Annotated[
        list[str] | None, typer.Option("--case", help="NAME=PATH: a case of your own, as model medmpt@NAME. May be repeated.")
    ] = None,
    demos: Annotated[bool, typer.Option("--demos/--no-demos", help="Offer the demo cases as models too.")] = True,
    llm: Annotated[str | None, typer.Option("--llm", help=_LLM)] = None,
) -> Served:
    """Answer as an OpenAI-compatible server at http://127.0.0.1:8766/v1, for any chat client."""
    from agent.bridges.door import Bearer, refuse_open_door

    settings: Settings = ctx.obj if llm is None else replace(ctx.obj, llm=llm)
    refuse_open_door(host, settings.api_key)
    own: dict[str, str | Path] = dict(_named(one) for one in case or ())
    import uvicorn

    from agent.bridges.openai_api import build_api

    assistant = _open(settings)
    cases: dict[str, str | Path] = {d.id: d.id for d in assistant.demo_cases()} if demos else {}
    app = Bearer(build_api(assistant, cases | own), settings.api_key, host, free=("/health",))
    sys.stderr.write(f"OpenAI-compatible server at http://{host}:{port}/v1 (Ctrl+C ends it)\n")
    try:
        uvicorn.run(app, host=host, port=port, access_log=False, **_SERVING)
    finally:
        assistant.close()
    return Served(url=f"http://{host}:{port}/v1")


def _named(text: str) -> tuple[str, Path]:
    """`NAME=PATH`.

    Raises:
        BadInput: Another shape, or nothing at the path.
    """
    name, equals, path = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise BadInput(f"--case {text!r} is not NAME=PATH; a name has letters, digits, dots, dashes")
    if not Path(path).exists():
        raise BadInput(f"--case {name}: nothing at {path!r}")
    return name, Path(path).resolve()


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


COMMANDS: dict[str, Callable[..., BaseModel]] = {"mcp": mcp, "serve-api": serve_api}
