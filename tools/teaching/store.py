"""Finished readings and unfinished drafts on this machine, by trainee: one SQLite file, readable by its owner only."""

from pathlib import Path

from tools.errors import ToolsError
from tools.rows import FileRows, Rows, Values
from tools.teaching.commit import Reading
from tools.teaching.progress import Attempt

FILE = "teaching.sqlite"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS attempt (id INTEGER PRIMARY KEY, trainee TEXT NOT NULL, record TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS draft (owner TEXT NOT NULL, case_id TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (owner, case_id))",
)


class TeachingStore:
    """In a file that is opened for each call (readings are few, nothing is held open), or in the database that several workers share."""

    def __init__(self, place: Path | Rows) -> None:
        """`place`: the file, made at the first write, or the shared database."""

        def failed(failure: Exception) -> ToolsError:
            return ToolsError(f"readings cannot be stored in {FILE} ({failure}); look at the data folder")

        self._rows: Rows = FileRows(place, _SCHEMA, failed) if isinstance(place, Path) else place

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
        newer = "ON CONFLICT (owner, case_id) DO UPDATE SET record = excluded.record"
        self._write(f"INSERT INTO draft (owner, case_id, record) VALUES (?, ?, ?) {newer}", owner, case_id, reading.model_dump_json())

    def draft(self, owner: str, case_id: str) -> Reading:
        """What was recorded so far; empty without a draft."""
        rows = self._read("SELECT record FROM draft WHERE owner = ? AND case_id = ?", owner, case_id)
        return Reading.model_validate_json(rows[0][0]) if rows else Reading()

    def drop_drafts(self, owner: str, case_id: str | None = None) -> None:
        """Forget the drafts of a session, or the one of a case."""
        more = (" AND case_id = ?", (case_id,)) if case_id else ("", ())
        if self._read("SELECT 1 FROM draft WHERE owner = ?" + more[0], owner, *more[1]):
            self._write("DELETE FROM draft WHERE owner = ?" + more[0], owner, *more[1])

    def erase(self) -> None:
        """Delete every reading and draft."""
        for table in ("attempt", "draft"):
            if self._read(f"SELECT 1 FROM {table} LIMIT 1"):
                self._write(f"DELETE FROM {table}")

    def _read(self, query: str, *values: str) -> list[Values]:
        return self._rows.rows(query, values)

    def _write(self, query: str, *values: str) -> None:
        self._rows.write((query, [values]))
