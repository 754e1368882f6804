"""Who asks, and about which study: what the routes of every package depend on."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import HTTPException, Request

from tools.evidence import Language
from tools.wording import in_language
from ui.restore import ROOM_ERRORS
from ui.session import Session, SessionStore

PRIVATE = {"cache-control": "no-store, private"}


class Doors:
    """Session and study behind a request; dependencies of the routes."""

    def __init__(self, sessions: SessionStore, local: bool = True) -> None:
        """`local`: only this computer reaches the page, so that what belongs to the installation may be changed."""
        self._sessions = sessions
        self.local = local

    def session(self, request: Request) -> Session:
        """The session of the tab that asks; 401 without a cookie."""
        cookie = request.scope.get("medmpt_session")
        if not isinstance(cookie, str):
            raise HTTPException(401, "open the page first")
        return self._sessions.get(cookie)

    def study(self, token: str, request: Request) -> tuple[Session, str, str]:
        """Session, case and study behind a pixel token; 404 for a foreign token or one of a closed case, 409 for a stale page."""
        session = self.session(request)
        shown = request.headers.get("x-medmpt-case")
        if shown is not None and (session.case is None or session.case.handle != shown):
            raise HTTPException(409, "another case is open")
        found = session.study(token)
        if found is None:
            raise HTTPException(404, "no such study")
        return session, *found


@contextmanager
def told(code: int = 404, language: Language = "en") -> Iterator[None]:
    """A room's refusal as an HTTP error with its words."""
    try:
        yield
    except ROOM_ERRORS as error:
        raise HTTPException(code, in_language(str(error), language)) from error
