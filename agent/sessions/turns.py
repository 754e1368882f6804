"""Finished turns of every thread: one compressed row each, so that a thread grows with its turns and not with their square.

The graph's checkpoint keeps what the next turn needs (the last few turns); everything older is read from here.
"""

import json
import zlib
from collections.abc import Iterable
from typing import Any

from agent.sessions.store import Store

Record = dict[str, Any]


class TurnLog:
    """Answers of finished turns, in the thread database."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store

    def keep(self, thread: str, total: int, last: list[Record]) -> None:
        """Write the turns that are not here yet, and drop every checkpoint of the thread but the newest.

        Args:
            thread: Which thread.
            total: Turns that it has finished.
            last: The newest of their answers, oldest first.
        """
        held = int(self._store.rows("SELECT COUNT(*) FROM turn WHERE thread = ?", (thread,))[0][0])
        new = last[-(total - held) :] if total > held else []
        rows = [(thread, total - len(new) + i + 1, _packed(answer)) for i, answer in enumerate(new)]
        insert = "INSERT INTO turn (thread, n, answer) VALUES (?, ?, ?) ON CONFLICT (thread, n) DO UPDATE SET answer = excluded.answer"
        self._store.write((insert, rows), *self._store.thinned(thread))

    def of(self, thread: str) -> list[Record]:
        """Answers of a thread, oldest first."""
        rows = self._store.rows("SELECT answer FROM turn WHERE thread = ? ORDER BY n", (thread,))
        return [_unpacked(row[0]) for row in rows]

    def newest(self, thread: str, most: int) -> list[Record]:
        """The newest answers of a thread, at most `most`, oldest first."""
        rows = self._store.rows("SELECT answer FROM turn WHERE thread = ? ORDER BY n DESC LIMIT ?", (thread, most))
        return [_unpacked(row[0]) for row in reversed(rows)]

    def evidence(self, thread: str, key: str) -> Record | None:
        """The newest evidence of `key` that an answer of the thread cites."""
        for (packed,) in self._store.rows("SELECT answer FROM turn WHERE thread = ? ORDER BY n DESC", (thread,)):
            found = next((e for e in _unpacked(packed).get("evidence", []) if e.get("key") == key), None)
            if found is not None:
                return dict(found)
        return None

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the turns of `threads`."""
        self._store.write(("DELETE FROM turn WHERE thread = ?", [(t,) for t in threads]))


def _packed(answer: Record) -> bytes:
    return zlib.compress(json.dumps(answer, ensure_ascii=False).encode())


def _unpacked(blob: bytes) -> Record:
    answer: Record = json.loads(zlib.decompress(blob))
    return answer
