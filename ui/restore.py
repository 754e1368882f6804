"""What a session needs to come back after the server was killed: its case's source and its thread, in its private folder.

A server that ends in order erases this with everything else of the session; threads themselves live in the agent's database.
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
    draft = session.folder / f"{_FILE}.new"
    draft.write_text(json.dumps(state), encoding="utf-8")
    os.chmod(draft, 0o600)
    draft.replace(session.folder / _FILE)


def restore(session: Session, assistant: Assistant, local: bool) -> bool:
    """Bring back the case, the chosen chat model and the finished turns of an earlier process; False when there is nothing to bring back.

    A case whose file is gone, a thread that was erased, or a model that may not be chosen any more, leaves the session as new.
    """
    try:
        state = json.loads((session.folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
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
    return True


def turns_of(answers: Sequence[Answer]) -> list[Turn]:
    """Finished turns of a thread as the page shows them."""
    return [_turn(answer) for answer in answers]


def _turn(answer: Answer) -> Turn:
    steps = {
        str(number): StepFinished(call_id=str(number), name=call.name, status=call.status, summary="", seconds=call.seconds)
        for number, call in enumerate(answer.tool_calls)
    }
    return Turn(answer.question, steps=dict(steps), answer=answer)
