"""What the settings tab asks for."""

import secrets

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse

from tools.wording import in_language
from ui.callers import PRIVATE, Doors
from ui.door import Assistant
from ui.i18n import text
from ui.restore import ROOM_ERRORS
from ui.session import Session
from ui.settings.panel import settings_html

_MOST_BYTES = 200 * 1024**2


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """The tab, and documents in and out of the index; those only where the page is this computer's own."""

    @router.get("/panel/settings")
    def settings(request: Request) -> HTMLResponse:
        session = doors.session(request)
        library = assistant.library
        user = request.scope.get("medmpt_user")
        who = user if isinstance(user, str) else None
        body = settings_html(library.listed(), library.installation(), session.language, local=doors.local, user=who)
        return HTMLResponse(body, headers=PRIVATE)

    @router.post("/documents")
    async def added(name: str, request: Request) -> JSONResponse:
        session = _own(doors, request)
        place = session.folder / f"document-{secrets.token_hex(6)}"
        with place.open("wb") as out:
            async for chunk in request.stream():
                out.write(chunk)
                if out.tell() > _MOST_BYTES:
                    break
        try:
            if place.stat().st_size > _MOST_BYTES:
                return _told(f"{name}: {_MOST_BYTES // 1024**2} MB", session)
            assistant.library.add(place, name)
        except ROOM_ERRORS as error:
            return _told(str(error), session)
        finally:
            place.unlink(missing_ok=True)
        return _told(None, session)

    @router.delete("/documents/{ident}")
    def removed(ident: str, request: Request) -> JSONResponse:
        session = _own(doors, request)
        try:
            assistant.library.remove(ident)
        except ROOM_ERRORS as error:
            return _told(str(error), session)
        return _told(None, session)


def _own(doors: Doors, request: Request) -> Session:
    session = doors.session(request)
    if not doors.local:
        raise HTTPException(403, text("docs_elsewhere", session.language))
    return session


def _told(problem: str | None, session: Session) -> JSONResponse:
    said = None if problem is None else in_language(problem, session.language)
    return JSONResponse({"ok": problem is None, "problem": said}, headers=PRIVATE)
