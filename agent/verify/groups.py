"""To whom an advice or a number is given: severity, class, population, setting or arm, in the claim and in its evidence."""

import re
from collections.abc import Iterable
from functools import lru_cache

from agent.reading.lexicon import DRUG_KINDS, mentions, terms
from agent.verify.contrast import contrasts
from agent.verify.numbers import labels_of, located
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

# Contrasts of `data/contrasts.toml` that say to whom something applies.
_DIMENSIONS = ("population", "severity", "risk", "setting", "sex", "smoking", "immunity", "acuity")
_SENTENCE = re.compile(r"[;；。！？!?]|\.(?=\s|$)|\n")
_PART = _TEXT.regex("groups_part", flags=0)
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{2,}(?:-[A-Z]+)*(?![A-Za-z])")
_UP = frozenset({"at_least", "above"})
Groups = dict[str, frozenset[str]]


@lru_cache(maxsize=4096)
def governed(text: str) -> tuple[tuple[str, tuple[tuple[str, frozenset[str]], ...]], ...]:
    """Numbers, drugs and actions of a text, each with the groups that govern it: named in its part, else in the nearest part before."""
    out = []
    for sentence in _SENTENCE.split(text):
        carried: Groups = {}
        fresh = True
        for part in (p for p in _PART.split(sentence) if p):
            named, items = groups_of(part), _items(part)
            # "In adults and children ...": a list of groups goes together; after an item a group starts anew.
            carried = {**carried, **{d: v if fresh else v | carried.get(d, v) for d, v in named.items()}}
            fresh = any(not i.startswith("!") for i in items)
            found = tuple(sorted(carried.items()))
            out += [(item, found) for item in items]
    return tuple(out)


def groups_of(text: str) -> Groups:
    """Groups that a piece of text names, by dimension."""
    found = {c.name: v for c in contrasts() if c.name in _DIMENSIONS and (v := c.of(text))}
    labels = labels_of(text)
    if labels:
        found["class"] = labels
    for _, _, number in located(text):
        if number.direction is not None:
            # "under 10 % ..., 10 % or more ...": each side of a limit is a group of its own.
            base = number.value * (number.unit[1] if number.unit else 1.0)
            found[f"limit {base:g}"] = found.get(f"limit {base:g}", frozenset()) | {"above" if number.direction in _UP else "below"}
    return found


def _items(part: str) -> list[str]:
    named = [m.term.id for m in mentions(part) if m.term.kind in DRUG_KINDS or m.term.kind in ("action", "analyte")]
    named += [f"!{c.lower()}" for c in _CODE.findall(part)]
    figures = [f"#{n.value * (n.unit[1] if n.unit else 1.0):g}" for _, _, n in located(part)]
    return named + figures


def misplaced(claim: str, texts: Iterable[str]) -> str | None:
    """The group to which the claim gives something that the evidence gives only to others; None when they agree."""
    known = [row for t in texts for row in governed(t)]
    overall = groups_of(claim)
    drugs = {name for name, _ in known if not name.startswith(("#", "!")) and terms()[name].kind in DRUG_KINDS}
    for item, said in governed(claim):
        if drugs == {item}:
            continue  # the one drug of the evidence is its topic
        own = [dict(groups) for name, groups in known if name == item]
        for dimension, values in {**overall, **dict(said)}.items():
            given = [g[dimension] for g in own if dimension in g]
            if own and len(given) == len(own) and not any(values & g for g in given):
                return f"the evidence says this of {', '.join(sorted(frozenset().union(*given)))}"
    return None
