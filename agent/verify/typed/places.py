"""Places of an image and times of a day: which side has more, which place is worst, and how a value went from one time to the next."""

import re
from collections.abc import Iterable
from functools import lru_cache

from agent.reading.lexicon import mentions
from agent.verify.numbers import located
from agent.verify.polarity import cues
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_SIDE, _LEVEL, _WORST, _CUT, _MORE, _LESS = (_WORDS.regex(f"place_{n}") for n in ("side", "level", "worst", "cut", "more", "less"))
_HEAD, _TIME, _PART = (_WORDS.regex(f"time_{n}") for n in ("head", "named", "part"))
_TRENDS = {name: _WORDS.regex(f"time_{name}") for name in ("up", "down", "same")}
_NOON = 720
_TWO = 2


def _named(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(name for m in pattern.finditer(text) for name, found in m.groupdict().items() if found)


@lru_cache(maxsize=4096)
def worst(text: str) -> frozenset[str]:
    """Sides and levels of the place that a text calls the worst."""
    parts = [p for p in _CUT.split(text) if _WORST.search(p)]
    return _named(_SIDE, parts[0]) | _named(_LEVEL, parts[0]) if len(parts) == 1 else frozenset()


def worst_elsewhere(claim: str, texts: Iterable[str]) -> str | None:
    """Another place called the worst than in the evidence."""
    mine = worst(claim)
    for there in map(worst, texts):
        for family in (frozenset({"left", "right"}), frozenset({"upper", "middle", "lower", "lingula"})):
            if len(mine & family) == 1 and len(there & family) == 1 and mine & family != there & family:
                return "the record names another place as the worst"
    return None


@lru_cache(maxsize=4096)
def by_side(text: str) -> dict[tuple[str, str], float]:
    """First value of each side by dimension: the side that stands nearest before the number in its part."""
    out: dict[tuple[str, str], float] = {}
    cuts = [0, *(m.end() for m in _CUT.finditer(text))]
    for start, _, number in located(text):
        low = max(c for c in cuts if c <= start)
        sides = _named(_SIDE, text[low:start])
        if number.unit is not None and len(sides) == 1:
            out.setdefault((next(iter(sides)), number.unit[0]), number.value * number.unit[1])
    return out


def side_compared(claim: str, texts: Iterable[str]) -> str | None:
    """A side that the claim calls more and the evidence gives the smaller value, or the other way round."""
    match = _MORE.search(claim)
    if match is None or cues(claim):
        return None
    one, two = (next(iter(_named(_SIDE, match[x]))) for x in ("a", "b"))
    if _LESS.search(match["how"]):
        one, two = two, one
    for held in map(by_side, texts):
        for side, dimension in held:
            if side == one and one != two and (two, dimension) in held and held[side, dimension] < held[two, dimension]:
                return "the record gives the other side more"
    return None


@lru_cache(maxsize=2048)
def timed(text: str) -> dict[int, dict[str, float]]:
    """Values by minute of the day and by what they measure."""
    heads = list(_HEAD.finditer(text))
    out: dict[int, dict[str, float]] = {}
    for i, head in enumerate(heads):
        block = text[head.end() : heads[i + 1].start() if i + 1 < len(heads) else len(text)]
        out[int(head["hour"]) * 60 + int(head["minute"])] = _values(block)
    return out if len(out) >= _TWO else {}


def _values(block: str) -> dict[str, float]:
    out: dict[str, float] = {}
    for part in _PART.split(block):
        named = [m for m in mentions(part) if m.term.kind in ("vital", "analyte", "symptom")]
        numbers = [n for s, _, n in located(part) if not named or s >= named[0].end]
        if named and numbers:
            out.setdefault(named[0].term.measured, numbers[0].value)
    return out


def over_time(claim: str, texts: Iterable[str]) -> str | None:
    """A value that the claim has go the other way, or gives to another time, than the record."""
    for held in map(timed, texts):
        if not held:
            continue
        first, last = held[min(held)], held[max(held)]
        for part in _PART.split(claim):
            names = {m.term.measured for m in mentions(part)} & first.keys() & last.keys()
            ways = [way for way, pattern in _TRENDS.items() if pattern.search(part)]
            if len(ways) == 1 and any(_went(first[n], last[n]) != ways[0] for n in names) and not cues(part):
                return "the record has it go the other way"
            if _given_to_another_time(part, names, held):
                return "the record gives this to another time"
    return None


def _went(first: float, last: float) -> str:
    return "same" if first == last else "up" if last > first else "down"


def _given_to_another_time(part: str, names: set[str], held: dict[int, dict[str, float]]) -> bool:
    match = _TIME.search(part)
    if match is None:
        return False
    time = _NOON if match["noon"] else int(match["hour"]) * 60 + int(match["minute"])
    said = [n.value for s, _, n in located(part) if s >= match.end()]
    return any(
        time in held and v != held[time].get(name) and any(row.get(name) == v for row in held.values()) for name in names for v in said
    )
