"""Bands: ranges and limits of a value with what each stands for, and the band that a claim puts a value into."""

from collections.abc import Iterable
from functools import partial
from itertools import pairwise

from agent.verify.facts.segments import Segment, Values, segments, words_of
from agent.verify.numbers import Number, located
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

Band = tuple[float, float, bool, bool, str]
_AGE = _TEXT.regex("bands_age")
_INFINITE = float("inf")
# "0-1 low, 2 moderate": a value that is a band of its own.
_SINGLE = _TEXT.regex("bands_single")
_MORE = _TEXT.regex("bands_more")
# Weight of the words of another band from which a claim speaks of it.
_SPEAKS = 1.0
_BETWEEN = _TEXT.regex("bands_between")


def bands_of(text: str, dimension: str | None = None) -> Values:
    """Ranges and limits of a text as `(low, high, low inside, high inside, dimension)`."""
    return frozenset(b for b in ordered_bands(text) if dimension is None or b[4] == dimension)


def ordered_bands(text: str) -> list[Band]:
    """Ranges and limits of a text as they stand."""
    found = [(s, e, n) for s, e, n in located(text) if not (n.unit is None and 1980 <= n.value <= 2100)]
    out: list[Band] = []
    skip = False
    for i, (_, end, number) in enumerate(found):
        if skip:
            skip = False
            continue
        following = found[i + 1] if i + 1 < len(found) else None
        between = _BETWEEN.match(text[end : following[0]]) if following else None
        if following and between and following[2].value > number.value:
            out.append((_base(number, following[2]), _base(following[2]), True, not between["below"], dimension_of(following[2])))
            skip = True
        elif number.direction in ("at_least", "above"):
            out.append((_base(number), _INFINITE, number.direction == "at_least", False, dimension_of(number)))
        elif number.direction is not None:
            out.append((-_INFINITE, _base(number), False, number.direction == "at_most", dimension_of(number)))
        elif _SINGLE.match(text[end:]):
            out.append((_base(number), _base(number), True, True, dimension_of(number)))
    return out


def _base(number: Number, other: Number | None = None) -> float:
    unit = number.unit or (other.unit if other else None)
    return round(number.value * (unit[1] if unit else 1.0), 6)


def dimension_of(number: Number) -> str:
    """What a number measures; points count as plain numbers."""
    return number.unit[0] if number.unit and number.unit[0] != "points" else ""


def holds(band: Band, value: float) -> bool:
    """Whether a value lies in a band."""
    low, high, with_low, with_high, _ = band
    return (low < value or (with_low and low == value)) and (value < high or (with_high and high == value))


def outside_band(claim: str, texts: Iterable[str]) -> float:
    """How much a claim says of another band than the one in which its value lies; 0.0 where it says anything of its own."""
    said = words_of(claim)
    ranges = ordered_bands(claim)
    plain = [
        (round(n.value * (n.unit[1] if n.unit else 1.0), 6), dimension_of(n))
        for _, end, n in located(claim)
        if n.direction is None and not _MORE.match(claim[end:])
    ]
    worst = 0.0
    for text in texts:
        for dimension in sorted({b[4] for b in ordered_bands(text)}):
            for found in segments(text, partial(bands_of, dimension=dimension), partial(_first, dimension=dimension)):
                worst = max(worst, _told_of_another(said, found, ranges, plain))
    return worst


def in_its_band(claim: str, texts: Iterable[str], number: Number) -> bool:
    """Whether a value is an instance of the band that the claim names ("an index of 20 is moderate")."""
    if number.direction is not None:
        return False
    said, value = words_of(claim), round(number.value * (number.unit[1] if number.unit else 1.0), 6)
    for text in texts:
        for dimension in sorted({b[4] for b in ordered_bands(text)}):
            for found in segments(text, partial(bands_of, dimension=dimension), partial(_first, dimension=dimension)):
                mine = [s for s in found for b in s.values if dimension == dimension_of(number) and holds(b, value)]  # type: ignore[arg-type]
                named = [s for s in mine if any(w.startswith(("!grade", "!label")) for w in said & s.words)]
                if named and _tiled([b for s in found for b in s.values]):  # type: ignore[misc]
                    return True
    return False


def _first(text: str, dimension: str) -> Values:
    """The condition that a segment begins with."""
    return frozenset(b for b in ordered_bands(text)[:1] if b[4] == dimension)


def _told_of_another(said: frozenset[str], found: list[Segment], ranges: list[Band], plain: list[tuple[float, str]]) -> float:
    mine = _mine(found, ranges, plain)
    rivals = [s for s in found if s not in mine]
    if not mine or not rivals or not _tiled([b for s in found for b in s.values]):  # type: ignore[misc]
        return 0.0
    edges = frozenset(f"#{edge:g}" for s in found for b in s.values for edge in b[:2])  # type: ignore[index]
    own = frozenset().union(*(s.words for s in mine))
    worst = 0.0
    for rival in rivals:
        here, there = _told(said & own - rival.words - edges), _told(said & rival.words - own - edges)
        worst = max(worst, there if here == 0 and there >= _SPEAKS else 0.0)
    return worst


def _tiled(bands: list[Band]) -> bool:
    """Whether bands follow one another without overlap or wide gaps, as those of one scale do."""
    edges = sorted(bands)
    return all(0 <= b[0] - a[1] <= max(1.0, 0.05 * abs(a[1])) for a, b in pairwise(edges))


def _mine(found: list[Segment], ranges: list[Band], plain: list[tuple[float, str]]) -> list[Segment]:
    exact = [s for s in found if s.values & frozenset(ranges)]
    if exact:
        return exact
    inside = [s for s in found for b in s.values for v, d in plain if d == b[4] and holds(b, v)]  # type: ignore[index,arg-type]
    return inside if len(inside) < len(found) else []


def _told(words: frozenset[str]) -> float:
    """Weight of what a band stands for: numbers of the claim itself do not count."""
    return sum(1.5 if w[0] in "@!" else 0.5 if w >= "\u4e00" else 1.0 for w in words if w[0] not in "<>")


def contained(number: Number, claim: str, texts: Iterable[str]) -> bool:
    """Whether a plain age lies within an age limit of the evidence ("someone of 46" where it says "aged 40 and over")."""
    years = number.unit == ("months", 12.0) or (number.unit is None and bool(_AGE.search(claim)))
    if number.direction is not None or not years or not 1 <= number.value <= 110 or number.decimals:
        return False
    value = number.value * 12.0
    for text in texts:
        for start, _, n in located(text):
            age = n.unit == ("months", 12.0) or (n.unit is None and bool(_AGE.search(text[max(0, start - 14) : start])))
            if n.direction is None or not age:
                continue
            limit = n.value * 12.0
            holds = {"at_least": value >= limit, "above": value > limit, "below": value < limit, "at_most": value <= limit}
            if holds[n.direction]:
                return True
    return False
