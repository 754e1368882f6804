"""`medmpt models list|check`: which models can be used beside MedMPT, their domain and licence, and whether they run here."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pydantic import BaseModel, Field

from medmpt_backend.command_types import CommandResult, settings_of
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.slots.contract import FindingModel, Output


class ModelEntry(BaseModel):
    """One slot in the shape of the contract, with its card."""

    name: str
    task: str
    task_zh: str
    licence: str
    installed: bool
    command: str
    domain: str
    domain_zh: str
    missing: list[str]
    trained_on: str
    source: str
    needs: str
    labels: list[str]

    @classmethod
    def of(cls, model: FindingModel) -> "ModelEntry":
        """From a slot; nothing is loaded."""
        card, state = model.card, model.state()
        return cls(
            **{name: getattr(card, name) for name in cls.model_fields if hasattr(card, name) and name != "labels"},
            installed=state.installed,
            missing=list(state.missing),
            labels=sorted({value if isinstance(value, str) else key for key, value in card.labels.items()}),
        )


class ModelsList(CommandResult):
    """Result of `models list`."""

    models: list[ModelEntry]


class SeenRecord(BaseModel):
    """One finding of a model."""

    id: str
    label: str
    score: float
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None
    slice: int | None


class MaskRecord(BaseModel):
    """One mask: name and size."""

    name: str
    ml: float


class ModelChecked(CommandResult):
    """Result of `models check`: the one slot, and what it said of a study."""

    models: list[ModelEntry]
    study: str | None = None
    run_seconds: float | None = None
    findings: list[SeenRecord] = Field(default_factory=list)
    masks: list[MaskRecord] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    parity_failed: list[str] | None = None


_MOST = 20


def models_list(ctx: typer.Context) -> ModelsList:
    """Models that this program can use, whether each is installed, its licence and the domain its authors give."""
    from medmpt_backend.slots.registry import slots

    settings = settings_of(ctx)
    found = [ModelEntry.of(model) for model in slots(settings.data_dir, settings.cache_dir, settings.weights)]
    return ModelsList(models=found, warnings=["A domain is what the authors published; this program does not widen it."])


def models_check(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of a model, as `models list` gives it.")],
    study: Annotated[Path | None, typer.Option(help="A chest CT to run it on; default: a virtual study.")] = None,
    parity: Annotated[Path | None, typer.Option(help="Parity fixture folder, for medmpt: compare outputs array by array too.")] = None,
) -> ModelChecked:
    """Say whether a model is installed, and run it on a study; a missing one names the command that installs it."""
    from medmpt_backend.slots.registry import slot

    settings = settings_of(ctx)
    model = slot(name, settings.data_dir, settings.cache_dir, settings.weights)
    entry = ModelEntry.of(model)
    if not entry.installed:
        reason = f"{name} lacks {', '.join(entry.missing)}; install it: {entry.command}"
        return ModelChecked(status="unavailable", reason=reason, models=[entry])
    volume, shown = _study(study)
    started = time.perf_counter()
    said = model.run(volume)
    result = _result(entry, said, volume, shown, time.perf_counter() - started)
    return result if parity is None else _with_parity(result, parity)


def _study(path: Path | None) -> tuple[Volume, str]:
    """The study to run on, and how to name it."""
    if path is not None:
        from medmpt_backend.imaging.load import load_volume

        return load_volume(path), "the given study"
    from medmpt_backend.cohort.demo import generate
    from medmpt_backend.cohort.thorax import Scan

    made = generate("pneumonia", 1, Scan(shape=(96, 192, 192), spacing=(3.2, 1.9, 1.9), z_top=140.0))
    return Volume(made.hu, made.spacing, SeriesInfo(uid_hash="virtual", contrast="no", synthetic=True)), "a virtual study of this program"


def _result(entry: ModelEntry, said: Output, volume: Volume, shown: str, seconds: float) -> ModelChecked:
    """The record of a run."""
    ml = float(np.prod(volume.spacing)) / 1000
    warnings = [f"{len(said.findings)} findings, the first {_MOST} are listed"] if len(said.findings) > _MOST else []
    if volume.series.synthetic:
        warnings.append("a virtual study shows that the model runs, not that it is right")
    return ModelChecked(
        warnings=warnings,
        models=[entry],
        study=shown,
        run_seconds=round(seconds, 2),
        findings=[SeenRecord(**vars(one)) for one in said.findings[:_MOST]],
        masks=[MaskRecord(name=name, ml=round(float(np.count_nonzero(mask)) * ml, 1)) for name, mask in said.masks.items()],
        notes=list(said.notes),
    )


def _with_parity(result: ModelChecked, folder: Path) -> ModelChecked:
    """Preprocessing and outputs of this implementation against the released code's."""
    from medmpt_backend.weights.parity import check_fixture

    failed = [check.name for check in check_fixture(folder) if not check.ok]
    status = "error" if failed else result.status
    reason = f"{len(failed)} arrays are out of tolerance: {', '.join(failed[:5])}" if failed else result.reason
    return result.model_copy(update={"parity_failed": failed, "status": status, "reason": reason})


COMMANDS: dict[str, Callable[..., BaseModel]] = {"models list": models_list, "models check": models_check}
