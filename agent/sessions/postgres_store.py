"""Conversations on a Postgres server: several workers share them; `psycopg` and LangGraph's own saver (extra `postgres`)."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg.rows import dict_row, tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from agent.errors import StoreFailure
from agent.sessions.shared import NAMES
from agent.sessions.shared import TABLES as SHARED
from agent.sessions.store import TABLES, Statement, Turns, Values

_CONNECT_SECONDS = 10.0
# Of one worker; half of them hold the locks of turns that run.
_CONNECTIONS = 16
# Two workers that start at once must not both make the tables.
_SETUP_LOCK = 726_334


class PostgresStore:
    """A pool of connections, which the saver shares."""

    errors: tuple[type[Exception], ...] = (psycopg.Error, PoolTimeout)
    order = "created, thread"

    def __init__(self, url: str) -> None:
        """Connect and make the tables where they are missing.

        Raises:
            StoreFailure: The server cannot be reached or used; the address is not repeated, it may hold a password.
        """
        settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
        self._pool: ConnectionPool[Any] = ConnectionPool(
            url, min_size=1, max_size=_CONNECTIONS, timeout=_CONNECT_SECONDS, kwargs=settings, open=False
        )
        self._turns = Turns()
        # A turn holds one connection for its lock: the other half is for what it reads and writes.
        self._room = threading.BoundedSemaphore(_CONNECTIONS // 2)
        try:
            self._pool.open(wait=True, timeout=_CONNECT_SECONDS)
            self.saver = PostgresSaver(self._pool)
            with self._pool.connection() as connection:
                connection.execute("SELECT pg_advisory_lock(%s)", (_SETUP_LOCK,))
                try:
                    self.saver.setup()
                    for table in (*TABLES, *SHARED):
                        connection.execute(table.replace("BLOB", "BYTEA"))
                finally:
                    connection.execute("SELECT pg_advisory_unlock(%s)", (_SETUP_LOCK,))
        except self.errors as failure:
            self._pool.close()
            raise self.failure(failure) from failure

    def rows(self, sql: str, values: Values = ()) -> list[Values]:
        """Rows of a query."""
        with self._pool.connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            return list(cursor.execute(_own(sql), tuple(values)).fetchall())

    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        with self._pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
            for sql, rows in statements:
                cursor.executemany(_own(sql), [tuple(r) for r in rows])

    def thinned(self, thread: str) -> list[Statement]:
        """Statements that drop every checkpoint of a thread but the newest, and the values that it no longer names."""
        newest = "SELECT MAX(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
        deleting = "DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < ({newest})"
        old: list[Statement] = [(deleting.format(table=t, newest=newest), [(thread, thread)]) for t in ("checkpoints", "checkpoint_writes")]
        named = (
            "DELETE FROM checkpoint_blobs b WHERE b.thread_id = ? AND NOT EXISTS (SELECT 1 FROM checkpoints c"
            " WHERE c.thread_id = b.thread_id AND c.checkpoint_ns = b.checkpoint_ns"
            " AND c.checkpoint->'channel_versions'->>b.channel = b.version)"
        )
        return [*old, (named, [(thread,)])]

    def compact(self) -> None:
        """Leave nothing of erased rows in the tables' free space."""
        with self._pool.connection() as connection:
            own = "checkpoints, checkpoint_blobs, checkpoint_writes, thread_owner, turn, feedback, audit, page, parcel"
            connection.execute(f"VACUUM {own}, {', '.join(NAMES)}")

    @contextmanager
    def turn(self, thread: str) -> Iterator[None]:
        """One turn at a time in a thread, over all workers of this database."""
        with self._turns.of(thread), self._room, self._pool.connection() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (thread,))
            try:
                yield
            finally:
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (thread,))

    def failure(self, error: Exception) -> StoreFailure:
        """The error in words, without the address."""
        said = re.sub(r"\s+", " ", re.sub(r"postgres(?:ql)?://\S+", "…", str(error)))[:300]
        return StoreFailure(f"the Postgres server of MEDMPT_THREADS_URL cannot be used ({said}): check the server and the address")

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()


def _own(sql: str) -> str:
    """The statement with this driver's marks."""
    return sql.replace("?", "%s")
