"""The tabs beside the conversation, each as a piece of HTML for the open case of the caller's session."""

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from agent.chart.desk import Chart, Pregnancy, Supposition
from tools.evidence import Evidence
from ui.callers import PRIVATE, Doors
from ui.chart.card import card_html
from ui.chart.drugs import drugs_html
from ui.chart.labs import course_html, labs_html
from ui.chart.timeline import evidence_html, timeline_html
from ui.door import Assistant
from ui.i18n import text
from ui.restore import ROOM_ERRORS
from ui.session import Session


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Laboratory values, medicines, timeline, evidence, and the card of one drug."""

    def chart(session: Session) -> Chart | None:
        return assistant.chart(session.case.handle, session.id) if session.case is not None else None

    @router.get("/panel/labs")
    def labs(request: Request) -> HTMLResponse:
        session = doors.session(request)
        found = chart(session)
        return _html(labs_html(found.labs(session.language), session.language) if found else _no_case(session))

    @router.get("/panel/lab/{key}")
    def lab(key: str, request: Request) -> HTMLResponse:
        session = doors.session(request)
        found = chart(session)
        rows = [r for s in found.labs(session.language).systems for r in s.rows if r.key == key] if found else []
        return _html(course_html(rows[0], session.language) if rows and rows[0].points else _no_case(session))

    @router.get("/panel/timeline")
    def timeline(request: Request) -> HTMLResponse:
        session = doors.session(request)
        found = chart(session)
        return _html(timeline_html(found.timeline(session.language), session.language) if found else _no_case(session))

    @router.get("/panel/evidence")
    def evidence(request: Request) -> HTMLResponse:
        session = doors.session(request)
        return _html(evidence_html(cited(session), session.language))

    @router.get("/panel/drugs")
    def drugs(
        request: Request,
        condition: str = "",
        egfr: Annotated[float | None, Query(ge=1, le=200)] = None,
        allergy: Annotated[str, Query(max_length=60)] = "",
        pregnant: Pregnancy = "record",
    ) -> HTMLResponse:
        session = doors.session(request)
        found = chart(session)
        if found is None:
            return _html(_no_case(session))
        supposed = Supposition(egfr, allergy, pregnant)
        try:
            view = found.drugs(session.language, condition or None, supposed)
        except ROOM_ERRORS as error:
            return _html(_note(text("panel_refused", session.language) if found.sealed else str(error)))
        return _html(drugs_html(view, supposed, found.bar(session.language).may_be_pregnant, session.language))

    @router.get("/panel/drug/{ident}")
    def drug(ident: str, request: Request) -> HTMLResponse:
        session = doors.session(request)
        return _html(card_html(ident, chart(session), session.language))


def cited(session: Session) -> list[Evidence]:
    """Evidence of the open conversation, each statement once, newest answer first."""
    answers = [turn.answer for turn in reversed(session.turns) if turn.answer is not None]
    return list({e.key: e for answer in answers for e in answer.evidence}.values())


def _html(body: str) -> HTMLResponse:
    return HTMLResponse(body, headers=PRIVATE)


def _no_case(session: Session) -> str:
    return _note(text("card_empty", session.language))


def _note(words: str) -> str:
    return f'<p class="note">{escape(words)}</p>'
