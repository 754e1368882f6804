"""A number that a record does not write but gives: a distance from a limit, a multiple, a limit that is kept, a result of a formula."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from agent.verify.numbers import Number, located, numbers_of_evidence
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence
from tools.scores.base import Calculator
from tools.scores.registry import calculators
from tools.scores.run import run
from tools.scores.said.typed import typed_inputs

_WORDS = patterns("agent.typed")
_APART, _TIMES, _WITHIN, _CLOCK = (_WORDS.regex(f"explained_{n}") for n in ("apart", "times", "within", "clock"))
_RECORDS = frozenset({"lab", "ct", "case", "score", "model", "report"})
# A limit is near enough to a value to say something of it, and a multiple is rounded, within these parts.
_NEAR = 2.0
_ROUNDED = 0.04
_LASTING = frozenset({"hours", "months"})
_MONTH = 730.5


def explained(number: Number, claim: str, evidence: Sequence[Evidence]) -> bool:
    """Whether a number that no record writes follows from what they write."""
    if any(e.kind not in _RECORDS for e in evidence):
        return False
    known = [n for e in evidence for n in numbers_of_evidence(e)]
    alike = [n for n in known if n.unit and number.unit and (n.unit[0] == number.unit[0] or {n.unit[0], number.unit[0]} == _LASTING)]
    return (
        _apart(number, claim, alike)
        or _times(number, claim, known)
        or _keeps(number, claim, alike, evidence)
        or _hours(number, evidence)
        or any(_worked_out(number, claim, e) for e in evidence)
    )


def _base(number: Number) -> float:
    """The value in the base unit of what it measures; months in hours."""
    if number.unit is None:
        return number.value
    return number.value * number.unit[1] * (_MONTH if number.unit[0] == "months" else 1.0)


def _apart(number: Number, claim: str, alike: list[Number]) -> bool:
    if not alike or not _APART.search(claim):
        return False
    gaps = [abs(_base(a) - _base(b)) for a, b in combinations(alike, 2)]
    if number.direction in ("below", "at_most"):
        return any(0 < g <= _base(number) and _base(number) <= _NEAR * _NEAR * g for g in gaps)
    return any(abs(g - _base(number)) <= 1e-6 + 1e-6 * abs(g) for g in gaps)


def _times(number: Number, claim: str, known: list[Number]) -> bool:
    if not _TIMES.search(claim) or number.value <= 1:
        return False
    pairs = ((a, b) for a in known for b in known if a.unit and b.unit in (a.unit, None) and b.value > 0)
    return any(abs(a.value / b.value - number.value) <= max(_ROUNDED * number.value, 0.5 * 10.0**-number.decimals) for a, b in pairs)


def _keeps(number: Number, claim: str, alike: list[Number], evidence: Sequence[Evidence]) -> bool:
    """A limit of a claim on a case that a value of the same thing keeps: pressure above 100 where it is 108."""
    if any(e.kind != "case" for e in evidence):
        return False
    lasting = bool(number.unit and number.unit[0] in _LASTING)
    upward = number.direction in ("above", "at_least")
    within = number.direction in ("below", "at_most") or (lasting and bool(_WITHIN.search(claim)))
    limit = _base(number)
    for other in alike:
        value = _base(other)
        fits = value > limit if upward else value < limit if within else False
        same_thing = lasting or other.anchor == number.anchor or number.anchor is None
        if fits and same_thing and other.direction is None and max(value, limit) <= _NEAR * min(value, limit):
            return True
    return False


def _hours(number: Number, evidence: Sequence[Evidence]) -> bool:
    """The time between two clock times of a case."""
    if number.unit is None or number.unit[0] != "hours":
        return False
    clocks = [int(m["h"]) * 60 + int(m["m"]) for e in evidence if e.kind == "case" for m in _CLOCK.finditer(e.text)]
    return any(abs(a - b) == _base(number) * 60 for a, b in combinations(clocks, 2))


def _worked_out(number: Number, claim: str, item: Evidence) -> bool:
    """An input or the result of a calculator of ours whose formula or scale is cited, where the claim's inputs give the claim's result."""
    name = next((n for n in calculators() if item.kind == "score" and item.key.startswith(f"S-{n}-")), None)
    return name is not None and any(abs(v - number.value) < 1e-9 for v in _numbers_of(claim, name))


@lru_cache(maxsize=512)
def _numbers_of(claim: str, name: str) -> tuple[float, ...]:
    """Inputs and result that a claim gives of a calculator; empty where its result is another."""
    calculator = calculators()[name]
    inputs = typed_inputs(calculator, claim)
    outcome = run(calculator, None, inputs) if inputs else None
    value = getattr(outcome, "value", None)
    said = [n for _, _, n in located(claim)]
    if value is None or not any(abs(n.value - value) <= 0.51 * 10.0**-n.decimals for n in said):
        return ()
    return tuple(_given(inputs, calculator)) + tuple(n.value for n in said if abs(n.value - value) <= 0.51 * 10.0**-n.decimals)


def _given(inputs: dict[str, str], calculator: Calculator) -> Iterator[float]:
    for text in inputs.values():
        if found := re.match(r"\d+(?:\.\d+)?", text):
            yield float(found.group(0))
            yield float(found.group(0)) * 100
