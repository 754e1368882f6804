"""ASGI middleware: nothing but the login page, the health checks and the style sheets is answered to somebody who is not logged in."""

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.login.tickets import Tickets
from ui.security import HEADERS

COOKIE = "medmpt_login"
_OPEN = ("/login", "/healthz", "/readyz", "/page/css/", "/page/favicon.svg")


class Gate:
    """Lets logged-in users through, with their name in the scope (`medmpt_user`)."""

    def __init__(self, app: ASGIApp, tickets: Tickets) -> None:
        """In front of `app`."""
        self._app, self._tickets = app, tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, send to the login page, or refuse."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ticket = cookie_parser(Headers(scope=scope).get("cookie", "")).get(COOKIE)
        scope["medmpt_user"] = user = await run_in_threadpool(self._tickets.user, ticket) if ticket else None
        if user is not None or scope["path"].startswith(_OPEN):
            await self._app(scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] == "/":
            await RedirectResponse("/login", status_code=303, headers=HEADERS)(scope, receive, send)
        else:
            await PlainTextResponse("log in first", status_code=401, headers=HEADERS)(scope, receive, send)
