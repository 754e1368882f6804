"""What belongs together: whether the things that a claim joins stand in one place of its evidence, or beside rivals of their own kind."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache

from agent.reading.lexicon import mentions
from agent.verify.align import codes, content
from agent.verify.contrast import contrasts
from agent.verify.facts.segments import grades_of
from agent.verify.numbers import labels_of, located, sides_of
from retrieval.messages.patterns import patterns

_CUT = patterns("agent.verify").regex("opinion_cut")
_SENTENCE = re.compile(r"[;；。！？!?]|\.(?=\s|$)|\n")
_LEVELS = {"clause": _CUT, "sentence": _SENTENCE}
_ONE_KIND = {"drug_class": "drug", "symptom": "finding", "comorbidity": "disease"}
# Letters of a word that count: "cavities" and "cavitary" are one.
_STEM = 6
# Kinds of things of which one more in the same place counts a little towards that place.
_COUNTS = ("contrast", "number", "grade", "label", "side", "code")
Family = dict[str, frozenset[str]]


@lru_cache(maxsize=16384)
def things(text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """Things that a text names, by kind: terms, numbers by dimension, labels, grades, codes, sides, values of contrasts."""
    out: dict[str, set[str]] = defaultdict(set)
    for mention in mentions(text):
        if mention.term.kind != "respiratory":
            out[_ONE_KIND.get(mention.term.kind, mention.term.kind)].add(mention.term.id)
    for _, _, number in located(text):
        if number.unit is None and 1980 <= number.value <= 2100:
            out["year"].add(f"{number.value:g}")
        else:
            out[f"number {number.unit[0] if number.unit else ''}"].add(f"{number.value * (number.unit[1] if number.unit else 1.0):g}")
    for name, values in (("label", labels_of(text)), ("grade", grades_of(text)), ("code", codes(text)), ("side", sides_of(text))):
        out[name] |= values
    for contrast in contrasts():
        out[f"contrast {contrast.name}"] |= contrast.of(text)
    return tuple((kind, frozenset(values)) for kind, values in sorted(out.items()) if values)


@lru_cache(maxsize=16384)
def bag(text: str) -> dict[str, float]:
    """Content of a text with weights, words by their first letters."""
    return {t[:_STEM] if t.isascii() and t.isalpha() else t: w for t, w in content(text).items()}


def bonds(claim: str, texts: Iterable[str]) -> dict[str, float]:
    """Signs that a claim joins what its evidence keeps apart."""
    out: dict[str, float] = {}
    texts = tuple(texts)
    for level, cut in _LEVELS.items():
        places = [s for t in texts for s in cut.split(t) if s and re.search(r"\w", s)]
        if places:
            out |= {f"bond {level} {name}": value for name, value in _at(claim, places).items()}
    return out


def _at(claim: str, places: list[str]) -> dict[str, float]:
    mine, words = dict(things(claim)), bag(claim)
    bags, families = [bag(p) for p in places], [dict(things(p)) for p in places]
    spread = Counter(w for b in bags for w in b)
    lead: dict[str, float] = {}
    for kind, values in mine.items():
        own = [i for i, f in enumerate(families) if f.get(kind, frozenset()) & values]
        rivals = [i for i, f in enumerate(families) if f.get(kind) and not f[kind] & values]
        if own and rivals:
            score = _scorer(kind, values, mine, words, bags, families, spread)
            lead[kind] = max(map(score, rivals)) - max(map(score, own))
    out = {"lead": min(max([0.0, *lead.values()]), 4.0) / 2, "many": min(sum(v > 0.5 for v in lead.values()), 4) / 2}
    for kind, value in lead.items():
        name = kind.partition(" ")[0]
        if value > 0.3:
            out[name] = max(out.get(name, 0.0), min(value, 3.0))
    return out | _best(mine, words, bags, families)


def _scorer(
    kind: str,
    values: frozenset[str],
    mine: Family,
    words: dict[str, float],
    bags: list[dict[str, float]],
    families: list[Family],
    spread: Counter[str],
) -> Callable[[int], float]:
    """How much of the rest of a claim stands at a place; what stands at many places counts less."""
    own = {f"{mark}{v}" for v in values for mark in "@#!"}
    others = [(k, v) for k, v in mine.items() if k != kind and k.startswith(_COUNTS)]

    def score(i: int) -> float:
        held = sum(w / math.sqrt(spread[t]) for t, w in words.items() if t not in own and t in bags[i])
        return held + 0.5 * sum(bool(families[i].get(k, frozenset()) & v) for k, v in others)

    return score


def _best(mine: Family, words: dict[str, float], bags: list[dict[str, float]], families: list[Family]) -> dict[str, float]:
    """The one place that holds most of the claim, how much stands elsewhere, and what else than the claim's things it names."""
    total = sum(words.values()) or 1.0
    shares = [sum(w for t, w in words.items() if t in b) / total for b in bags]
    at = max(range(len(bags)), key=shares.__getitem__)
    everywhere = {t for b in bags for t in b}
    out = {"best": shares[at], "spread": sum(w for t, w in words.items() if t in everywhere) / total - shares[at]}
    other = [k for k, v in mine.items() if families[at].get(k) and not families[at][k] & v]
    for kind in other:
        out[f"other {kind.partition(' ')[0]}"] = 1.0
    return out | ({"others": float(min(len(other), 3))} if other else {})
