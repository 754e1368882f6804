"""What the commands of this room share: the result base and the settings they read."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast

import typer
from pydantic import BaseModel, Field

from medmpt_backend.errors import BadInput

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.training_domain import Validity

Status = Literal["ok", "partial", "empty", "out_of_domain", "unavailable", "error"]


class CommandResult(BaseModel):
    """What every command returns at least."""

    status: Status = "ok"
    reason: str | None = None
    warnings: list[str] = Field(default_factory=list)


class ValidityRecord(BaseModel):
    """Domain verdict, and where the weights come from."""

    domain: Literal["in", "out", "unknown"]
    distance: float | None
    weights: str
    trained_on: str
    licence: str


class HasFolders(Protocol):
    """The settings that these commands use."""

    @property
    def data_dir(self) -> Path:
        """User data."""

    @property
    def cache_dir(self) -> Path:
        """Derived things."""

    @property
    def weights(self) -> str | None:
        """Name of the wanted weights."""


def settings_of(ctx: typer.Context) -> HasFolders:
    """The settings that `ui/cli` put into the context."""
    return cast(HasFolders, ctx.obj)


def open_engine(ctx: typer.Context, precision: str = "auto") -> "MedMPTEngine":
    """The engine of the wanted weights.

    Raises:
        Unavailable: None are installed; the text names the command that installs them.
    """
    settings = settings_of(ctx)
    folder = active_weights(settings)
    from medmpt_backend.inference.engine import MedMPTEngine

    return MedMPTEngine.open(folder, settings.cache_dir, precision=precision)  # type: ignore[arg-type]


def active_weights(settings: HasFolders) -> Path:
    """Folder of the wanted weights.

    Raises:
        Unavailable: None are installed.
    """
    from medmpt_backend.weights.store import WeightsStore

    return WeightsStore(settings.data_dir).active(settings.weights)


def validity_record(validity: "Validity") -> ValidityRecord:
    """As a record."""
    return ValidityRecord(
        domain=validity.domain,
        distance=validity.distance,
        weights=validity.weights,
        trained_on=validity.trained_on,
        licence=validity.licence,
    )


def judged(validity: "Validity") -> tuple[Status, str | None, list[str]]:
    """Status, reason and warnings that a verdict gives a result."""
    if validity.domain == "out":
        return "out_of_domain", validity.reason, []
    return "ok", None, [validity.reason] if validity.domain == "unknown" and validity.reason else []


def pairs(words: list[str]) -> dict[str, object]:
    """`key=value` words; whole numbers become numbers, comma-separated ones lists of numbers.

    Raises:
        BadInput: A word without `=`.
    """
    found: dict[str, object] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise BadInput(f"{word!r} is not of the form key=value")
        numbers = re.fullmatch(r"\d+(,\d+)*", value)
        found[key] = ([int(n) for n in value.split(",")] if "," in value else int(value)) if numbers else value
    return found
