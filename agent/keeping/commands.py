"""Commands on what people said of answers: `feedback list`, `feedback export`."""

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict

from agent.errors import AgentError, BadInput
from agent.keeping.feedback import Feedback

_COLUMNS = ("at", "verdict", "comment", "question", "model", "thread")
# A sheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class FeedbackOut(BaseModel):
    """What was said of answers, oldest first."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "empty"] = "ok"
    reason: str | None = None
    good: int = 0
    bad: int = 0
    feedback: tuple[Feedback, ...] = ()
    file: str = ""


def feedback_list(ctx: typer.Context, verdict: Annotated[str | None, typer.Option(help="Only good, or only bad")] = None) -> FeedbackOut:
    """List what was said of answers on the page."""
    return _told(_rows(ctx, verdict))


def feedback_export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="File to write: .csv for a sheet, .jsonl for one object a line")],
    verdict: Annotated[str | None, typer.Option(help="Only good, or only bad")] = None,
) -> FeedbackOut:
    """Write what was said of answers, with questions and comments as they were typed: they may name a patient."""
    if out.suffix.lower() not in (".csv", ".jsonl"):
        raise BadInput(f"--out {out.name!r} is neither .csv nor .jsonl")
    rows = _rows(ctx, verdict)
    if not rows:
        return _told(rows)
    try:
        if out.suffix.lower() == ".csv":
            _write_sheet(out, rows)
        else:
            lines = (json.dumps(row.model_dump(), ensure_ascii=False) for row in rows)
            out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        out.chmod(0o600)
    except OSError as failure:
        raise AgentError(f"cannot write {out.name!r}: {failure.strerror}") from failure
    return _told(rows).model_copy(update={"feedback": (), "file": str(out)})


def _write_sheet(out: Path, rows: list[Feedback]) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for row in rows:
            cells = [str(getattr(row, name)) for name in _COLUMNS]
            writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])


def _rows(ctx: typer.Context, verdict: str | None) -> list[Feedback]:
    from agent.assistant import Assistant

    if verdict not in (None, "good", "bad"):
        raise BadInput(f"--verdict {verdict!r} is neither good nor bad")
    assistant = Assistant.open(replace(ctx.obj, llm="planner"))
    try:
        return [row for row in assistant.feedback() if verdict in (None, row.verdict)]
    finally:
        assistant.close()


def _told(rows: list[Feedback]) -> FeedbackOut:
    if not rows:
        return FeedbackOut(status="empty", reason="nobody has said anything of an answer yet")
    good = sum(row.verdict == "good" for row in rows)
    return FeedbackOut(good=good, bad=len(rows) - good, feedback=tuple(rows))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"feedback list": feedback_list, "feedback export": feedback_export}
