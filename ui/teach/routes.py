"""The teaching form of the open case, and committing a reading."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse

from tools.teaching.commit import Reading
from ui.asking import PRIVATE, Doors, told
from ui.door import Assistant
from ui.i18n import text


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """The teaching form of the open case, and committing a reading."""

    @router.get("/teaching")
    def teaching(request: Request) -> JSONResponse:
        session = doors.session(request)
        found = assistant.teaching(session.case.handle, session.id) if session.case is not None else None
        return JSONResponse(found.model_dump(mode="json") if found is not None else None, headers=PRIVATE)

    @router.post("/teaching/commit")
    def commit(reading: Reading, request: Request) -> JSONResponse:
        session = doors.session(request)
        if session.case is None:
            raise HTTPException(404, text("card_empty", session.language))
        with told(409, session.language):
            found = assistant.commit_reading(session.case.handle, reading, session.id)
        return JSONResponse(found.model_dump(mode="json") if found is not None else None, headers=PRIVATE)
