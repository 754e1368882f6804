"""`medmpt eval questions|routing|cases|dialogues|safety|verify FILE`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field

from agent.evaluation.figures import Figure
from agent.evaluation.outside import Asked, Kind
from agent.settings import Settings

if TYPE_CHECKING:
    from agent.answering.answer import Answer

# Whose threads an evaluation's are; they are erased at its end.
SESSION = "evaluation"


class OutsideOut(BaseModel):
    """Figures of one file."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    kind: str
    file: str
    rows: int
    metrics: dict[str, Figure]
    baselines: dict[str, dict[str, Figure]] = Field(default_factory=dict)


_File = Annotated[Path, typer.Argument(help="JSONL in the format of the question files' README.")]
_Case = Annotated[str, typer.Option("--case", help="Open case of a routing file.")]


def run(settings: Settings, kind: Kind, file: Path, case: str = "demo-cap-01") -> OutsideOut:
    """Ask every row of a file through the whole house and score the answers."""
    from agent.evaluation.outside import figures, questions_of, read_items

    items = read_items(file)
    asked = questions_of(kind, items, file, case)
    answers = _answers(settings, asked)
    failed = tuple(f"{a.item.id or a.turn.q[:40]}: {x.reason}" for a, x in zip(asked, answers, strict=True) if x.status == "error")
    return OutsideOut(kind=kind, file=file.name, rows=len(asked), metrics=figures(kind, asked, answers), warnings=failed)


def _answers(settings: Settings, asked: list[Asked]) -> list["Answer"]:
    from agent.assistant import Assistant
    from agent.turn.batch import Batch, Row

    assistant = Assistant.open(settings)
    try:
        batch = Batch(assistant, SESSION)
        return [batch.answer(Row(a.item.id, a.turn.q, a.case, a.thread)) for a in asked]
    finally:
        assistant.erase(assistant.threads(SESSION))
        assistant.close()


def eval_questions(ctx: typer.Context, file: _File) -> OutsideOut:
    """Measure knowledge questions, no case open."""
    return run(ctx.obj, "questions", file)


def eval_routing(ctx: typer.Context, file: _File, case: _Case = "demo-cap-01") -> OutsideOut:
    """Measure which tools messages on an open case reach."""
    return run(ctx.obj, "routing", file, case)


def eval_cases(ctx: typer.Context, file: _File) -> OutsideOut:
    """Measure bedside questions on cases."""
    return run(ctx.obj, "cases", file)


def eval_dialogues(ctx: typer.Context, file: _File) -> OutsideOut:
    """Measure conversations, turn by turn."""
    return run(ctx.obj, "dialogues", file)


def eval_safety(ctx: typer.Context, file: _File) -> OutsideOut:
    """Measure what is declined, answered and taken for an emergency."""
    return run(ctx.obj, "safety", file)


def eval_verify(file: _File) -> OutsideOut:
    """Measure how many planted faults `verify` catches and how many sound sentences it refuses."""
    from agent.evaluation.verification import figures_of, read_rows

    rows = read_rows(file)
    return OutsideOut(kind="verify", file=file.name, rows=len(rows), metrics=figures_of(rows))


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "eval questions": eval_questions,
    "eval routing": eval_routing,
    "eval cases": eval_cases,
    "eval dialogues": eval_dialogues,
    "eval safety": eval_safety,
    "eval verify": eval_verify,
}
