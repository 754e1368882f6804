"""`medmpt train convert|pretrain|finetune`. For several processes: `torchrun --nproc-per-node N -m ui.cli train …`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, ValidationError

from medmpt_backend.command_types import CommandResult, settings_of
from medmpt_backend.errors import BadInput

if TYPE_CHECKING:
    from medmpt_backend.train.run import RunPlan
    from medmpt_backend.train.settings import TrainSettings

_Data = Annotated[Path, typer.Option("--data", help="Data set folder made by `medmpt train convert`.")]
_Out = Annotated[Path, typer.Option("--out", help="Folder for checkpoints and logs; a run found there is continued.")]
_Set = Annotated[list[str] | None, typer.Option("--set", help="key=value of the training settings, e.g. lr=1e-4; may be repeated.")]
_Strategy = Annotated[
    Literal["ddp", "fsdp"],
    typer.Option(help="Of several processes: each holds the whole model (ddp) or a part of it (fsdp, for large ones)."),
]
_Name = Annotated[str | None, typer.Option(help="Install the result as weights of this name.")]
_Licence = Annotated[str, typer.Option(help="Terms of use of the result.")]
_Tokenizer = Annotated[Path | None, typer.Option(help="Folder with vocab.txt or tokenizer.json.")]


class Trained(CommandResult):
    """Where a run stands."""

    task: str
    step: int
    steps: int
    losses: dict[str, float]
    metrics: dict[str, float]
    weights: str | None


class Learned(CommandResult):
    """A vocabulary."""

    tokens: int
    longest: int
    reports: int


class BadLine(BaseModel):
    """A study that was left out."""

    study: str
    reason: str


class ConvertedData(CommandResult):
    """What became of a table of studies."""

    written: int
    bad: list[BadLine]


def _settings(task: str, words: list[str] | None, strategy: str) -> "TrainSettings":
    from medmpt_backend.train.settings import TrainSettings

    given: dict[str, object] = {"strategy": strategy}
    for word in words or []:
        key, sign, value = word.partition("=")
        if not sign:
            raise BadInput(f"{word!r} is not of the form key=value")
        given[key] = tuple(v for v in value.split(",") if v) if key == "freeze" else value
    try:
        return TrainSettings.model_validate({**given, "task": task})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"training setting {'.'.join(map(str, first['loc']))!r}: {first['msg']} (got {first['input']!r})") from error


def _run(ctx: typer.Context, plan: "RunPlan", name: str | None, licence: str) -> Trained:
    from tqdm import tqdm

    from medmpt_backend.train.loop import leave_distributed
    from medmpt_backend.train.run import evaluate, export, train

    if int(os.environ.get("RANK", "0")) > 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # of several processes only the first speaks
    steps = plan.settings.steps
    with tqdm(total=steps, desc=plan.settings.task, file=sys.stderr, disable=None) as bar:

        def progress(step: int, loss: float) -> None:
            bar.n = step
            bar.set_postfix(loss=f"{loss:.4f}")

        trainer, outcome = train(plan, progress)
    leave_distributed()  # what follows needs one process only
    if outcome.interrupted:
        return Trained(
            status="partial",
            reason=f"interrupted at step {outcome.step} of {steps} and saved; run the same command to continue",
            task=plan.settings.task,
            step=outcome.step,
            steps=steps,
            losses=outcome.losses,
            metrics={},
            weights=None,
        )
    if name is not None and trainer.rank == 0:
        export(trainer, plan, settings_of(ctx).data_dir / "weights", name, licence)
    metrics = evaluate(trainer, plan) if trainer.rank == 0 else {}
    return Trained(task=plan.settings.task, step=outcome.step, steps=steps, losses=outcome.losses, metrics=metrics, weights=name)


def train_pretrain(
    ctx: typer.Context,
    data: _Data,
    out: _Out,
    config: Annotated[str, typer.Option(help="base, compact, cohort, tiny, or a configuration file.")] = "compact",
    tokenizer: _Tokenizer = None,
    options: _Set = None,
    strategy: _Strategy = "ddp",
    name: _Name = None,
    licence: _Licence = "as the training data allow",
) -> Trained:
    """Pretrain with all five objectives: slice and scan MoCo, masked image, image-text contrast, language modelling."""
    from medmpt_backend.train.run import RunPlan, preset

    plan = RunPlan(data, out, _settings("pretrain", options, strategy), config=preset(config), tokenizer=tokenizer)
    return _run(ctx, plan, name, licence)


def train_finetune(
    ctx: typer.Context,
    task: Annotated[
        str, typer.Argument(help="joint (all at once), caption, medication, or a head such as findings, screening, covid, extent.")
    ],
    data: _Data,
    out: _Out,
    start: Annotated[str | None, typer.Option("--from", help="Installed weights to start from; default: the ones in use.")] = None,
    config: Annotated[
        str | None,
        typer.Option(help="Configuration of the model; alone it starts from random weights, with --from from what fits of those."),
    ] = None,
    labels: Annotated[str, typer.Option(help="Comma-separated outputs of a new head.")] = "",
    kind: Annotated[Literal["multilabel", "multiclass"], typer.Option(help="Kind of a new head.")] = "multilabel",
    tokenizer: _Tokenizer = None,
    edges: Annotated[Path | None, typer.Option(help="Edges of the drug graph, made by `medmpt drugs edges`.")] = None,
    options: _Set = None,
    strategy: _Strategy = "ddp",
    name: _Name = None,
    licence: _Licence = "as the training data and the starting weights allow",
) -> Trained:
    """Fine-tune one downstream task."""
    from medmpt_backend.train.run import RunPlan, preset
    from medmpt_backend.weights.store import WeightsStore

    settings = settings_of(ctx)
    weights = None if config and not start else WeightsStore(settings.data_dir).active(start or settings.weights)
    names = tuple(label.strip() for label in labels.split(",") if label.strip())
    made = preset(config) if config else None
    plan = RunPlan(data, out, _settings(task, options, strategy), made, weights, tokenizer, names, kind, edges=edges)
    return _run(ctx, plan, name, licence)


def train_convert(
    studies: Annotated[Path, typer.Argument(help="Folder that holds the studies.")],
    table: Annotated[Path, typer.Argument(help="CSV: id, path, split, report, drugs, label:…, class:…, lab:….")],
    out: Annotated[Path, typer.Option("--out", help="New data set folder.")],
    config: Annotated[str, typer.Option(help="base, compact, tiny, or a configuration file.")] = "compact",
    source: Annotated[str, typer.Option(help="Where the studies come from, for provenance.")] = "",
) -> ConvertedData:
    """Prepare DICOM or NIfTI studies and their table for training."""
    from tqdm import tqdm

    from medmpt_backend.train.data.convert import convert
    from medmpt_backend.train.run import preset

    with tqdm(desc="studies", file=sys.stderr, disable=None) as bar:
        done = convert(studies, table, out, preset(config), source, lambda _: bar.update() and None)
    bad = [BadLine(study=study, reason=reason) for study, reason in done.bad]
    status: Literal["ok", "partial", "empty"] = "empty" if not done.written else "partial" if bad else "ok"
    return ConvertedData(status=status, reason=f"{len(bad)} studies were left out" if bad else None, written=done.written, bad=bad)


def train_tokenizer(
    data: _Data,
    out: Annotated[Path, typer.Option("--out", help="Folder for tokenizer.json.")],
    size: Annotated[int, typer.Option(help="Most tokens of the vocabulary.", min=64)] = 2048,
) -> Learned:
    """Learn the vocabulary of a data set's reports."""
    from medmpt_backend.inference.tokens import ReportTokenizer
    from medmpt_backend.train.data.vocabulary import learn_vocabulary, report_texts

    texts = report_texts(data)
    tokens = learn_vocabulary(texts, out, size)
    tokenizer = ReportTokenizer.load(out, 0, 2, 3)
    longest = max(tokenizer.encode([text], 10**6).ids.shape[1] for text in texts)
    return Learned(tokens=tokens, longest=longest, reports=len(texts))


class Refitted(CommandResult):
    """Heads fitted on a frozen encoder: head to validation loss before and after."""

    weights: str
    before: dict[str, float]
    after: dict[str, float]


def train_heads(
    ctx: typer.Context,
    start: Annotated[str, typer.Option("--from", help="Installed weights.")],
    data: _Data,
    name: Annotated[str, typer.Option(help="Install the result as weights of this name.")],
    edges: Annotated[Path | None, typer.Option(help="Edges of the drug graph, made by `medmpt drugs edges`.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder that keeps what the encoder makes of the studies, for a second fit.")] = None,
) -> Refitted:
    """Fit everything above the slices on the frozen encoder until the validation studies stop improving."""
    from tqdm import tqdm

    from medmpt_backend.train.heads import refit
    from medmpt_backend.weights.store import WeightsStore

    store = settings_of(ctx).data_dir
    with tqdm(desc="studies", file=sys.stderr, disable=None) as bar:
        losses = refit(WeightsStore(store).active(start), data, store / "weights", name, edges, lambda n: bar.update(n) and None, keep)
    return Refitted(weights=name, before={k: a for k, (a, _) in losses.items()}, after={k: b for k, (_, b) in losses.items()})


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "train convert": train_convert,
    "train tokenizer": train_tokenizer,
    "train pretrain": train_pretrain,
    "train finetune": train_finetune,
    "train heads": train_heads,
}
