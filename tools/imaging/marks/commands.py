"""Commands `ct mark` and `ct marks`: measure a lesion and keep it, and what is kept of a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Protocol

import typer
from pydantic import BaseModel

from tools.imaging.marks.mark import Mark, MarkedLesion
from tools.imaging.marks.measuring import mark_at
from tools.imaging.marks.store import FILE, LOCAL, MarkStore
from tools.imaging.studies import STUDIES, Study


class _Settings(Protocol):
    """What these commands need of the settings."""

    data_dir: Path


class MarkOut(BaseModel):
    """Result of `ct mark`: the lesion as `ct measure` gives it, with the mark's number."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    number: int
    name: str | None
    at: tuple[int, int, int]
    made: str
    lesion: MarkedLesion


class MarksOut(BaseModel):
    """Result of `ct marks`."""

    status: Literal["ok", "empty"]
    reason: str | None
    warnings: list[str]
    marks: list[Mark]


def store_in(data_dir: Path) -> MarkStore:
    """The marks of a data folder."""
    return MarkStore(data_dir / FILE)


_Path = Annotated[Path, typer.Argument(help="DICOM folder, zip or NIfTI of one chest CT")]


def ct_mark(
    ctx: typer.Context,
    path: _Path,
    at: Annotated[str, typer.Option("--at", help="Voxel x,y,z inside the lesion; z from the head, all 0-based")],
) -> MarkOut:
    """Measure the lesion around a voxel and keep it as a numbered mark of the study."""
    from medmpt_backend.imaging.commands import parse_point

    settings: _Settings = ctx.obj
    study = _study(path)
    mark = mark_at(store_in(settings.data_dir), LOCAL, study, parse_point(at))
    limits = mark.lesion.warnings
    return MarkOut(
        status="partial" if limits else "ok",
        reason=" ".join(limits) or None,
        warnings=[*study.volume.warnings, *limits],
        number=mark.number,
        name=mark.name,
        at=mark.at,
        made=mark.made,
        lesion=mark.lesion,
    )


def ct_marks(
    ctx: typer.Context,
    path: _Path,
    delete: Annotated[int | None, typer.Option("--delete", min=1, help="Take this mark away first")] = None,
    rename: Annotated[str | None, typer.Option("--rename", help="NUMBER=NAME; an empty name takes the name away")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back what was done last first")] = False,
) -> MarksOut:
    """List the marks of a study."""
    from tools.errors import BadInput

    settings: _Settings = ctx.obj
    study, store = _study(path), store_in(settings.data_dir)
    if undo:
        store.undo(LOCAL, study.content)
    if delete is not None:
        store.delete(LOCAL, study.content, delete)
    if rename is not None:
        number, equals, name = rename.partition("=")
        if not equals or not number.strip().isdigit():
            raise BadInput(f"--rename {rename!r} is not NUMBER=NAME, for example --rename '1=right apex'")
        store.rename(LOCAL, study.content, int(number), name)
    found = store.of(LOCAL, study.content)
    return MarksOut(
        status="ok" if found else "empty",
        reason=None if found else "no lesion of this study is marked: medmpt ct mark PATH --at x,y,z",
        warnings=list(study.volume.warnings),
        marks=list(found),
    )


def _study(path: Path) -> Study:
    return STUDIES.open(path.resolve())


COMMANDS: dict[str, Callable[..., BaseModel]] = {"ct mark": ct_mark, "ct marks": ct_marks}
