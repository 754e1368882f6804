"""A scale of a score: ranges with what each means, and the range that a claim speaks of."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.verify.facts.segments import grades_of, words_of
from agent.verify.numbers import labels_of, located
from retrieval.messages.patterns import patterns

_RANGE = patterns("agent.typed").regex("scale_range")
_INFINITE = float("inf")
_FEW = 2


@dataclass(frozen=True)
class Step:
    """One range with its meaning: lowest and highest value, whether each is inside, and the words for it."""

    low: float
    high: float
    with_low: bool
    with_high: bool
    label: str

    def holds(self, value: float) -> bool:
        """Whether a value lies in it."""
        return (self.low < value or (self.with_low and self.low == value)) and (
            value < self.high or (self.with_high and self.high == value)
        )


@lru_cache(maxsize=512)
def steps(text: str) -> tuple[Step, ...]:
    """Steps of a scale; empty where the text is none."""
    found = list(_RANGE.finditer(text))
    out = []
    for i, match in enumerate(found):
        label = text[match.end() : found[i + 1].start() if i + 1 < len(found) else len(text)].rstrip(" ;；、,，。.")
        out.append(_step(match, label))
    lows = [s.low for s in out]
    return tuple(out) if len(out) >= _FEW and all(s.label for s in out) and lows in (sorted(lows), sorted(lows, reverse=True)) else ()


def _step(match: re.Match[str], label: str) -> Step:
    if match["sign"]:
        limit = float(match["limit"])
        upward, inside = match["sign"] in ">≥", match["sign"] in "≥≤"
        return Step(limit, _INFINITE, inside, False, label) if upward else Step(-_INFINITE, limit, False, inside, label)
    low = float(match["from"])
    high = float(match["to"]) if match["to"] else low
    return Step(low, high, True, not match["below"], label)


def judged(claim: str, text: str) -> tuple[bool | None, str]:
    """Whether a claim gives a value of a scale the meaning that the scale gives it; None where it cannot be told."""
    held = steps(text)
    values = [(n.value, n) for _, _, n in located(claim)]
    if not held or not values:
        return None, ""
    if len({n.unit[0] for _, n in values if n.unit and n.unit[0] not in ("points", "percent", "months", "hours")}) > 1:
        return None, ""  # inputs of a formula beside its value
    value, number = values[0]
    if number.direction is not None:
        return _limit(claim, value, number.direction, held)
    mine = [s for s in held if s.holds(value)]
    if len(mine) != 1:
        return None, ""
    own, others = mine[0], [s for s in held if s is not mine[0]]
    said, there = _meaning(claim), _meaning(own.label)
    rivals = frozenset().union(*(_meaning(s.label) for s in others))
    if (said & rivals) - there:
        return False, "the value lies in another band of the evidence"
    if said & there - rivals:
        return True, ""
    told = words_of(claim) & words_of(own.label) - frozenset().union(*(words_of(s.label) for s in others))
    return (True, "") if told else (None, "")


def _limit(claim: str, value: float, direction: str, held: tuple[Step, ...]) -> tuple[bool | None, str]:
    """A limit of the claim: it must be the edge of the step whose meaning the claim gives it."""
    upward = direction in ("at_least", "above")
    said = words_of(claim)
    for step in held:
        own = words_of(step.label) - frozenset().union(*(words_of(s.label) for s in held if s is not step))
        edge = step.low if upward else step.high
        if own & said and abs(edge) != _INFINITE:
            return (True, "") if edge == value else (False, f"the record gives {edge:g} as this limit")
    return None, ""


def _meaning(text: str) -> frozenset[str]:
    """Grades, labels and per cent of a text."""
    shares = {f"%{n.value:g}" for _, _, n in located(text) if n.unit and n.unit[0] == "percent"}
    return grades_of(text) | frozenset(f"!{x}" for x in labels_of(text)) | frozenset(shares)
