"""Commands of the model: `parity`, `weights …`, `ct encode|classify|report|explain`, `train …`, `models …`.

Each is a plain function that returns a pydantic model or raises an error of this room; `ui/cli` prints.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from medmpt_backend import ct_commands
from medmpt_backend.command_types import CommandResult
from medmpt_backend.slots import commands as slot_commands
from medmpt_backend.train import commands as train_commands
from medmpt_backend.weights import commands as weights_commands


class ArrayLine(BaseModel):
    """One array of a parity fixture."""

    name: str
    difference: float | None
    ok: bool
    kind: str
    shape: list[int]


class ParityResult(CommandResult):
    """One line per array; `status` is `error` (exit 1) when one is out of tolerance."""

    compared: int
    failed: list[str]
    arrays: list[ArrayLine]


def parity(folder: Annotated[Path, typer.Argument(help="Parity fixture folder.")]) -> ParityResult:
    """Compare this implementation with outputs of the released model, array by array."""
    from medmpt_backend.weights.parity import check_fixture

    checks = check_fixture(folder)
    failed = [c.name for c in checks if not c.ok]
    return ParityResult(
        status="error" if failed else "ok",
        reason=f"{len(failed)} arrays are out of tolerance: {', '.join(failed[:5])}" if failed else None,
        compared=sum(c.kind in ("absolute", "relative", "equal") for c in checks),
        failed=failed,
        arrays=[ArrayLine(name=c.name, kind=c.kind, shape=list(c.shape), difference=c.difference, ok=c.ok) for c in checks],
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "parity": parity,
    **weights_commands.COMMANDS,
    **ct_commands.COMMANDS,
    **train_commands.COMMANDS,
    **slot_commands.COMMANDS,
}
