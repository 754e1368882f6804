"""`MarkStore`: marks by who made them and on which images, on this machine or in a database that several workers share.

A study is known by a hash of its voxels, so that its marks are found again whether it comes as a folder, a zip or a part of a richer
case, and never on other images. What happens to marks is a log of events; undo takes the last one back.
"""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from medmpt_backend.messages import BOTH, Said
from retrieval.messages.catalogue import messages
from tools.errors import BadInput, ToolsError
from tools.imaging.marks.mark import MOST_NAME, Mark, MarkedLesion
from tools.rows import FileRows, Rows

pair = messages("tools.imaging").pair

FILE = "marks.sqlite"
# Marks of the command line; pages use their session.
LOCAL = "local"
MOST_MARKS = 99
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mark_events (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, study TEXT NOT NULL, "
    "kind TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, voxels TEXT NOT NULL DEFAULT '')"
)
Event = tuple[str, int, str, str]


class MarkStore:
    """The marks in one file, or in the database that several workers share."""

    def __init__(self, place: Path | Rows) -> None:
        """`place`: the file, which is not opened yet, or the shared database."""

        def failed(failure: Exception) -> ToolsError:
            return ToolsError(f"marks cannot be read or stored ({failure}): check {FILE} in the data folder")

        self._rows: Rows = FileRows(place, (_SCHEMA,), failed) if isinstance(place, Path) else place

    def of(self, owner: str, study: str) -> tuple[Mark, ...]:
        """Marks of a study, by number."""
        return tuple(self._fold(self._events(owner, study)).values())

    def voxels(self, owner: str, study: str) -> dict[int, str]:
        """Packed voxels of the marks of a study, by number."""
        events = self._events(owner, study)
        kept = self._fold(events)
        return {number: voxels for kind, number, _, voxels in events if kind == "added" and number in kept}

    def undoable(self, owner: str, study: str) -> bool:
        """Whether there is something to take back."""
        return bool(self._events(owner, study))

    def add(self, owner: str, study: str, at: tuple[int, int, int], lesion: MarkedLesion, voxels: str) -> Mark:
        """Keep a measurement under the next number.

        Raises:
            BadInput: The study has as many marks as are kept.
        """
        events = self._events(owner, study)
        if len(self._fold(events)) >= MOST_MARKS:
            raise BadInput(Said(*pair("this study has {most} marks, the most that are kept: delete one first", most=MOST_MARKS)))
        number = 1 + max((n for kind, n, _, _ in events if kind == "added"), default=0)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        mark = Mark(number=number, at=at, made=made, lesion=lesion)
        self._write(owner, study, ("added", number, mark.model_dump_json(context=BOTH), voxels))
        return mark

    def rename(self, owner: str, study: str, number: int, name: str) -> None:
        """Name a mark; an empty name takes the name away.

        Raises:
            BadInput: No such mark, or a name that is too long.
        """
        self._require(owner, study, number)
        if len(name.strip()) > MOST_NAME:
            raise BadInput(
                Said(*pair("a name has at most {most} characters, this one has {count}", most=MOST_NAME, count=len(name.strip())))
            )
        self._write(owner, study, ("renamed", number, name.strip(), ""))

    def delete(self, owner: str, study: str, number: int) -> None:
        """Take a mark away; undo brings it back.

        Raises:
            BadInput: No such mark.
        """
        self._require(owner, study, number)
        self._write(owner, study, ("deleted", number, "", ""))

    def undo(self, owner: str, study: str) -> None:
        """Take back what was done last on this study.

        Raises:
            BadInput: Nothing was done.
        """
        last = self._rows.rows("SELECT id FROM mark_events WHERE owner = ? AND study = ? ORDER BY id DESC LIMIT 1", (_key(owner), study))
        if not last:
            raise BadInput(Said(*pair("there is nothing to undo on this study")))
        self._rows.write(("DELETE FROM mark_events WHERE id = ?", [(last[0][0],)]))

    def has_any(self, owner: str) -> bool:
        """Whether somebody has marked anything."""
        return bool(self._rows.rows("SELECT 1 FROM mark_events WHERE owner = ? LIMIT 1", (_key(owner),)))

    def everything(self) -> list[tuple[str, tuple[Mark, ...]]]:
        """Every study with its marks, whoever made them: for export on this machine."""
        rows = self._rows.rows("SELECT owner, study, kind, number, body FROM mark_events ORDER BY id")
        events: dict[tuple[str, str], list[Event]] = {}
        for owner, study, kind, number, body in rows:
            events.setdefault((owner, study), []).append((kind, number, body, ""))
        return [(study, tuple(self._fold(found).values())) for (_, study), found in events.items()]

    def erase(self) -> None:
        """Delete everybody's marks for good."""
        if self._rows.rows("SELECT 1 FROM mark_events LIMIT 1"):
            self._rows.write(("DELETE FROM mark_events", [()]))

    def _require(self, owner: str, study: str, number: int) -> None:
        marks = self.of(owner, study)
        if all(mark.number != number for mark in marks):
            there = ", ".join(str(m.number) for m in marks) or pair("none", context="marks")
            raise BadInput(Said(*pair("this study has no mark {number}; it has: {marks}", number=number, marks=there)))

    def _events(self, owner: str, study: str) -> list[Event]:
        query = "SELECT kind, number, body, voxels FROM mark_events WHERE owner = ? AND study = ? ORDER BY id"
        rows = self._rows.rows(query, (_key(owner), study))
        return [(str(kind), int(number), str(body), str(voxels)) for kind, number, body, voxels in rows]

    @staticmethod
    def _fold(events: list[Event]) -> dict[int, Mark]:
        kept: dict[int, Mark] = {}
        for kind, number, body, _ in events:
            if kind == "added":
                kept[number] = Mark.model_validate_json(body)
            elif kind == "renamed":
                kept[number] = kept[number].model_copy(update={"name": body or None})
            else:
                del kept[number]
        return kept

    def _write(self, owner: str, study: str, event: Event) -> None:
        insert = "INSERT INTO mark_events (owner, study, kind, number, body, voxels) VALUES (?, ?, ?, ?, ?, ?)"
        self._rows.write((insert, [(_key(owner), study, *event)]))


def _key(owner: str) -> str:
    """What is stored in place of a session id."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


class OwnMarks:
    """The marks of one owner: what a turn is given, so that tools can speak of them."""

    def __init__(self, store: MarkStore, owner: str) -> None:
        """`owner`: the session, or `LOCAL`."""
        self._store, self._owner = store, owner

    def of(self, study: str) -> tuple[Mark, ...]:
        """Marks of a study, known by the hash of its voxels."""
        return self._store.of(self._owner, study)

    def any(self) -> bool:
        """Whether the owner has marks on any study; reads no image."""
        return self._store.has_any(self._owner)
