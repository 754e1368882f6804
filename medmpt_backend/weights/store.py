"""Weights on this machine: shipped and imported folders, which is in use, and whether its files are whole."""

import json
import os
import shutil
from pathlib import Path

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.weights.checkpoint import (
    CONFIG_FILE,
    MODEL_FILE,
    NO_WEIGHTS,
    PROVENANCE_FILE,
    check_name,
    load_model,
    read_weights,
    sha256_of,
)

ACTIVE_FILE = "active"
SHIPPED = Path(__file__).parents[1] / "shipped"


INSTALL_HINT = "install them with `medmpt weights import CHECKPOINT`"


class WeightsStore:
    """The `weights` folder of the user's data, and behind it the weights that ship with the package."""

    def __init__(self, data_dir: Path, shipped: Path = SHIPPED) -> None:
        """`shipped` is the folder of the package's own weights; it is only read."""
        self.root, self._shipped = data_dir / "weights", shipped

    def installed(self) -> list[str]:
        """Weights that the user installed, sorted."""
        return _folders(self.root)

    def shipped(self) -> list[str]:
        """Weights of the package, sorted; those that the user replaced by installed ones of the same name are not among them."""
        return [name for name in _folders(self._shipped) if name not in self.installed()]

    def names(self) -> list[str]:
        """All weights, the user's first."""
        return [*self.installed(), *self.shipped()]

    def folder(self, name: str) -> Path:
        """Folder of weights that are there.

        Raises:
            BadInput: There are none of this name.
        """
        if check_name(name) not in self.names():
            raise BadInput(f"no weights named {name!r}; there are: {', '.join(self.names()) or 'none'}")
        return (self.root if name in self.installed() else self._shipped) / name

    def active(self, wanted: str | None = None) -> Path:
        """Folder of the wanted weights; else those chosen by `use`, else the first installed, else those that ship.

        Raises:
            Unavailable: None are there, not the wanted ones, or `none` is wanted.
        """
        if wanted == NO_WEIGHTS:
            raise Unavailable(
                "the MedMPT model is switched off (weights 'none'); leave MEDMPT_WEIGHTS unset or give a name of `medmpt weights list`"
            )
        names = self.names()
        if not names:
            raise Unavailable(f"no MedMPT weights are installed; {INSTALL_HINT}")
        marker = self.root / ACTIVE_FILE
        chosen = wanted or (marker.read_text(encoding="utf-8").strip() if marker.is_file() else names[0])
        if chosen not in names:
            raise Unavailable(f"MedMPT weights {chosen!r} are not installed ({', '.join(names)} are); {INSTALL_HINT} --name {chosen}")
        return self.folder(chosen)

    def use(self, name: str) -> None:
        """Make `name` the default."""
        self.folder(name)
        self.root.mkdir(parents=True, exist_ok=True)
        temporary = self.root / f".{ACTIVE_FILE}-{os.getpid()}"
        temporary.write_text(name + "\n", encoding="utf-8")
        temporary.replace(self.root / ACTIVE_FILE)

    def remove(self, name: str) -> None:
        """Delete installed weights.

        Raises:
            BadInput: There are none of this name, or they are the package's own.
        """
        folder = self.folder(name)
        if name not in self.installed():
            raise BadInput(f"{name!r} ships with the package and cannot be removed; choose others with `medmpt weights use NAME`")
        marker = self.root / ACTIVE_FILE
        if marker.is_file() and marker.read_text(encoding="utf-8").strip() == name:
            marker.unlink()
        shutil.rmtree(folder)

    def verify(self, name: str) -> list[str]:
        """Problems of weights; an empty list is none."""
        weights = read_weights(self.folder(name))
        found = sha256_of(weights.folder / MODEL_FILE) if (weights.folder / MODEL_FILE).is_file() else "no file"
        if found != weights.provenance.model_sha256:
            return [f"{MODEL_FILE} has digest {found}, recorded is {weights.provenance.model_sha256}"]
        try:
            load_model(weights)
        except BadInput as error:
            return [str(error)]
        return []


def _folders(root: Path) -> list[str]:
    if not root.is_dir():
        return []
    return sorted(p.name for p in root.iterdir() if (p / PROVENANCE_FILE).is_file() and not p.name.startswith("."))


def describe_config(folder: Path) -> dict[str, object]:
    """`config.json` as plain data."""
    out: dict[str, object] = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    return out
