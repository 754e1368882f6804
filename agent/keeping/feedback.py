"""What people said of answers: one row each beside the thread's turns, erased with the thread."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.sessions.store import Store


class Feedback(BaseModel):
    """A person's word on one answer; `at` and `thread` are given by the log."""

    model_config = ConfigDict(frozen=True)

    question: str = Field(max_length=8000)
    verdict: Literal["good", "bad"]
    comment: str = Field(default="", max_length=2000)
    model: str = ""
    at: str = ""
    thread: str = ""


class FeedbackLog:
    """Rows of feedback, in the database of conversations."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store

    def keep(self, thread: str, feedback: Feedback) -> None:
        """Write one row; a second word on the same question replaces the first."""
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        row = (thread, at, feedback.question, feedback.verdict, feedback.comment, feedback.model)
        self._store.write(
            ("DELETE FROM feedback WHERE thread = ? AND question = ?", [(thread, feedback.question)]),
            ("INSERT INTO feedback (thread, at, question, verdict, comment, model) VALUES (?, ?, ?, ?, ?, ?)", [row]),
        )

    def all(self) -> list[Feedback]:
        """Every row, oldest first."""
        rows = self._store.rows("SELECT at, question, verdict, comment, model, thread FROM feedback ORDER BY at")
        return [Feedback(at=r[0], question=r[1], verdict=r[2], comment=r[3], model=r[4], thread=r[5]) for r in rows]

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the rows of `threads`."""
        self._store.write(("DELETE FROM feedback WHERE thread = ?", [(t,) for t in threads]))
