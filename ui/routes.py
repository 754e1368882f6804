"""The page's own routes: slices, measurements and citations, each found only through the caller's session."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel

from tools.evidence import Language
from tools.teaching.commit import Reading
from tools.wording import in_language
from ui.door import Assistant
from ui.i18n import SCRIPT_TEXT, text
from ui.render import passage_panel
from ui.restore import ROOM_ERRORS
from ui.session import Session, SessionStore

PRIVATE = {"cache-control": "no-store, private"}


class Voxel(BaseModel):
    """A point of a series as loaded: column, row, slice from the head."""

    x: int
    y: int
    z: int


class _Doors:
    """Who asks, and about which study: dependencies of the routes."""

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions

    def session(self, request: Request) -> Session:
        """The session of the tab that asks; 401 without a cookie."""
        cookie = request.scope.get("medmpt_session")
        if not isinstance(cookie, str):
            raise HTTPException(401, "open the page first")
        return self._sessions.get(cookie)

    def study(self, token: str, request: Request) -> tuple[Session, str, str]:
        """Session, case and study behind a pixel token; 404 for a foreign token, or one of a case that is no longer open."""
        session = self.session(request)
        found = session.study(token)
        if found is None:
            raise HTTPException(404, "no such study")
        return session, *found


def make_router(assistant: Assistant, sessions: SessionStore) -> APIRouter:
    """Routes over one assistant; without a session cookie all of them answer 401, with a foreign token 404."""
    router = APIRouter(include_in_schema=False)
    doors = _Doors(sessions)
    _study_routes(router, assistant, doors)
    _teaching_routes(router, assistant, doors)

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

    return router


def _study_routes(router: APIRouter, assistant: Assistant, doors: _Doors) -> None:
    """Studies of the open case: list, pixels, findings, heatmaps, measurement."""
    Study = Annotated[tuple[Session, str, str], Depends(doors.study)]

    @router.get("/studies")
    def studies(request: Request) -> JSONResponse:
        session = doors.session(request)
        return JSONResponse({"case": session.case is not None, "studies": list_studies(assistant, session)}, headers=PRIVATE)

    @router.get("/study/{token}/findings")
    def findings(study: Study) -> JSONResponse:
        session, case, handle = study
        with _told():
            found = assistant.model_findings(case, handle, session.id)
        return JSONResponse(found.model_dump(mode="json"), headers=PRIVATE)

    @router.get("/study/{token}/heat/{finding}")
    def heat(finding: str, study: Study) -> JSONResponse:
        session, case, handle = study
        with _told():
            found = assistant.heatmap(case, handle, finding, session.id)
        return JSONResponse(found.model_dump(mode="json"), headers=PRIVATE)

    @router.get("/study/{token}/{index}")
    def pixels(index: int, study: Study) -> Response:
        session, case, handle = study
        with _told():
            body = assistant.slice(case, handle, index, session.id)
        return Response(body, media_type="application/octet-stream", headers={**PRIVATE, "content-encoding": "gzip"})

    @router.post("/study/{token}/measure")
    def measure(at: Voxel, study: Study) -> JSONResponse:
        session, case, handle = study
        try:
            result = assistant.measure(case, handle, (at.x, at.y, at.z), session.id)
        except ROOM_ERRORS as error:
            return JSONResponse({"status": error.status, "reason": str(error)}, headers=PRIVATE)
        return JSONResponse(result.model_dump(mode="json"), headers=PRIVATE)


def _teaching_routes(router: APIRouter, assistant: Assistant, doors: _Doors) -> None:
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
        with _told(409, session.language):
            found = assistant.commit_reading(session.case.handle, reading, session.id)
        return JSONResponse(found.model_dump(mode="json") if found is not None else None, headers=PRIVATE)


@contextmanager
def _told(code: int = 404, language: Language = "en") -> Iterator[None]:
    """A room's refusal as an HTTP error with its words."""
    try:
        yield
    except ROOM_ERRORS as error:
        raise HTTPException(code, in_language(str(error), language)) from error


def list_studies(assistant: Assistant, session: Session) -> list[dict[str, object]]:
    """Studies of the session's case for the viewer, each behind an unguessable token."""
    if session.case is None:
        return []
    listed: list[dict[str, object]] = []
    for study in session.case.studies:
        entry: dict[str, object] = {"handle": study.id, "label": study.label, "synthetic": session.case.synthetic}
        try:
            info = assistant.study_info(session.case.handle, study.id, session.id)
        except ROOM_ERRORS as error:
            listed.append({**entry, "status": error.status, "reason": str(error)})
            continue
        entry |= {"status": info.status, "reason": info.reason, "warnings": list(info.warnings)}
        entry["synthetic"] = info.synthetic or session.case.synthetic
        entry["sealed"] = info.sealed
        if info.shape is not None and info.spacing is not None:
            entry |= {"token": session.token_of(study.id), "shape": list(info.shape), "spacing": list(info.spacing)}
            entry["key_slices"] = [{"name": key.name, "index": key.index} for key in info.key_slices]
        listed.append(entry)
    return listed
