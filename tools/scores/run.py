"""Run a calculator: value, or the range that the missing inputs leave open."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.case.record import Case
from tools.scores.ages import too_young
from tools.scores.base import Band, Calculator, Item
from tools.scores.inputs import Resolved, resolve


@dataclass(frozen=True)
class Component:
    """One criterion as scored; `points` is None when its inputs are missing."""

    item: Item
    points: float | None


@dataclass(frozen=True)
class Outcome:
    """What a calculator says about these inputs.

    Attributes:
        calculator: Which one.
        value: The result; None while an input is missing that matters.
        low: Least possible result; None when a formula cannot be bounded.
        high: Greatest possible result.
        band: Meaning in English and Chinese; None where the range spans several bands.
        bands_open: Meanings at both ends when the range spans several bands.
        inputs: Inputs used, by key.
        missing: Keys of inputs that are needed and unknown.
        components: Criteria as scored.
        extra: Further results: name to value.
        too_young: The patient's age in years where the calculator is not for it; nothing is calculated then.
    """

    calculator: Calculator
    value: float | None
    low: float | None
    high: float | None
    band: tuple[str, str] | None
    bands_open: tuple[tuple[str, str], tuple[str, str]] | None
    inputs: dict[str, Resolved]
    missing: tuple[str, ...]
    components: tuple[Component, ...]
    extra: dict[str, float]
    too_young: float | None = None

    @property
    def exact(self) -> tuple[str, str] | None:
        """What the source reports for exactly this result, in English and Chinese."""
        return None if self.value is None else self.calculator.exact.get(round(self.value, 4))


def run(calculator: Calculator, case: Case | None, given: Mapping[str, str] | None = None) -> Outcome:
    """Calculate from the case and the given inputs; nothing for a person younger than the calculator is made for."""
    inputs = resolve(calculator, case, given)
    values = {key: r.value for key, r in inputs.items()}
    young = too_young(calculator, values, case.patient.age_years if case is not None else None)
    if young is not None:
        return Outcome(calculator, None, None, None, None, None, inputs, (), (), {}, young)
    return _score(calculator, inputs, values) if calculator.items else _formula(calculator, inputs, values)


def _formula(c: Calculator, inputs: dict[str, Resolved], values: dict[str, float | bool | str | None]) -> Outcome:
    value = None if c.compute is None else c.compute(values)
    band = None if value is None else _band(c, value, values)
    # A branch that needs no more inputs is an answer; otherwise every input that is not given stands open.
    answered = value is not None and (band is not None or c.band_of is None)
    missing = () if answered else tuple(f.key for f in c.fields if f.key not in values and not f.optional)
    if missing:
        value = band = None
    extra = _extra(c, value, values)
    return Outcome(c, value, value, value, band, None, inputs, missing, (), extra)


def _score(c: Calculator, inputs: dict[str, Resolved], values: dict[str, float | bool | str | None]) -> Outcome:
    components = tuple(Component(i, i.points(values)) for i in c.items)
    low = sum(x.item.low if x.points is None else x.points for x in components)
    high = sum(x.item.high if x.points is None else x.points for x in components)
    undetermined = [x for x in components if x.points is None]
    missing = tuple(dict.fromkeys(k for x in undetermined for k in x.item.needs if k not in values))
    first, last = _band(c, low, values), _band(c, high, values)
    same = first == last
    return Outcome(
        c,
        None if undetermined else low,
        low,
        high,
        first if same else None,
        None if same or first is None or last is None else (first, last),
        inputs,
        missing,
        components,
        {} if undetermined else _extra(c, low, values),
    )


def _extra(c: Calculator, value: float | None, values: Mapping[str, float | bool | str | None]) -> dict[str, float]:
    """Further results; they may build on the result itself (`score`)."""
    return {e.name: v for e in c.extra if (v := e.compute({**values, "score": value})) is not None}


def _band(c: Calculator, value: float, values: Mapping[str, float | bool | str | None]) -> tuple[str, str] | None:
    special = c.band_of(value, values) if c.band_of else None
    if special is not None or not c.bands:
        return special
    band: Band = next(b for b in c.bands if b.upper is None or value <= b.upper)
    return band.en, band.zh
