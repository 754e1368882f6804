"""Who may knock: loopback addresses without a key, anything else only with one; a bearer key in front of an ASGI application."""

import hmac
import ipaddress
import json

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.errors import BadInput

_NO_KEY = "this server asks for its API key: send the header Authorization: Bearer KEY"
_FOREIGN = "this server does not answer to that name"


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this computer."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refuse_open_door(host: str, key: str | None) -> None:
    """A server that others can reach must ask for a key.

    Raises:
        BadInput: `host` is not loopback and there is no key.
    """
    if not is_loopback(host) and not key:
        raise BadInput(f"{host} can be reached from outside: set MEDMPT_API_KEY first, or listen on 127.0.0.1")


class Bearer:
    """Lets a request pass whose bearer key is right, and on loopback only those that address this computer (DNS rebinding)."""

    def __init__(self, app: ASGIApp, key: str | None, host: str, free: tuple[str, ...] = ()) -> None:
        """`free`: paths that ask for no key (health)."""
        self._app, self._key, self._local, self._free = app, key, is_loopback(host), free

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 401 or 421, or pass on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            name = headers.get("host", "").rsplit(":", 1)[0] if not headers.get("host", "").endswith("]") else headers.get("host", "")
            if self._local and not is_loopback(name):
                await _refused(send, 421, _FOREIGN)
                return
            if self._key and scope["path"] not in self._free and not self._known(headers.get("authorization", "")):
                await _refused(send, 401, _NO_KEY)
                return
        await self._app(scope, receive, send)

    def _known(self, header: str) -> bool:
        given = header.removeprefix("Bearer ").encode()
        return hmac.compare_digest(given, (self._key or "").encode())


async def _refused(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": {"message": message, "type": "authentication_error", "code": status}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
