"""Commands of the model: `parity`, `weights …`, `ct encode|classify|report|explain`, `ct encode-archive`, `train …`.

Each is a plain function that returns a pydantic model or raises an error of this room; `ui/cli` prints.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, Field

Status = Literal["ok", "partial", "empty", "out_of_domain", "unavailable", "error"]


class CommandResult(BaseModel):
    """What every command returns at least."""

    status: Status = "ok"
    reason: str | None = None
    warnings: list[str] = Field(default_factory=list)


class ArrayLine(BaseModel):
    """One array of a parity fixture."""

    name: str
    kind: str
    shape: list[int]
    difference: float | None
    ok: bool


class ParityResult(CommandResult):
    """One line per array; `status` is `error` (exit 1) when one is out of tolerance."""

    compared: int
    failed: list[str]
    arrays: list[ArrayLine]


def parity(folder: Annotated[Path, typer.Argument(help="Parity fixture folder.")]) -> ParityResult:
    """Compare this implementation with outputs of the released model, array by array."""
    from medmpt_backend.parity import check_fixture

    checks = check_fixture(folder)
    failed = [c.name for c in checks if not c.ok]
    return ParityResult(
        status="error" if failed else "ok",
        reason=f"{len(failed)} arrays are out of tolerance: {', '.join(failed[:5])}" if failed else None,
        compared=sum(c.kind in ("absolute", "relative", "equal") for c in checks),
        failed=failed,
        arrays=[ArrayLine(name=c.name, kind=c.kind, shape=list(c.shape), difference=c.difference, ok=c.ok) for c in checks],
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"parity": parity}
