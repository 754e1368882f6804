"""One question: it holds the session, streams what is known, and gives the question back when it fails."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from agent.answering.answer import Done, Sentence, StepFinished, StepStarted
from ui.door import Assistant
from ui.i18n import text
from ui.page.chrome import notice
from ui.page.render import question_html, turn_html
from ui.restore import ROOM_ERRORS, remember
from ui.session import Session, Turn


def messages(session: Session, known: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The conversation as the chat component takes it; `known` are emergencies that the patient bar shows."""
    shown = []
    for number, turn in enumerate(session.turns):
        shown.append({"role": "user", "content": question_html(turn)})
        shown.append({"role": "assistant", "content": turn_html(turn, session.language, number, known)})
    return shown


def asked(assistant: Assistant, session: Session, question: str, known: tuple[str, ...]) -> Iterator[list[Any]]:
    """Ask in the session; yields conversation, question box, send, stop and notice after each event."""
    with session.turn() as free:
        if not free:
            yield refused(question, "busy", session)
            return
        turn = Turn(question.strip(), about=session.case.name if session.case is not None else None)
        for earlier in session.turns:
            earlier.replaced = earlier.replaced or earlier.question == turn.question
        session.turns.append(turn)
        session.note_talk(turn.question)
        yield [messages(session, known), "", gr.update(interactive=False), gr.update(interactive=True), ""]
        try:
            remember(session)
            for _ in _events(assistant, session, turn):
                yield [messages(session, known), gr.update(), gr.update(), gr.update(), gr.update()]
        except ROOM_ERRORS as error:
            turn.error = text("failed", session.language, reason=str(error))
        finally:
            session.stop.set()
        back: Any = question if turn.error is not None else gr.update()
        yield [messages(session, known), back, gr.update(interactive=True), gr.update(interactive=False), ""]


def refused(question: str, why: str, session: Session) -> list[Any]:
    """Nothing was asked: the question stays in its box, and the notice says why."""
    return [gr.update(), question, gr.update(), gr.update(), notice(why, session.language)]


def fallen(session: Session, known: tuple[str, ...]) -> list[Any]:
    """A bug has risen inside a turn: say so, give the question back, and make the page usable again."""
    turn = session.turns[-1] if session.turns else None
    if turn is not None and turn.answer is None:
        turn.error = text("failed", session.language, reason=text("internal", session.language))
    question = turn.question if turn is not None else ""
    return [messages(session, known), question, gr.update(interactive=True), gr.update(interactive=False), ""]


def _events(assistant: Assistant, session: Session, turn: Turn) -> Iterator[None]:
    """Run the turn and keep its record; yields after each event."""
    case = session.case.handle if session.case is not None else None
    events = assistant.ask(turn.question, thread=session.thread, case=case, session=session.id, stop=session.stop, llm=session.llm)
    for event in events:
        match event:
            case StepStarted() | StepFinished():
                turn.steps[event.call_id] = event
            case Sentence():
                turn.sentences.append((event.claim.text, event.claim.evidence, event.claim.support))
            case Done():
                turn.answer = event.answer
        yield
    turn.stopped = session.stop.is_set()
