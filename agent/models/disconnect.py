"""Hanging up: the connections of one call, cut from another thread while the server is silent.

A thread that waits for a silent server cannot look at a stop button. The thread that can calls `HangUp.now`, which shuts the socket down:
the waiting thread wakes with a broken connection, and the server sees the client go and drops the request.
"""

import contextlib
import socket
import threading
from contextvars import ContextVar


class HangUp:
    """The open sockets of one call."""

    def __init__(self) -> None:
        """Start with none."""
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False

    def watch(self, opened: socket.socket) -> None:
        """Take in a socket; it is cut at once where the call is over already."""
        with self._lock:
            self._sockets.append(opened)
            over = self._over
        if over:
            _cut(opened)

    def now(self) -> None:
        """Cut every connection of the call; harmless where they are closed already."""
        with self._lock:
            self._over = True
            opened = tuple(self._sockets)
        for one in opened:
            _cut(one)


# The call that the running thread serves; models that open connections report them here.
CURRENT: ContextVar[HangUp | None] = ContextVar("medmpt_call", default=None)


def _cut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # The plain socket's own method: that of a TLS socket would drop its state under the thread that reads.
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
