"""Studies of the open case for the viewer: list, geometry, planes, overlays, findings, heatmaps, marks.

Each is found only through the caller's session, by a token that cannot be guessed, and only while the page shows the case that is open.
"""

import gzip
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from agent.sessions.marks import MarkChange, MarksView
from agent.sessions.views import PlaneView
from tools.evidence import Language
from tools.imaging.overlays import LAYERS
from tools.imaging.planes import Plane, Projection
from tools.wording import in_language
from ui.callers import PRIVATE, Doors, told
from ui.door import Assistant
from ui.restore import ROOM_ERRORS
from ui.session import Session

_LOOPBACK = ("127.0.0.1", "::1")


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Studies of the open case: list, geometry, planes, overlays, findings, heatmaps, marks."""
    Study = Annotated[tuple[Session, str, str], Depends(doors.study)]

    @router.get("/studies")
    def studies(request: Request) -> JSONResponse:
        session = doors.session(request)
        return JSONResponse({"case": session.case is not None, "studies": list_studies(session)}, headers=PRIVATE)

    @router.get("/study/{token}/info")
    def info(study: Study) -> JSONResponse:
        return JSONResponse(study_info(assistant, *study), headers=PRIVATE)

    @router.get("/study/{token}/keys")
    def keys(study: Study) -> JSONResponse:
        session, case, handle = study
        with told():
            found = assistant.key_slices(case, handle, session.id)
        return JSONResponse([key.model_dump(mode="json") for key in found], headers=PRIVATE)

    _plane_routes(router, assistant, doors)

    @router.get("/study/{token}/findings")
    def findings(study: Study) -> JSONResponse:
        session, case, handle = study
        with told():
            found = assistant.model_findings(case, handle, session.id)
        return JSONResponse(found.model_dump(mode="json"), headers=PRIVATE)

    @router.get("/study/{token}/heat/{finding}")
    def heat(finding: str, study: Study) -> JSONResponse:
        session, case, handle = study
        with told():
            found = assistant.heatmap(case, handle, finding, session.id)
        shown = found.model_dump(mode="json")
        return JSONResponse({**shown, "reason": _reason(found.reason, session.language)}, headers=PRIVATE)

    @router.post("/study/{token}/marks")
    def marks(change: MarkChange, study: Study) -> JSONResponse:
        session, case, handle = study
        try:
            found = marks_shown(assistant.marks(case, handle, change, session.id), session.language)
        except ROOM_ERRORS as error:
            found = {"status": error.status, "reason": in_language(str(error), session.language)}
        return JSONResponse(found, headers=PRIVATE)


def _plane_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Pixels of a plane, and what lies over it."""
    Study = Annotated[tuple[Session, str, str], Depends(doors.study)]

    @router.get("/study/{token}/plane/{plane}/{index}")
    def pixels(
        request: Request,
        plane: Plane,
        index: int,
        study: Study,
        slab: Annotated[float, Query()] = 0.0,
        show: Annotated[Projection, Query()] = "max",
        count: Annotated[int, Query(ge=1, le=16)] = 1,
    ) -> Response:
        session, case, handle = study
        with told():
            view = PlaneView(plane=plane, index=index, count=count, slab_mm=slab, projection=show)
            body = assistant.pixels(case, handle, view, session.id)
        return _binary(body, request)

    @router.get("/study/{token}/over/{plane}/{index}")
    def over(request: Request, plane: Plane, index: int, study: Study, layers: Annotated[str, Query()] = "") -> Response:
        session, case, handle = study
        wanted = frozenset(layers.split(",")) & LAYERS.keys()
        with told(language=session.language):
            body = assistant.overlay(case, handle, PlaneView(plane=plane, index=index, layers=wanted), session.id)
        return _binary(body, request)


def _binary(body: bytes, request: Request) -> Response:
    """Bytes as they are to this computer, packed to any other: packing takes longer than a loopback does."""
    packed = request.client is None or request.client.host not in _LOOPBACK
    headers = {**PRIVATE, "content-encoding": "gzip"} if packed else PRIVATE
    body = gzip.compress(body, compresslevel=1, mtime=0) if packed else body
    return Response(body, media_type="application/octet-stream", headers=headers)


def list_studies(session: Session) -> list[dict[str, object]]:
    """Studies of the session's case, each behind an unguessable token; no image is read for it."""
    if session.case is None:
        return []
    return [
        {
            "handle": study.id,
            "label": study.label,
            "prior": study.prior,
            "synthetic": session.case.synthetic,
            "token": session.token_of(study.id),
        }
        for study in session.case.studies
    ]


def marks_shown(found: MarksView, language: Language) -> dict[str, object]:
    """Marks as the page gets them, what limits them in its language."""
    marks = []
    for mark in found.marks:
        limits = [in_language(said, language) for said in mark.lesion.warnings]
        shown = mark.model_dump(mode="json")
        marks.append({**shown, "lesion": {**shown["lesion"], "warnings": limits}})
    return {**found.model_dump(mode="json"), "reason": _reason(found.reason, language), "marks": marks}


def _reason(said: str | None, language: Language) -> str | None:
    return in_language(said, language) if said else None


def study_info(assistant: Assistant, session: Session, case: str, handle: str) -> dict[str, object]:
    """Geometry of a study, or why it cannot be shown."""
    try:
        info = assistant.study_info(case, handle, session.id)
    except ROOM_ERRORS as error:
        return {"status": error.status, "reason": in_language(str(error), session.language)}
    shown = info.model_dump(mode="json")
    shown["reason"] = _reason(info.reason, session.language)
    shown["warnings"] = [in_language(said, session.language) for said in info.warnings]
    shown["synthetic"] = info.synthetic or (session.case is not None and session.case.synthetic)
    return shown
