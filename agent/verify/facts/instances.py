"""Values that the evidence holds without writing them: an instance of one of its ranges or limits, or one of its values rounded.

Such a claim is read as if it named the range, limit or value itself ("ACT 14" as "ACT 5 to 15"): the other checks then compare
what is said of it. Doses, rates and spans of time are never instances: a dose in a range of doses is another statement.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from agent.reading.lexicon import language_of
from agent.verify.facts.bands import outside_band
from agent.verify.facts.worked import FAILS, missed, products, weighed
from agent.verify.numbers import Number, located, same
from agent.verify.units import UNIT
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_TEXT = patterns("agent.verify")

# Records state values; only prose gives conditions of which a value can be an instance.
_PROSE = frozenset({"guideline", "document", "drug_graph"})
_CONDITIONS = frozenset(
    {"", "points", "length", "volume", "amount", "massconc", "enzyme", "cells", "pressure", "percent", "celsius", "gfr", "flow", "bmi"}
    | {"hounsfield", "packyears", "ppb", "rate", "body_mass", "age", "elapsed", "gestation"}
)
_AGE = _TEXT.regex("instances_age")
_BODY_MASS = _TEXT.regex("instances_body_mass")
_ELAPSED = _TEXT.regex("instances_elapsed")
_BETWEEN = _TEXT.regex("instances_between")
# A size that makes no difference.
_GESTATION = _TEXT.regex("instances_gestation")
_ANY_SIZE = _TEXT.regex("instances_any_size")
_ROUGH = _TEXT.regex("instances_rough")
_ROUGH_AFTER = _TEXT.regex("instances_rough_after")
# How far a value that is called rough may lie from the one of the evidence.
_NEAR = 0.08
# Readings that are tried for one claim.
_MOST = 12
_WEEK = 168.0
_SIGNS = {"at_least": "≥", "above": ">", "at_most": "≤", "below": "<"}


def readings(claim: str, cited: list[Evidence], texts: Iterable[str]) -> Iterator[str]:
    """The claim with each value that the evidence does not write replaced by what the value is an instance or a rounding of."""
    texts = list(texts)
    if outside_band(claim, texts):
        return
    prose = all(e.kind in _PROSE for e in cited)
    known = [(text, s, e, n) for text in texts for s, e, n in located(text) if not _is_year(n)]
    options: list[tuple[int, int, list[str]]] = []
    fails = False
    for start, end, number in located(claim):
        if _is_year(number) or (any(same(number, n) for *_, n in known)):
            continue
        stop = _end(claim, end)
        begin = start - len(rough.group(0)) if (rough := _ROUGH.search(claim[:start])) else start
        found: list[str] = []
        if rough or _ROUGH_AFTER.match(claim[stop:]):
            found = [t[s : _end(t, e)] for t, s, e, n in known if _close(number, n)]
        elif prose and number.direction is None:
            found = list(_ranges(number, claim[max(0, start - 12) : stop + 14], known))
            if not found and number.unit and number.unit[0] in ("length", "volume") and any(_ANY_SIZE.search(t) for t in texts):
                found = [""]
        if not found and prose:
            found = list(products(claim, number, texts)) or weighed(number, known)
        if not found and prose and FAILS.search(claim):
            found, fails = list(missed(number, known)), True
        if found:
            options.append((begin if rough else start, stop, list(dict.fromkeys(found))))
    for count, chosen in enumerate(product(*(o[2] for o in options))):
        if not options or count >= _MOST:
            return
        told = _written(claim, options, chosen)
        yield FAILS.sub(" ", told) if fails else told


def _written(claim: str, options: list[tuple[int, int, list[str]]], chosen: tuple[str, ...]) -> str:
    space = " " if language_of(claim) == "en" else ""
    for (start, stop, _), words in reversed(list(zip(options, chosen, strict=True))):
        claim = f"{claim[:start].rstrip()}{space}{words}{space}{claim[stop:].lstrip()}"
    return claim


def _is_year(number: Number) -> bool:
    return number.unit is None and 1980 <= number.value <= 2100


def _end(text: str, end: int) -> int:
    unit = UNIT.match(text, end)
    return unit.end() if unit else end


def _base(number: Number, other: Number | None = None) -> float:
    """A value in its base unit; a bare one takes the unit of `other`."""
    unit = number.unit or (other.unit if other else None)
    return number.value * (unit[1] if unit else 1.0)


def _close(number: Number, known: Number) -> bool:
    if number.unit and known.unit and number.unit[0] != known.unit[0]:
        return False
    if number.unit and not known.unit:
        return False
    value, there = _base(number, known), _base(known)
    return bool(there) and abs(value - there) <= _NEAR * abs(there)


def _dimension(number: Number, around: str) -> str:
    """What a number measures; a body weight and an age are conditions, a dose and a duration are not."""
    if number.unit is None:
        return "age" if _AGE.search(around) else "bmi" if _BODY_MASS.search(around) else ""
    name, factor = number.unit
    if name == "mass" and factor >= 1e6:
        return "body_mass"
    if name == "months" and (factor == 12 and _AGE.search(around)):
        return "age"
    if name == "hours" and factor == _WEEK and _GESTATION.search(around):
        return "gestation"
    if name == "hours" and factor < 24 and _ELAPSED.search(around):
        return "elapsed"
    return "" if name == "points" else name


def _ranges(number: Number, around: str, known: list[tuple[str, int, int, Number]]) -> Iterator[str]:
    dimension = _dimension(number, around)
    if dimension not in _CONDITIONS:
        return
    skip = False
    for i, (text, start, end, low) in enumerate(known):
        if skip:
            skip = False
            continue
        following = known[i + 1] if i + 1 < len(known) and known[i + 1][0] == text else None
        paired = following is not None and _BETWEEN.match(text[end : following[1]])
        high = following[3] if following and paired else None
        around_there = text[max(0, start - 14) : (following[2] if following and high else end) + 14]
        skip = high is not None
        there = _dimension(high or low, around_there)
        if there != dimension and not (there == "" and high and _beside(text, start, number, known)):
            continue
        value = _base(number)
        if following and high and _base(low, high if high.unit else number) <= value <= _base(high, number):
            yield text[start : _end(text, following[2])]
        elif high is None and low.direction is not None and _holds(low, value):
            yield f"{_SIGNS[low.direction]}{text[start : _end(text, end)]}"


def _beside(text: str, start: int, number: Number, known: list[tuple[str, int, int, Number]]) -> bool:
    """Whether a bare range shares the unit that another number of its sentence has ("60 mL/min or more, every 36 h at 40 to 59")."""
    low, high = text.rfind(". ", 0, start), text.find(". ", start)
    near = [n for t, s, _, n in known if t == text and low <= s and (high < 0 or s < high)]
    return any(n.unit == number.unit and n.direction is not None for n in near)


def _holds(limit: Number, value: float) -> bool:
    edge = _base(limit)
    return {"at_least": value >= edge, "above": value > edge, "at_most": value <= edge, "below": value < edge}[limit.direction or "above"]
