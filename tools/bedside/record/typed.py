"""Values that the question itself gives: they outrank the record."""

import re
from collections.abc import Mapping
from functools import cache

from retrieval.messages.patterns import patterns
from tools.bedside.record.values import Value
from tools.labs.analytes import analytes
from tools.labs.units import parse_unit
from tools.labs.value import Reading, shown
from tools.quantities import latest_said

_WORDS = patterns("tools.bedside")

_GAP, _UNIT = _WORDS.text("gap"), _WORDS.text("unit")
_NAMES = _WORDS.table("value_names")
# Numbers that are known by their unit.
_BY_UNIT = {"nodule_mm": (_WORDS.regex("size_mm"), "mm")}


@cache
def _pattern(name: str) -> re.Pattern[str] | None:
    if name in _NAMES:
        words = _NAMES[name]
    elif name in analytes():
        known = analytes()[name]
        names = {n for n in (known.en, known.zh, *known.synonyms) if n.casefold() != "co2"}  # at the bedside the gas, not total CO2
        words = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True) if len(n) > 1)
    else:
        return None
    return re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z]){_GAP}(\d+(?:\.\d+)?){_UNIT}", re.IGNORECASE)


def typed_value(name: str, question: str, labs: Mapping[str, Reading]) -> Value | None:
    """The value that the question gives for a name; None when it gives none or its unit does not fit."""
    question = latest_said(question)
    if name in _BY_UNIT:
        size = _BY_UNIT[name][0].search(question)
        return Value(float(size.group(1)), f"{size.group(1)} {_BY_UNIT[name][1]}", typed=True) if size else None
    pattern = _pattern(name)
    found = pattern.search(question) if pattern else None
    if found is None:
        return None
    digits, unit = float(found.group(1)), (found.group(2) or "").strip()
    if name in _NAMES:
        return Value(digits, f"{shown(digits)}{' ' if unit and unit != '%' else ''}{unit}", typed=True)
    analyte, own = analytes()[name], labs.get(name)
    source = parse_unit(unit) if unit else (own.unit if own is not None and own.unit else parse_unit(analyte.unit))
    canonical = analyte.to_canonical(digits, source) if source is not None else None
    if canonical is None or source is None:
        return None
    if own is not None and own.observation.value == digits:
        return None  # the record says the same: it keeps its own words
    gap = "" if source.shown in ("", "%") else " "
    return Value(canonical, f"{shown(digits)}{gap}{source.shown}", typed=True)
