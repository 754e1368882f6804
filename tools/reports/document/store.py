"""Every version of every report, and the register of signatures: SQLite in the user's data folder (0600), or a database of several workers.

A version is written once and never changed. A signature counts only when it is in the register of this installation: a file with a
signature that somebody else wrote is shown as preliminary, with a warning.
"""

import hashlib
import os
import sqlite3
import threading
import zlib
from pathlib import Path

from tools.errors import BadInput, ToolsError
from tools.reports.document.record import ReportDocument
from tools.rows import Rows, Statement, Values

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS report (id TEXT, version INTEGER, owner TEXT, case_key TEXT, study TEXT, at TEXT, body BLOB, "
    "PRIMARY KEY (id, version))",
    "CREATE INDEX IF NOT EXISTS report_case ON report (owner, case_key, study)",
    "CREATE TABLE IF NOT EXISTS signature (sha256 TEXT PRIMARY KEY, id TEXT, name TEXT, at TEXT)",
)


# A version is written once; the same words again may come from another session, which then has them.
_KEEP = (
    "INSERT INTO report (id, version, owner, case_key, study, at, body) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, version) DO UPDATE "
    "SET owner = excluded.owner, case_key = excluded.case_key, study = excluded.study WHERE report.body = excluded.body"
)


class ReportStoreFailure(ToolsError):
    """The reports of this machine cannot be read or written (exit 1)."""


class Stale(BadInput):
    """The document was changed elsewhere in the meantime."""


def hidden(text: str) -> str:
    """What is stored in place of a session, a path or a patient."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class ReportStore:
    """Reports by id and version."""

    def __init__(self, place: Path | Rows) -> None:
        """`place`: the file, opened or made at once, or the shared database.

        Raises:
            ReportStoreFailure: The folder cannot be written, the disk is full, or the file is damaged.
        """
        self._file = _OpenFile(place) if isinstance(place, Path) else None
        self._place: Rows = self._file or place  # type: ignore[assignment]

    def close(self) -> None:
        """Close the database, where it is a file of our own."""
        if self._file is not None:
            self._file.close()

    def keep(self, document: ReportDocument, owner: str, case_key: str) -> None:
        """Write a version.

        Raises:
            Stale: This version or a later one is there already, with other words.
        """
        self._write(document, hidden(owner), hidden(case_key))

    def _write(self, document: ReportDocument, owner: str, case_key: str) -> None:
        at = document.changes[-1].at if document.changes else ""
        body = zlib.compress(document.model_dump_json().encode())
        newest = self._newest(document.id)
        if newest is not None and newest.version >= document.version and newest != document:
            raise _stale()
        self._place.write((_KEEP, [(document.id, document.version, owner, case_key, document.study.study, at, body)]))
        kept = self._rows("SELECT body FROM report WHERE id = ? AND version = ?", (document.id, document.version))
        if _unpacked(kept[0][0]) != document:  # another worker was quicker with the same version
            raise _stale()

    def append(self, document: ReportDocument) -> None:
        """Write the next version of a report that is kept already, for its owner and case.

        Raises:
            BadInput: The report is not kept here.
            Stale: It was changed meanwhile.
        """
        rows = self._rows("SELECT owner, case_key FROM report WHERE id = ? LIMIT 1", (document.id,))
        if not rows:
            raise BadInput(f"there is no report {document.id!r}")
        self._write(document, str(rows[0][0]), str(rows[0][1]))

    def load(self, document_id: str, owner: str | None = None) -> ReportDocument:
        """The newest version of a report.

        Raises:
            BadInput: No such report, or another owner's.
        """
        document = self._newest(document_id, owner)
        if document is None:
            raise BadInput(f"there is no report {document_id!r}")
        return document

    def versions(self, document_id: str) -> tuple[ReportDocument, ...]:
        """All versions of a report, oldest first."""
        rows = self._rows("SELECT body FROM report WHERE id = ? ORDER BY version", (document_id,))
        return tuple(_unpacked(r[0]) for r in rows)

    def of_case(self, owner: str, case_key: str, study: str | None = None) -> tuple[ReportDocument, ...]:
        """Newest versions of the reports on a case, the last changed first."""
        where, values = ("", ()) if study is None else (" AND study = ?", (study,))
        query = f"SELECT id, MAX(version) FROM report WHERE owner = ? AND case_key = ?{where} GROUP BY id ORDER BY MAX(rowid) DESC"
        rows = self._rows(query, (hidden(owner), hidden(case_key), *values))
        return tuple(d for r in rows if (d := self._newest(str(r[0]))) is not None)

    def listed(self) -> tuple[ReportDocument, ...]:
        """Newest version of every report on this machine."""
        rows = self._rows("SELECT id FROM report GROUP BY id ORDER BY MAX(rowid)", ())
        return tuple(d for r in rows if (d := self._newest(str(r[0]))) is not None)

    def register(self, document: ReportDocument) -> None:
        """Remember a signature of this installation; only the signing graph calls this."""
        signature = document.signature
        if signature is None:
            raise BadInput("an unsigned report cannot be registered as signed")
        row = (signature.sha256, document.id, signature.name, signature.at)
        self._place.write(("INSERT INTO signature (sha256, id, name, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", [row]))

    def registered(self, document: ReportDocument) -> bool:
        """Whether this installation made the signature of the document."""
        if document.signature is None:
            return False
        rows = self._rows("SELECT id FROM signature WHERE sha256 = ?", (document.signature.sha256,))
        kept = self._newest(document.id)
        return bool(rows) and str(rows[0][0]) == document.id and (kept is None or kept.signature in (None, document.signature))

    def erase(self, document_id: str) -> int:
        """Delete every version of a report; how many there were."""
        count = len(self._rows("SELECT version FROM report WHERE id = ?", (document_id,)))
        self._place.write(("DELETE FROM report WHERE id = ?", [(document_id,)]))
        if self._file is not None:
            self._file.tidy()
        return count

    def erase_all(self) -> int:
        """Delete every report, every signature, and what waits to be signed in the same file; how many reports there were."""
        count = int(str(self._rows("SELECT COUNT(DISTINCT id) FROM report", ())[0][0]))
        if self._file is not None:
            self._file.empty()
        else:
            self._place.write(("DELETE FROM report", [()]), ("DELETE FROM signature", [()]))
        return count

    def _newest(self, document_id: str, owner: str | None = None) -> ReportDocument | None:
        where, values = ("", ()) if owner is None else (" AND owner = ?", (hidden(owner),))
        rows = self._rows(f"SELECT body FROM report WHERE id = ?{where} ORDER BY version DESC LIMIT 1", (document_id, *values))
        return _unpacked(rows[0][0]) if rows else None

    def _rows(self, query: str, values: tuple[object, ...]) -> list[Values]:
        return self._place.rows(query, values)


class _OpenFile:
    """One connection to the file of reports."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            os.chmod(path, 0o600)
            self._connection = sqlite3.connect(path, check_same_thread=False, timeout=30.0)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA secure_delete=ON")
            for statement in _SCHEMA:
                self._connection.execute(statement)
            self._connection.commit()
        except (OSError, sqlite3.Error) as failure:
            raise _failure(failure) from failure

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str, values: Values = ()) -> list[Values]:
        try:
            with self._lock:
                return list(self._connection.execute(sql, tuple(values)).fetchall())
        except sqlite3.Error as failure:
            raise _failure(failure) from failure

    def write(self, *statements: Statement) -> None:
        try:
            with self._lock, self._connection:
                for sql, rows in statements:
                    self._connection.executemany(sql, rows)
        except sqlite3.Error as failure:
            raise _failure(failure) from failure

    def tidy(self) -> None:
        with self._lock:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def empty(self) -> None:
        """Every table of the file: what waits to be signed lies there too."""
        with self._lock, self._connection:
            names = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
            for (name,) in names:
                self._connection.execute(f'DELETE FROM "{name}"')
        with self._lock:
            self._connection.execute("VACUUM")
            self.tidy()


def _stale() -> Stale:
    return Stale("the report was changed in another window meanwhile: load it again")


def _unpacked(body: bytes) -> ReportDocument:
    return ReportDocument.model_validate_json(zlib.decompress(body))


def _failure(failure: Exception) -> ReportStoreFailure:
    said = str(failure).lower()
    if "full" in said or "no space" in said:
        return ReportStoreFailure(f"the disk is full ({failure}): free some space and try again; nothing kept before is lost")
    if "readonly" in said or "read-only" in said or isinstance(failure, PermissionError):
        return ReportStoreFailure(f"the data folder cannot be written ({failure}): make it writable or set MEDMPT_DATA_DIR")
    if "malformed" in said or "not a database" in said:
        return ReportStoreFailure(f"the file of reports is damaged ({failure}): move reports.sqlite out of the data folder and start again")
    return ReportStoreFailure(f"reports cannot be kept ({failure}): check the data folder (MEDMPT_DATA_DIR)")
