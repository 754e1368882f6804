"""The fitted second reading: how much the signs of a claim speak for a fault, and what follows for the verdict."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.reading.features import sentence_vectors
from agent.verify.align import texts_for
from agent.verify.facts.fields import own_words
from agent.verify.facts.named import wrong_drug
from agent.verify.opinion.figures import unexplained
from agent.verify.opinion.signs import signs
from agent.verify.opinion.trees import Trees
from agent.verify.record import RECORDS
from tools.evidence import Evidence

# An objection that stands however the second reading weighs it: by the beginning of its wording.
_STANDS = (
    "a record shows",
    "the drug graph",
    "the year",
    "the date",
    "the record",
    "the evidence is not about",
    "the evidence is not of",
    "the evidence has nothing in this rhythm",
    "the evidence pairs",
    "the evidence joins",
    "the evidence speaks of another",
    "nearly in its words",
    "the evidence states and denies",
    "where it stands the evidence has another",
    "the evidence advises the contrary",
)
# Records whose fields the rules compare one by one.
_FIELDS = frozenset({"lab", "score", "drug_graph"})
# Share of a claim's content below which it shares no words with its evidence, and the nearness in meaning that then counts.
_STRANGER = 0.25
_NEAR = 0.3
# Share from which a claim is in the words of its evidence: there the rules read it well enough.
_OWN_WORDS = 0.7
# Share from which an objection to it stands whatever the doubt: hardly a word of it is new.
_VERBATIM = 0.9
# And share of its words that stand there in the same order.
_ORDERLY = 0.75
# Doubt above which such a claim is refused without an objection of the rules.
_OWN_HIGH = 0.9
_SENTENCE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")


@dataclass(frozen=True)
class Weights:
    """A logistic model over signs.

    Attributes:
        bias: Its constant.
        of: Weight of each sign.
        low: Doubt below which an objection of the rules falls.
        high: Doubt above which a claim is refused without one.
        trees: Boosted trees over the same signs, whose doubt counts as much.
    """

    bias: float
    of: Mapping[str, float]
    low: float
    high: float
    trees: Trees | None = None

    def doubt(self, found: Mapping[str, float]) -> float:
        """Probability of a fault."""
        score = self.bias + sum(self.of.get(name, 0.0) * value for name, value in found.items())
        own = 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, score))))
        return own if self.trees is None else (own + self.trees.doubt(found)) / 2


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights that ship with the package."""
    held = json.loads(files("agent").joinpath("data/opinion/weights.json").read_text(encoding="utf-8"))
    trees = Trees(held["base"], held["signs"], held["trees"])
    return Weights(held["bias"], held["weights"], held["low"], held["high"], trees)


def second_reading(claim: str, cited: list[Evidence], objection: str | None) -> str | None:
    """The reason against a claim once the second reading has spoken; None where it stands.

    An objection of the rules falls only where the doubt is small and it is not of a kind that always stands; without an objection a
    claim is refused where the doubt is large.
    """
    found = signs(claim, cited, objection)
    model = weights()
    doubt = model.doubt(found)
    if objection is None:
        if all(e.kind in _FIELDS for e in cited) and not own_words(claim, cited):
            return None  # every word is a field, and the rules compare fields
        high = max(model.high, _OWN_HIGH) if found["covered"] >= _OWN_WORDS else model.high
        return "a second reading finds it worded otherwise than the evidence" if doubt > high else None
    return objection if doubt > model.low or stands(claim, cited, objection, found) else None


def nearness(claim: str, texts: Iterable[str]) -> float:
    """How near in meaning the claim is to the nearest sentence of its evidence, in either language."""
    sentences = [part for text in texts for part in _SENTENCE.split(text) if part.strip()]
    if not sentences:
        return 0.0
    vectors = sentence_vectors([claim, *sentences])
    return float((vectors[1:] @ vectors[0]).max())


def stands(claim: str, cited: list[Evidence], objection: str, found: Mapping[str, float]) -> bool:
    """Whether an objection holds whatever the doubt: unexplained numbers, other drugs, fields of records, its own words, strangers."""
    both = " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)
    return (
        objection.startswith(_STANDS)
        or (found["covered"] >= _VERBATIM and found.get("edit order", 0.0) >= _ORDERLY)
        or unexplained(found)
        or (found["covered"] < _STRANGER and nearness(claim, texts_for(claim, cited)) < _NEAR)
        or wrong_drug(claim, cited, both) is not None
        or (found.get("figure instance", 0.0) > 0 and (found["covered"] >= _OWN_WORDS or any(e.kind in RECORDS for e in cited)))
    )
