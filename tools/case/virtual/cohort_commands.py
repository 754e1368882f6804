"""`medmpt cohort generate` and `medmpt cohort reports`."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from tools.errors import BadInput
from tools.evidence import Status

# Slices, rows and columns of studies written as DICOM.
DICOM_SHAPE = (136, 320, 320)


class Cohort(BaseModel):
    """What was written."""

    status: Status = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    written: int
    folder: str
    per_minute: float


def cohort_generate(
    out: Annotated[Path, typer.Option("--out", help="New folder.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Number of patients.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the cohort.")] = 1,
    first: Annotated[int, typer.Option(min=0, help="Index of the first patient.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes, one core each.")] = os.cpu_count() or 1,
    form: Annotated[
        Literal["shards", "dicom"], typer.Option("--format", help="Training shards, or DICOM series with case.json.")
    ] = "shards",
    config: Annotated[
        str, typer.Option(help="Shards: model to prepare for: base, compact, cohort, tiny, or a configuration file.")
    ] = "compact",
    disease: Annotated[str | None, typer.Option(help="DICOM: only patients with this disease.")] = None,
    followup: Annotated[int | None, typer.Option(min=1, help="Add a second study this many months later for every patient.")] = None,
    shape: Annotated[str, typer.Option(help="DICOM: slices,rows,columns.")] = ",".join(map(str, DICOM_SHAPE)),
) -> Cohort:
    """Generate virtual patients with chest CT, laboratory values, prescription, reports and known truth."""
    from tqdm import tqdm

    started = time.perf_counter()
    months = (None,) if followup is None else (None, followup)
    with tqdm(total=n * len(months) if form == "shards" else n, desc="studies", file=sys.stderr, disable=None) as bar:

        def tick(_: str) -> None:
            bar.update()

        if form == "dicom":
            chosen = [Wanted(seed, index, _shape(shape), disease, followup, out) for index in range(first, first + n)]
            written = _write_dicom(chosen, out, workers, tick)
        else:
            written = _write_shards(seed, range(first, first + n), months, config, out, workers, tick)
    return Cohort(written=written, folder=out.name, per_minute=round(60 * written / (time.perf_counter() - started), 1))


def cohort_reports(data: Annotated[Path, typer.Option("--data", help="Data set folder made by `cohort generate`.")]) -> Cohort:
    """Write the reports of a generated data set anew from its truth, with the phrases of this version; images stay."""
    from medmpt_backend.cohort.shards import rewrite_reports

    started = time.perf_counter()
    written = rewrite_reports(data)
    return Cohort(written=written, folder=data.name, per_minute=round(60 * written / (time.perf_counter() - started), 1))


@dataclass(frozen=True)
class Wanted:
    """One patient to write as DICOM."""

    seed: int
    index: int
    shape: tuple[int, int, int]
    disease: str | None
    followup: int | None
    out: Path


def _write_shards(
    seed: int, indices: range, months: tuple[int | None, ...], config: str, out: Path, workers: int, tick: Callable[[str], None]
) -> int:
    from medmpt_backend.cohort.shards import Task, write
    from medmpt_backend.train.run import preset

    model = preset(config)
    return write([Task(seed, index, model, months=later) for index in indices for later in months], out, workers, tick)


def _write_dicom(wanted: list[Wanted], out: Path, workers: int, tick: Callable[[str], None]) -> int:
    from medmpt_backend.cohort.patients.diseases import BY_ID
    from medmpt_backend.cohort.shards import run

    disease = wanted[0].disease
    if disease is not None and disease not in BY_ID:
        raise BadInput(f"no disease {disease!r}; there are: {', '.join(BY_ID)}")
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out.name!r} is not empty; choose a new folder")
    written = 0
    for name, studies in run(write_patient, wanted, workers):
        tick(name)
        written += studies
    return written


def write_patient(wanted: Wanted) -> tuple[str, int]:
    """Write one patient; id and number of studies."""
    from medmpt_backend.cohort.studies import generate, generate_followup
    from tools.case.virtual.cohort_case import write_case

    studies = [generate(wanted.seed, wanted.index, wanted.shape, wanted.disease)]
    if wanted.followup is not None:
        studies.append(generate_followup(wanted.seed, wanted.index, wanted.followup, wanted.shape, wanted.disease))
    write_case(studies, wanted.out / studies[0].id)
    return studies[0].id, len(studies)


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.split(",")
    if len(parts) != 3 or not all(part.isdigit() and int(part) >= 16 for part in parts):
        raise BadInput(f"--shape {text!r} is not slices,rows,columns of at least 16 each, for example 136,320,320")
    return int(parts[0]), int(parts[1]), int(parts[2])


COMMANDS: dict[str, Callable[..., BaseModel]] = {"cohort generate": cohort_generate, "cohort reports": cohort_reports}
