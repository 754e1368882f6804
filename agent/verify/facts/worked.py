"""Figures that a claim works out from conditions of its evidence: a dose by weight, a limit by age, a value that misses a limit."""

from collections.abc import Iterable, Iterator

from agent.verify.numbers import Number, located
from agent.verify.units import UNIT
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")
_AGE_TIMES = _TEXT.regex("worked_age_times")
# That a value does not do ("too low for", "does not meet").
FAILS = _TEXT.regex("worked_fails")
_KILOGRAM = 1e6
_OLDEST = 110
_NEAR = 0.01


def products(claim: str, number: Number, texts: Iterable[str]) -> Iterator[str]:
    """What a number of the claim is the product of, as the evidence writes it: milligrams a kilogram times a weight, age times a factor."""
    others = [n for _, _, n in located(claim) if n != number]
    weights = [n.value for n in others if n.unit and n.unit == ("mass", _KILOGRAM)]
    ages = [n.value for n in others if n.unit in (("months", 12.0), None) and 0 < n.value <= _OLDEST]
    for text in texts:
        for start, end, dose in located(text):
            if dose.unit and number.unit and dose.unit[0] == "massrate" and number.unit[0] == "mass":
                unit = UNIT.match(text, end)
                if any(_close(number, dose.value * dose.unit[1] * w) for w in weights):
                    yield text[start : unit.end() if unit else end]
        for match in _AGE_TIMES.finditer(text):
            if any(_close(Number(number.value), float(match["factor"]) * a) for a in ages):
                yield match.group(0)


def weighed(number: Number, known: Iterable[tuple[str, int, int, Number]]) -> list[str]:
    """Nothing in the place of a body weight, where the evidence doses by weight: whose weight it is makes no difference."""
    by_weight = any(n.unit and n.unit[0] == "massrate" for *_, n in known)
    return [""] if by_weight and number.unit == ("mass", _KILOGRAM) else []


def missed(number: Number, known: Iterable[tuple[str, int, int, Number]]) -> Iterator[str]:
    """Limits of the evidence that a value of the claim does not reach or goes beyond."""
    for text, start, end, limit in known:
        if limit.direction is None or limit.unit != number.unit:
            continue
        up = limit.direction in ("at_least", "above")
        if (number.value < limit.value) if up else (number.value > limit.value):
            unit = UNIT.match(text, end)
            yield f"{'>' if up else '<'}{text[start : unit.end() if unit else end]}"


def _close(number: Number, value: float) -> bool:
    mine = number.value * (number.unit[1] if number.unit else 1.0)
    return bool(value) and abs(mine - value) <= _NEAR * abs(value)
