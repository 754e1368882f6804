"""What the page's own script asks for: the passage behind a citation, conversations, an answer as text, feedback, the scripts' words."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

from agent.keeping.feedback import Feedback
from ui.callers import PRIVATE, Doors, told
from ui.door import Assistant
from ui.i18n import SCRIPT_TEXT, text
from ui.opening.switch import forget, take_up
from ui.page.passage import passage_panel
from ui.page.render import plain
from ui.session import Session

_LONGEST_SAID = 600


class Word(BaseModel):
    """What a person says of an answer of the open conversation."""

    turn: int = Field(ge=0)
    verdict: Literal["good", "bad"]
    comment: str = Field(default="", max_length=2000)


def add_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Citations, conversations, feedback and strings."""
    _talk_routes(router, assistant, doors)

    @router.get("/evidence/{key}")
    def evidence(key: str, request: Request, said: str = "") -> HTMLResponse:
        session = doors.session(request)
        cited, passage = session.evidence(key), assistant.passage(key)
        if cited is None and passage is None and session.thread:
            cited = assistant.evidence(session.thread, key, session.id)
        if cited is None and passage is None:
            raise HTTPException(404, text("no_passage", session.language))
        return HTMLResponse(passage_panel(key, cited, passage, session.language, said[:_LONGEST_SAID]), headers=PRIVATE)

    @router.get("/turn/{number}/text")
    def copied(number: int, request: Request) -> PlainTextResponse:
        session = doors.session(request)
        answer = session.turns[number].answer if 0 <= number < len(session.turns) else None
        if answer is None:
            raise HTTPException(404, text("no_passage", session.language))
        return PlainTextResponse(plain(answer, session.language), headers=PRIVATE)

    @router.post("/feedback")
    def feedback(word: Word, request: Request) -> JSONResponse:
        session = doors.session(request)
        answer = session.turns[word.turn].answer if word.turn < len(session.turns) else None
        if answer is None:
            raise HTTPException(404, text("no_passage", session.language))
        said = Feedback(question=answer.question, verdict=word.verdict, comment=word.comment, model=answer.model)
        with told(language=session.language):
            assistant.give_feedback(session.thread, session.id, said)
        return JSONResponse({"said": text("feedback_kept", session.language)}, headers=PRIVATE)

    @router.get("/strings.json")
    def strings() -> JSONResponse:
        return JSONResponse(SCRIPT_TEXT)


def _talk_routes(router: APIRouter, assistant: Assistant, doors: Doors) -> None:
    """Conversations of the open case: list, take up again, delete."""

    @router.get("/talks")
    def talks(request: Request) -> JSONResponse:
        session = doors.session(request)
        rows = [{"thread": t.thread, "title": t.title, "open": t.thread == session.thread} for t in session.talks_here()]
        return JSONResponse(rows, headers=PRIVATE)

    @router.post("/talks/{thread}/open")
    def opened(thread: str, request: Request) -> JSONResponse:
        session = doors.session(request)
        return _outcome(take_up(assistant, session, thread), session)

    @router.delete("/talks/{thread}")
    def deleted(thread: str, request: Request) -> JSONResponse:
        session = doors.session(request)
        return _outcome(forget(assistant, session, thread), session)


def _outcome(problem: str | None, session: Session) -> JSONResponse:
    return JSONResponse({"ok": problem is None, "problem": problem, "thread": session.thread}, headers=PRIVATE)
