"""`medmpt weights import|list|verify|use|remove|publish`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, Field

from medmpt_backend.command_types import CommandResult, pairs, settings_of
from medmpt_backend.errors import BadInput


class WeightsEntry(BaseModel):
    """One installed set of weights."""

    name: str
    active: bool
    shipped: bool
    tasks: list[str]
    official: bool
    licence: str
    trained_on: str
    source: str
    sha256: str
    imported_at: str


class WeightsList(CommandResult):
    """Installed weights."""

    weights: list[WeightsEntry]
    folder: str


class WeightsImported(CommandResult):
    """What an import found."""

    name: str
    tasks: list[str]
    tensors: int
    parameters: int
    missing: list[str]
    unexpected: list[str]
    unused: int
    sha256: str
    licence: str


class WeightsChecked(CommandResult):
    """Result of a check, or of a change of one set of weights."""

    name: str
    problems: list[str] = Field(default_factory=list)


def _names(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name!r} cannot be read: {error}") from error
    return tuple(line.strip() for line in lines if line.strip())


def weights_import(
    ctx: typer.Context,
    checkpoint: Annotated[Path, typer.Argument(help="Official checkpoint (.pth or .safetensors).")],
    name: Annotated[str, typer.Option(help="Name of the installed weights.")] = "official",
    tokenizer: Annotated[Path | None, typer.Option(help="Folder with vocab.txt or tokenizer.json; needed for text.")] = None,
    licence: Annotated[str | None, typer.Option(help="Terms of use, when they are not the authors'.")] = None,
    trained_on: Annotated[str | None, typer.Option(help="What the weights were trained on.")] = None,
    task: Annotated[str, typer.Option(help="Task of a classification checkpoint's head.")] = "screening",
    labels: Annotated[str, typer.Option(help="Comma-separated names of that head's outputs.")] = "",
    drugs: Annotated[Path | None, typer.Option(help="File with one drug name per medication output, in order.")] = None,
    use_set: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of the training settings, e.g. vision_num_heads=12.")
    ] = None,
) -> WeightsImported:
    """Turn an official checkpoint into installed weights; nothing in the file is executed."""
    from medmpt_backend.weights.checkpoint import read_weights
    from medmpt_backend.weights.importing import ImportOptions, import_checkpoint

    options = ImportOptions(
        name=name,
        tokenizer=tokenizer,
        licence=licence,
        trained_on=trained_on,
        task=task,
        labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
        drugs=_names(drugs),
        settings=pairs(use_set or []),
    )
    report = import_checkpoint(checkpoint, settings_of(ctx).data_dir / "weights", options)
    warnings = [f"{len(report.missing)} tensors were missing; their tasks are not served"] if report.missing else []
    warnings += [f"{len(report.unexpected)} tensors are not of the MedMPT layout and were left out"] if report.unexpected else []
    warnings += ["no tokenizer was given: text tasks are not served; import again with --tokenizer DIR"] if tokenizer is None else []
    warnings.append("left and right in these weights' output are unverified: their training mirrored images")
    return WeightsImported(
        warnings=warnings,
        licence=read_weights(report.folder).provenance.licence,
        **report.model_dump(exclude={"folder"}),
    )


def weights_list(ctx: typer.Context) -> WeightsList:
    """Weights that ship or were installed, their licence and the tasks they serve."""
    from medmpt_backend.weights.checkpoint import read_weights
    from medmpt_backend.weights.store import INSTALL_HINT, WeightsStore

    settings = settings_of(ctx)
    store = WeightsStore(settings.data_dir)
    names = store.names()
    active = store.active(settings.weights).name if names and (settings.weights is None or settings.weights in names) else None
    entries = []
    for name in names:
        p = read_weights(store.folder(name)).provenance
        entries.append(
            WeightsEntry(
                name=name,
                active=name == active,
                shipped=name in store.shipped(),
                tasks=list(p.tasks),
                official=p.official,
                licence=p.licence,
                trained_on=p.trained_on,
                source=p.source,
                sha256=p.model_sha256,
                imported_at=p.imported_at,
            )
        )
    return WeightsList(
        status="ok" if entries else "empty",
        reason=None if entries else f"no weights are installed; {INSTALL_HINT}",
        weights=entries,
        folder=store.root.name,
    )


def weights_verify(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Installed weights.")]) -> WeightsChecked:
    """Compare digest, shapes and values of weights with what was recorded."""
    from medmpt_backend.weights.store import WeightsStore

    problems = WeightsStore(settings_of(ctx).data_dir).verify(name)
    return WeightsChecked(name=name, problems=problems, status="error" if problems else "ok", reason=problems[0] if problems else None)


def weights_use(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Installed weights.")]) -> WeightsChecked:
    """Make weights the default."""
    from medmpt_backend.weights.store import WeightsStore

    WeightsStore(settings_of(ctx).data_dir).use(name)
    return WeightsChecked(name=name)


def weights_remove(ctx: typer.Context, name: Annotated[str, typer.Argument(help="Installed weights.")]) -> WeightsChecked:
    """Delete installed weights."""
    from medmpt_backend.weights.store import WeightsStore

    WeightsStore(settings_of(ctx).data_dir).remove(name)
    return WeightsChecked(name=name)


def weights_publish(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Trained weights.")],
    out: Annotated[Path, typer.Option("--out", help="Folder that NAME is written into, for example medmpt_backend/shipped.")],
    shipped_as: Annotated[str | None, typer.Option("--as", help="Name of the result; default: NAME.")] = None,
    card: Annotated[Path | None, typer.Option(help="Model card (Markdown).")] = None,
    cases: Annotated[int, typer.Option(min=0, help="Reference cases for similar-case search.")] = 300,
    seed: Annotated[int, typer.Option(help="Seed of their cohort; not one that was trained on.")] = 9001,
    laterality_verified: Annotated[bool, typer.Option(help="Training kept left and right apart.")] = False,
) -> WeightsChecked:
    """Make trained weights ready to ship: half precision, reference cases, model card."""
    from tqdm import tqdm

    from medmpt_backend.weights.publish import PublishPlan, publish
    from medmpt_backend.weights.store import WeightsStore

    settings = settings_of(ctx)
    source = WeightsStore(settings.data_dir).folder(name)
    plan = PublishPlan(source, out, shipped_as or name, card, cases, seed, laterality_verified)
    with tqdm(total=cases, desc="reference cases", file=sys.stderr, disable=None) as bar:
        folder = publish(plan, settings.cache_dir, lambda _: bar.update() and None)
    return WeightsChecked(name=folder.name)


COMMANDS: dict[str, Callable[..., BaseModel]] = {
    "weights import": weights_import,
    "weights list": weights_list,
    "weights verify": weights_verify,
    "weights use": weights_use,
    "weights remove": weights_remove,
    "weights publish": weights_publish,
}
