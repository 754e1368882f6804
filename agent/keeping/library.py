"""The hospital's own documents as the page lists, adds and removes them, and what of this installation is missing."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from agent.errors import BadInput
from agent.settings import Settings
from retrieval.documents.ingest import add, documents, remove

_KINDS = (".pdf", ".html", ".htm", ".md", ".docx", ".txt")


class DocumentView(BaseModel):
    """One imported document, without its path."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    year: int
    pieces: int


class PartView(BaseModel):
    """One part of the installation; `command` brings it where it is missing."""

    model_config = ConfigDict(frozen=True)

    name: str
    there: bool
    detail: str = ""
    command: str = ""


class Library:
    """Documents of this installation; those that came through the page are kept in the data folder."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        """`changed` is called when the index has to be opened anew."""
        self._settings, self._changed = settings, changed

    def listed(self) -> tuple[DocumentView, ...]:
        """All documents, by path."""
        found = documents(self._settings.data_dir)
        return tuple(DocumentView(id=d.id, title=d.title, year=d.year, pieces=len(d.pieces)) for d in found)

    def add(self, file: Path, name: str) -> DocumentView:
        """Take a document in; `file` is moved.

        Raises:
            BadInput: Not a kind that can be read, or without text.
        """
        if not name.casefold().endswith(_KINDS):
            raise BadInput(f"{name}: give a {', '.join(k[1:] for k in _KINDS)} file")
        home = self._settings.data_dir / "library"
        home.mkdir(parents=True, exist_ok=True)
        place = home / Path(name).name
        shutil.move(file, place)
        changes = add(self._settings.data_dir, [place])
        taken = next((d for d in documents(self._settings.data_dir) if d.path == str(place.resolve())), None)
        if taken is None:
            place.unlink(missing_ok=True)
            raise BadInput(f"{name}: {changes.skipped[0][1] if changes.skipped else 'no text was found in it'}")
        self._changed()
        return DocumentView(id=taken.id, title=taken.title, year=taken.year, pieces=len(taken.pieces))

    def remove(self, ident: str) -> None:
        """Take a document out; the file goes too where the page brought it.

        Raises:
            BadInput: No such document.
        """
        found = next((d for d in documents(self._settings.data_dir) if d.id == ident), None)
        if found is None:
            raise BadInput("no such document")
        remove(self._settings.data_dir, Path(found.path))
        if Path(found.path).parent == (self._settings.data_dir / "library").resolve():
            Path(found.path).unlink(missing_ok=True)
        self._changed()

    def installation(self) -> tuple[PartView, ...]:
        """What answers can rest on here, and the command for what is missing."""
        from medmpt_backend.weights.store import WeightsStore

        s = self._settings
        weights = WeightsStore(s.data_dir).names()
        index = (s.cache_dir / "index").is_dir() and any((s.cache_dir / "index").iterdir())
        return (
            PartView(name="index", there=index, command="medmpt index build"),
            PartView(name="weights", there=bool(weights), detail=", ".join(weights), command="medmpt weights import CHECKPOINT"),
            PartView(name="chat_model", there=s.llm != "planner", detail="" if s.llm == "planner" else s.llm, command="medmpt llm install"),
            PartView(name="documents", there=bool(self.listed()), command="medmpt index add FILE"),
        )
