"""Who may reach which thread and which case: opaque handles bound to a session."""

import hashlib
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.errors import BadInput, Forbidden
from agent.parts import OpenedCase
from agent.sessions.store import Store
from agent.turn.prompts import CaseCard

_REFUSED = "this session has no such {what}: {handle!r}; open the case again or start a new thread"


def digest(text: str) -> str:
    """What is stored in place of a session id or a case."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(eq=False)
class HeldCase:
    """A case that a session has open; `study_lock` serialises reading its volumes, `teaching` marks one of the teaching cases."""

    loaded: OpenedCase
    owner: str
    card: CaseCard
    patient: str
    teaching: bool = False
    study_lock: threading.RLock = field(default_factory=threading.RLock)


class Cases:
    """Open cases by unguessable handle."""

    def __init__(self) -> None:
        """Start with none."""
        self._held: dict[str, HeldCase] = {}
        self._lock = threading.Lock()

    def hold(self, loaded: OpenedCase, session: str, teaching: bool = False) -> str:
        """Keep `loaded` for `session`; returns its handle."""
        handle = secrets.token_urlsafe(16)
        held = HeldCase(loaded, digest(session), CaseCard.of(loaded.case), digest(loaded.case.model_dump_json()), teaching)
        with self._lock:
            self._held[handle] = held
        return handle

    def get(self, handle: str, session: str) -> HeldCase:
        """The case of `handle`.

        Raises:
            Forbidden: Unknown, closed, or another session's.
        """
        with self._lock:
            held = self._held.get(handle)
        if held is None or not secrets.compare_digest(held.owner, digest(session)):
            raise Forbidden(_REFUSED.format(what="case", handle=handle))
        return held

    def close(self, session: str) -> list[HeldCase]:
        """Forget every case of `session`; those that nobody else has open."""
        owner = digest(session)
        with self._lock:
            closed = [c for c in self._held.values() if c.owner == owner]
            self._held = {h: c for h, c in self._held.items() if c.owner != owner}
            shared = {path for c in self._held.values() for path in c.loaded.studies.values()}
        return [c for c in closed if shared.isdisjoint(c.loaded.studies.values())]


class Threads:
    """Owner and patient of every thread, in the thread database."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store

    def new(self, session: str) -> str:
        """A new thread of `session`."""
        thread = secrets.token_urlsafe(16)
        self._store.write(("INSERT INTO thread_owner (thread, owner) VALUES (?, ?)", [(thread, digest(session))]))
        return thread

    def admit(self, thread: str, session: str) -> str | None:
        """Patient of the thread (None while it has none).

        Raises:
            Forbidden: Unknown, or another session's.
        """
        rows = self._store.rows("SELECT owner, patient FROM thread_owner WHERE thread = ?", (thread,))
        if not rows or not secrets.compare_digest(str(rows[0][0]), digest(session)):
            raise Forbidden(_REFUSED.format(what="thread", handle=thread))
        return None if rows[0][1] is None else str(rows[0][1])

    def bind(self, thread: str, session: str, patient: str | None) -> None:
        """Tie the thread to one patient.

        Raises:
            Forbidden: Not this session's thread.
            BadInput: The thread is about another patient.
        """
        known = self.admit(thread, session)
        if known == patient:
            return
        if known is not None:
            told = "without its case" if patient is None else "with another case"
            raise BadInput(f"this thread is about one patient and was asked {told}: pass the same case, or start a new thread")
        self._store.write(("UPDATE thread_owner SET patient = ? WHERE thread = ?", [(patient, thread)]))

    def of(self, session: str | None) -> list[str]:
        """Threads of a session, oldest first; all of them for None."""
        where, values = ("", ()) if session is None else (" WHERE owner = ?", (digest(session),))
        rows = self._store.rows(f"SELECT thread FROM thread_owner{where} ORDER BY {self._store.order}", values)
        return [str(r[0]) for r in rows]

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the threads' rows and leave nothing of erased text behind."""
        self._store.write(("DELETE FROM thread_owner WHERE thread = ?", [(t,) for t in threads]))
        self._store.compact()
