"""What acts on what and in which direction, and what is to be done with which drug: compared part by part between claim and evidence."""

from collections.abc import Iterable
from functools import lru_cache

from agent.reading.lexicon import DRUG_KINDS, members, mentions
from agent.verify.states import states
from agent.verify.typed.panel import table
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_UP, _DOWN, _PART = _WORDS.regex("effect_up"), _WORDS.regex("effect_down"), _WORDS.regex("effect_part")
_FOR, _AGAINST, _CHOICES = _WORDS.regex("choice_for"), _WORDS.regex("choice_against"), _WORDS.regex("choice_part")
_KINDS = DRUG_KINDS | {"analyte", "vital", "finding", "symptom", "disease", "enzyme", "score", "measure"}
_FEW = 2


@lru_cache(maxsize=8192)
def effects(text: str) -> tuple[tuple[frozenset[str], str], ...]:
    """Parts of a text that have one direction: what each names, and the direction."""
    out = []
    for part in _PART.split(text):
        named = frozenset(m.term.measured for m in mentions(part) if m.term.kind in _KINDS)
        found = {d for d, p in (("up", _UP), ("down", _DOWN)) if p.search(part)} or _in_states(part)
        if len(found) == 1 and named:
            out.append((named, found.pop()))
    return tuple(out)


def _in_states(part: str) -> set[str]:
    """Directions that names of states give (hypotension, hyperkalaemia)."""
    found = {"up" if d == "high" else "down" for _, d in states(part)}
    single = (next(iter(s)) for s in table(part).values() if len(s) == 1)
    return found | {"up" if s == "high" else "down" for s in single if s != "normal"}


def opposed_effect(claim: str, texts: Iterable[str]) -> str | None:
    """What the claim moves one way and the parts of its evidence that name the same move the other way only."""
    known = [e for t in texts for e in effects(t)]
    for named, direction in effects(claim):
        most = max((len(named & there) for there, _ in known), default=0)
        if most < min(_FEW, len(named)) or not most:
            continue
        there = {d for n, d in known if len(named & n) == most}
        if direction not in there:
            return f"the evidence moves {', '.join(sorted(named)[:3]).replace('_', ' ')} the other way"
    return None


@lru_cache(maxsize=8192)
def choices(text: str) -> tuple[tuple[str, str], ...]:
    """Drugs of a text with `for` or `against`, part by part; a part that speaks both ways says nothing."""
    out = []
    for part in _CHOICES.split(text):
        against = bool(_AGAINST.search(part))
        way = "against" if against else "for" if _FOR.search(part) else ""
        if way:
            out += [(m.term.id, way) for m in mentions(part) if m.term.kind in DRUG_KINDS]
    return tuple(out)


def opposed_choice(claim: str, texts: Iterable[str]) -> str | None:
    """A drug that the claim chooses and its evidence only rejects, or the other way round."""
    known: dict[str, set[str]] = {}
    for text in texts:
        for drug, way in choices(text):
            for name in (drug, *members().get(drug, ())):
                known.setdefault(name, set()).add(way)
    for drug, way in choices(claim):
        if drug in known and way not in known[drug]:
            return f"the evidence is {next(iter(known[drug]))} {drug.replace('_', ' ')}"
    return None
