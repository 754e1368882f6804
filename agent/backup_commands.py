"""Commands `data backup` and `data restore`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from agent.backup import back_up, restore
from agent.settings import Settings


class BackupOut(BaseModel):
    """What was written or put back."""

    status: str = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    files: int
    bytes: int
    where: str


def data_backup(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="New file, .tar.gz")]) -> BackupOut:
    """Write conversations, accounts, own documents and weights to one file; the server may keep running."""
    settings: Settings = ctx.obj
    made = back_up(settings.data_dir, file)
    said = ["the file holds everything that is stored here, unencrypted: keep it as safe as the data folder"]
    if settings.threads_url is not None:
        said.append("conversations and the ledger are on the Postgres server and NOT in this file: back them up there (pg_dump)")
    return BackupOut(files=made.files, bytes=made.size, where=str(file), warnings=tuple(said))


def data_restore(ctx: typer.Context, file: Annotated[Path, typer.Argument(help="File that `data backup` wrote")]) -> BackupOut:
    """Put a backup into an empty data folder, each file checked first."""
    settings: Settings = ctx.obj
    made = restore(file, settings.data_dir)
    return BackupOut(files=made.files, bytes=made.size, where=str(settings.data_dir))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"data backup": data_backup, "data restore": data_restore}
