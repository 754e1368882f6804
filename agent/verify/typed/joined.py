"""Whether two things that a text joins are joined by "and" or by "or"."""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from agent.reading.lexicon import mentions
from agent.verify.numbers import located
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_AND, _OR, _ONE = (_WORDS.regex(f"join_{name}") for name in ("and", "or", "one"))
_STOP = re.compile(r"[;；。]|\.\s")
# Longest text between two things that still joins them.
_NEAR = 28
Joint = tuple[frozenset[str], str]


@lru_cache(maxsize=8192)
def joints(text: str) -> frozenset[Joint]:
    """Neighbouring things of a text, numbers and names, with `and` or `or` where just one of the two stands between them."""
    found = [(s, e, f"#{n.value * (n.unit[1] if n.unit else 1.0):g}") for s, e, n in located(text)]
    found += [(m.start, m.end, f"@{m.term.id}") for m in mentions(text) if m.term.kind != "respiratory"]
    found.sort()
    out = set()
    for (_, end, one), (start, _, two) in pairwise(found):
        between = text[end:start]
        if one == two or len(between) > _NEAR or _STOP.search(between):
            continue
        ands, ors = bool(_AND.search(between)), bool(_OR.search(between))
        if ands != ors:
            out.add((frozenset({one, two}), "and" if ands else "or"))
    return frozenset(out)


def joined_otherwise(claim: str, texts: Iterable[str]) -> str | None:
    """Two things that the claim joins by the one word and its evidence only by the other."""
    known: dict[frozenset[str], set[str]] = {}
    for text in texts:
        for pair, word in joints(text):
            known.setdefault(pair, set()).add(word)
    mine = joints(claim)
    for pair, word in sorted(mine, key=lambda j: (sorted(j[0]), j[1])):
        if pair in known and word not in known[pair]:
            return f"the evidence joins these by {next(iter(known[pair]))}"
    one = _ONE.search(claim) and any(pair in known and known[pair] == {"and"} for pair, _ in mine)
    return "the evidence joins these by and" if one else None
