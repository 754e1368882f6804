"""Who may reach which thread and which case: opaque handles bound to a session."""

import errno
import hashlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import BadInput, Forbidden, StoreFailure
from agent.parts import OpenedCase
from agent.turn.prompts import CaseCard

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS thread_owner "
    "(thread TEXT PRIMARY KEY, owner TEXT NOT NULL, patient TEXT, created TEXT DEFAULT CURRENT_TIMESTAMP)"
)
_REFUSED = "this session has no such {what}: {handle!r}; open the case again or start a new thread"


def connect(path: Path) -> sqlite3.Connection:
    """Open the thread database: created 0600, write-ahead log, usable from several threads.

    Raises:
        StoreFailure: The folder cannot be written, the disk is full, or the file is damaged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        os.chmod(path, 0o600)
        connection = sqlite3.connect(path, check_same_thread=False, timeout=30.0)
        connection.execute("PRAGMA journal_mode=WAL")
        # Erased conversations are overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(_SCHEMA)
        connection.commit()
    except (OSError, sqlite3.Error) as failure:
        raise store_failure(failure) from failure
    return connection


def store_failure(failure: Exception) -> StoreFailure:
    """What went wrong with the thread database, and what to do."""
    said = str(failure).lower()
    if "malformed" in said or "not a database" in said:
        return StoreFailure(f"the file of conversations is damaged ({failure}): move threads.sqlite out of the data folder and start again")
    if "full" in said or (isinstance(failure, OSError) and failure.errno == errno.ENOSPC):
        return StoreFailure(f"the disk is full ({failure}): free some space and ask again; nothing stored before is lost")
    if "readonly" in said or "read-only" in said or isinstance(failure, PermissionError):
        return StoreFailure(f"the data folder cannot be written ({failure}): make it writable or set MEDMPT_DATA_DIR to another folder")
    if "locked" in said:
        return StoreFailure(f"the file of conversations is in use by another program ({failure}): close that program and ask again")
    return StoreFailure(f"conversations cannot be stored ({failure}): check the data folder (MEDMPT_DATA_DIR)")


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

    def close(self, session: str) -> None:
        """Forget every case of `session`."""
        owner = digest(session)
        with self._lock:
            self._held = {h: c for h, c in self._held.items() if c.owner != owner}


class Threads:
    """Owner and patient of every thread, in the thread database."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        """Share the connection of the checkpointer; every use holds `lock`."""
        self._connection = connection
        self._lock = lock

    def new(self, session: str) -> str:
        """A new thread of `session`."""
        thread = secrets.token_urlsafe(16)
        with self._lock, self._connection:
            self._connection.execute("INSERT INTO thread_owner (thread, owner) VALUES (?, ?)", (thread, digest(session)))
        return thread

    def admit(self, thread: str, session: str) -> str | None:
        """Patient of the thread (None while it has none).

        Raises:
            Forbidden: Unknown, or another session's.
        """
        with self._lock:
            row = self._connection.execute("SELECT owner, patient FROM thread_owner WHERE thread = ?", (thread,)).fetchone()
        if row is None or not secrets.compare_digest(str(row[0]), digest(session)):
            raise Forbidden(_REFUSED.format(what="thread", handle=thread))
        return None if row[1] is None else str(row[1])

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
        with self._lock, self._connection:
            self._connection.execute("UPDATE thread_owner SET patient = ? WHERE thread = ?", (patient, thread))

    def of(self, session: str | None) -> list[str]:
        """Threads of a session, oldest first; all of them for None."""
        where, values = ("", ()) if session is None else (" WHERE owner = ?", (digest(session),))
        with self._lock:
            rows = self._connection.execute(f"SELECT thread FROM thread_owner{where} ORDER BY created, rowid", values).fetchall()
        return [str(r[0]) for r in rows]

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the threads' rows and leave nothing of erased text in the write-ahead log or in free pages."""
        with self._lock, self._connection:
            self._connection.executemany("DELETE FROM thread_owner WHERE thread = ?", [(t,) for t in threads])
        with self._lock:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
