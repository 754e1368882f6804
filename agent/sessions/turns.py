"""Finished turns of every thread: one compressed row each, so that a thread grows with its turns and not with their square.

The graph's checkpoint keeps what the next turn needs (the last few turns); everything older is read from here.
"""

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable
from typing import Any

_SCHEMA = "CREATE TABLE IF NOT EXISTS turn (thread TEXT NOT NULL, n INTEGER NOT NULL, answer BLOB NOT NULL, PRIMARY KEY (thread, n))"
Record = dict[str, Any]


class TurnLog:
    """Answers of finished turns, in the thread database."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.RLock) -> None:
        """Share the connection of the checkpointer; every use holds `lock`."""
        self._connection, self._lock = connection, lock
        with lock, connection:
            connection.execute(_SCHEMA)

    def keep(self, thread: str, total: int, last: list[Record]) -> None:
        """Write the turns that are not here yet, and drop every checkpoint of the thread but the newest.

        Args:
            thread: Which thread.
            total: Turns that it has finished.
            last: The newest of their answers, oldest first.
        """
        with self._lock, self._connection:
            (held,) = self._connection.execute("SELECT COUNT(*) FROM turn WHERE thread = ?", (thread,)).fetchone()
            new = last[-(total - held) :] if total > held else []
            rows = [(thread, total - len(new) + i + 1, _packed(answer)) for i, answer in enumerate(new)]
            self._connection.executemany("INSERT OR REPLACE INTO turn (thread, n, answer) VALUES (?, ?, ?)", rows)
            for table in ("checkpoints", "writes"):
                newest = "SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
                self._connection.execute(f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < ({newest})", (thread, thread))

    def of(self, thread: str) -> list[Record]:
        """Answers of a thread, oldest first."""
        with self._lock:
            rows = self._connection.execute("SELECT answer FROM turn WHERE thread = ? ORDER BY n", (thread,)).fetchall()
        return [_unpacked(row[0]) for row in rows]

    def last(self, thread: str) -> Record | None:
        """The newest answer of a thread, None before its first."""
        with self._lock:
            row = self._connection.execute("SELECT answer FROM turn WHERE thread = ? ORDER BY n DESC LIMIT 1", (thread,)).fetchone()
        return _unpacked(row[0]) if row else None

    def evidence(self, thread: str, key: str) -> Record | None:
        """The newest evidence of `key` that an answer of the thread cites."""
        with self._lock:
            rows = self._connection.execute("SELECT answer FROM turn WHERE thread = ? ORDER BY n DESC", (thread,))
            for (packed,) in rows:
                found = next((e for e in _unpacked(packed).get("evidence", []) if e.get("key") == key), None)
                if found is not None:
                    return dict(found)
        return None

    def forget(self, threads: Iterable[str]) -> None:
        """Remove the turns of `threads`."""
        with self._lock, self._connection:
            self._connection.executemany("DELETE FROM turn WHERE thread = ?", [(t,) for t in threads])


def _packed(answer: Record) -> bytes:
    return zlib.compress(json.dumps(answer, ensure_ascii=False).encode())


def _unpacked(blob: bytes) -> Record:
    answer: Record = json.loads(zlib.decompress(blob))
    return answer
