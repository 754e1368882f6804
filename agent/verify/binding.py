"""Who or what a number belongs to: the words around it in the claim against the words around the same and other numbers of the evidence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agent.reading.lexicon import mentions, terms
from agent.verify.align import content
from agent.verify.contrast import contrasts
from agent.verify.numbers import Number, located, same, sides_of
from agent.verify.text import tokens
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_BREAK = _TEXT.regex("binding_break")
_CHANGE = next(c for c in contrasts() if c.name == "amount")
_MARKS = frozenset({"solidity", "level", "setting", "route", "pressure_part", "measure_of_test", "population", "severity", "risk"})
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d|-\d)")
# Words of units and numbers: the number itself says them.
_UNITS = tokens(
    "mmol mmhg kpa minutes hours days weeks months years times twice once thrice two three four five six seven eight nine ten twelve daily"
)
# Weight of the words that must stand only beside the other number before the two count as exchanged.
_MARGIN = 1.0
# Numbers that must stand in the same order for a claim to be a piece of its evidence.
_TWO = 2
_STATEMENT = re.compile(r"[;；。！？!?]|\.(?=\s|$)|\n")
_EXPLAINED = 1.0


@dataclass(frozen=True)
class Bound:
    """A number with the content around it, in its own part and in those before while no name was met; and the change its part speaks of."""

    number: Number
    near: frozenset[str]
    turn: frozenset[str] = frozenset()


def bound(text: str) -> list[Bound]:
    """Numbers of a text with what stands around each."""
    cuts = [0, *(m.end() for m in _BREAK.finditer(text)), len(text)]
    out = []
    for start, end, number in located(text):
        if number.unit is None and 1980 <= number.value <= 2100:
            continue
        low, high = max(c for c in cuts if c <= start), min(c for c in cuts if c >= end)
        after = text[end:high].lstrip("-–—~～")
        near = _words(text[low:start], after)
        turn = _CHANGE.of(text[low:high])
        near |= _figures(text[low:start], after)
        while low > 0 and not _named(near):
            high, low = low, max(c for c in cuts if c < low)
            near |= _words(text[low:high], "")
            if text[high - 1 : high] in ";；。":
                break
        out.append(Bound(number, near, turn))
    return out


def _figures(before: str, after: str) -> frozenset[str]:
    """Other numbers of the same part name it too: "39.8% at 12 mL/kg"."""
    return frozenset(t for t in content(f"{before} ; {after}") if t.startswith("#"))


def _named(words: frozenset[str]) -> bool:
    return any(w.startswith(("@", "!")) for w in words)


def turned_number(claim: str, texts: Iterable[str]) -> str | None:
    """A number that the claim gives as a rise and the evidence as a fall, or the other way round."""
    known = [b for t in texts for b in bound(t)]
    for mine in bound(claim):
        own = [k for k in known if _same_kind(mine.number, k.number) and same(mine.number, k.number)]
        if mine.turn and own and all(k.turn and not k.turn & mine.turn for k in own):
            return f"the change by {mine.number.value:g} is the other way round in the evidence"
    return None


def _words(before: str, after: str) -> frozenset[str]:
    text = f"{before} ; {after}"
    marks = {f"!{c.name}:{v}" for c in contrasts() if c.name in _MARKS for v in c.of(text)}
    marks |= {f"!side:{s}" for s in sides_of(text)} | {f"!year:{y}" for y in _YEAR.findall(text)}
    return frozenset(t for t in content(text) if t[0] not in "#<>" and t not in _UNITS) | frozenset(marks)


def exchanged(claim: str, texts: Iterable[str]) -> str | None:
    """A number that the evidence gives to something else than the claim does; None when each is where it belongs."""
    texts = list(texts)
    if in_order(claim, texts):
        return None
    known = [b for t in texts for b in bound(t)]
    said = bound(claim)
    for mine in said:
        if len(mine.near) < 1:
            continue
        comparable = [k for k in known if _same_kind(mine.number, k.number)]
        own = [k for k in comparable if same(mine.number, k.number)]
        other = [
            k
            for k in comparable
            if not same(mine.number, k.number)
            and any(_unit(o) == _unit(k) for o in own)
            and (mine.number.unit is None or k.number.unit is not None)
            and not any(same(s.number, k.number) for s in said if s.near == mine.near)
            and not any(o.number.direction == mine.number.direction != k.number.direction for o in own)
        ]
        if own and any(all(_apart(mine, o, f) for o in own) for f in ("!year:", "!side:")):
            return f"{mine.number.value:g} is given for another year or side in the evidence"
        if own and other and any(all(_stranger(mine, o, k) for o in own) for k in other):
            return f"{mine.number.value:g} belongs to something else in the evidence"
    return None


def in_order(claim: str, texts: Iterable[str]) -> bool:
    """Whether the numbers and names of a claim stand in one statement of its evidence, in the same order and nothing named between them."""
    mine = _sequence(claim)
    if sum(m[0] == "#" for m in mine) < _TWO:
        return False
    for theirs in (_sequence(part) for text in texts for part in _STATEMENT.split(text)):
        for at in range(len(theirs) - len(mine) + 1):
            if theirs[at : at + len(mine)] == mine:
                return True
    return False


def _sequence(text: str) -> list[str]:
    """Numbers in base units and names of a text by where they stand."""
    found = [(start, f"#{n.value * (n.unit[1] if n.unit else 1.0):g}") for start, _, n in located(text)]
    found += [(m.start, f"@{m.term.id}") for m in mentions(text) if m.term.kind not in ("respiratory", "score")]
    return [name for _, name in sorted(found)]


def reordered(claim: str, run: str) -> str | None:
    """Two numbers of one kind that the claim has in the other order, with nothing named beside them that would explain it."""
    said, known = bound(claim), bound(run)
    for i, first in enumerate(said):
        for second in said[i + 1 :]:
            if first.number.unit is None or not _same_kind(first.number, second.number) or first.number.value == second.number.value:
                continue
            one = [k for k, b in enumerate(known) if same(first.number, b.number)]
            two = [k for k, b in enumerate(known) if same(second.number, b.number)]
            if len(one) == len(two) == 1 and two[0] < one[0]:
                a, b = known[one[0]], known[two[0]]
                if _weigh(first.near & (a.near - b.near)) + _weigh(second.near & (b.near - a.near)) < _EXPLAINED:
                    return f"{first.number.value:g} and {second.number.value:g} stand the other way round in the evidence"
    return None


def _apart(mine: Bound, own: Bound, family: str) -> bool:
    """Whether both name a year or side, and not the same."""
    a, b = ({t for t in x.near if t.startswith(family)} for x in (mine, own))
    return bool(a and b) and not a & b


def _unit(b: Bound) -> str:
    return b.number.unit[0] if b.number.unit else ""


def _stranger(mine: Bound, own: Bound, other: Bound) -> bool:
    """Whether what the claim names beside its number stands only beside the other number."""
    theirs = _weigh(frozenset(t for t in mine.near & (other.near - own.near) if not _topic(t, own)))
    return theirs >= _MARGIN and theirs > 3 * _weigh(mine.near & (own.near - other.near))


def _topic(token: str, own: Bound) -> bool:
    """Whether a term is only named where the evidence begins to speak: nothing of its kind stands beside the claim's own number."""
    if not token.startswith("@"):
        return False
    kind = terms()[token[1:]].kind
    return not any(terms()[t[1:]].kind == kind for t in own.near if t[0] == "@") and not any(
        t.startswith("!") and ":" not in t for t in own.near
    )


def _weigh(tokens: frozenset[str]) -> float:
    return sum(0.5 if t == "@respiratory" else 2.0 if t.startswith(("@", "!")) else 0.7 if t >= "\u4e00" else 1.0 for t in tokens)


def _same_kind(a: Number, b: Number) -> bool:
    if a.unit is None or b.unit is None:
        return True
    return a.unit[0] == b.unit[0]
