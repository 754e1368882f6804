"""Which topic of an open record a question means: the topics that apply, weighed by words, examples, encoder and how particular they are.

Each topic that says something of this record gets a score of five signs; a softmax over them and "none of these" gives chances. The
weights and the share of reference records in which a topic applies are fitted by `scripts/fit_ranking.py` on the examples, each left
out in turn, and on messages that mean no topic; both stand in `data/bedside/ranking.json` to be read.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tools.bedside.matching.likeness import Query, nearest, overlap, worded
from tools.bedside.topics import topics

SIGNS = ("words", "example", "encoder", "asked", "particular")


@dataclass(frozen=True)
class Fitted:
    """Weights of the signs, the bias that a topic must overcome, and the share of reference records that each topic applies to."""

    weights: tuple[float, ...]
    bias: float
    share: Mapping[str, float]
    usual: float


@cache
def fitted() -> Fitted:
    """The shipped file."""
    raw = json.loads((files("tools") / "data" / "bedside" / "ranking.json").read_text(encoding="utf-8"))
    return Fitted(tuple(raw["weights"][s] for s in SIGNS), raw["bias"], raw["share"], raw["usual"])


def signs(query: Query, name: str, share: Mapping[str, float], usual: float) -> tuple[float, ...]:
    """Signs of one topic: words shared with its own, with its nearest example, encoder's cosine, its patterns, how rarely it applies."""
    return (
        worded(query, name),
        overlap(query, name),
        nearest(query, name),
        float(topics()[name].asked(query.text)),
        -math.log(share.get(name, usual)),
    )


def strengths(question: str, able: Iterable[str]) -> list[tuple[float, str]]:
    """Log-odds of each topic that applies against "none of these", most first."""
    fit, query = fitted(), Query.of(question)
    raw = (
        (sum(w * x for w, x in zip(fit.weights, signs(query, name, fit.share, fit.usual), strict=True)) + fit.bias, name) for name in able
    )
    return sorted(raw, reverse=True)


def chances(question: str, able: Iterable[str]) -> list[tuple[float, str]]:
    """Chance of each topic that applies, most first; what they lack to one is the chance that none is meant."""
    raw = strengths(question, able)
    top = max([0.0, *(s for s, _ in raw)])
    whole = math.exp(-top) + sum(math.exp(s - top) for s, _ in raw)
    return [(math.exp(s - top) / whole, name) for s, name in raw]
