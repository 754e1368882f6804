"""Values that the question itself gives: they outrank the record."""

import re
from collections.abc import Mapping
from functools import cache

from retrieval.messages.patterns import patterns
from tools.bedside.record.values import Value
from tools.bedside.record.vocabulary import numbers
from tools.labs.analytes import analytes
from tools.labs.units import parse_unit
from tools.labs.value import Reading, shown
from tools.quantities import latest_said

_WORDS = patterns("tools.bedside")

_GAP, _UNIT, _LIMIT = _WORDS.text("gap"), _WORDS.text("unit"), _WORDS.text("limit")
_NAMES = _WORDS.table("value_names")
# What people type for an analyte beside its names.
_SHORT = _WORDS.table("value_short")
_WEIGHT = _WORDS.regex("weight_kg")
_DIASTOLIC = re.compile(r"\s*/\s*(\d{2,3})(?!\d)")
# Numbers that are known by their unit.
_BY_UNIT = {"nodule_mm": (_WORDS.regex("size_mm"), "mm")}


@cache
def _pattern(name: str) -> re.Pattern[str] | None:
    if name in _NAMES:
        words = _NAMES[name]
    elif name in analytes():
        known = analytes()[name]
        names = {n for n in (known.en, known.zh, *known.synonyms) if n.casefold() != "co2"}  # at the bedside the gas, not total CO2
        written = (re.escape(n) for n in sorted(names, key=len, reverse=True) if len(n) > 1)
        words = "|".join([*written, *([_SHORT[name]] if name in _SHORT else [])])
    else:
        return None
    return re.compile(rf"(?<![A-Za-z])(?:{words})(?![A-Za-z]){_GAP}(\d+(?:\.\d+)?)(?![\d.]*\s*{_LIMIT}){_UNIT}", re.IGNORECASE)


def typed_value(name: str, question: str, labs: Mapping[str, Reading]) -> Value | None:
    """The value that the question gives for a name; None when it gives none or its unit does not fit."""
    question = latest_said(question)
    if name in _BY_UNIT:
        size = _BY_UNIT[name][0].search(question)
        return Value(float(size.group(1)), f"{size.group(1)} {_BY_UNIT[name][1]}", typed=True) if size else None
    if name == "weight" and (weight := _WEIGHT.search(question)):
        return Value(float(weight.group(1)), f"{weight.group(1)} kg", typed=True)
    of_fluid = numbers().get(f"pleural_{name}")
    if of_fluid is not None and of_fluid.pattern.search(question):
        return None  # of the pleural fluid, not of the blood
    pattern = _pattern(name)
    found = pattern.search(question) if pattern else None
    if found is None:
        return _of_the_fluid(name, question)
    digits, unit = float(found.group(1)), (found.group(2) or "").strip()
    if name == "bp":
        return _pressure(digits, question[found.end(1) :])
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


def _pressure(systolic: float, behind: str) -> Value:
    """A blood pressure as it was typed, diastolic too where it is given."""
    diastolic = _DIASTOLIC.match(behind)
    return Value(systolic, f"{shown(systolic)}{f'/{diastolic.group(1)}' if diastolic else ''} mmHg", typed=True)


def _of_the_fluid(name: str, question: str) -> Value | None:
    """A value of the pleural fluid that is named first and measured after (`fluid: pH 7.02, glucose 1.4`)."""
    number = numbers().get(name) if name in analytes() else None
    found = number.pattern.search(question) if number is not None else None
    if number is None or found is None:
        return None
    digits = next(g for g in found.groups() if g)
    return Value(float(digits), f"{digits} {number.unit}".strip(), typed=True)


def measured_in(name: str, text: str) -> tuple[Value, int, int] | None:
    """A value with its unit that a text of the record gives for an analyte, and where it stands; None where its unit is not told."""
    pattern = _pattern(name) if name in analytes() else None
    found = pattern.search(text) if pattern else None
    if found is None:
        return None
    analyte, written = analytes()[name], (found.group(2) or "").strip()
    source = parse_unit(written) if written else (parse_unit(analyte.unit) if analyte.unit == "1" else None)
    canonical = analyte.to_canonical(float(found.group(1)), source) if source is not None else None
    if canonical is None or source is None:
        return None
    gap = "" if source.shown in ("", "%") else " "
    return Value(canonical, f"{shown(float(found.group(1)))}{gap}{source.shown}"), found.start(), found.end()
