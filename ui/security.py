"""What the page may load and who may call it: self-only content policy, own hosts only, the session cookie, no file route."""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.session import COOKIE, SessionStore

# Gradio compiles templates in the browser: scripts need unsafe-inline and unsafe-eval; everything comes from this server.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    # Not `no-referrer`: a browser then sends a form (the login) with `Origin: null`, which is a foreign origin here.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# Gradio would serve stored files by path and list events to anybody; the page needs neither.
CLOSED = ("/gradio_api/file=", "/gradio_api/file/", "/gradio_api/proxy=", "/gradio_api/info", "/gradio_api/api", "/gradio_api/monitoring")


class Guard:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        """`hosts`: names under which this server may be addressed (a foreign Host header means DNS rebinding)."""
        self._app = app
        self._hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the session in `scope` and the headers on the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        page = headers.get("x-medmpt-page")
        known = SessionStore.well_formed(cookie)
        fresh = SessionStore.new_cookie() if not known and scope["path"] == "/" and scope["method"] == "GET" else None
        mine = SessionStore.of_page(cookie, page) if known and cookie else fresh
        user = scope.get("medmpt_user")
        scope["medmpt_session"] = SessionStore.of_user(mine, user) if mine and user else mine

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    out[name] = value
                if fresh:
                    out.append("set-cookie", f"{COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        await (refusal or self._app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> PlainTextResponse | None:
        if _name(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("unknown host", status_code=400)
        origin = headers.get("origin")
        if scope["method"] not in ("GET", "HEAD") and origin and _name(origin.split("://")[-1]) not in self._hosts:
            return PlainTextResponse("foreign origin", status_code=403)
        if scope["path"].startswith(CLOSED):
            return PlainTextResponse("not found", status_code=404)
        return None


def _name(host: str) -> str:
    """Host without port, lower case, IPv6 brackets kept."""
    return (host.split("]")[0] + "]" if host.startswith("[") else host.split(":")[0]).lower()
