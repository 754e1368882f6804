"""Finished readings and unfinished drafts on this machine, by trainee: one SQLite file, readable by its owner only."""

import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from tools.errors import ToolsError
from tools.teaching.commit import Reading
from tools.teaching.progress import Attempt

FILE = "teaching.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (id INTEGER PRIMARY KEY, trainee TEXT NOT NULL, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS draft (owner TEXT NOT NULL, case_id TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (owner, case_id));
"""


class TeachingStore:
    """Opens the file for each call: readings are few, and nothing is held open."""

    def __init__(self, path: Path) -> None:
        """`path`: made at the first write."""
        self._path = path
        self._lock = threading.Lock()

    def add(self, trainee: str, attempt: Attempt) -> None:
        """Keep a finished reading.

        Raises:
            ToolsError: It cannot be stored.
        """
        self._write("INSERT INTO attempt (trainee, record) VALUES (?, ?)", trainee, attempt.model_dump_json())

    def attempts(self, trainee: str) -> tuple[Attempt, ...]:
        """A trainee's finished readings, oldest first."""
        rows = self._read("SELECT record FROM attempt WHERE trainee = ? ORDER BY id", trainee)
        return tuple(Attempt.model_validate_json(r[0]) for r in rows)

    def trainees(self) -> tuple[str, ...]:
        """Everybody who finished a reading."""
        return tuple(str(r[0]) for r in self._read("SELECT DISTINCT trainee FROM attempt ORDER BY trainee"))

    def keep_draft(self, owner: str, case_id: str, reading: Reading) -> None:
        """Keep what was recorded so far, for a reload.

        Raises:
            ToolsError: It cannot be stored.
        """
        self._write("INSERT OR REPLACE INTO draft (owner, case_id, record) VALUES (?, ?, ?)", owner, case_id, reading.model_dump_json())

    def draft(self, owner: str, case_id: str) -> Reading:
        """What was recorded so far; empty without a draft."""
        rows = self._read("SELECT record FROM draft WHERE owner = ? AND case_id = ?", owner, case_id)
        return Reading.model_validate_json(rows[0][0]) if rows else Reading()

    def drop_drafts(self, owner: str, case_id: str | None = None) -> None:
        """Forget the drafts of a session, or the one of a case."""
        if self._path.exists():
            more = (" AND case_id = ?", (case_id,)) if case_id else ("", ())
            self._write("DELETE FROM draft WHERE owner = ?" + more[0], owner, *more[1])

    def erase(self) -> None:
        """Delete every reading and draft."""
        if self._path.exists():
            self._write("DELETE FROM attempt")
            self._write("DELETE FROM draft")

    def _read(self, query: str, *values: str) -> list[tuple[str, ...]]:
        if not self._path.exists():
            return []
        with self._lock, self._said(), closing(self._connect()) as connection:
            return connection.execute(query, values).fetchall()

    def _write(self, query: str, *values: str) -> None:
        with self._lock, self._said(), closing(self._connect()) as connection, connection:
            connection.execute(query, values)

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("PRAGMA secure_delete=ON")
        connection.executescript(_SCHEMA)
        return connection

    def _said(self) -> "_Said":
        return _Said(self._path)


class _Said:
    """Failures of the file as one typed error that names it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (OSError, sqlite3.Error)):
            raise ToolsError(f"readings cannot be stored in {self._path.name} ({error}); look at the data folder") from error
