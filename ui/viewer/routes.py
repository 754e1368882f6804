"""Studies of the open case for the viewer: list, pixels, findings, heatmaps, measurement; each found only through the caller's session."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from ui.asking import PRIVATE, Doors, told
from ui.door import Assistant
from ui.restore import ROOM_ERRORS
from ui.session import Session


class Voxel(BaseModel):
    """A point of a series as loaded: column, row, slice from the head."""

    x: int
    y: int
    z: int


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Studies of the open case: list, pixels, findings, heatmaps, measurement."""
    Study = Annotated[tuple[Session, str, str], Depends(doors.study)]

    @router.get("/studies")
    def studies(request: Request) -> JSONResponse:
        session = doors.session(request)
        return JSONResponse({"case": session.case is not None, "studies": list_studies(assistant, session)}, headers=PRIVATE)

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
        return JSONResponse(found.model_dump(mode="json"), headers=PRIVATE)

    @router.get("/study/{token}/{index}")
    def pixels(index: int, study: Study) -> Response:
        session, case, handle = study
        with told():
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
