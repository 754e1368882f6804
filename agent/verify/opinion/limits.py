"""Which limit a value belongs to: where the rest of a claim stands, against the range, limit or value that the claim gives it.

"A lactate of 3 mmol/L marks severe hypoperfusion" beside "Above 2 it is raised. From 4 it marks severe hypoperfusion": 3 lies above 2, but
where the rest of the claim stands the limit is 4.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from agent.verify.facts.bands import Band, dimension_of, holds, ordered_bands
from agent.verify.numbers import located
from agent.verify.opinion.bonds import bag
from agent.verify.polarity import cues
from retrieval.messages.patterns import patterns

_CUT = patterns("agent.verify").regex("rivals_cut")
# What makes a value rough, an age, a class, or one that its limit leaves out.
_TURNS = patterns("agent.verify").regex("limits_turns")
_SENTENCE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")
_RUN = 4
_STEP = 0.03
_REST = 2.0
# Share of the rest of a claim that must stand beside another limit, and by how much more than beside its own.
_SURE = 0.45
_APART = 0.25
_MARKS = "#<>"


@lru_cache(maxsize=8192)
def values(text: str) -> frozenset[Band]:
    """Ranges, limits and plain values of a text; a plain value is a band of one value."""
    bands = [b for b in ordered_bands(text) if b[0] != b[1]]
    edges = {round(e, 6) for b in bands for e in b[:2]}
    plain = []
    for _, _, n in located(text):
        value = round(n.value * (n.unit[1] if n.unit else 1.0), 6)
        year = n.unit is None and 1980 <= n.value <= 2100
        if n.direction is None and not year and value not in edges:
            plain.append((value, value, True, True, dimension_of(n)))
    return frozenset((*bands, *plain))


@lru_cache(maxsize=2048)
def _windows(text: str) -> tuple[tuple[int, frozenset[str], frozenset[Band]], ...]:
    out = []
    for sentence in _SENTENCE.split(text):
        clauses = [c for c in _CUT.split(sentence) if c and re.search(r"\w", c)]
        for i in range(len(clauses)):
            words: frozenset[str] = frozenset()
            held: frozenset[Band] = frozenset()
            for j in range(i, min(len(clauses), i + _RUN)):
                words |= frozenset(bag(clauses[j]))
                held |= values(clauses[j])
                out.append((j - i, words, held))
    return tuple(out)


def _agrees(mine: Band, theirs: Band) -> bool:
    if mine[0] == mine[1]:
        return holds(theirs, mine[0])
    return mine[:2] == theirs[:2]


def other_limit(claim: str, texts: Iterable[str]) -> bool:
    """Whether the evidence has, where the rest of a claim without denial stands, another range or limit than the one of its value."""
    if cues(claim) or _TURNS.search(claim):
        return False
    rest = {t: w for t, w in bag(claim).items() if t[0] not in _MARKS}
    total = sum(rest.values())
    if total < _REST:
        return False
    windows = [w for t in texts for w in _windows(t)]
    said = values(claim)
    for mine in (v for v in said if sum(o[4] == v[4] for o in said) == 1):  # of two values nobody knows which words are whose
        there = here = 0.0
        for length, words, held in windows:
            alike = [b for b in held if b[4] == mine[4]]
            share = sum(w for t, w in rest.items() if t in words) / total - _STEP * length
            if alike and not any(_agrees(mine, b) for b in alike):
                there = max(there, share)
            else:
                here = max(here, share)
        if there >= _SURE and there - here >= _APART:
            return True
    return False
