"""Where conversations live: a SQLite file of this computer, or by URL a Postgres server that several workers share.

Both are one shape (`Store`): the checkpoints of LangGraph's own saver, and the few tables of this room. SQL is written once, with `?`.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.errors import StoreFailure

Values = Sequence[Any]
Statement = tuple[str, Iterable[Values]]

TABLES = (
    "CREATE TABLE IF NOT EXISTS thread_owner "
    "(thread TEXT PRIMARY KEY, owner TEXT NOT NULL, patient TEXT, created TEXT DEFAULT CURRENT_TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS turn (thread TEXT NOT NULL, n INTEGER NOT NULL, answer BLOB NOT NULL, PRIMARY KEY (thread, n))",
    "CREATE TABLE IF NOT EXISTS feedback (thread TEXT NOT NULL, at TEXT NOT NULL, question TEXT NOT NULL, verdict TEXT NOT NULL, "
    "comment TEXT NOT NULL, model TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, thread TEXT, kind TEXT NOT NULL, at TEXT NOT NULL, salt BLOB, body BLOB, "
    "digest TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS page (session TEXT PRIMARY KEY, at DOUBLE PRECISION NOT NULL, state TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS parcel (session TEXT NOT NULL, name TEXT NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY (session, name, part))",
)


class Store(Protocol):
    """A database of conversations."""

    @property
    def saver(self) -> BaseCheckpointSaver[Any]: ...
    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the database raises; `failure` says it in words."""
        ...

    @property
    def order(self) -> str:
        """What sorts threads that began in the same second."""
        ...

    def rows(self, sql: str, values: Values = ()) -> list[Values]: ...
    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        ...

    def thinned(self, thread: str) -> list[Statement]:
        """Statements that drop every checkpoint of a thread but the newest."""
        ...

    def compact(self) -> None:
        """Leave nothing of what was erased."""
        ...

    def turn(self, thread: str) -> AbstractContextManager[None]:
        """One turn at a time in a thread, whoever else works on this database."""
        ...

    def failure(self, error: Exception) -> StoreFailure: ...
    def close(self) -> None: ...


class Turns:
    """One lock for each thread of this process."""

    def __init__(self) -> None:
        """Start with none."""
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    @contextmanager
    def of(self, thread: str) -> Iterator[None]:
        """Hold the thread's lock."""
        with self._lock:
            mine = self._locks.setdefault(thread, threading.Lock())
        with mine:
            yield
