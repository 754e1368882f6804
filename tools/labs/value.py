"""One laboratory value with its meaning: unit understood, reference interval chosen, flag set, previous value found."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from retrieval.messages.catalogue import Pair, messages
from tools.case.record import Observation, Patient
from tools.evidence import Language
from tools.labs.analytes import ADULT_YEARS, Analyte, Combined, Interval, combined_limits, find_analyte, source_of
from tools.labs.units import Unit, parse_unit

pair = messages("tools.labs").pair

# Who gave an interval that the laboratory sheet of the patient brings.
SHEET = "reference of the sheet"
Flag = Literal["low", "normal", "high", "critical_low", "critical_high", "unknown"]


@dataclass(frozen=True)
class Reading:
    """One observation as understood.

    Attributes:
        observation: As reported.
        analyte: None when the name is not in the reference data.
        unit: None when the unit is not understood.
        canonical: Value in the analyte's unit; None when it cannot be converted.
        flag: `unknown` when nothing can be said.
        low: Lower reference limit in the reported unit.
        high: Upper reference limit in the reported unit.
        reference_source: Who gave the interval.
        problem: Why the flag is unknown, for a warning, in both languages.
        previous: The value before this one in the same unit, for the trend.
        combined: The limit over several values of the sample that makes this one critical.
    """

    observation: Observation
    analyte: Analyte | None
    unit: Unit | None
    canonical: float | None
    flag: Flag
    low: float | None = None
    high: float | None = None
    reference_source: str | None = None
    problem: Pair | None = None
    previous: float | None = None
    combined: Combined | None = None

    @property
    def id(self) -> str:
        """Stable name: the analyte id, or a slug of the reported name."""
        return self.analyte.id if self.analyte else re.sub(r"\W+", "-", self.observation.analyte.casefold()).strip("-")

    @property
    def key(self) -> str:
        """Evidence key: from the analyte and the day of the sample only, so that another value keeps the key."""
        day = (self.observation.time or "")[:10]
        return f"L-{self.id}@{day}" if day else f"L-{self.id}"

    @property
    def shown_unit(self) -> str:
        """The unit as prose writes it."""
        return self.unit.shown if self.unit else (self.observation.unit or "")

    def name(self, language: Language = "en") -> str:
        """Name in the language of the reader."""
        return self.analyte.name(language) if self.analyte else self.observation.analyte


def shown(value: float) -> str:
    """A number as reported, without exponent or trailing zeros."""
    return f"{value:.10g}"


def decimals(value: float) -> int:
    """Decimals a reported value carries."""
    return len(shown(value).partition(".")[2])


def read(observation: Observation, patient: Patient) -> Reading:
    """Understand one observation for this patient."""
    unit = parse_unit(observation.unit) if observation.unit else None
    analyte = find_analyte(observation.analyte, observation.loinc, unit, observation.specimen)
    if unit is None and not observation.unit and analyte is not None and analyte.unit == "1":
        unit = parse_unit("")
    if analyte is None or observation.value is None:
        why = pair("no value") if observation.value is None else pair("this analyte is not in the reference data")
        return _with_printed(Reading(observation, analyte, unit, None, "unknown", problem=why))
    if unit is None:
        why = pair("unit {unit!r} is not understood", unit=observation.unit) if observation.unit else pair("no unit is given")
        return _with_printed(Reading(observation, analyte, None, None, "unknown", problem=why))
    canonical = analyte.to_canonical(observation.value, unit)
    if canonical is None:
        why = pair("unit {unit!r} does not fit this analyte", unit=observation.unit or "")
        return _with_printed(Reading(observation, analyte, unit, None, "unknown", problem=why))
    return _flagged(observation, analyte, unit, canonical, patient)


def _with_printed(reading: Reading) -> Reading:
    """Where we know nothing, the interval printed on the sheet still gives a flag."""
    o = reading.observation
    if o.value is None or (o.reference_low is None and o.reference_high is None):
        return reading
    flag = _compare(o.value, o.comparator, o.reference_low, o.reference_high)
    return Reading(o, reading.analyte, reading.unit, None, flag, o.reference_low, o.reference_high, SHEET, reading.problem)


def _flagged(o: Observation, analyte: Analyte, unit: Unit, canonical: float, patient: Patient) -> Reading:
    problem: Pair | None = None
    if o.reference_low is not None or o.reference_high is not None:
        low, high = o.reference_low, o.reference_high
        flag, source = _compare(o.value or 0.0, o.comparator, low, high), SHEET
    else:
        flag, low, high, problem = _by_reference(o, analyte, unit, canonical, patient)
        known = source_of(analyte.source)
        source = f"{known.title} ({known.year})" if known and known.year else (known.title if known else "")
    critical = _critical(analyte, canonical, o.comparator)
    return Reading(o, analyte, unit, canonical, critical or flag, low, high, source or None, problem if critical is None else None)


def _by_reference(
    o: Observation, analyte: Analyte, unit: Unit, canonical: float, patient: Patient
) -> tuple[Flag, float | None, float | None, Pair | None]:
    if patient.age_years is not None and patient.age_years < ADULT_YEARS:
        return "unknown", None, None, pair("the intervals here are for adults")
    if not analyte.reference:
        return "unknown", None, None, pair("no reference interval is stored for this analyte")
    options = [r for r in analyte.reference if r.applies(patient.sex, patient.age_years)]
    flags = {_compare(canonical, o.comparator, r.low, r.high) for r in options}
    if len(flags) != 1:
        return "unknown", None, None, pair("the interval depends on sex or age, which is not given")
    if len(options) > 1:
        return flags.pop(), None, None, None
    low, high = _bounds(analyte, options[0], unit)
    return flags.pop(), low, high, None


def _bounds(analyte: Analyte, interval: Interval, unit: Unit) -> tuple[float | None, float | None]:
    """The interval in the reported unit, rounded to three significant digits more than needed for reading."""
    low = None if interval.low is None else analyte.from_canonical(interval.low, unit)
    high = None if interval.high is None else analyte.from_canonical(interval.high, unit)
    return _tidy(low), _tidy(high)


def _tidy(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.3g}") if abs(value) < 1000 else float(round(value))


def _compare(value: float, comparator: str | None, low: float | None, high: float | None) -> Flag:
    if comparator in ("<", "<="):
        if low is not None and value <= low:
            return "low"
        return "normal" if low is None and high is not None and value <= high else "unknown"
    if comparator in (">", ">="):
        if high is not None and value >= high:
            return "high"
        return "normal" if high is None and low is not None and value >= low else "unknown"
    if low is not None and value < low:
        return "low"
    return "high" if high is not None and value > high else "normal"


def _critical(analyte: Analyte, canonical: float, comparator: str | None) -> Flag | None:
    limits = analyte.critical
    if limits is None:
        return None
    if limits.low is not None and canonical <= limits.low and comparator not in (">", ">="):
        return "critical_low"
    if limits.high is not None and canonical >= limits.high and comparator not in ("<", "<="):
        return "critical_high"
    return None


def latest(labs: tuple[Observation, ...], patient: Patient) -> list[Reading]:
    """The latest reading of each analyte, in the order of first appearance, with the previous value where it has one.

    Undated values keep their order on the sheet: a later line is newer.
    """
    by_id: dict[str, list[Reading]] = {}
    for _, _, o in sorted((o.time or "", i, o) for i, o in enumerate(labs)):
        if o.value is not None:
            reading = read(o, patient)
            by_id.setdefault(reading.id, []).append(reading)
    order = {read(o, patient).id: i for i, o in reversed(list(enumerate(labs)))}
    return _together([_trend(by_id[name]) for name in sorted(by_id, key=lambda n: order[n])])


def _together(readings: list[Reading]) -> list[Reading]:
    """Mark the values that are critical together: those of one sample (same hour) that pass every limit of a combination."""
    by_id = {r.id: r for r in readings}
    marked: dict[str, Reading] = {}
    for c in combined_limits():
        found = [by_id.get(limit.analyte) for limit in c.limits]
        values = [(r, r.canonical) for r in found if r is not None and r.canonical is not None and not r.observation.comparator]
        if len(values) < len(c.limits) or len({(r.observation.time or "")[:13] for r, _ in values}) > 1:
            continue
        if all(
            (limit.below is None or v < limit.below) and (limit.above is None or v > limit.above)
            for limit, (_, v) in zip(c.limits, values, strict=True)
        ):
            for limit, (r, _) in zip(c.limits, values, strict=True):
                marked[r.id] = replace(r, flag="critical_low" if limit.below is not None else "critical_high", combined=c, problem=None)
    return [marked.get(r.id, r) for r in readings]


def _trend(history: list[Reading]) -> Reading:
    last = history[-1]
    if len(history) < 2 or last.analyte is None or last.unit is None:
        return last
    before = history[-2]
    if before.canonical is None or before.observation.comparator:
        return last
    value = last.analyte.from_canonical(before.canonical, last.unit)
    if value is not None and before.unit != last.unit:
        value = _tidy(value)
    return Reading(**{**last.__dict__, "previous": value})
