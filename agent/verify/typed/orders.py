"""What is ordered of each drug: its route and how often, compared drug by drug."""

from collections.abc import Iterable
from functools import lru_cache

from agent.reading.lexicon import DRUG_KINDS, mentions
from agent.verify.contrast import contrasts
from agent.verify.facts.rhythm import rhythms
from retrieval.messages.patterns import patterns

_PART = patterns("agent.typed").regex("order_part")
_ROUTES = next(c for c in contrasts() if c.name == "route")


@lru_cache(maxsize=8192)
def orders(text: str) -> dict[str, dict[str, frozenset[str]]]:
    """Routes and rhythms that a text gives each drug in what follows its name."""
    out: dict[str, dict[str, frozenset[str]]] = {}
    for part in _PART.split(text):
        found = [m for m in mentions(part) if m.term.kind in DRUG_KINDS]
        for i, mention in enumerate(found):
            behind = part[mention.end : found[i + 1].start if i + 1 < len(found) else len(part)]
            held = out.setdefault(mention.term.id, {})
            for kind, values in (("route", _ROUTES.of(behind)), ("rhythm", frozenset(map(str, rhythms(behind))))):
                held[kind] = held.get(kind, frozenset()) | values
    return out


def ordered_otherwise(claim: str, texts: Iterable[str]) -> str | None:
    """A drug whose route the claim gives otherwise than its evidence."""
    known: dict[str, dict[str, frozenset[str]]] = {}
    for text in texts:
        for drug, held in orders(text).items():
            for kind, values in held.items():
                row = known.setdefault(drug, {})
                row[kind] = row.get(kind, frozenset()) | values
    for drug, held in orders(claim).items():
        for kind in ("route", "rhythm"):
            mine, theirs = held[kind], known.get(drug, {}).get(kind, frozenset())
            if mine and theirs and not mine & theirs:
                return f"the evidence gives {drug.replace('_', ' ')} another {kind}"
    return None
