"""`eval medmpt`: measure a set of MedMPT weights on a test data set. It stands here because the drug graph's interactions belong to it."""

import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, cast

import typer
from pydantic import BaseModel

if TYPE_CHECKING:
    from medmpt_backend.evaluation.figures import PartResult
    from medmpt_backend.evaluation.text.context import Context, Edge
    from medmpt_backend.weights.checkpoint import LoadedWeights

# Where real scans stand beside a checkout; an installed copy names them with --scans.
_SCANS = Path(__file__).resolve().parents[2] / "../shared/data"
# Interactions that a prescriber should avoid.
_SERIOUS = frozenset({"contraindicated", "major"})


class _Settings(Protocol):
    """What the command reads of the settings."""

    data_dir: Path
    cache_dir: Path
    weights: str | None


class Metric(BaseModel):
    """One figure with its 95 % bootstrap interval over studies."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class CaseRow(BaseModel):
    """One study of a case-by-case list."""

    study: str
    kind: str
    distance: float | None = None
    limit: float | None = None
    flagged: bool
    abstains: bool
    reason: str | None = None


class MedMPTEvaluation(BaseModel):
    """Result of `eval medmpt`; `metrics` by `part/figure`."""

    status: Literal["ok", "partial"]
    reason: str | None
    warnings: list[str]
    weights: str
    trained_on: str
    data: str
    studies: int
    train_studies: int
    part_seconds: dict[str, float]
    metrics: dict[str, Metric]
    cases: list[CaseRow]


def interactions(drugs: tuple[str, ...]) -> "tuple[Edge, ...]":
    """Pairs of a vocabulary that the drug graph says to avoid; a combined product counts with each of its parts."""
    from medmpt_backend.evaluation.text.context import Edge
    from retrieval.drugs.graph import DrugGraph

    graph = DrugGraph.load()
    parts = {}
    for drug in drugs:
        one = graph.find(drug)
        parts[drug] = [one.id] if one else [d.id for d in graph.mentions(drug.replace("-", " "))]
    return tuple(
        Edge(a, b)
        for a, b in combinations(drugs, 2)
        if any(fact.severity in _SERIOUS for x in parts[a] for y in parts[b] if x != y for fact in graph.interactions(x, y))
    )


def eval_medmpt(
    ctx: typer.Context,
    data: Annotated[Path, typer.Option("--data", help="Test data set of `medmpt cohort generate` with a seed that training never saw.")],
    weights: Annotated[str | None, typer.Option(help="Installed weights by name, or a weights folder; default: the ones in use.")] = None,
    train: Annotated[Path | None, typer.Option(help="Training data set: for the baselines and the temperature.")] = None,
    compare: Annotated[list[str] | None, typer.Option(help="NAME=WEIGHTS to measure beside them; may be repeated.")] = None,
    parts: Annotated[str, typer.Option(help="Comma-separated parts; default: all.")] = "",
    limit: Annotated[int | None, typer.Option(min=2, help="At most this many test studies.")] = None,
    train_limit: Annotated[int, typer.Option(min=20, help="At most this many training studies for the baselines.")] = 1500,
    scans: Annotated[Path | None, typer.Option(help="Folder with real scans for the domain check.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the result here too, after each part.")] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
) -> MedMPTEvaluation:
    """Measure MedMPT weights: findings, classes, calibration, explanations, retrieval, reports, medication, labs, claims, domain."""
    from medmpt_backend.evaluation.data import open_studies
    from medmpt_backend.evaluation.suite import chosen_parts, run_parts
    from medmpt_backend.evaluation.text.context import Context

    settings = cast(_Settings, ctx.obj)
    names = chosen_parts(parts)
    measured = _weights(settings, weights)
    others = {name: _weights(settings, path) for name, path in map(_pair, compare or [])}
    test = open_studies(data, limit=limit)
    taught = open_studies(train, "train", train_limit) if train is not None else None
    held = open_studies(train, "val") if train is not None and _has_split(train, "val") else None
    medication = measured.config.medication
    context = Context(
        weights=measured,
        compare=others,
        test=test,
        train=taught,
        val=held,
        cache=(out.resolve().parent if out is not None else settings.cache_dir) / "evaluation",
        seed=seed,
        counted=open_studies(train, "train") if train is not None else None,
        interactions=interactions(medication.drugs) if medication is not None else None,
        scans=scans or (_SCANS if _SCANS.is_dir() else None),
        progress=_progress,
    )
    results: list[PartResult] = []
    seconds: dict[str, float] = {}

    def done(result: "PartResult", took: float) -> None:
        results.append(result)
        seconds[result.name] = round(took, 1)
        if out is not None:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(_summary(context, results, seconds).model_dump_json(indent=1), encoding="utf-8")

    run_parts(context, names, done)
    return _summary(context, results, seconds)


def _summary(context: "Context", results: "list[PartResult]", seconds: dict[str, float]) -> MedMPTEvaluation:
    empty = [r.name for r in results if not r.figures]
    found = {f"{r.name}/{name}": Metric(value=f.value, low=f.low, high=f.high, n=f.n) for r in results for name, f in r.figures.items()}
    return MedMPTEvaluation(
        status="partial" if empty else "ok",
        reason=f"nothing was measured in {', '.join(empty)}" if empty else None,
        warnings=[f"{r.name}: {note}" for r in results for note in r.notes],
        weights=context.weights.provenance.name,
        trained_on=context.weights.provenance.trained_on,
        data=context.test.data.folder.name,
        studies=len(context.test),
        train_studies=len(context.train) if context.train is not None else 0,
        part_seconds=dict(seconds),
        metrics=found,
        cases=[CaseRow.model_validate(case) for r in results for case in r.cases],
    )


def _weights(settings: _Settings, wanted: str | None) -> "LoadedWeights":
    """Weights by name or folder; None: the ones in use."""
    from medmpt_backend.weights.checkpoint import PROVENANCE_FILE, read_weights
    from medmpt_backend.weights.store import WeightsStore

    if wanted is not None and (Path(wanted) / PROVENANCE_FILE).is_file():
        return read_weights(Path(wanted))
    return read_weights(WeightsStore(settings.data_dir).active(wanted or settings.weights))


def _pair(word: str) -> tuple[str, str]:
    from medmpt_backend.errors import BadInput

    name, sign, path = word.partition("=")
    if not sign or not name or not path:
        raise BadInput(f"--compare {word!r} is not of the form NAME=WEIGHTS")
    return name, path


def _has_split(folder: Path, split: str) -> bool:
    from medmpt_backend.train.data.shards import ShardDataset

    return any(r.split == split for r in ShardDataset(folder, None).records)


def _progress(what: str, done: int, total: int) -> None:
    """One line on stderr that rewrites itself, where someone is looking."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{what}: {done} of {total}\033[K" + ("\n" if done >= total else ""))
        sys.stderr.flush()


COMMANDS: dict[str, Callable[..., BaseModel]] = {"eval medmpt": eval_medmpt}
