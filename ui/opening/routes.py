"""What the dialog that opens a case asks for: cases there are, files taken in, the preview, and opening."""

from html import escape
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from agent.chart.desk import Chart
from tools.case.joining.merge import unsettled
from tools.wording import in_language
from ui.callers import PRIVATE, Doors
from ui.door import Assistant
from ui.i18n import text
from ui.opening.preview import preview_html
from ui.opening.staging import drop, plan, settle, take_in, take_text
from ui.opening.switch import close_case, open_source
from ui.restore import ROOM_ERRORS
from ui.session import Session
from ui.viewer.routes import list_studies

_LONGEST_PASTE = 2_000_000


class Which(BaseModel):
    """A case that is known by name: a demo or teaching case, or one that this tab had open."""

    source: str = Field(max_length=2000)


class Pasted(BaseModel):
    """Text of a sheet or a bundle."""

    text: str = Field(min_length=1, max_length=_LONGEST_PASTE)


class Decided(BaseModel):
    """Whether the open case is added to, and which option of each conflict was taken."""

    add: bool = True
    chosen: dict[str, int] = Field(default_factory=dict)


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Cases, files, preview, opening."""
    _case_routes(router, assistant, doors)
    _file_routes(router, doors)

    def base(session: Session, wanted: bool) -> Chart | None:
        """The open case to add to; a teaching case that waits for its reading takes nothing in."""
        if not wanted or session.case is None:
            return None
        chart = assistant.chart(session.case.handle, session.id)
        return None if chart.sealed else chart

    @router.post("/opening/preview")
    def preview(decided: Decided, request: Request) -> JSONResponse:
        session = doors.session(request)
        chart = base(session, decided.add)
        found = plan(session, chart, decided.chosen)
        left = unsettled(found.merged, decided.chosen) if found.merged is not None else ()
        ready = found.merged is not None and not left
        body = preview_html(found, decided.chosen, chart, session.language)
        return JSONResponse({"html": body, "ready": ready, "adds": chart is not None, "opens": found.merged is not None}, headers=PRIVATE)

    @router.post("/opening/confirm")
    def confirm(decided: Decided, request: Request) -> JSONResponse:
        session = doors.session(request)
        try:
            folder = settle(session, plan(session, base(session, decided.add), decided.chosen), decided.chosen)
        except ROOM_ERRORS as error:
            return _outcome(str(error), session)
        problem = open_source(assistant, session, folder)
        if problem is None:
            drop(session)
        return _outcome(problem, session)


def _case_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Cases that are known by name."""

    @router.get("/opening/cases")
    def cases(request: Request) -> JSONResponse:
        session = doors.session(request)
        zh = session.language == "zh"

        def row(ident: str, en: str, chinese: str) -> dict[str, object]:
            return {"source": ident, "title": chinese if zh else en, "open": ident == str(session.source)}

        recent = [
            {"source": str(t.source), "title": t.title or t.case, "case": t.case, "open": t.source == str(session.source)}
            for t in session.sources()
        ]
        groups = {
            "demo": [row(d.id, d.title_en, d.title_zh) for d in assistant.demo_cases()],
            "teaching": [{**row(d.id, d.title_en, d.title_zh), "level": d.level} for d in assistant.teaching_cases()],
            "recent": recent,
            "staged": [{"name": name} for name in session.staged],
        }
        return JSONResponse({**groups, "has_case": session.case is not None}, headers=PRIVATE)

    @router.post("/opening/open")
    def opened(which: Which, request: Request) -> JSONResponse:
        session = doors.session(request)
        named = {c.id for c in (*assistant.demo_cases(), *assistant.teaching_cases())}
        talk = next((t for t in session.sources() if t.source == which.source), None)
        if which.source not in named and talk is None:
            return _outcome("this session has no such case", session)
        source = Path(which.source) if which.source not in named else which.source
        return _outcome(open_source(assistant, session, source), session)

    @router.post("/opening/close")
    def closed(request: Request) -> JSONResponse:
        session = doors.session(request)
        return _outcome(close_case(assistant, session), session)


def _file_routes(router: APIRouter, doors: Doors) -> None:
    """Files on their way in."""

    @router.post("/opening/files")
    async def files(name: str, request: Request) -> JSONResponse:
        session = doors.session(request)
        try:
            kept = await take_in(session, name, request.stream())
        except ROOM_ERRORS as error:
            return _outcome(str(error), session)
        return JSONResponse({"ok": True, "name": kept}, headers=PRIVATE)

    @router.post("/opening/paste")
    def paste(pasted: Pasted, request: Request) -> JSONResponse:
        session = doors.session(request)
        return JSONResponse({"ok": True, "name": take_text(session, pasted.text)}, headers=PRIVATE)

    @router.delete("/opening/files")
    def dropped(request: Request, name: str | None = None) -> JSONResponse:
        session = doors.session(request)
        drop(session, name)
        return JSONResponse({"ok": True}, headers=PRIVATE)


def _outcome(problem: str | None, session: Session) -> JSONResponse:
    """What came of it; the studies of what is open now come along, so that its images need no second question."""
    said = None if problem is None else escape(in_language(problem, session.language))
    kept = text("case_kept", session.language) if problem is not None and session.case is not None else None
    told: dict[str, object] = {"ok": problem is None, "problem": said, "kept": kept}
    if problem is None:
        told |= {"case": session.case.handle if session.case is not None else None, "studies": list_studies(session)}
    return JSONResponse(told, headers=PRIVATE)
