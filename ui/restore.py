"""What a session needs to come back after the server was killed, or on another worker: its case's source and its thread.

It lies in the session's private folder, or in the database that several workers share.

A server that ends in order erases its folder with everything else of the session; threads themselves live in the agent's database.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from agent.answering.answer import Answer, StepFinished
from agent.errors import AgentError
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from ui.door import Assistant
from ui.session import Session, Talk, Turn

ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError)
_FILE = "state.json"


def remember(session: Session) -> None:
    """Write the session's state, readable by this user only."""
    source = str(session.source) if session.source is not None else None
    state: dict[str, object] = {
        "source": source,
        "is_path": isinstance(session.source, Path),
        "thread": session.thread,
        "language": session.language,
    }
    state["llm"] = session.llm_choice
    state["talks"] = [asdict(talk) for talk in session.talks]
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
    source = Path(state["source"]) if state["is_path"] else state["source"]
    try:
        case = assistant.open_case(source, session=session.id) if source is not None else None
        answers = assistant.history(state["thread"], session.id)
        chosen = state.get("llm")
        llm = assistant.models.spec_of(chosen, local) if chosen is not None else None
    except ROOM_ERRORS:
        return False
    session.case, session.source, session.thread, session.language = case, source, state["thread"], state["language"]
    session.llm, session.llm_choice = llm, chosen
    session.turns = turns_of(answers)
    session.talks = [Talk(**talk) for talk in state.get("talks", [])]
    session.kept = kept or ""
    return True


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
