"""How a number of a claim comes from its evidence: written there, counted, rounded, worked out, within a limit, or not at all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations, permutations

from agent.verify.numbers import Number, located, numbers_of_evidence, same
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_COUNT = patterns("agent.verify").regex("opinion_count")
_NEAR = 0.08
_CLOSE = 0.03
# Doses a day and parts of a whole by which a number is multiplied or divided.
_FEW = (2.0, 3.0, 4.0)
# Kinds that nothing in the evidence explains.
UNEXPLAINED = frozenset({"absent", "absent unit", "between"})


def figures(claim: str, texts: Iterable[str], cited: Iterable[Evidence]) -> dict[str, float]:
    """How many numbers of a claim come from the evidence in which way, at most three each."""
    known = [n for t in texts for _, _, n in located(t)] + [n for e in cited for n in numbers_of_evidence(e)]
    found = Counter(_kind(claim, start, number, known) for start, _, number in located(claim) if not _is_year(number))
    return {f"figure {kind}": float(min(count, 3)) for kind, count in found.items()}


def unexplained(signs: Mapping[str, float]) -> bool:
    """Whether a number of the claim comes from nowhere."""
    return any(signs.get(f"figure {kind}") for kind in UNEXPLAINED)


def _is_year(number: Number) -> bool:
    return number.unit is None and 1980 <= number.value <= 2100


def _base(number: Number) -> float:
    return number.value * (number.unit[1] if number.unit else 1.0)


def _dimension(number: Number) -> str:
    return number.unit[0] if number.unit else ""


def _kind(claim: str, start: int, number: Number, known: list[Number]) -> str:
    if any(same(number, k) for k in known):
        return "exact"
    if _COUNT.match(claim, start):
        return "count"
    value, dimension = _base(number), _dimension(number)
    alike = [k for k in known if _dimension(k) == dimension]
    if any(abs(value - _base(k)) <= _NEAR * abs(_base(k)) for k in alike if k.value):
        return "near"
    for kind, values in _worked_out(sorted({round(_base(k), 6) for k in alike}), dimension, known):
        if any(_close(number, v) for v in values):
            return kind
    if number.direction is None and any(k.direction for k in alike):
        return "instance"
    if dimension and alike and min(map(_base, alike)) <= value <= max(map(_base, alike)):
        return "between"
    return "absent unit" if number.unit else "absent"


def _close(number: Number, value: float) -> bool:
    step = 0.51 * 10.0**-number.decimals * (number.unit[1] if number.unit else 1.0)
    return abs(_base(number) - value) <= max(step, _CLOSE * abs(value))


def _worked_out(values: list[float], dimension: str, known: list[Number]) -> Iterator[tuple[str, Iterator[float]]]:
    """Differences, sums, multiples and ratios of the evidence's numbers."""
    yield "difference", (abs(a - b) for a, b in combinations(values, 2))
    yield "sum", (a + b for a, b in combinations(values, 2))
    yield "multiple", (a * k for a in values for k in _FEW)
    if dimension in ("", "fold", "percent"):
        scale = 100.0 if dimension == "percent" else 1.0
        pairs = permutations({(_dimension(k), round(_base(k), 6)) for k in known}, 2)
        yield "ratio", (scale * a / b for (d, a), (e, b) in pairs if d == e and b)
