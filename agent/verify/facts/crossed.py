"""Two things and two values: which of them a text puts together, and whether a claim crosses the pairs of its evidence."""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations

from agent.reading.lexicon import mentions
from agent.verify.contrast import contrasts
from agent.verify.numbers import labelled, located
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_SENTENCE = re.compile(r"[。！？!?\n]|\.(?=\s|$)")
_ARMS = {"placebo": _TEXT.regex("align_placebo"), "usual-care": _TEXT.regex("align_usual_care")}
_ONE_KIND = {"drug_class": "drug", "symptom": "finding", "comorbidity": "disease"}
_PLAIN = frozenset({"respiratory"})
# Contrasts of which a sentence may give two things one value each.
_VALUES = frozenset({"strength", "severity", "risk", "population", "setting", "route", "acuity", "test_result", "line", "sex"})
# Most values of one kind in a claim that are compared pair by pair.
_MANY = 4
Item = tuple[int, str, str]
Pairs = frozenset[tuple[str, str]]


@lru_cache(maxsize=8192)
def items(text: str) -> tuple[Item, ...]:
    """Things and values of a text in order: where, of which kind, which."""
    out: list[Item] = []
    for start, _, number in located(text):
        dimension, factor = number.unit or ("", 1.0)
        if number.unit is not None or not 1980 <= number.value <= 2100:
            out.append((start, f"number {dimension}", f"{number.value * factor:g}"))
    for mention in mentions(text):
        kind = _ONE_KIND.get(mention.term.kind, mention.term.kind)
        if kind not in _PLAIN:
            out.append((mention.start, kind, mention.term.id))
    out += [(m.start(), "drug", name) for name, pattern in _ARMS.items() for m in pattern.finditer(text)]
    out += [(start, "label", label) for start, label in labelled(text)]
    for contrast in contrasts():
        if contrast.name in _VALUES:
            out += [(m.start(), contrast.name, value) for value, pattern in contrast.values for m in pattern.finditer(text)]
    return tuple(sorted(out))


def crossed(claim: str, texts: Iterable[str]) -> tuple[str, str] | None:
    """The two kinds of things of which a claim crosses two pairs that its evidence has; None where it does not."""
    mine = items(claim)
    held: dict[str, set[str]] = defaultdict(set)
    for _, kind, value in mine:
        held[kind].add(value)
    kinds = sorted(k for k, v in held.items() if 2 <= len(v) <= _MANY)
    if len(kinds) < 2:
        return None
    sentences = [items(s) for t in texts for s in _SENTENCE.split(t) if s.strip()]
    for one, other in combinations(kinds, 2):
        for four in ((a, b) for a in combinations(sorted(held[one]), 2) for b in combinations(sorted(held[other]), 2)):
            said = _pairs(mine, one, other, *four)
            there = {p for s in sentences if (p := _pairs(s, one, other, *four))}
            if said and there and said not in there:
                return one, other
    return None


def _pairs(found: tuple[Item, ...], one: str, other: str, first: tuple[str, str], second: tuple[str, str]) -> Pairs | None:
    """Which of two things goes with which of two values in the shortest stretch that holds all four; None where it cannot be told."""
    row = [(at, kind, value) for at, kind, value in found if (kind == one and value in first) or (kind == other and value in second)]
    best: tuple[int, list[Item]] | None = None
    for i in range(len(row) - 3):
        four = row[i : i + 4]
        if len({(k, v) for _, k, v in four}) == 4 and (best is None or four[-1][0] - four[0][0] < best[0]):
            best = (four[-1][0] - four[0][0], four)
    if best is None:
        return None
    four = best[1]
    shape = [kind for _, kind, _ in four]
    if shape[0] == shape[2] and shape[1] == shape[3]:
        together = ((four[0], four[1]), (four[2], four[3]))
    elif shape[0] == shape[1] and shape[2] == shape[3]:
        together = ((four[0], four[2]), (four[1], four[3]))
    else:
        return None
    return frozenset((a[2], b[2]) if a[1] == one else (b[2], a[2]) for a, b in together)
