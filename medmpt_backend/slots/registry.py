"""Every slot of this installation."""

from collections.abc import Callable
from pathlib import Path

from medmpt_backend.errors import BadInput
from medmpt_backend.slots.colipri import Colipri
from medmpt_backend.slots.contract import FindingModel, card_names
from medmpt_backend.slots.lungmask import LungMask
from medmpt_backend.slots.medmpt import MedMPTWeights
from medmpt_backend.slots.monai_nodules import MonaiNodules
from medmpt_backend.slots.totalsegmentator import TotalSegmentator

_BESIDE: dict[str, Callable[[Path], FindingModel]] = {
    "colipri": Colipri,
    "totalsegmentator": TotalSegmentator,
    "lungmask": LungMask,
    "monai_nodules": MonaiNodules,
}


def slot(name: str, data_dir: Path, cache_dir: Path, weights: str | None = None) -> FindingModel:
    """One slot by name.

    Args:
        name: As in `data/cards.toml`.
        data_dir: Weights of the slots lie in its folder `models`.
        cache_dir: For the encodings of MedMPT.
        weights: Name of the MedMPT weights, None for the ones in use.

    Raises:
        BadInput: No such slot.
    """
    if name == "medmpt":
        return MedMPTWeights(data_dir, cache_dir, weights)
    if name not in _BESIDE:
        raise BadInput(f"no model {name!r}; there are: {', '.join(card_names())}")
    return _BESIDE[name](data_dir / "models" / name)


def slots(data_dir: Path, cache_dir: Path, weights: str | None = None) -> tuple[FindingModel, ...]:
    """All slots, in the order of the cards."""
    return tuple(slot(name, data_dir, cache_dir, weights) for name in card_names())
