"""Whether what was found answers a question at all: a logistic model over the best that any admitted passage reaches.

Every feature that a filter can change is a maximum over the admitted passages with a weight that is not negative, so that a narrower filter
never makes a question more answerable. `medmpt eval retrieval --fit` fits `data/answerable.json`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.concepts.lexicon import DATA
from retrieval.errors import BadInput

MODEL = DATA / "answerable.json"
SIGNS = ("best", "dense", "focus", "named", "units")
_MOST_UNITS = 30


def signs_of(best: float, dense: float, focus: float, named: bool, units: int) -> tuple[float, ...]:
    """The signs of one search, in the order of `SIGNS`.

    Args:
        best: Highest score of a passage, as a probability.
        dense: Highest cosine.
        focus: Highest share of what the question names in a passage's heading.
        named: Whether the question names anything that the lexicon knows.
        units: How many words and concepts the question has.
    """
    best = min(max(best, 1e-6), 1 - 1e-6)
    return (math.log(best / (1 - best)), dense, focus, float(named), math.log1p(min(units, _MOST_UNITS)))


@dataclass(frozen=True)
class Answerable:
    """Weights of the signs, the intercept, and the probabilities from which passages are shown (`near`) and are an answer (`direct`)."""

    weights: tuple[float, ...]
    bias: float
    near: float
    direct: float

    @classmethod
    def load(cls, path: Path = MODEL) -> "Answerable":
        """Read the weights.

        Raises:
            BadInput: the file names other signs than this code computes.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["weights"]) != SIGNS:
            raise BadInput(f"{path.name} has signs {list(data['weights'])!r}, expected {list(SIGNS)!r}; run `medmpt eval retrieval --fit`")
        return cls(tuple(map(float, data["weights"].values())), float(data["bias"]), float(data["near"]), float(data["direct"]))

    def save(self, path: Path = MODEL, **notes: str | float) -> None:
        """Write the weights, with notes on how they were made."""
        weights = {name: round(weight, 3) for name, weight in zip(SIGNS, self.weights, strict=True)}
        data = {"weights": weights, "bias": round(self.bias, 3), "near": round(self.near, 3), "direct": round(self.direct, 3), **notes}
        path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    def probability(self, signs: Sequence[float]) -> float:
        """That the admitted passages answer the question."""
        return 1 / (1 + math.exp(-self.bias - sum(w * s for w, s in zip(self.weights, signs, strict=True))))
