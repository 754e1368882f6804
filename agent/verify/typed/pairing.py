"""Two things of one kind and what a text says of each: whether a claim gives each what its evidence gives the other.

"Purulent fluid scores 1 and non-purulent 0" beside "purulent 0, not purulent 1": the parts of the claim hold one value each, the
segments of the evidence likewise; what is said of one must not stand only beside the other.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations

from agent.reading.lexicon import mentions
from agent.verify.contrast import contrasts
from agent.verify.facts.segments import words_of
from agent.verify.numbers import labelled, located
from retrieval.messages.patterns import patterns

_PART = patterns("agent.typed").regex("pairing_part")
_ONE_KIND = {"drug_class": "drug", "symptom": "finding", "comorbidity": "disease"}
_KINDS = frozenset({"drug", "disease", "score", "finding", "analyte", "organism", "action"})
_CONTRASTS = frozenset({"strength", "severity", "risk", "population", "setting", "route", "acuity", "test_result", "line", "modality"})
# Weight of words that must stand beside the other value, and by how much it must be more than beside its own.
_CLEAR = 1.5
_TWO = 2


@lru_cache(maxsize=16384)
def values(part: str) -> dict[str, frozenset[str]]:
    """Values of a part by kind: names, numbers by dimension, labels, contrasts."""
    out: dict[str, set[str]] = {}
    for mention in mentions(part):
        kind = _ONE_KIND.get(mention.term.kind, mention.term.kind)
        if kind in _KINDS:
            out.setdefault(kind, set()).add(f"@{mention.term.id}")
    for _, _, number in located(part):
        dimension, factor = number.unit or ("", 1.0)
        if number.unit is not None or not 1980 <= number.value <= 2100:
            out.setdefault(f"number {'' if dimension == 'points' else dimension}", set()).add(f"#{number.value * factor:g}")
    for _, label in labelled(part):
        out.setdefault("label", set()).add(f"!label:{label}")
    for contrast in contrasts():
        if contrast.name in _CONTRASTS and (found := contrast.of(part)):
            out.setdefault(contrast.name, set()).update(f"!{contrast.name}:{v}" for v in found)
    return {kind: frozenset(found) for kind, found in out.items()}


@lru_cache(maxsize=8192)
def _parts(text: str) -> tuple[tuple[dict[str, frozenset[str]], frozenset[str]], ...]:
    found = (p for p in _PART.split(text) if p and p.strip())
    return tuple((values(p), words_of(p) | _names(p)) for p in found)


def _names(part: str) -> frozenset[str]:
    return frozenset().union(*values(part).values()) if values(part) else frozenset()


def _told(text: str, kind: str) -> list[tuple[str, frozenset[str]]]:
    """Segments that hold one value of the kind each, with the words beside it; parts without a value belong to the one before."""
    out: list[tuple[str, frozenset[str]]] = []
    for held, words in _parts(text):
        mine = held.get(kind, frozenset())
        if len(mine) == 1:
            (value,) = mine
            out.append((value, words - {value}))
        elif not mine and out:
            value, before = out[-1]
            out[-1] = (value, before | words)
        elif len(mine) > 1:
            return out
    return out


def _weight(words: Iterable[str]) -> float:
    return sum(1.5 if w[0] in "@!#" else 0.5 if w >= "\u4e00" else 1.0 for w in words)


def exchanged_pair(claim: str, texts: Iterable[str]) -> str | None:
    """The kind of which a claim gives two values what its evidence gives the other one; None where it does not."""
    texts = list(texts)
    kinds = {kind for held, _ in _parts(claim) for kind in held}
    for kind in sorted(kinds):
        mine = _told(claim, kind)
        if len({v for v, _ in mine}) < _TWO:
            continue
        known = [row for t in texts for row in _segments(t, kind)]
        for (one, said), (two, told) in combinations(mine, 2):
            if one != two and _crossed(one, said, two, told, known):
                return kind
    return None


@lru_cache(maxsize=8192)
def _segments(text: str, kind: str) -> tuple[tuple[str, frozenset[str]], ...]:
    out: list[tuple[str, frozenset[str]]] = []
    for held, words in _parts(text):
        mine = held.get(kind, frozenset())
        if mine:
            out += [(value, words - mine) for value in mine]
        elif out:
            value, before = out[-1]
            out[-1] = (value, before | words)
    return tuple(out)


def _crossed(one: str, said: frozenset[str], two: str, told: frozenset[str], known: list[tuple[str, frozenset[str]]]) -> bool:
    first = frozenset().union(*(w for v, w in known if v == one))
    second = frozenset().union(*(w for v, w in known if v == two))
    if not first or not second:
        return False
    own_first, own_second = first - second, second - first
    a = _weight((said - told) & own_second) - _weight((said - told) & own_first)
    b = _weight((told - said) & own_first) - _weight((told - said) & own_second)
    return a >= 0 and b >= 0 and a + b >= _CLEAR
