"""Conversations in a SQLite file of this computer."""

import errno
import os
import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver

from agent.errors import StoreFailure
from agent.sessions.store import TABLES, Statement, Turns, Values

# The ledger is only appended to; what may change is that an erased conversation loses its content.
_APPEND_ONLY = (
    "CREATE TRIGGER IF NOT EXISTS audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_unchanged BEFORE UPDATE OF seq, kind, at, digest, prev, hash ON audit "
    "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END",
)


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
        for table in (*TABLES, *_APPEND_ONLY):
            connection.execute(table)
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


class SqliteStore:
    """One connection, which the saver shares; every use holds the saver's lock."""

    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    order = "created, rowid"

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            StoreFailure: It cannot be used.
        """
        self._connection = connect(path)
        self.saver = SqliteSaver(self._connection)
        self._lock: Any = self.saver.lock
        self._turns = Turns()
        try:
            self.saver.setup()
        except sqlite3.Error as failure:
            raise store_failure(failure) from failure

    def rows(self, sql: str, values: Values = ()) -> list[Values]:
        """Rows of a query."""
        with self._lock:
            return list(self._connection.execute(sql, tuple(values)).fetchall())

    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        with self._lock, self._connection:
            for sql, rows in statements:
                self._connection.executemany(sql, rows)

    def thinned(self, thread: str) -> list[Statement]:
        """Statements that drop every checkpoint of a thread but the newest."""
        newest = "SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
        deleting = "DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < ({newest})"
        return [(deleting.format(table=t, newest=newest), [(thread, thread)]) for t in ("checkpoints", "writes")]

    def compact(self) -> None:
        """Leave nothing of erased text in the write-ahead log or in free pages."""
        with self._lock:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def turn(self, thread: str) -> AbstractContextManager[None]:
        """One turn at a time in a thread of this process."""
        return self._turns.of(thread)

    def failure(self, error: Exception) -> StoreFailure:
        """The error in words."""
        return store_failure(error)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
