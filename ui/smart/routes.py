"""`/smart/launch` and `/smart/callback`, and the one-time ticket under which the page then opens the case."""

import secrets
import shutil
import threading
from html import escape
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from tools.case.record import Case
from tools.errors import ToolsError
from ui.callers import PRIVATE
from ui.smart.launch import Launches, Smart

COOKIE = "medmpt_smart"


class Tickets:
    """Cases that a record opened and no page has taken yet; files of this user only, erased when taken or when the server ends."""

    def __init__(self, folder: Path) -> None:
        """`folder`: private, made when it is first needed."""
        self._folder = folder
        self._lock = threading.Lock()
        self._waiting: dict[str, Path] = {}

    def put(self, case: Case) -> str:
        """Keep a case; returns its ticket."""
        ticket = secrets.token_urlsafe(32)
        place = self._folder / secrets.token_hex(8)
        place.mkdir(parents=True, mode=0o700)
        (place / "case.json").write_text(case.model_dump_json(), encoding="utf-8")
        with self._lock:
            self._waiting[ticket] = place
        return ticket

    def take(self, ticket: str, into: Path) -> Path | None:
        """Move the case of a ticket into a session's folder; None for a ticket that is unknown or used."""
        with self._lock:
            place = self._waiting.pop(ticket, None)
        return Path(shutil.move(place, into / place.name)) if place is not None else None

    def close(self) -> None:
        """Erase what nobody took."""
        with self._lock:
            self._waiting.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


def add_routes(router: APIRouter, smart: Smart | None, tickets: Tickets) -> None:
    """Add the two routes; without a registration both answer 404 and say which settings turn them on."""
    launches = Launches(smart) if smart is not None else None

    def ready() -> Launches:
        if launches is None:
            raise HTTPException(404, "launches are off: set MEDMPT_SMART_CLIENT_ID and MEDMPT_SMART_ISSUERS")
        return launches

    @router.get("/smart/launch")
    async def launch(request: Request, iss: str = "", launch: str = "") -> Response:
        browser = secrets.token_urlsafe(32)
        back = f"{str(request.base_url).rstrip('/')}/smart/callback"
        try:
            url = await run_in_threadpool(ready().begin, iss, launch, back, browser)
        except ToolsError as error:
            raise HTTPException(400, str(error)) from error
        answer = RedirectResponse(url, headers=PRIVATE)
        answer.set_cookie(COOKIE, browser, max_age=600, httponly=True, samesite="lax", path="/smart", secure=request.url.scheme == "https")
        return answer

    @router.get("/smart/callback")
    async def callback(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
        if error or not code:
            raise HTTPException(400, "the record refused the launch")
        try:
            case = await run_in_threadpool(ready().finish, state, code, request.cookies.get(COOKIE, ""))
        except ToolsError as failure:
            raise HTTPException(400, str(failure)) from failure
        # The page's cookie is not sent along a chain that another site began: a page of our own goes on from here.
        target = escape(f"/?opened={tickets.put(case)}", quote=True)
        page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={target}"><title>MedMPT Assistant</title>'
        answer = HTMLResponse(page, headers=PRIVATE)
        answer.delete_cookie(COOKIE, path="/smart")
        return answer
