"""Lines of docs/ that start a server: started, asked whether they serve, ended with the block; for `docs_commands.py`."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from docs_services import Environment, Missing, Wrong, listens, until  # beside this file

# What starts a server, its usual port, and how it is asked.
_KINDS: dict[str, tuple[str, int]] = {
    "mcp": (r"\bmedmpt mcp\b", 8765),
    "api": (r"\bmedmpt serve-api\b", 8766),
    "page": (r"\bmedmpt serve(?!-)\b", 7860),
    "listen": (r"\bmedmpt pacs listen\b", 11112),
    "langgraph": (r"\blanggraph dev\b", 2024),
}
_READY_SECONDS = 300


def kind_of(line: str) -> str | None:
    """Which server a line starts."""
    command = line.split(" #")[0]
    return next((kind for kind, (pattern, _) in _KINDS.items() if re.search(pattern, command)), None)


def is_server(line: str) -> bool:
    """Whether a line starts one."""
    return kind_of(line) is not None


def status(url: str) -> tuple[int, str]:
    """What a GET gives."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode(errors="replace")


class Servers:
    """The servers of one block, by port: one that listens where another did takes its place."""

    def __init__(self, folder: Path) -> None:
        """Their logs lie in `folder`."""
        self._folder = folder
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for port in [*self._running]:
            self._end(port)

    def start(self, line: str, env: Environment, folder: Path) -> None:
        """Start it and ask it.

        Raises:
            Wrong: It does not serve.
        """
        kind = kind_of(line)
        assert kind is not None
        if kind == "mcp" and "--http" not in line:
            _clinical(mcp_tools(["bash", "-c", line], env, folder))
            return
        given = re.search(r"--port (\d+)", line)
        port = int(given[1]) if given else _KINDS[kind][1]
        self._end(port)
        if listens(port):
            raise Missing(f"port {port} is taken by somebody else")
        log = self._folder / f"server-{port}.log"
        with log.open("wb") as out:
            server = subprocess.Popen(["bash", "-c", line], env=env, cwd=folder, stdout=out, stderr=out, start_new_session=True)
        self._running[port] = server

        def alive() -> str | None:
            return None if server.poll() is None else f"ended with {server.returncode}: {log.read_text(errors='replace')[-800:]}"

        until(lambda: listens(port), _READY_SECONDS, line, alive)
        try:
            until(lambda: _ASKED[kind](line, port), 120, f"`{line}` does not serve", alive)
        except Wrong as wrong:
            said = status(f"http://127.0.0.1:{port}/readyz") if kind == "page" else ""
            raise Wrong(f"{wrong}; {said}; {log.read_text(errors='replace')[-800:]}") from wrong

    def _end(self, port: int) -> None:
        server = self._running.pop(port, None)
        if server is None:
            return
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _page(line: str, port: int) -> bool:
    ready, _ = status(f"http://127.0.0.1:{port}/readyz")
    _, text = status(f"http://127.0.0.1:{port}/")
    return ready == 200 and ('name="password"' in text if "MEDMPT_AUTH=local" in line else "gradio" in text.casefold())


def _api(line: str, port: int) -> bool:
    offered = [m["id"] for m in json.loads(status(f"http://127.0.0.1:{port}/v1/models")[1])["data"]]
    return all(f"medmpt@{name}" in offered for name in re.findall(r"--case (\w+)=", line)) and "medmpt" in offered


def _mcp(line: str, port: int) -> bool:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def ask() -> list[str]:
        async with AsyncExitStack() as stack:
            ends = await stack.enter_async_context(streamablehttp_client(f"http://127.0.0.1:{port}/mcp"))
            session = await stack.enter_async_context(ClientSession(ends[0], ends[1]))
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    return _clinical(asyncio.run(ask()))


def _listen(line: str, port: int) -> bool:
    from pynetdicom import AE

    entity = AE(ae_title="ORTHANC")
    entity.add_requested_context("1.2.840.10008.1.1")
    link = entity.associate("127.0.0.1", port, ae_title="MEDMPT")  # it takes no other called title
    answered = bool(link.is_established and link.send_c_echo().Status == 0)
    link.release()
    return answered


def _langgraph(line: str, port: int) -> bool:
    return status(f"http://127.0.0.1:{port}/ok")[0] == 200


_ASKED: dict[str, Callable[[str, int], bool]] = {"page": _page, "api": _api, "mcp": _mcp, "listen": _listen, "langgraph": _langgraph}


def mcp_tools(command: list[str], env: Environment, folder: Path) -> list[str]:
    """The tools that an MCP server on standard input and output offers.

    Raises:
        Missing: The extra `mcp` is not installed.
    """
    try:
        from mcp import ClientSession, StdioServerParameters
        from mcp.client.stdio import stdio_client
    except ImportError as missing:
        raise Missing("no mcp: pip install 'medmpt-assistant[mcp]'") from missing

    async def ask() -> list[str]:
        async with AsyncExitStack() as stack:
            given: dict[str, Any] = {"command": command[0], "args": command[1:], "env": env, "cwd": str(folder)}
            ends = await stack.enter_async_context(stdio_client(StdioServerParameters(**given)))
            session = await stack.enter_async_context(ClientSession(*ends))
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    try:
        return asyncio.run(asyncio.wait_for(ask(), _READY_SECONDS))
    except (ExceptionGroup, TimeoutError, OSError) as fault:
        raise Wrong(f"`{shlex.join(command)}` is no MCP server: {fault}") from fault


def _clinical(tools: list[str]) -> bool:
    if not {"ask", "open_case", "check_answer", "calculate_score"} <= set(tools):
        raise Wrong(f"the MCP server offers only {tools}")
    return True
