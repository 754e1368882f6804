"""Commands `teach list`, `teach next`, `teach progress`, `teach export`, `teach build`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from agent.errors import BadInput
from agent.sessions.lessons import ALONE
from agent.settings import Settings
from tools.teaching.cases import level_of, materialise_teaching, open_teaching, teaching_cases, teaching_title
from tools.teaching.progress import Progress, next_case, progress
from tools.teaching.sheet import as_csv, rows_of
from tools.teaching.store import FILE, TeachingStore


class Out(BaseModel):
    """Fields that every command gives."""

    status: Literal["ok", "empty"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class Lesson(BaseModel):
    """One teaching case; nothing of what is on it."""

    id: str
    level: int
    title: str
    title_zh: str


class ListOut(Out):
    """`teach list`, `teach next`."""

    cases: list[Lesson]


class ProgressOut(Out):
    """`teach progress`."""

    progress: Progress


class ExportOut(Out):
    """`teach export`: the file, its rows."""

    file: str
    rows: int


class BuildOut(Out):
    """`teach build`: studies made now, and how many there are."""

    made: int
    studies: int


Trainee = Annotated[str, typer.Option(help="Whose readings; a code, not a name")]


def _lesson(case_id: str) -> Lesson:
    return Lesson(id=case_id, level=level_of(case_id), title=teaching_title(case_id), title_zh=teaching_title(case_id, "zh"))


def _store(ctx: typer.Context) -> TeachingStore:
    settings: Settings = ctx.obj
    return TeachingStore(settings.data_dir / FILE)


def teach_list(level: Annotated[int | None, typer.Option(help="Only this level", min=1, max=3)] = None) -> ListOut:
    """List the teaching cases."""
    return ListOut(cases=[_lesson(c) for c in teaching_cases() if level in (None, level_of(c))])


def teach_next(ctx: typer.Context, trainee: Trainee = ALONE) -> ListOut:
    """The case to read next: of the trainee's level, with what was missed and is due."""
    return ListOut(cases=[_lesson(next_case(_store(ctx).attempts(trainee), date.today()))])


def teach_progress(ctx: typer.Context, trainee: Trainee = ALONE) -> ProgressOut:
    """Weak findings with their next date, calibration of confidence, reliance on the machine."""
    attempts = _store(ctx).attempts(trainee)
    found = ProgressOut(progress=progress(attempts))
    return found if attempts else found.model_copy(update={"status": "empty", "reason": "no finished reading is stored"})


def teach_export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="CSV file to write")],
    trainee: Annotated[str | None, typer.Option(help="Only this one; default: everybody")] = None,
) -> ExportOut:
    """Write every finding of every finished reading, for a supervisor."""
    store = _store(ctx)
    rows = [row for who in ([trainee] if trainee else store.trainees()) for row in rows_of(store.attempts(who), who)]
    if not rows:
        return ExportOut(status="empty", reason="no finished reading is stored", file=str(out), rows=0)
    try:
        with out.open("w", encoding="utf-8-sig", newline="") as file:
            file.write(as_csv(rows))
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}") from error
    return ExportOut(file=str(out), rows=len(rows))


def teach_build(ctx: typer.Context, level: Annotated[int | None, typer.Option(help="Only this level", min=1, max=3)] = None) -> BuildOut:
    """Generate the CTs of the teaching cases into the cache, so that none is waited for (about 2 s each)."""
    settings: Settings = ctx.obj
    from retrieval.commands import progress_bar

    studies = [next(iter(open_teaching(c, settings.cache_dir).studies.values())) for c in teaching_cases() if level in (None, level_of(c))]
    missing = [s for s in studies if not s.exists()]
    with progress_bar("Generating teaching CTs") as advance:
        for n, study in enumerate(missing, 1):
            materialise_teaching(study)
            advance(n, len(missing))
    return BuildOut(made=len(missing), studies=len(studies))


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "teach list": teach_list,
    "teach next": teach_next,
    "teach progress": teach_progress,
    "teach export": teach_export,
    "teach build": teach_build,
}
