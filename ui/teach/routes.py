"""The teaching form of the open case at its stage, hints, committing and deciding, progress and the next case."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from agent.sessions.lessons import ALONE
from agent.sessions.teaching import teaching_choices
from tools.teaching.commit import Reading
from ui.callers import PRIVATE, Doors, told
from ui.door import Assistant
from ui.i18n import text
from ui.session import Session


def _trainee(request: Request) -> str:
    """Whose progress it is: the logged-in user's, else that of the one person at this computer."""
    return str(request.scope.get("medmpt_user") or ALONE)


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Add them; what a route gives is found only through the session of the tab that asks."""

    def of_case(request: Request) -> tuple[Session, str]:
        session = doors.session(request)
        if session.case is None:
            raise HTTPException(404, text("card_empty", session.language))
        return session, session.case.handle

    def answered(request: Request, act: Callable[[str, str], BaseModel | None]) -> JSONResponse:
        session, handle = of_case(request)
        with told(409, session.language):
            found = act(handle, session.id)
        return JSONResponse(found.model_dump(mode="json") if found is not None else None, headers=PRIVATE)

    @router.get("/teaching")
    def teaching(request: Request) -> JSONResponse:
        session = doors.session(request)
        found = assistant.teaching(session.case.handle, session.id) if session.case is not None else None
        return JSONResponse(found.model_dump(mode="json") if found is not None else None, headers=PRIVATE)

    @router.post("/teaching/draft")
    def draft(reading: Reading, request: Request) -> JSONResponse:
        return answered(request, lambda case, session: assistant.lessons.keep(case, reading, session))

    @router.post("/teaching/hint")
    def hint(reading: Reading, request: Request) -> JSONResponse:
        return answered(request, lambda case, session: assistant.lessons.hint(case, reading, session))

    @router.post("/teaching/commit")
    def commit(reading: Reading, request: Request, alone: Annotated[bool, Query()] = False) -> JSONResponse:
        return answered(
            request, lambda case, session: assistant.lessons.commit(case, reading, session, alone=alone, trainee=_trainee(request))
        )

    @router.post("/teaching/decide")
    def decide(reading: Reading, request: Request) -> JSONResponse:
        return answered(request, lambda case, session: assistant.lessons.decide(case, reading, session, trainee=_trainee(request)))

    @router.get("/teaching/progress")
    def progress(request: Request) -> JSONResponse:
        doors.session(request)
        found = assistant.lessons.progress(_trainee(request)).model_dump(mode="json")
        names = [choice.model_dump() for choice in teaching_choices()]
        return JSONResponse({**found, "next": assistant.lessons.next_case(_trainee(request)), "choices": names}, headers=PRIVATE)

    @router.get("/teaching/readings.csv")
    def readings(request: Request) -> Response:
        doors.session(request)
        headers = {**PRIVATE, "content-disposition": 'attachment; filename="readings.csv"'}
        return Response("\ufeff" + assistant.lessons.sheet(_trainee(request)), media_type="text/csv; charset=utf-8", headers=headers)
