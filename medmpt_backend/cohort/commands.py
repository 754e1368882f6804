"""`medmpt cohort generate`."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel

from medmpt_backend.command_types import CommandResult


class Cohort(CommandResult):
    """What was generated."""

    written: int
    folder: str
    per_minute: float


def cohort_generate(
    out: Annotated[Path, typer.Option("--out", help="New data set folder.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Number of studies.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the cohort.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="Index of the first study.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one core each.")] = os.cpu_count() or 1,
    config: Annotated[str, typer.Option(help="Model to prepare for: base, compact, tiny, or a configuration file.")] = "compact",
) -> Cohort:
    """Generate virtual patients with chest CT, laboratory values, prescription, reports and known truth as training shards."""
    from tqdm import tqdm

    from medmpt_backend.cohort.shards import Task, write
    from medmpt_backend.train.run import preset

    model, started = preset(config), time.perf_counter()
    tasks = [Task(seed, index, model) for index in range(first, first + n)]
    with tqdm(total=n, desc="studies", file=sys.stderr, disable=None) as bar:
        written = write(tasks, out, workers, lambda _: bar.update() and None)
    return Cohort(written=written, folder=str(out), per_minute=round(60 * written / (time.perf_counter() - started), 1))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"cohort generate": cohort_generate}
