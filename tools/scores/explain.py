"""A calculator explains itself: items with points and condition, bands with label and meaning, formula, source, population.

Declared calculators (`spec.py`) bring everything; the programmed ones have `data/calculators/explain.toml` beside their code.
"""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Language, Payload
from tools.quantities import fill
from tools.scores.base import Band, Item
from tools.scores.registry import find, sources
from tools.scores.spec import BandSpec, ItemSpec, specs

say = messages("tools.scores").say

pair = messages("tools.scores").pair

Row = tuple[float | str, str, str]
BandRow = tuple[float | str, float | str, str, str, str, str]


class ExplainedItem(Payload):
    """One criterion, or one step of it."""

    key: str
    label: str
    label_zh: str
    points: float | None
    condition: str
    condition_zh: str


class ExplainedBand(Payload):
    """What a result means; either end may be open."""

    lower: float | None = Field(alias="from")
    upper: float | None = Field(alias="to")
    label: str
    label_zh: str
    meaning: str
    meaning_zh: str


class Explanation(Payload):
    """A calculator in its own words."""

    name: str
    en: str
    zh: str
    unit: str
    decimals: int
    items: tuple[ExplainedItem, ...]
    bands: tuple[ExplainedBand, ...]
    formula: str
    formula_zh: str
    source: str
    year: int
    population: str
    population_zh: str
    inputs: tuple[tuple[str, str], ...]
    exact: tuple[tuple[float, str, str], ...] = ()


class _Told(BaseModel):
    """What `explain.toml` holds of one calculator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    population_en: str
    population_zh: str
    formula_en: str = ""
    formula_zh: str = ""
    steps: dict[str, tuple[Row, ...]] = {}
    bands: tuple[BandRow, ...] = ()


@cache
def _told() -> dict[str, _Told]:
    text = (files("tools") / "data" / "calculators" / "explain.toml").read_text(encoding="utf-8")
    return {name: _Told.model_validate(row) for name, row in tomllib.loads(text).items()}


def explain(name: str) -> Explanation:
    """The calculator of this name or alias in its own words.

    Raises:
        BadInput: There is none; names the known ones.
    """
    c = find(name)
    spec, told = specs().get(c.name), _told().get(c.name)
    if spec is not None:
        items = tuple(row for i in spec.items for row in _declared(i))
        bands = tuple(_declared_band(b) for b in spec.bands)
        population, formula = (spec.population_en, spec.population_zh), (spec.formula_en, spec.formula_zh)
    elif told is not None:
        items = tuple(row for i in c.items for row in _programmed(i, told.steps.get(i.id, ())))
        bands = tuple(_band_row(b) for b in told.bands) or tuple(_bands(c.bands))
        population, formula = (told.population_en, told.population_zh), (told.formula_en, told.formula_zh)
    else:
        raise ValueError(f"calculator {c.name!r} has neither a spec nor a row in explain.toml")
    return Explanation(
        name=c.name,
        en=c.en,
        zh=c.zh,
        unit=c.unit,
        decimals=c.decimals,
        items=items,
        bands=bands,
        formula=formula[0],
        formula_zh=formula[1],
        source=sources()[c.name].text,
        year=sources()[c.name].year,
        population=population[0],
        population_zh=population[1],
        inputs=tuple((f.en, f.zh) for f in c.fields if not f.optional),
        exact=tuple((value, *told_of) for value, told_of in sorted(c.exact.items())),
    )


def _declared(item: ItemSpec) -> Iterable[ExplainedItem]:
    if item.value is not None:
        yield ExplainedItem(key=item.key, label=item.en, label_zh=item.zh, points=None, condition=item.en, condition_zh=item.zh)
    for step in item.all_steps:
        yield ExplainedItem(
            key=item.key, label=item.en, label_zh=item.zh, points=step.points, condition=step.en or item.en, condition_zh=step.zh or item.zh
        )


def _programmed(item: Item, steps: tuple[Row, ...]) -> Iterable[ExplainedItem]:
    if not steps:
        most = item.high if item.high else item.low
        yield ExplainedItem(key=item.id, label=item.en, label_zh=item.zh, points=most, condition=item.en, condition_zh=item.zh)
    for points, en, zh in steps:
        value = None if isinstance(points, str) else float(points)
        yield ExplainedItem(key=item.id, label=item.en, label_zh=item.zh, points=value, condition=en, condition_zh=zh)


def _declared_band(band: BandSpec) -> ExplainedBand:
    return ExplainedBand(
        lower=band.lower, upper=band.upper, label=band.en, label_zh=band.zh, meaning=band.meaning_en, meaning_zh=band.meaning_zh
    )


def _band_row(row: BandRow) -> ExplainedBand:
    lower, upper = (None if isinstance(x, str) else x for x in row[:2])
    return ExplainedBand(lower=lower, upper=upper, label=row[2], label_zh=row[3], meaning=row[4], meaning_zh=row[5])


def _bands(bands: tuple[Band, ...]) -> Iterable[ExplainedBand]:
    """Programmed bands say `label (meaning)` in one text; the lower end is where the band before ends."""
    lower: float | None = None
    for band in bands:
        (label, meaning), (label_zh, meaning_zh) = _parted(band.en), _parted(band.zh)
        yield ExplainedBand(lower=lower, upper=band.upper, label=label, label_zh=label_zh, meaning=meaning, meaning_zh=meaning_zh)
        lower = band.upper


def _parted(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*\S)\s*[(（](.+)[)）]", text)
    return (match[1], match[2]) if match else (text, "")


def explaining_evidence(e: Explanation) -> tuple[Evidence, ...]:
    """The explanation as citable statements: what is scored, what the result means, how it is computed."""
    texts = [(part, tell(e, "en"), tell(e, "zh")) for part, tell in (("items", _items), ("bands", _meanings), ("formula", _formula))]
    return tuple(_evidence(e, part, en, zh) for part, en, zh in texts if en)


def _evidence(e: Explanation, part: str, en: str, zh: str) -> Evidence:
    return Evidence(
        key=f"S-{e.name}-{part}",
        kind="score",
        text=en,
        text_zh=zh,
        source=e.source,
        year=e.year,
        locator=None,
        quantities=fill((), en, zh),
        subjects=(e.name, e.en.casefold()),
        population=e.population,
    )


def _head(e: Explanation, language: Language) -> str:
    return e.zh if language == "zh" else e.en[:1].upper() + e.en[1:]


def _items(e: Explanation, language: Language) -> str:
    if not e.items:
        return ""
    grouped: dict[str, list[ExplainedItem]] = {}
    for item in e.items:
        grouped.setdefault(item.key, []).append(item)
    told = [_item(rows, language) for rows in grouped.values()]
    count = len(grouped)
    return say(
        language,
        "{head} (for {population}) has {count} item{plural}: {items}.",
        head=_head(e, language),
        population=(e.population, e.population_zh),
        count=count,
        plural="s" if count > 1 else "",
        items=("; " if language == "en" else "；").join(told),
    )


def _item(rows: list[ExplainedItem], language: Language) -> str:
    zh = language == "zh"
    first = rows[0]
    if len(rows) == 1:
        text = first.condition_zh if zh else first.condition
        label = first.label_zh if zh else first.label
        name = text if text == label or first.points is None else f"{label} {text}" if not _holds(text, label) else text
        return name if first.points is None else f"{name} ({first.points:+g})"
    scored = [r for r in rows if r.points != 0]
    steps = ("、" if zh else ", ").join(f"{r.condition_zh if zh else r.condition} ({r.points:+g})" for r in scored if r.points is not None)
    return f"{first.label_zh}：{steps}" if zh else f"{first.label}: {steps}"


def _holds(text: str, label: str) -> bool:
    return label.casefold() in text.casefold()


def _meanings(e: Explanation, language: Language) -> str:
    if not e.bands:
        return ""
    zh = language == "zh"
    told = []
    for band in e.bands:
        label, meaning = (band.label_zh, band.meaning_zh) if zh else (band.label, band.meaning)
        where = _range(band, e.bands, e.decimals == 0 and e.unit in ("points", "criteria"), zh)
        told.append((f"{where}{'：' if zh else ': '}" if where else "") + label + _in_brackets(meaning, zh))
    unit = messages("tools.scores").table("unit").get(e.unit, e.unit) if zh else e.unit
    if e.exact:
        rows = ("、" if zh else ", ").join(f"{value:g}: {text_zh if zh else text}" for value, text, text_zh in e.exact)
        told.append(pair("by score: {rows}", rows=rows)[zh])
    return say(
        language,
        "Reading of {name}{unit}: {bands}.",
        name=(e.en, _head(e, "zh")),
        unit=_in_brackets(unit, zh),
        bands=("；" if zh else "; ").join(told),
    )


def _in_brackets(text: str, zh: bool) -> str:
    return "" if not text else f"（{text}）" if zh else f" ({text})"


def _range(band: ExplainedBand, bands: tuple[ExplainedBand, ...], whole: bool, zh: bool) -> str:
    """The span of a band; a lower end at which another band ends is not part of it (of whole points: the next one is)."""
    low, high = band.lower, band.upper
    over = low is not None and any(b is not band and b.upper == low == _rounded(low) for b in bands)
    # 15.001 stands for 'above 15'.
    over = over or (low is not None and 0 < low - _rounded(low) < 0.0015)
    if low is not None and over and whole and low == int(low):
        low, over = low + 1, False
    start = "" if low is None else f"> {_rounded(low):g}" if over else f"{_rounded(low):g}"
    end = "" if high is None else f"{high:g}" if high == _rounded(high) else f"< {_rounded(high):g}"
    if start and end:
        return start if start == end else pair("{start} to {end}", start=start, end=end)[zh]
    if end:
        return end if end == "0" or end.startswith("<") else f"≤ {end}"
    return start if not start or over else f"≥ {start}"


def _rounded(value: float) -> float:
    """64.999 stands for 'below 65'."""
    return round(value, 1) if abs(value - round(value, 1)) < 0.0015 else value


def _formula(e: Explanation, language: Language) -> str:
    zh = language == "zh"
    if e.formula:
        if e.items:
            return f"{_head(e, language)}：{e.formula_zh}。" if zh else f"{_head(e, language)}: {e.formula}."
        return say(
            language,
            "{head} = {formula}; for {population}.",
            head=_head(e, language),
            formula=(e.formula, e.formula_zh),
            population=(e.population, e.population_zh),
        )
    return ""
