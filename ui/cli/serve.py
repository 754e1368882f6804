"""`medmpt serve`: the page on this computer."""

import secrets
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from agent.settings import Settings
from ui.cli.errors import NotInThisVersion, Usage
from ui.door import Assistant as Door
from ui.restore import ROOM_ERRORS

# An open page holds a connection for ever: told to end, the server waits so long for turns that run (`docker stop` waits ten).
_LAST_SECONDS = 5


class Served(BaseModel):
    """What `serve` says when the server has ended."""

    status: Literal["ok"] = "ok"
    url: str


def serve(
    ctx: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other computers reach it only with a login (MEDMPT_AUTH).")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 7860,
    case: Annotated[
        str | None, typer.Option(help="Opened in every new session: demo case id, file or folder, or none. Default: a demo.")
    ] = None,
    llm: Annotated[
        str | None, typer.Option(help="Chat model: planner, vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or PROVIDER:MODEL.")
    ] = None,
) -> Served:
    """Open the assistant in the browser at http://127.0.0.1:7860 and keep serving until interrupted."""
    settings: Settings = ctx.obj if llm is None else replace(ctx.obj, llm=llm)
    _refuse_open_door(host, settings)
    _refuse_taken_port(host, port)
    try:
        from agent.assistant import Assistant
    except ModuleNotFoundError as missing:
        if missing.name != "agent.assistant":
            raise
        raise NotInThisVersion("the agent's assistant is not part of this version") from missing
    url = f"http://{host}:{port}"
    sys.stderr.write(f"Loading the assistant; it opens at {url} (Ctrl+C ends it)\n")
    import uvicorn

    from ui.app import build

    assistant = Assistant.open(settings)
    first_case = _first_case(assistant, case)
    app = build(assistant, files=settings.cache_dir / "sessions" / str(port), host=host, first_case=first_case, settings=settings)
    threading.Thread(target=warm_up, args=(assistant, first_case), daemon=True).start()
    sys.stderr.write(f"MedMPT Assistant is ready at {url}\n")
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=_LAST_SECONDS)
    return Served(url=url)


def warm_up(assistant: Door, case: str | Path | None) -> None:
    """Load what the first visitor would otherwise wait for: index, drug graph, model, and the case that sessions open with."""
    session = secrets.token_urlsafe(16)
    try:
        assistant.warm()
        if case is not None:
            opened = assistant.open_case(case, session=session)
            for study in opened.studies:
                assistant.study_info(opened.handle, study.id, session)
                assistant.model_findings(opened.handle, study.id, session)
    except ROOM_ERRORS as error:
        sys.stderr.write(f"Not warmed up: {error}\n")
    finally:
        assistant.close_session(session)


def _first_case(assistant: Door, wanted: str | None) -> str | Path | None:
    """What new sessions open with.

    Raises:
        Usage: Neither a demo case nor a file.
    """
    demos = [demo.id for demo in assistant.demo_cases()]
    if wanted is None:
        return demos[0] if demos else None
    if wanted == "none" or wanted in demos:
        return None if wanted == "none" else wanted
    if not Path(wanted).exists():
        raise Usage(f"--case {wanted!r} is neither a demo case ({', '.join(demos)}) nor a file or folder here")
    return Path(wanted).resolve()


def _refuse_open_door(host: str, settings: Settings) -> None:
    """Only a page with a login may be reached from other computers.

    Raises:
        Usage: An address beyond this computer without a login, or local accounts without one.
    """
    from ui.app import is_loopback

    if settings.auth == "none" and not is_loopback(host):
        raise Usage(
            f"--host {host} would open the page to other computers without a login: set MEDMPT_AUTH=local and add accounts with "
            "`medmpt users add NAME`, or MEDMPT_AUTH=oidc; without a login the page listens on this computer only"
        )
    if settings.auth == "local":
        from ui.login.accounts import accounts_of

        with accounts_of(settings) as accounts:
            there = accounts.names()
        if not there:
            raise Usage("MEDMPT_AUTH=local and there is no account yet: `medmpt users add NAME`")


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Usage(f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port") from error


COMMANDS: dict[str, Callable[..., BaseModel]] = {"serve": serve}
