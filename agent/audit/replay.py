"""A recorded turn once more: the conversation up to it is asked again in a store of its own, and the bytes of the answer are compared."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.answering.answer import Answer
from agent.audit.chain import Entry
from agent.audit.ledger import canonical
from agent.audit.versions import versions
from agent.errors import BadInput
from agent.sessions.handles import digest
from agent.settings import Settings
from agent.turn.batch import ask_one

_SESSION = "replay"


@dataclass(frozen=True)
class Replayed:
    """What came of it.

    Attributes:
        same: Whether the answer has the same bytes.
        recorded: Digest of the recorded answer.
        now: Digest of the answer now.
        differs: Fields of the answer that differ.
        changed: Versions that differ, old and new.
        answer: The answer now.
    """

    same: bool
    recorded: str
    now: str
    differs: tuple[str, ...]
    changed: dict[str, tuple[str, str]]
    answer: Answer


def replay(
    settings: Settings, turns: list[Entry], stored: list[dict[str, Any]], case: str | None, opened: Callable[[Settings, Path], Any]
) -> Replayed:
    """Ask a recorded conversation again.

    Args:
        settings: With the chat model to ask.
        turns: The entries of the conversation, up to the turn that is wanted.
        stored: The answers of the conversation as stored.
        case: What `--case` named; None opens the synthetic case that the ledger names.
        opened: Makes the assistant on a store of its own.

    Raises:
        BadInput: A turn is not stored, or its case cannot be opened as it was.
    """
    last = turns[-1].body or {}
    if len(stored) < int(last["n"]):
        raise BadInput("this conversation is not stored any more: nothing to replay")
    with tempfile.TemporaryDirectory(prefix="medmpt-replay-") as folder:
        assistant = opened(settings, Path(folder) / "threads.sqlite")
        try:
            thread, handles, answer = assistant.new_thread(_SESSION), {}, None
            for entry in turns:
                body = entry.body or {}
                patient = body.get("patient")
                if patient is not None and patient not in handles:
                    handles[patient] = _case(assistant, case or body.get("case"), patient)
                then = stored[int(body["n"]) - 1]
                answer = ask_one(assistant, str(then["question"]), thread, handles.get(patient), _SESSION, then["language"])
        finally:
            assistant.close()
    assert answer is not None
    now = hashlib.sha256(canonical(answer)).hexdigest()
    before, after = stored[int(last["n"]) - 1], answer.model_dump(mode="json")
    old, today = dict(last.get("versions", {})), versions(settings.weights)
    return Replayed(
        same=now == last["answer"],
        recorded=str(last["answer"]),
        now=now,
        differs=() if now == last["answer"] else _differing(before, after),
        changed={k: (old.get(k, ""), today.get(k, "")) for k in sorted({*old, *today}) if old.get(k) != today.get(k)},
        answer=answer,
    )


def _case(assistant: Any, source: str | None, patient: str) -> str:
    """The handle of the case, which must be the one that was asked about."""
    if source is None:
        raise BadInput("this turn was about a case of yours: give it with --case")
    handle: str = assistant.open_case(source, session=_SESSION).handle
    if digest(assistant.record_of(handle, _SESSION).model_dump_json()) != patient:
        raise BadInput("the case is not as it was when this turn was asked: nothing to compare")
    return handle


def _differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    def plain(record: dict[str, Any]) -> dict[str, Any]:
        shown = Answer.model_validate(record)
        return {k: v for k, v in shown.model_dump(mode="json", exclude={"seconds", "thread", "id"}).items() if k != "tool_calls"}

    one, other = plain(before), plain(after)
    return tuple(k for k in one if one[k] != other[k])
