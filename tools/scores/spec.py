"""Calculators that are declared, not programmed: one TOML table each in `data/calculators/specs/*.toml`, for computing *and* explaining.

```toml
[hacor]                                   # the name: snake case, as in `medmpt calc hacor`
en = "HACOR score"                        # names in prose
zh = "…"
aliases = ["hacor_score"]
unit = "points"                           # of the result; default "points"
decimals = 0
population_en = "Adults on non-invasive ventilation for hypoxaemic failure, after 1 hour"
population_zh = "…"
formula_en = "…"                          # for people; only for formulas
formula_zh = "…"
note_en = "…"                             # a warning that is always shown; optional
note_zh = "…"
source = { title = "Duan J et al.: …, Intensive Care Med 43:192", year = 2017, doi = "10.1007/…" }   # doi only when certain

inputs = ["heart_rate", "ph", "gcs", "pao2", "fio2", "respiratory_rate"]   # keys of shared inputs (`fields.toml`) …
[[hacor.own_inputs]]                      # … and fields of its own: the attributes of `base.Field`
key = "on_niv"
en = "on NIV for one hour"
zh = "…"
kind = "flag"                             # number (default, with unit), flag, choice (with choices)

[[hacor.items]]                           # a score: criteria in order
key = "heart_rate"
en = "heart rate"
zh = "…"
steps = [                                 # the first step whose `when` is true gives its points; `otherwise` (default 0) else
  { when = "heart_rate >= 121", points = 1, en = "≥ 121 /min", zh = "…" },
]
[[hacor.items]]                           # short form of one step
key = "acidosis"
en = "pH < 7.25"
zh = "pH < 7.25"
when = "ph < 7.25"
points = 4

[[hacor.items]]                           # shortest: a flag of its own name, with that input's label
key = "on_niv"
points = 2

[[hacor.items]]                           # points that are a value themselves, from `least` to `most`
key = "age"
value = "age"
least = 18
most = 120

compute = "…"                             # instead of items, a formula: `(140 - age) * weight / (72 * creatinine)`

[[hacor.bands]]                           # meaning of the result, ascending; `from` <= result <= `to`, either end may be left out
to = 5
en = "low risk of NIV failure"            # the label
zh = "…"
meaning_en = "…"                          # what follows or how often; optional
meaning_zh = "…"

[hacor.exact]                             # what the source reports for one result; optional
5 = ["NIV failure about 10%", "…"]

[[hacor.extra]]                           # a further result of the same inputs; optional
name = "hacor_probability"
en = "…"
zh = "…"
unit = "%"
decimals = 1
compute = "…"                             # may name `score`
```

A tree (which branch, instead of how many points) is a `compute` that gives the value asked first and bands with `when`, each a branch.
Expressions are those of `expression.py` (three-valued: an unknown input widens the range instead of counting as normal). `when` of a band
may replace `from`/`to` where the meaning depends on inputs. A band's `to` is inclusive; write 64.999 for "below 65".
"""

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retrieval import packs
from tools.scores.base import Band, Calculator, Extra, Item, Value, Values
from tools.scores.base import Field as Input
from tools.scores.expression import evaluate, names
from tools.scores.fields import shared_fields


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Row):
    """First publication of a calculator; `doi` only where it was confirmed."""

    title: str
    year: int
    doi: str | None = None

    @property
    def text(self) -> str:
        """Title, year and identifier in one line."""
        return f"{self.title} ({self.year})" + (f", doi:{self.doi}" if self.doi else "")


class Step(_Row):
    """Points when a condition holds; `en` and `zh` say the condition where the item's label does not."""

    when: str
    points: float
    en: str = ""
    zh: str = ""


class ItemSpec(_Row):
    """One criterion: `when` and `points`, or `steps`; `otherwise` when none holds; or `value`, an expression that gives the points."""

    key: str
    en: str
    zh: str
    when: str | None = None
    points: float = 1
    steps: tuple[Step, ...] = ()
    otherwise: float = 0
    value: str | None = None
    least: float = 0
    most: float = 0

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """The steps, of the short form one; none where the points are a value."""
        if self.value is not None:
            return ()
        return self.steps or (Step(when=self.when or "", points=self.points),)


class BandSpec(_Row):
    """What a result means."""

    lower: float | None = Field(default=None, alias="from")
    upper: float | None = Field(default=None, alias="to")
    when: str | None = None
    en: str
    zh: str
    meaning_en: str = ""
    meaning_zh: str = ""


class ExtraSpec(_Row):
    """A further result of the same inputs."""

    name: str
    en: str
    zh: str
    unit: str = ""
    decimals: int = 0
    compute: str


class Spec(_Row):
    """One declared calculator; the module docstring says what each field is."""

    name: str
    en: str
    zh: str
    aliases: tuple[str, ...] = ()
    unit: str = "points"
    decimals: int = 0
    population_en: str
    population_zh: str
    formula_en: str = ""
    formula_zh: str = ""
    note_en: str = ""
    note_zh: str = ""
    source: Source
    inputs: tuple[str, ...] = ()
    own_inputs: tuple[Input, ...] = ()
    items: tuple[ItemSpec, ...] = ()
    compute: str | None = None
    bands: tuple[BandSpec, ...] = ()
    exact: dict[float, tuple[str, str]] = {}
    extra: tuple[ExtraSpec, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, row: Any) -> Any:
        """An item without a condition is the flag of its name; one without a label bears the label of that input."""
        own = {f["key"]: f for f in row.get("own_inputs", ()) if isinstance(f, dict)}
        items = []
        for item in row.get("items", ()):
            if not isinstance(item, dict):
                return row
            label = own.get(item["key"]) or (vars(shared_fields()[item["key"]]) if item["key"] in shared_fields() else {})
            filled = {k: label[k] for k in ("en", "zh") if k in label} | item
            items.append(filled if item.keys() & {"steps", "when", "value"} else filled | {"when": item["key"]})
        return {**row, "items": items}

    @model_validator(mode="after")
    def _whole(self) -> "Spec":
        if bool(self.items) == bool(self.compute):
            raise ValueError(f"{self.name}: give either items or compute")
        unknown = [k for k in self.inputs if k not in shared_fields()]
        if unknown:
            raise ValueError(f"{self.name}: no shared field {unknown}; declare it under own_inputs")
        known = {f.key for f in self.fields()} | {"score"}
        for text in self._expressions():
            if set(names(text)) - known:
                raise ValueError(f"{self.name}: {text!r} names {sorted(set(names(text)) - known)}, which are not inputs")
        return self

    def fields(self) -> tuple[Input, ...]:
        """All inputs: shared ones, then its own."""
        return (*(shared_fields()[k] for k in self.inputs), *self.own_inputs)

    def _expressions(self) -> Iterator[str]:
        yield from (s.when for i in self.items for s in i.all_steps)
        yield from (i.value for i in self.items if i.value)
        yield from (b.when for b in self.bands if b.when)
        yield from (e.compute for e in self.extra)
        if self.compute:
            yield self.compute


@cache
def specs() -> dict[str, Spec]:
    """All declared calculators by name."""
    found: dict[str, Spec] = {}
    own = sorted((files("tools") / "data" / "calculators" / "specs").iterdir(), key=lambda f: f.name)
    for file in (*own, *(f for place in packs.parts("scores") for f in sorted(place.iterdir()))):
        if file.name.endswith(".toml"):
            for name, row in tomllib.loads(file.read_text(encoding="utf-8")).items():
                if name in found:
                    raise ValueError(f"{file.name}: calculator {name!r} is declared twice")
                found[name] = Spec.model_validate({"name": name, **row})
    return found


def to_calculator(spec: Spec) -> Calculator:
    """The calculator that a spec declares."""
    compute = spec.compute
    return Calculator(
        spec.name,
        spec.en,
        spec.zh,
        spec.fields(),
        tuple(_item(i) for i in spec.items),
        compute=None if compute is None else lambda values: _number(evaluate(compute, values)),
        unit=spec.unit,
        decimals=spec.decimals,
        bands=() if any(b.when or b.upper is None for b in spec.bands[:-1]) else tuple(_band(b) for b in spec.bands),
        band_of=_band_of(spec) if any(b.when for b in spec.bands) else None,
        note=(spec.note_en, spec.note_zh) if spec.note_en else None,
        aliases=spec.aliases,
        exact=spec.exact,
        extra=tuple(_extra(e) for e in spec.extra),
    )


def _extra(extra: ExtraSpec) -> Extra:
    return Extra(extra.name, extra.en, extra.zh, extra.unit, extra.decimals, lambda values: _number(evaluate(extra.compute, values)))


def _item(item: ItemSpec) -> Item:
    if item.value is not None:
        text = item.value
        return Item(item.key, item.en, item.zh, names(text), lambda v: _number(evaluate(text, v)), item.least, item.most)
    steps = item.all_steps

    def points(values: Values) -> float | None:
        for step in steps:
            met = evaluate(step.when, values)
            if met is None:
                return None
            if met:
                return step.points
        return item.otherwise

    needs = tuple(dict.fromkeys(n for s in steps for n in names(s.when)))
    every = [item.otherwise, *(s.points for s in steps)]
    return Item(item.key, item.en, item.zh, needs, points, min(every), max(every))


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _band(band: BandSpec) -> Band:
    return Band(band.upper, *told(band))


def told(band: BandSpec) -> tuple[str, str]:
    """Label and meaning of a band in both languages."""
    en = f"{band.en} ({band.meaning_en})" if band.meaning_en else band.en
    return en, f"{band.zh}（{band.meaning_zh}）" if band.meaning_zh else band.zh


def _band_of(spec: Spec) -> Callable[[float, Values], tuple[str, str] | None]:
    def meaning(score: float, values: Values) -> tuple[str, str] | None:
        for band in spec.bands:
            inside = (band.lower is None or score >= band.lower) and (band.upper is None or score <= band.upper)
            if inside and (band.when is None or evaluate(band.when, {**values, "score": score}) is True):
                return told(band)
        return None

    return meaning
