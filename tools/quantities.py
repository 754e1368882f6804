"""Numbers of a statement: whatever its text shows stands in its quantities too, so that prose can be compared with them."""

import re

from retrieval.messages.patterns import patterns
from tools.evidence import Quantity

# Longest first. A number inside a word (PaO2, CURB-65, T-score) is part of a name, not a quantity.
_WORDS = patterns("tools.base")
_UNITS, _SAME = _WORDS.words("units"), _WORDS.table("same_unit")
# A number inside a word (PaO2, CURB-65, T-score) is part of a name, not a quantity.
_FIND = re.compile(r"(?<![\w.\-–^])(\d+(?:\.\d+)?)(?![\w^]|\.\d)\s*(" + "|".join(re.escape(u) for u in _UNITS) + r")?")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*[–-]\s*(\d+(?:\.\d+)?)\s*(" + "|".join(re.escape(u) for u in _UNITS) + r")?")

_FALLEN = ((_WORDS.regex("fallen_en"), "to "), (_WORDS.regex("fallen_zh"), _WORDS.text("now_zh")), (_WORDS.regex("fallen_arrow"), ""))


def latest_said(text: str) -> str:
    """A text in which a value that changed stands as it is now: `from 198 to 76` is `to 76`."""
    for pattern, instead in _FALLEN:
        text = pattern.sub(instead, text)
    return text


def fill(known: tuple[Quantity, ...], *texts: str | None) -> tuple[Quantity, ...]:
    """Add what the texts show beyond `known`: thresholds, points, counts.

    Args:
        known: Quantities the tool states itself.
        texts: The statement in its languages.

    Returns:
        `known`, then one quantity `shown_N` for each further number with its unit.
    """
    seen = {(round(q.value, q.decimals), q.unit) for q in known} | {
        (round(q.high, q.decimals), q.unit) for q in known if q.high is not None
    }
    out = list(known)
    for text in texts:
        for digits, unit in _numbers(text or ""):
            number = (float(digits), unit)
            if number not in seen:
                seen.add(number)
                out.append(Quantity(name=f"shown_{len(out)}", value=float(digits), unit=unit, decimals=len(digits.partition(".")[2])))
    return tuple(out)


def _numbers(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for low, high, unit in _RANGE.findall(text):
        found += [(low, _SAME.get(unit, unit)), (high, _SAME.get(unit, unit))]
    for digits, unit in _FIND.findall(_RANGE.sub(" ", text)):
        found.append((digits, _SAME.get(unit, unit)))
    return found
