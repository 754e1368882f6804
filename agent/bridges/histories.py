"""Which conversation a client means: OpenAI's protocol sends the whole history each time and names no thread.

The client's own questions decide. A history that stands exactly where a known conversation stands continues it; any other (after a
restart, an edit, a second try) is asked again from its last questions. What a client claims that the assistant said is never evidence.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence

from agent.turn.state import KEEP_TURNS

_KEPT = 2000


def place(session: str, case: str | None, questions: Sequence[str]) -> str:
    """The point in a conversation after `questions`."""
    text = "\x1f".join((session, case or "", *questions))
    return hashlib.sha256(text.encode()).hexdigest()


class Histories:
    """Threads by the point that they stand at."""

    def __init__(self) -> None:
        """Start with none."""
        self._threads: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, session: str, case: str | None, questions: Sequence[str]) -> tuple[str | None, list[str]]:
        """The thread that stands right before the last question, and what must be asked first where there is none."""
        before = list(questions[:-1])
        with self._lock:
            thread = self._threads.pop(place(session, case, before), None) if before else None
        return thread, ([] if thread is not None else before[-KEEP_TURNS:])

    def put(self, session: str, case: str | None, questions: Sequence[str], thread: str) -> None:
        """The thread stands after `questions` now."""
        with self._lock:
            self._threads[place(session, case, questions)] = thread
            while len(self._threads) > _KEPT:
                self._threads.popitem(last=False)
