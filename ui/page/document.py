"""The first document of the page, with the script that tells tabs apart in it.

Gradio puts what it is given as `head` into the document by a script of its own, and asks for the session's state meanwhile. On a slow
network that question went out without the id of the tab: it was answered for the browser, in the wrong language and without the case.
For the same reason the modules of the page are named here: they come beside Gradio's own scripts, not one after the other behind them.
"""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SCRIPTS = Path(__file__).parent.parent / "static" / "js"
_FIRST = "page.js"
_AFTER = b"<head>"


def modules() -> tuple[str, ...]:
    """Addresses of the page's modules."""
    return tuple(f"/page/js/{file.relative_to(_SCRIPTS).as_posix()}" for file in sorted(_SCRIPTS.rglob("*.js")) if file.name != _FIRST)


class Document:
    """ASGI middleware: the page's HTML begins with the script of the tab, ahead of everything that could send a request."""

    def __init__(self, app: ASGIApp) -> None:
        """Read the script once."""
        self._app = app
        links = "".join(f'<link rel="modulepreload" href="{address}">' for address in modules()).encode()
        self._first = b"<script>" + (_SCRIPTS / _FIRST).read_bytes() + b"</script>" + links

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; the document waits until it is whole."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        started: Message | None = None
        parts: list[bytes] = []

        async def send_whole(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = message
                return
            parts.append(message.get("body", b""))
            if started is None or message.get("more_body", False):
                return
            body = b"".join(parts)
            headers = MutableHeaders(scope=started)
            if headers.get("content-type", "").startswith("text/html"):
                body = body.replace(_AFTER, _AFTER + self._first, 1)
                headers["content-length"] = str(len(body))
            await send(started)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, send_whole)
