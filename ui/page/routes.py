"""What the page's own script asks for: the passage behind a citation, and the words of the scripts."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse

from ui.asking import PRIVATE, Doors
from ui.door import Assistant
from ui.i18n import SCRIPT_TEXT, text
from ui.page.render import passage_panel


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Citations and strings."""

    @router.get("/evidence/{key}")
    def evidence(key: str, request: Request) -> HTMLResponse:
        session = doors.session(request)
        cited, passage = session.evidence(key), assistant.passage(key)
        if cited is None and passage is None and session.thread:
            cited = assistant.evidence(session.thread, key, session.id)
        if cited is None and passage is None:
            raise HTTPException(404, text("no_passage", session.language))
        return HTMLResponse(passage_panel(key, cited, passage, session.language), headers=PRIVATE)

    @router.get("/strings.json")
    def strings() -> JSONResponse:
        return JSONResponse(SCRIPT_TEXT)
