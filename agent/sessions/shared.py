"""What several workers share in the database: marks, reports, teaching readings, opened files; accounts and logins.

Only where `MEDMPT_THREADS_URL` names one; a single worker keeps these in files of its data folder.
"""

import gzip
import io
import logging
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent.sessions.handles import digest
from agent.sessions.store import Statement, Store, Values
from agent.untar import extract
from tools.errors import ToolsError

LOGGER = logging.getLogger(__name__)
# As the rooms below make them in their files; what numbers itself there does so here.
TABLES = (
    "CREATE TABLE IF NOT EXISTS mark_events (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner TEXT NOT NULL, study TEXT NOT NULL, "
    "kind TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, voxels TEXT NOT NULL DEFAULT '')",
    "CREATE TABLE IF NOT EXISTS report (id TEXT, version INTEGER, owner TEXT, case_key TEXT, study TEXT, at TEXT, body BYTEA, "
    "rowid BIGINT GENERATED ALWAYS AS IDENTITY, PRIMARY KEY (id, version))",
    "CREATE TABLE IF NOT EXISTS signature (sha256 TEXT PRIMARY KEY, id TEXT, name TEXT, at TEXT)",
    "CREATE TABLE IF NOT EXISTS attempt (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, trainee TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS draft (owner TEXT NOT NULL, case_id TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (owner, case_id))",
    "CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, hash TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS login (ticket TEXT PRIMARY KEY, name TEXT NOT NULL, until DOUBLE PRECISION NOT NULL)",
)
NAMES = ("mark_events", "report", "signature", "attempt", "draft", "account", "login")
_PART = 4 * 1024**2
# Larger cases stay with the worker that they were opened at.
MOST_BYTES = 1024**3


class SharedRows:
    """The rows of `tools.rows.Rows` in the shared database; what goes wrong there is an error of the tools."""

    def __init__(self, store: Store) -> None:
        """`store`: where conversations are."""
        self._store = store

    def rows(self, sql: str, values: Values = ()) -> list[Values]:
        """Rows of a query."""
        try:
            return self._store.rows(sql, values)
        except self._store.errors as failure:
            raise ToolsError(str(self._store.failure(failure))) from failure

    def write(self, *statements: Statement) -> None:
        """All of them, or none."""
        try:
            self._store.write(*statements)
        except self._store.errors as failure:
            raise ToolsError(str(self._store.failure(failure))) from failure


class Parcels:
    """Files that a tab has opened, packed in parts, so that another worker can open them again; gone with what brings the tab back."""

    def __init__(self, store: Store) -> None:
        """Rows live in `store`."""
        self._store = store

    def keep(self, session: str, name: str, path: Path) -> None:
        """Pack a file or folder under `name`, in place of what was there; nothing is kept of one that is too large, and the log says so.

        Raises:
            StoreFailure: The database cannot be used.
        """
        size = sum(p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file())
        if size > MOST_BYTES:
            LOGGER.warning("an opened case of %d bytes is not shared with other workers: at most %d are", size, MOST_BYTES)
            return
        owner = digest(session)
        parts = ((owner, name, number, body) for number, body in enumerate(_packed(path)))
        self._do(
            ("DELETE FROM parcel WHERE session = ? AND name = ?", [(owner, name)]),
            ("INSERT INTO parcel (session, name, part, body) VALUES (?, ?, ?, ?)", parts),
        )

    def bring(self, session: str, name: str, path: Path) -> bool:
        """Unpack what is kept under `name` to `path`; False when there is nothing.

        Raises:
            StoreFailure: The database cannot be used.
        """
        owner = digest(session)
        try:
            numbers = self._store.rows("SELECT part FROM parcel WHERE session = ? AND name = ? ORDER BY part", (owner, name))
            query = "SELECT body FROM parcel WHERE session = ? AND name = ? AND part = ?"
            bodies = (bytes(self._store.rows(query, (owner, name, n[0]))[0][0]) for n in numbers)
            if numbers:
                _unpack(bodies, path)
        except self._store.errors as failure:
            raise self._store.failure(failure) from failure
        return bool(numbers)

    def _do(self, *statements: Statement) -> None:
        try:
            self._store.write(*statements)
        except self._store.errors as failure:
            raise self._store.failure(failure) from failure


def dropping() -> Statement:
    """Takes away the files of tabs that nothing brings back any more."""
    return ("DELETE FROM parcel WHERE session NOT IN (SELECT session FROM page)", [()])


class _Parts(io.RawIOBase):
    """Collects what is written, to be taken out in parts."""

    def __init__(self) -> None:
        self.held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.held += data
        return len(data)


def _packed(path: Path) -> Iterator[bytes]:
    """A tar of the file or folder, compressed a little, in parts."""
    out = _Parts()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for file in files:
            archive.add(file, path.name if path.is_file() else file.relative_to(path).as_posix(), recursive=False)
            while len(out.held) >= _PART:
                yield bytes(out.held[:_PART])
                del out.held[:_PART]
    while out.held:
        yield bytes(out.held[:_PART])
        del out.held[:_PART]


class _Joined(io.RawIOBase):
    """Parts read as one file."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._rest = parts, b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        count = min(len(into), len(self._rest))
        into[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _unpack(parts: Iterator[bytes], path: Path) -> None:
    """Into a folder beside, which takes the place of `path` at the end: readable by this user only."""
    made = path.with_name(f"{path.name}.{time.monotonic_ns()}.part")
    made.mkdir(mode=0o700, parents=True)
    with tarfile.open(fileobj=io.BufferedReader(_Joined(parts)), mode="r|gz") as archive:
        extract(archive, made)
    single = made / path.name
    alone: Sequence[Path] = list(made.iterdir())
    if alone == [single] and single.is_file():
        single.replace(path)
        made.rmdir()
    else:
        made.replace(path)
