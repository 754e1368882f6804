"""What people said of answers: one row each beside the thread's turns, erased with the thread."""

import sqlite3
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS feedback (thread TEXT NOT NULL, at TEXT NOT NULL, question TEXT NOT NULL, verdict TEXT NOT NULL, "
    "comment TEXT NOT NULL, model TEXT NOT NULL)"
)


class Feedback(BaseModel):
    """A person's word on one answer."""

    model_config = ConfigDict(frozen=True)

    question: str = Field(max_length=8000)
    verdict: Literal["good", "bad"]
    comment: str = Field(default="", max_length=2000)
    model: str = ""
    at: str = ""


class FeedbackLog:
    """Rows of feedback, in the thread database."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        """Share the connection of the checkpointer; every use holds `lock`."""
        self._connection, self._lock = connection, lock
        with lock, connection:
            connection.execute(_SCHEMA)

    def keep(self, thread: str, feedback: Feedback) -> None:
        """Write one row; a second word on the same question replaces the first."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = (thread, at, feedback.question, feedback.verdict, feedback.comment, feedback.model)
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM feedback WHERE thread = ? AND question = ?", (thread, feedback.question))
            self._connection.execute("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)", row)

    def all(self) -> list[Feedback]:
        """Every row, oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT at, question, verdict, comment, model FROM feedback ORDER BY at, rowid").fetchall()
        return [Feedback(at=r[0], question=r[1], verdict=r[2], comment=r[3], model=r[4]) for r in rows]

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the rows of `threads`."""
        with self._lock, self._connection:
            self._connection.executemany("DELETE FROM feedback WHERE thread = ?", [(t,) for t in threads])
