"""Rows of what a person made here (marks, reports, readings): a SQLite file of this machine, or a database that several workers share.

SQL is written once, with `?`, in the words that SQLite and Postgres both take. The room above gives the shared database.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

Values = Sequence[Any]
Statement = tuple[str, Iterable[Values]]


class Rows(Protocol):
    """A place for rows; what goes wrong is a typed error in the words of whoever gave the place."""

    def rows(self, sql: str, values: Values = ()) -> list[Values]: ...
    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        ...


class FileRows:
    """A file that is opened for each call, so that page and command line may share it; 0600, what is erased is overwritten."""

    def __init__(self, path: Path, schema: Sequence[str], failed: Callable[[Exception], Exception]) -> None:
        """Nothing is opened yet, and a file that is not there is made at the first write; `failed` says a failure as a typed error."""
        self._path, self._schema, self._failed = path, schema, failed
        self._lock = threading.RLock()

    def rows(self, sql: str, values: Values = ()) -> list[Values]:
        """Rows of a query; none where there is no file."""
        if not self._path.exists():
            return []
        with self._open() as connection:
            return list(connection.execute(sql, tuple(values)).fetchall())

    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        with self._open() as connection:
            for sql, rows in statements:
                connection.executemany(sql, rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with self._lock, closing(sqlite3.connect(self._path, timeout=30.0)) as connection, connection:
                connection.execute("PRAGMA secure_delete=ON")
                for table in self._schema:
                    connection.execute(table)
                yield connection
        except (OSError, sqlite3.Error) as failure:
            raise self._failed(failure) from failure
