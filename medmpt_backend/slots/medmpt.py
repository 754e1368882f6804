"""MedMPT's own weights in the same slot: the shipped ones, or the authors' once they are imported."""

from pathlib import Path
from typing import TYPE_CHECKING

from medmpt_backend.errors import BackendError
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.slots.contract import Card, Output, Seen, State, absent_packages, card

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.training_domain import Validity


class MedMPTWeights:
    """The engine as a finding model."""

    def __init__(self, data_dir: Path, cache_dir: Path, wanted: str | None = None) -> None:
        """`wanted`: name of the weights; None: the ones in use."""
        self.data_dir, self.cache_dir, self.wanted = data_dir, cache_dir, wanted

    @property
    def card(self) -> Card:
        """What it is."""
        return card("medmpt", self.data_dir / "weights")

    def state(self) -> State:
        """Whether weights are in use."""
        if missing := absent_packages(self.card):
            return State(missing)
        from medmpt_backend.weights.store import WeightsStore

        try:
            WeightsStore(self.data_dir).active(self.wanted)
        except BackendError as error:
            return State((str(error),))
        return State(())

    def run(self, volume: Volume) -> Output:
        """Findings where the weights have such a head, else that the study was encoded.

        Raises:
            Unavailable: No weights.
        """
        engine = self._engine()
        encoding = engine.encode(volume)
        size = f"weights {engine.provenance.name}: {len(encoding.slices)} slices encoded, width {len(encoding.scan)}"
        notes = [size, f"serves {', '.join(engine.tasks)}", _said(encoding.validity)]
        if not engine.serves("findings"):
            return Output(notes=(*notes, "these weights have no finding head"))
        scored = sorted(engine.classify(encoding).findings, key=lambda f: -f.probability)
        seen = tuple(Seen(f.id, f.id, f.probability, slice=f.slices[0] if f.slices else None) for f in scored)
        return Output(seen, notes=tuple(notes))

    def _engine(self) -> "MedMPTEngine":
        from medmpt_backend.inference.engine import MedMPTEngine
        from medmpt_backend.weights.store import WeightsStore

        return MedMPTEngine.open(WeightsStore(self.data_dir).active(self.wanted), self.cache_dir)


def _said(validity: "Validity") -> str:
    """The domain verdict in words."""
    return f"domain {validity.domain}" + (f": {validity.reason}" if validity.reason else "")
