"""Slot for lungmask: outlines of both lungs, dense disease included, or of the lobes."""

from pathlib import Path

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.slots.contract import Card, Output, State, absent_packages, card

# The file that the package downloads for its model R231.
PUBLISHED = "unet_r231-d5d2fc3d.pth"
_BATCH = 8


class LungMask:
    """Adapter to `lungmask.LMInferer`."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where a person may put weights; the package's own downloads are looked at too."""
        self.folder = folder

    @property
    def card(self) -> Card:
        """What it is."""
        return card("lungmask", self.folder)

    def weights(self) -> Path | None:
        """A file of this slot's folder, or the one that the package downloaded."""
        own = sorted(self.folder.glob("*.pth"))
        if own:
            return own[0]
        from torch import hub

        downloaded = Path(hub.get_dir()) / "checkpoints" / PUBLISHED
        return downloaded if downloaded.is_file() else None

    def state(self) -> State:
        """Package and weights."""
        missing = absent_packages(self.card)
        return State(missing if missing or self.weights() is not None else ("weights",))

    def run(self, volume: Volume) -> Output:
        """Masks of both lungs, or of five lobes.

        Raises:
            Unavailable: Package or weights are missing.
            BadInput: The weights are not lungmask's.
        """
        if (missing := self.state().missing) or (weights := self.weights()) is None:
            raise Unavailable(f"lungmask lacks {', '.join(missing)}: {self.card.command}")
        from lungmask import LMInferer

        try:
            model = LMInferer(modelpath=str(weights), force_cpu=True, batch_size=_BATCH, tqdm_disable=True)
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{weights.name} does not hold weights of lungmask: {str(error).splitlines()[0][:160]}") from error
        labels = model.apply(volume.hu)
        classes = int(next(reversed(model.model.state_dict().values())).shape[0]) - 1
        names = {int(key.split(".")[1]): str(name) for key, name in self.card.labels.items() if key.startswith(f"{classes}.")}
        return Output(masks={name: labels == value for value, name in names.items()})
