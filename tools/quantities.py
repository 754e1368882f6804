"""Numbers of a statement: whatever its text shows stands in its quantities too, so that prose can be compared with them."""

import re

from tools.evidence import Quantity

# Longest first. A number inside a word (PaO2, CURB-65, T-score) is part of a name, not a quantity.
_UNITS = (
    "mL/min/1.73 m²", "10^12/L", "10^9/L", "10^3/µL", "10^6/µL", "mmol/L", "µmol/L", "mEq/L", "ng/mL", "pg/mL", "mg/dL", "g/dL", "mg/L",
    "µg/L", "ng/L", "g/L", "U/L", "kU/L", "mL/min", "points", "criteria", "mmHg", "kg/m²", "years", "days", "weeks", "hours", "/min",
    "pack-years", "kPa", "°C", "mL", "mm³", "HU", "cm", "kg", "mg", "mm", "m²", "msec", "L", "%", "分", "项", "岁", "天", "周",
)  # fmt: skip
_SAME = {"分": "points", "项": "criteria", "岁": "years", "天": "days", "周": "weeks"}
_FIND = re.compile(r"(?<![\w.\-–^])(\d+(?:\.\d+)?)(?![\w^]|\.\d)\s*(" + "|".join(re.escape(u) for u in _UNITS) + r")?")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*[–-]\s*(\d+(?:\.\d+)?)\s*(" + "|".join(re.escape(u) for u in _UNITS) + r")?")


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
