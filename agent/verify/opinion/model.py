"""The fitted opinion: a logistic model over named features, its weights a readable file.

It never accuses: it only speaks where the rules object for a reason of wording (denial, strength, order, coverage), and there a
sentence passes when the model finds a fault unlikely. Numbers, doses, names, editions and records stay with the rules.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.verify.opinion.features import features
from tools.evidence import Evidence


@dataclass(frozen=True)
class Opinion:
    """Weights by feature name.

    Attributes:
        bias: Log odds of a fault with no feature.
        weights: Log odds that each feature adds.
        acquit_below: Probability of a fault under which an objection is dropped.
        certain: Beginnings of objections that are never dropped.
    """

    bias: float
    weights: dict[str, float]
    acquit_below: float
    certain: tuple[str, ...]

    def probability(self, found: dict[str, float]) -> float:
        """Probability of a fault."""
        return 1.0 / (1.0 + math.exp(-(self.bias + sum(self.weights.get(n, 0.0) * v for n, v in found.items()))))


@lru_cache(maxsize=1)
def opinion() -> Opinion:
    """The shipped model (`scripts/fit_verify_opinion.py` writes it)."""
    data = json.loads(files("agent").joinpath("data/verify_opinion.json").read_text(encoding="utf-8"))
    return Opinion(data["bias"], data["weights"], data["acquit_below"], tuple(data["certain"]))


def fault_probability(claim: str, cited: list[Evidence]) -> float:
    """Probability that the claim says something else than its evidence."""
    return opinion().probability(features(claim, cited))


def acquits(claim: str, cited: list[Evidence], reason: str) -> bool:
    """Whether an objection of the rules to a claim is dropped."""
    model = opinion()
    return not any(part in reason for part in model.certain) and model.probability(features(claim, cited)) < model.acquit_below
