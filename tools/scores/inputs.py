"""Inputs of a calculator: from the case (latest values, units converted), overridden by `key=value[unit]`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from retrieval.messages.patterns import patterns
from tools.case.record import Case, LungFunction, Vitals
from tools.errors import BadInput
from tools.labs.analytes import analytes
from tools.labs.units import parse_unit
from tools.labs.value import Reading, latest
from tools.scores.base import Calculator, Field, Value
from tools.scores.said.findings import stated

_WORDS = patterns("tools.scores")


# Origin of a laboratory value that was typed without a unit and read in the field's own.
UNIT_TAKEN = "given without unit"
_YES = frozenset(_WORDS.words("yes"))
_NO = frozenset(_WORDS.words("no"))
_VALUE = re.compile(r"^\s*([+-]?\d+(?:\.\d+)?)\s*(.*?)\s*$")
_PLAIN_UNITS = ("bpm", "/min", "mmhg", "%", "years", "y", "kg", "cm")
_VITAL_UNITS = {
    "temperature": {"°c": 1.0, "c": 1.0, "cel": 1.0},
    "height": {"cm": 1.0, "m": 100.0},
    "weight": {"kg": 1.0, "g": 0.001, "lb": 0.45359237},
}


@dataclass(frozen=True)
class Resolved:
    """One input as used: value in the field's unit and where it came from."""

    field: Field
    value: Value
    origin: str
    time: str | None = None
    key: str | None = None
    reported: str | None = None


def resolve(calculator: Calculator, case: Case | None, given: Mapping[str, str] | None = None) -> dict[str, Resolved]:
    """Find every input that is known.

    Args:
        calculator: Which calculator.
        case: The patient; None to use only `given`.
        given: `key -> value[unit]` as typed.

    Returns:
        Resolved inputs by field key; unknown ones are absent.

    Raises:
        BadInput: For a key the calculator does not have, or a value that cannot be read.
    """
    found: dict[str, Resolved] = {}
    if case is not None:
        labs = {r.id: r for r in latest(case.labs, case.patient)}
        for field in calculator.fields:
            resolved = _from_case(field, case, labs)
            if resolved is not None:
                found[field.key] = resolved
        _breathed_at_the_gas(found, case)
    for key, text in (given or {}).items():
        field = _field(calculator, key)
        bare = bool(field.analytes) and bool(field.unit) and re.fullmatch(r"\s*[+-]?\d+(?:\.\d+)?\s*", text) is not None
        found[field.key] = Resolved(field, _parse(field, key, text), UNIT_TAKEN if bare else "given")
    return found


def _breathed_at_the_gas(found: dict[str, Resolved], case: Case) -> None:
    """Where a gas is used, the oxygen that was breathed when it was taken, not that of a later hour."""
    gas, oxygen = found.get("pao2"), found.get("fio2")
    if gas is None or oxygen is None or not gas.time or not oxygen.time or oxygen.time <= gas.time:
        return
    before = [v for v in case.vitals if v.fio2 is not None and v.time and v.time <= gas.time]
    now = latest_vital(case, "fio2")
    if before and now and now[0]:
        then = max(before, key=lambda v: v.time or "")
        share = float(then.fio2 or now[0]) / now[0]  # the field may count in another unit
        found["fio2"] = replace(oxygen, value=float(oxygen.value or now[0]) * share, time=then.time)


def _field(calculator: Calculator, key: str) -> Field:
    name = key.strip().casefold().replace("-", "_").replace(" ", "_")
    for field in calculator.fields:
        if name == field.key or name in field.aliases or name in field.analytes:
            return field
    known = ", ".join(f.key for f in calculator.fields)
    raise BadInput(f"{calculator.name} has no input {key!r}; its inputs are: {known}")


def _parse(field: Field, key: str, text: str) -> Value:
    word = text.strip().casefold()
    if field.kind == "flag":
        if word in _YES or word in _NO:
            return word in _YES
        raise BadInput(f"{field.key}: {text!r} is not yes or no")
    if field.kind == "choice":
        word = _WORDS.table("choice").get(word, word)
        if word in field.choices:
            return word
        raise BadInput(f"{field.key}: {text!r} is none of {', '.join(field.choices)}")
    match = _VALUE.match(text)
    if match is None:
        raise BadInput(f"{field.key}: {text!r} is not a number with an optional unit, for example {field.key}=12{field.unit}")
    return _in_unit(field, key, float(match[1]), match[2])


def _in_unit(field: Field, key: str, value: float, unit: str) -> float:
    if field.key == "fio2":
        return value / 100 if unit == "%" or value > 1 else value
    table = _VITAL_UNITS.get(field.key, {})
    if unit.casefold() in ("°f", "f") and field.key == "temperature":
        return (value - 32) / 1.8
    if unit.casefold() in table:
        return value * table[unit.casefold()]
    name = key.strip().casefold()
    analyte = analytes().get("urea_nitrogen" if name in ("bun", "urea_nitrogen") else (field.analytes[0] if field.analytes else ""))
    if analyte is None:
        written = unit.casefold()
        if not unit or written == field.unit.casefold() or written in _PLAIN_UNITS or written in _WORDS.table("unit"):
            return value
        raise BadInput(f"{field.key}: unit {unit!r} is not {field.unit!r}")
    source, target = parse_unit(unit or field.unit), parse_unit(field.unit)
    canonical = analyte.to_canonical(value, source) if source else None
    result = analyte.from_canonical(canonical, target) if canonical is not None and target else None
    if result is None:
        raise BadInput(f"{field.key}: unit {unit!r} cannot be converted to {field.unit!r}")
    return result


def _from_case(field: Field, case: Case, labs: dict[str, Reading]) -> Resolved | None:
    if field.patient:
        value = _at(case.patient, field.patient)
        if value is None or (field.kind == "choice" and value not in field.choices):
            return None
        return Resolved(field, value, "patient", key="C-demographics")
    if field.key in LungFunction.model_fields:
        tests = sorted((f.time or "", i, value) for i, f in enumerate(case.lung_function) if (value := getattr(f, field.key)) is not None)
        return Resolved(field, float(tests[-1][2]), "lung function", tests[-1][0] or None, "C-lung-function") if tests else None
    if field.vital:
        found = latest_vital(case, field.vital)
        if found is not None:
            return Resolved(field, found[0], "vitals", found[1], key="C-vitals")
    if field.analytes:
        resolved = _from_labs(field, labs)
        if resolved is not None:
            return resolved
    if field.key == "confusion" and field.kind == "flag":
        return _confusion(field, case)
    return _flag(field, case) if field.kind == "flag" else None


def _at(start: object, path: str) -> Any:
    """`smoking.pack_years` of a patient; None where a step is absent."""
    for name in path.split("."):
        start = None if start is None else getattr(start, name)
    return start


def latest_vital(case: Case, name: str) -> tuple[float, str | None] | None:
    """The latest recorded value of one vital sign with its time."""
    rows: list[tuple[str, int, Vitals]] = sorted((v.time or "", i, v) for i, v in enumerate(case.vitals) if getattr(v, name) is not None)
    return (float(getattr(rows[-1][2], name)), rows[-1][2].time) if rows else None


def _from_labs(field: Field, labs: dict[str, Reading]) -> Resolved | None:
    target = parse_unit(field.unit)
    for name in field.analytes:
        r = labs.get(name)
        if r is None or r.canonical is None or r.unit is None or r.observation.comparator or target is None:
            continue
        wanted = analytes()[field.analytes[0]]
        # Urea and urea nitrogen have the same molar concentration, so each answers the other through mol/L.
        base = r.canonical if name == field.analytes[0] else _across(name, field.analytes[0], r.canonical)
        value = r.observation.value if name == field.analytes[0] and r.unit == target else wanted.from_canonical(base, target)
        if value is not None:
            reported = f"{r.observation.value:g} {r.shown_unit}".strip()
            return Resolved(field, value, "labs", r.observation.time, r.key, reported)
    return None


def _across(source: str, target: str, canonical: float) -> float:
    molar = parse_unit("mmol/L")
    from_unit, to_unit = analytes()[source], analytes()[target]
    if molar is None:
        raise ValueError("mmol/L must parse")
    amount = from_unit.from_canonical(canonical, molar)
    result = None if amount is None else to_unit.to_canonical(amount, molar)
    if result is None:
        raise ValueError(f"{source!r} does not convert to {target!r}")
    return result


def _flag(field: Field, case: Case) -> Resolved | None:
    found = stated(field, case)
    return None if found is None else Resolved(field, found.value, found.text, key=found.key)


def _confusion(field: Field, case: Case) -> Resolved | None:
    said = _flag(field, case)
    if said is not None:
        return said
    gcs = latest_vital(case, "gcs")
    # A full verbal score (15 of 15) means oriented in person, place and time (Teasdale and Jennett 1974).
    return Resolved(field, False, "Glasgow Coma Scale 15 (oriented)", gcs[1], "C-vitals") if gcs and gcs[0] == 15 else None
