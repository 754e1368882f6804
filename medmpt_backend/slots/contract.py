"""What a model beside MedMPT is to this house: a card, whether it is there, and what it says of one volume."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.imaging.volume import Volume

_CARDS = Path(__file__).parent / "data" / "cards.toml"
Labels = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Card:
    """What a reader must know of a model before its word counts.

    Attributes:
        name: Of the slot.
        task: What it does, in English and Chinese.
        task_zh: The same in Chinese.
        licence: Terms of package and weights.
        domain: Where its authors say it holds; never widened here.
        domain_zh: The same in Chinese.
        trained_on: In words.
        source: Publication or release.
        needs: Files and parts besides the package.
        packages: Import names that must be there.
        command: Installs everything it needs.
        labels: What it says -> our findings, or names of masks.
    """

    name: str
    task: str
    task_zh: str
    licence: str
    domain: str
    domain_zh: str
    trained_on: str
    source: str
    needs: str
    packages: tuple[str, ...]
    command: str
    labels: Labels


@dataclass(frozen=True)
class State:
    """Whether a model can run here: empty `missing` says yes."""

    missing: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Nothing is missing."""
        return not self.missing


@dataclass(frozen=True)
class Seen:
    """One finding of a model.

    Attributes:
        id: Of `medmpt_backend.findings`.
        label: The model's own word for it.
        score: Its own score; a probability only where its card says so.
        box: Voxels `(low, high)` along x, y, z (z from the head), where the model gives one.
        slice: The slice that speaks for it most.
    """

    id: str
    label: str
    score: float
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]] | None = None
    slice: int | None = None


@dataclass(frozen=True, eq=False)
class Output:
    """What a model says of one volume.

    Attributes:
        findings: Highest score first.
        masks: Name -> `(D, H, W)` bool at full resolution.
        notes: What a reader must know of this run.
    """

    findings: tuple[Seen, ...] = ()
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class FindingModel(Protocol):
    """A model in a slot."""

    @property
    def card(self) -> Card:
        """What it is."""

    def state(self) -> State:
        """Whether package and weights are there; nothing is loaded or downloaded."""

    def run(self, volume: Volume) -> Output:
        """What it says of a volume.

        Raises:
            Unavailable: Package or weights are missing; the text names the command.
            BadInput: Its weights are not what the package expects.
        """


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, object]]:
    return tomllib.loads(_CARDS.read_text(encoding="utf-8"))


def card_names() -> tuple[str, ...]:
    """Every slot, in the order of the file."""
    return tuple(_tables())


def card(name: str, folder: Path) -> Card:
    """The card of a slot; `folder` is where its weights are looked for."""
    table = dict(_tables()[name])
    labels = table.pop("labels", {})
    packages = table.pop("packages")
    assert isinstance(labels, dict)
    assert isinstance(packages, list)
    words = {key: str(value).replace("{folder}", str(folder)) for key, value in table.items()}
    return Card(name=name, packages=tuple(packages), labels=labels, **words)


def absent_packages(of: Card) -> tuple[str, ...]:
    """Packages of a card that are not installed; none is imported."""
    return tuple(f"package {name}" for name in of.packages if find_spec(name) is None)
