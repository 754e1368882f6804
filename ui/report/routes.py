"""What the report editor and the case summary ask for; each is found only through the caller's session and its open case."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field

from agent.reporting.conversation import conversation_sheet
from agent.reporting.files import page_file
from agent.reporting.views import READER, FileView, ReportView
from agent.sessions.marks import MarkChange
from tools.evidence import Evidence
from tools.imaging.marks.mark import Mark
from tools.reports.document.edit import Edit
from tools.summary.record import Audience
from ui.callers import PRIVATE, Doors, told
from ui.door import Assistant
from ui.i18n import text
from ui.page.passage import passage_panel
from ui.session import Session

Form = Literal["pdf", "docx", "md", "fhir", "sr"]
PageForm = Literal["pdf", "docx", "md"]


class Drafting(BaseModel):
    """Which study to draft a report of, and in which language; None takes that of the page."""

    study: str
    language: Literal["en", "zh"] | None = None


class Changing(BaseModel):
    """One change of a report; `version` is the one that the page shows."""

    report: str
    version: int
    edit: Edit


class Dropping(BaseModel):
    """A mark of the study that becomes a sentence."""

    report: str
    version: int
    section: str
    number: int


class Signing(BaseModel):
    """Who signs, and the digest of the text that was shown."""

    report: str
    name: str = Field(max_length=200)
    sha256: str


class Named(BaseModel):
    """A report by its id."""

    report: str


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Report editor, signing, files, summary."""
    _editor_routes(router, assistant, doors)
    _signing_routes(router, assistant, doors)
    _file_routes(router, assistant, doors)
    _summary_routes(router, assistant, doors)


def _opened(session: Session) -> str:
    """Handle of the open case; 404 without one."""
    if session.case is None:
        raise HTTPException(404, text("report_no_case", session.language))
    return session.case.handle


def _author(request: Request) -> str | None:
    """The account that is logged in; None where the page needs no login."""
    user = request.scope.get("medmpt_user")
    return user if isinstance(user, str) and user else None


def _shown(view: ReportView | None) -> JSONResponse:
    return JSONResponse(view.model_dump(mode="json") if view is not None else None, headers=PRIVATE)


def _editor_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """The report of a study: what is there, a new draft, changes, marks."""

    @router.get("/report")
    def report(request: Request, study: str) -> JSONResponse:
        session = doors.session(request)
        case = _opened(session)
        lesson = assistant.teaching(case, session.id)
        if lesson is not None and lesson.stage != "done":
            return _shown(None)  # a teaching case has no report before its reading
        with told(language=session.language):
            return _shown(assistant.reports.current(case, study, session.id))

    @router.get("/report/marks")
    def marks(request: Request, study: str) -> JSONResponse:
        session = doors.session(request)
        with told(language=session.language):
            found = assistant.marks(_opened(session), study, MarkChange(), session.id)
        return JSONResponse(found.model_dump(mode="json")["marks"], headers=PRIVATE)

    @router.post("/report/draft")
    def draft(wanted: Drafting, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            language, by = wanted.language or session.language, _author(request) or READER
            return _shown(assistant.reports.draft(_opened(session), wanted.study, session.id, language, by=by))

    @router.post("/report/change")
    def change(wanted: Changing, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            by = _author(request) or READER
            return _shown(assistant.reports.change(_opened(session), wanted.report, wanted.edit, wanted.version, session.id, by=by))

    @router.post("/report/mark")
    def mark(wanted: Dropping, request: Request, study: str) -> JSONResponse:
        session = doors.session(request)
        case = _opened(session)
        with told(409, session.language):
            rows = assistant.marks(case, study, MarkChange(), session.id).model_dump(mode="json")["marks"]
            found = next((Mark.model_validate(r) for r in rows if r["number"] == wanted.number), None)
            if found is None:
                raise HTTPException(404, text("report_no_mark", session.language))
            by = _author(request) or READER
            return _shown(assistant.reports.mark(case, wanted.report, wanted.section, found, wanted.version, session.id, by=by))

    @router.get("/report/{report}/source/{key}")
    def source(report: str, key: str, request: Request) -> HTMLResponse:
        session = doors.session(request)
        with told(language=session.language):
            item = assistant.reports.source(_opened(session), report, key, session.id)
        return _panel(key, item, session)


def _panel(key: str, item: Evidence | None, session: Session) -> HTMLResponse:
    if item is None:
        raise HTTPException(404, text("no_passage", session.language))
    return HTMLResponse(passage_panel(key, item, None, session.language), headers=PRIVATE)


def _signing_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Show what is to be signed, sign it, add to what is signed."""

    @router.post("/report/begin")
    def begin(wanted: Named, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            shown = assistant.reports.begin(_opened(session), wanted.report, session.id)
        return JSONResponse(shown.model_dump(mode="json"), headers=PRIVATE)

    @router.post("/report/sign")
    def sign(wanted: Signing, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            account = _author(request)
            # Behind a login the account stands in the signature, whatever name is typed.
            name = f"{wanted.name.strip()} ({account})" if account and wanted.name.strip() else wanted.name
            return _shown(assistant.reports.sign(_opened(session), wanted.report, name, wanted.sha256, session.id))

    @router.post("/report/addend")
    def addend(wanted: Named, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            return _shown(assistant.reports.addend(_opened(session), wanted.report, session.id, by=_author(request) or READER))


def _file_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Files of a report and of the conversation."""

    @router.get("/report/{report}/file/{form}")
    def file(report: str, form: Form, request: Request) -> Response:
        session = doors.session(request)
        with told(409, session.language):
            return _download(assistant.reports.file(_opened(session), report, form, session.id))

    @router.get("/conversation/file/{form}")
    def conversation(form: PageForm, request: Request) -> Response:
        session = doors.session(request)
        answers = [turn.answer for turn in session.turns if turn.answer is not None]
        if not answers:
            raise HTTPException(404, text("report_no_talk", session.language))
        about = assistant.chart(session.case.handle, session.id).bar(session.language) if session.case is not None else None
        with told(409, session.language):
            return _download(page_file(conversation_sheet(answers, session.language, about), "conversation", form))


def _download(made: FileView) -> Response:
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="{made.name}"', "x-medmpt-warnings": str(len(made.warnings))}
    return Response(made.body, media_type=made.media, headers=headers)


def _summary_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """The case on one page."""

    @router.get("/summary/{audience}")
    def summary(audience: Audience, request: Request) -> JSONResponse:
        session = doors.session(request)
        with told(409, session.language):
            page = assistant.reports.summary(_opened(session), audience, session.id)
        return JSONResponse(page.model_dump(mode="json"), headers=PRIVATE)

    @router.get("/summary/{audience}/source/{key}")
    def source(audience: Audience, key: str, request: Request) -> HTMLResponse:
        session = doors.session(request)
        with told(language=session.language):
            page = assistant.reports.summary(_opened(session), audience, session.id)
        return _panel(key, next((e for e in page.evidence if e.key == key), None), session)

    @router.get("/summary/{audience}/file/{form}")
    def file(audience: Audience, form: PageForm, request: Request) -> Response:
        session = doors.session(request)
        with told(409, session.language):
            return _download(assistant.reports.summary_file(_opened(session), audience, form, session.id, session.language))
