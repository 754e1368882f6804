"""Marks as the page changes them: measure and keep, rename, delete, undo; a session reaches only its own."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadInput
from agent.sessions.handles import HeldCase
from medmpt_backend.errors import BackendError
from medmpt_backend.messages import Told, bare, joined
from tools.errors import ToolsError
from tools.evidence import Status
from tools.imaging.marks.mark import MOST_NAME, Mark
from tools.imaging.marks.measuring import mark_at
from tools.imaging.marks.store import MarkStore
from tools.imaging.studies import STUDIES, Study


class MarkChange(BaseModel):
    """What is to happen: `add` needs `at`, `rename` a number and a name, `delete` a number; `list` changes nothing."""

    model_config = ConfigDict(frozen=True)

    do: Literal["list", "add", "rename", "delete", "undo"] = "list"
    at: tuple[int, int, int] | None = None
    number: int | None = None
    name: str = Field(default="", max_length=4 * MOST_NAME)


class MarksView(BaseModel):
    """The marks of a study after a change, or why nothing was changed; `number` is the new mark's."""

    model_config = ConfigDict(frozen=True)

    status: Status
    reason: Told | None = None
    number: int | None = None
    marks: tuple[Mark, ...] = ()
    undoable: bool = False


class MarkDesk:
    """Changes of marks on the studies of open cases."""

    def __init__(self, store: MarkStore) -> None:
        """`store`: where marks are kept."""
        self.store = store

    def change(self, held: HeldCase, study: str, change: MarkChange, session: str) -> MarksView:
        """Do what `change` says and list the marks.

        Raises:
            BadInput: The case has no such study.
        """
        path = held.loaded.studies.get(study)
        if path is None:
            raise BadInput(f"the case has no study {study!r}; it has: {', '.join(held.loaded.studies) or 'none'}")
        status: Status = "ok"
        reason, number = None, None
        with held.study_lock:  # not while measuring: pixels wait for the same lock
            opened = STUDIES.open(path)
        try:
            number = self._done(opened, change, session)
        except (BackendError, ToolsError) as failure:
            status, reason = failure.status, str(failure)
        marks = self.store.of(session, opened.content)
        new = next((m for m in marks if m.number == number), None)
        if new is not None and new.lesion.warnings:
            status, reason = "partial", joined(bare(said) for said in new.lesion.warnings)
        return MarksView(status=status, reason=reason, number=number, marks=marks, undoable=self.store.undoable(session, opened.content))

    def _done(self, study: Study, change: MarkChange, session: str) -> int | None:
        """Number of a new mark."""
        if change.do == "add":
            if change.at is None:
                raise ToolsError("a mark needs the voxel that it is made at")
            return mark_at(self.store, session, study, change.at).number
        if change.do == "undo":
            self.store.undo(session, study.content)
        elif change.do == "delete":
            self.store.delete(session, study.content, change.number or 0)
        elif change.do == "rename":
            self.store.rename(session, study.content, change.number or 0, change.name)
        return None
