"""Labelled messages of `data/utterances/*.jsonl`: one file per author, so that what is learnt is tried on other authors."""

import hashlib
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from agent.errors import BadInput
from agent.reading.features import Message
from agent.reading.reader import KINDS, TOOLS
from tools.evidence import Language, ToolName


class Utterance(BaseModel):
    """One message as a person types it, with the tools it needs.

    Attributes:
        q: The message.
        lang: Its language.
        case: A patient case is open.
        before: The person's message before it, of a follow-up.
        tools: Needed.
        alt: Also reasonable.
        kind: Which kind of question (`reader.KINDS`).
        author: File it comes from.
        joined: Made out of several messages: its kind is not one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str
    lang: Language
    case: bool = False
    before: str | None = None
    tools: tuple[ToolName, ...]
    alt: tuple[ToolName, ...] = ()
    kind: str
    author: str = ""
    joined: bool = False

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}")
        return kind

    @property
    def message(self) -> Message:
        """What the reader is given."""
        return Message(self.q, self.case, self.before or "")


def folder() -> Path:
    """Where the utterances of this package lie."""
    return Path(str(files("agent").joinpath("data/utterances")))


def read_utterances(place: Path) -> list[Utterance]:
    """All rows of all files, in order of file name.

    Raises:
        BadInput: No file, or a row that is none; says which.
    """
    paths = sorted(place.glob("*.jsonl"))
    if not paths:
        raise BadInput(f"no utterances in {place.name!r}: it holds no .jsonl file")
    return [row for path in paths for row in _rows(path)]


def _rows(path: Path) -> Iterator[Utterance]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield Utterance.model_validate_json(line).model_copy(update={"author": path.stem})
        except ValidationError as wrong:
            raise BadInput(f"{path.name}, line {number}: {wrong.errors()[0]['msg']} at {wrong.errors()[0]['loc']}") from wrong


def digest(rows: Sequence[Utterance]) -> str:
    """Name of the content, for the card."""
    text = "\n".join(r.model_dump_json() for r in rows)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


TOOL_COLUMNS = {tool: i for i, tool in enumerate(TOOLS)}
