"""What a session needs to come back after the server was killed, or on another worker: its case's source and its thread.

It lies in the session's private folder, or in the database that several workers share.

A server that ends in order erases its folder with everything else of the session; threads themselves live in the agent's database.
"""

import json
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agent.answering.answer import Answer, StepFinished
from agent.errors import AgentError
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from ui.door import Assistant
from ui.session import Session, Talk, Turn

LOGGER = logging.getLogger(__name__)
ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)
_FILE = "state.json"


def remember(session: Session) -> None:
    """Write the session's state, readable by this user only."""
    state: dict[str, object] = {
        "source": _told(session, session.source),
        "is_path": isinstance(session.source, Path),
        "thread": session.thread,
        "language": session.language,
    }
    state["llm"] = session.llm_choice
    state["talks"] = [{**asdict(talk), "source": _told(session, talk.source)} for talk in session.talks]
    session.kept = json.dumps(state)
    if session.pages is not None:
        session.pages.keep(session.id, session.kept)
        return
    draft = session.folder / f"{_FILE}.new"
    draft.write_text(session.kept, encoding="utf-8")
    os.chmod(draft, 0o600)
    draft.replace(session.folder / _FILE)


def restore(session: Session, assistant: Assistant, local: bool) -> bool:
    """Bring back the case, the chosen chat model and the finished turns of an earlier process; False when there is nothing to bring back.

    A case whose file is gone, a thread that was erased, or a model that may not be chosen any more, leaves the session as new.
    """
    try:
        kept = _kept(session)
        state = json.loads(kept or "")
    except json.JSONDecodeError:
        return False
    try:
        source = find_files(session, state["source"]) if state["is_path"] else state["source"]
        case = assistant.open_case(source, session=session.id) if source is not None else None
        answers = assistant.history(state["thread"], session.id)
        chosen = state.get("llm")
        llm = assistant.models.spec_of(chosen, local) if chosen is not None else None
    except ROOM_ERRORS:
        return False
    session.case, session.source, session.thread, session.language = case, source, state["thread"], state["language"]
    session.llm, session.llm_choice = llm, chosen
    session.turns = turns_of(answers)
    session.talks = [_talk(session, **talk) for talk in state.get("talks", [])]
    session.kept = kept or ""
    return True


def _told(session: Session, source: str | Path | None) -> str | None:
    """A source as it is kept: what lies in the tab's own folder by its place there, which is another one with another worker."""
    if source is None:
        return None
    path = Path(source)
    return str(path.relative_to(session.folder)) if path.is_relative_to(session.folder) else str(source)


def find_files(session: Session, kept: str) -> Path:
    """Where the files of a source lie here; what this worker has not got is brought from the shared database."""
    path = session.folder / kept
    if session.pages is not None and path.is_relative_to(session.folder) and not path.exists():
        session.pages.bring_files(session.id, str(path.relative_to(session.folder)), path)
    return path


def share_files(session: Session) -> None:
    """Let other workers open what this tab has opened from files; in the background, a large case takes seconds."""
    pages, source = session.pages, session.source
    if pages is None or not isinstance(source, Path) or not source.is_relative_to(session.folder):
        return
    name = str(source.relative_to(session.folder))

    def keep() -> None:
        try:
            pages.keep_files(session.id, name, source)
        except AgentError:
            LOGGER.warning("an opened case could not be shared with other workers", exc_info=True)

    threading.Thread(target=keep, name="share-files", daemon=True).start()


def _talk(session: Session, source: str | None, is_path: bool, **more: Any) -> Talk:
    """A conversation with its source as it is found here."""
    return Talk(source=str(session.folder / source) if is_path and source is not None else source, is_path=is_path, **more)


def _kept(session: Session) -> str | None:
    """What was remembered last, by whichever process; None for nothing."""
    if session.pages is not None:
        return session.pages.of(session.id)
    file = session.folder / _FILE
    return file.read_text(encoding="utf-8") if file.is_file() else None


def moved(session: Session) -> bool:
    """Whether another worker has served this tab since this one did: what stands here is not what the person saw last."""
    return session.pages is not None and session.pages.of(session.id) not in (None, session.kept)


def turns_of(answers: Sequence[Answer]) -> list[Turn]:
    """Finished turns of a thread as the page shows them."""
    return [_turn(answer) for answer in answers]


def _turn(answer: Answer) -> Turn:
    steps = {
        str(number): StepFinished(call_id=str(number), name=call.name, status=call.status, summary="", seconds=call.seconds)
        for number, call in enumerate(answer.tool_calls)
    }
    return Turn(answer.question, steps=dict(steps), answer=answer)
