"""Slot for TotalSegmentator: lobes, heart and great vessels, pleural and pericardial fluid."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.slots.contract import Card, Output, Seen, State, absent_packages, card
from medmpt_backend.slots.geometry import to_nifti
from medmpt_backend.slots.torchvision_stub import without_torchvision

# Open tasks, each with whether the quick model (3 mm) is taken and the folder that its weights begin with.
TASKS: tuple[tuple[str, bool, str], ...] = (("total", True, "Dataset297_"), ("pleural_pericard_effusion", False, "Dataset315_"))
_FLUID = ("pleural_effusion", "pericardial_effusion")


class TotalSegmentator:
    """Adapter to `totalsegmentator.python_api.totalsegmentator`."""

    def __init__(self, folder: Path, tasks: tuple[str, ...] = ("total", "pleural_pericard_effusion")) -> None:
        """`tasks`: which of the open tasks to run; a task that needs a licence is refused by `run`."""
        self.folder = folder
        self.tasks = tasks

    @property
    def card(self) -> Card:
        """What it is."""
        return card("totalsegmentator", self.folder)

    def state(self) -> State:
        """Package, and the weights of each task in the package's own folder."""
        if missing := absent_packages(self.card):
            return State(missing)
        root = Path(import_module("totalsegmentator.config").get_weights_dir())
        starts = {name: start for name, _, start in TASKS}
        return State(tuple(f"weights of {name}" for name in self.tasks if name in starts and not any(root.glob(f"{starts[name]}*"))))

    def run(self, volume: Volume) -> Output:
        """Masks by our names; fluid that it outlines is a finding with its volume as a note.

        Raises:
            Unavailable: Package or weights are missing.
            BadInput: A task needs a licence of its own.
        """
        if missing := self.state().missing:
            raise Unavailable(f"TotalSegmentator lacks {', '.join(missing)}: {self.card.command}")
        registry = import_module("totalsegmentator.registry")
        if licensed := [name for name in self.tasks if registry.requires_license(name)]:
            raise BadInput(f"the task {licensed[0]} of TotalSegmentator needs a licence of its own and is off here")
        _no_statistics()
        image = to_nifti(volume)
        masks: dict[str, NDArray[np.bool_]] = {}
        with without_torchvision():  # its networks import timm, which names torchvision and uses nothing of it here
            api = import_module("totalsegmentator.python_api")
            for task in self.tasks:
                quick = next((fast for name, fast, _ in TASKS if name == task), False)
                found = api.totalsegmentator(image, None, ml=True, task=task, fast=quick, device="cpu", quiet=True)
                masks |= self._named(found, registry.get_task_classes(task))
        ml = float(np.prod(volume.spacing)) / 1000
        sizes = {name: float(np.count_nonzero(masks[name])) * ml for name in _FLUID if name in masks}
        seen = tuple(Seen(name, name, 1.0, slice=_widest(masks[name])) for name, size in sizes.items() if size > 0)
        return Output(seen, masks, tuple(f"{name}: {size:.0f} ml" for name, size in sizes.items()))

    def _named(self, image: Any, classes: dict[int, str]) -> dict[str, NDArray[np.bool_]]:
        """The classes that this house has a name for, as `(D, H, W)`."""
        labels = np.asarray(image.dataobj).transpose(2, 1, 0)
        names = self.card.labels
        return {str(names[word]): labels == value for value, word in classes.items() if word in names}


def _widest(mask: NDArray[np.bool_]) -> int:
    """The slice with most of a mask."""
    return int(np.argmax(np.count_nonzero(mask, axis=(1, 2))))


def _no_statistics() -> None:
    """The package sends usage statistics unless it is told not to; nothing of a study leaves this machine."""
    config = import_module("totalsegmentator.config")
    config.setup_totalseg()
    config.set_config_key("send_usage_stats", False)
