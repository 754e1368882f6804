"""Changing what a session has open: a case, a conversation; nothing changes when it cannot be done."""

from pathlib import Path

from ui.door import Assistant
from ui.i18n import text
from ui.restore import ROOM_ERRORS, find_files, remember, share_files, turns_of
from ui.session import Session, Talk


def open_source(assistant: Assistant, session: Session, source: str | Path) -> str | None:
    """Open a case in the session with a fresh conversation; the reason when it cannot be opened (nothing changes then)."""
    with session.turn() as free:
        if not free:
            return text("busy", session.language)
        try:
            case = assistant.open_case(source, session=session.id)
        except ROOM_ERRORS as error:
            return str(error)
        session.case, session.source = case, source
        session.studies.clear()
        new_thread(assistant, session)
        share_files(session)
    return None


def close_case(assistant: Assistant, session: Session) -> str | None:
    """Go on without a patient."""
    with session.turn() as free:
        if not free:
            return text("busy", session.language)
        session.case = session.source = None
        session.studies.clear()
        new_thread(assistant, session)
    return None


def new_thread(assistant: Assistant, session: Session) -> None:
    """An empty conversation about what is open."""
    session.begin(assistant.new_thread(session.id))
    remember(session)


def take_up(assistant: Assistant, session: Session, thread: str) -> str | None:
    """Go back to an earlier conversation, with the case that it is about; the reason when that cannot be done."""
    talk = next((t for t in session.talks if t.thread == thread), None)
    if talk is None:
        return text("no_talk", session.language)
    with session.turn() as free:
        if not free:
            return text("busy", session.language)
        try:
            _reopen(assistant, session, talk)
            answers = assistant.history(thread, session.id)
        except ROOM_ERRORS as error:
            return str(error)
        session.thread = thread
        session.turns = turns_of(answers)
        remember(session)
    return None


def _reopen(assistant: Assistant, session: Session, talk: Talk) -> None:
    """Open the case of a conversation, unless it is the open one."""
    if talk.source == (str(session.source) if session.source is not None else None):
        return
    source = None if talk.source is None else find_files(session, talk.source) if talk.is_path else talk.source
    session.case = assistant.open_case(source, session=session.id) if source is not None else None
    session.source = source
    session.studies.clear()


def forget(assistant: Assistant, session: Session, thread: str) -> str | None:
    """Delete a conversation with everything it holds; the running one gives way to an empty one."""
    if all(talk.thread != thread for talk in session.talks):
        return text("no_talk", session.language)
    with session.turn() as free:
        if not free:
            return text("busy", session.language)
        assistant.forget_thread(thread, session.id)
        session.talks = [talk for talk in session.talks if talk.thread != thread]
        if session.thread == thread:
            new_thread(assistant, session)
        remember(session)
    return None
