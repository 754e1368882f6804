"""Laboratory analytes: names in two languages, LOINC codes, units, reference intervals and critical limits.

Names and codes come from the concept table; units and limits from `data/labs/analytes.toml`, whose one loader this is.
"""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field

from retrieval.concepts.table import vocabulary
from retrieval.messages.patterns import patterns
from tools.case.sex import Sex
from tools.evidence import Language
from tools.labs.units import Unit, convert, parse_unit

_WORDS = patterns("tools.labs")
_BLOOD = _WORDS.regex("blood_prefix")

# Intervals here are for adults; below this age a flag would be a guess.
ADULT_YEARS = 18


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Row):
    """A reference interval in the analyte's unit, for one sex and age band (years, upper end exclusive)."""

    sex: Sex | None = None
    min_age: float | None = None
    max_age: float | None = None
    low: float | None = None
    high: float | None = None

    def applies(self, sex: Sex, age: float | None) -> bool:
        """Whether this interval may apply; unknown sex or age leaves it possible."""
        if self.sex is not None and sex in ("male", "female") and self.sex != sex:
            return False
        if age is None:
            return True
        return (self.min_age is None or age >= self.min_age) and (self.max_age is None or age < self.max_age)


class Critical(_Row):
    """Limits that need a call now: `low` and below, `high` and above, in the analyte's unit."""

    low: float | None = None
    high: float | None = None
    source: str


class Source(_Row):
    """Where an interval or limit comes from."""

    title: str
    year: int | None = None


class Analyte(_Row):
    """One measurable thing; `unit` is the UCUM unit of all its limits."""

    id: str
    en: str
    zh: str
    unit: str
    decimals: int = 1
    loinc: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    molar_mass: float | None = None
    valence: int | None = None
    affine: dict[str, tuple[float, float]] = Field(default_factory=dict)
    reference: tuple[Interval, ...] = ()
    source: str | None = None
    critical: Critical | None = None

    def name(self, language: Language = "en") -> str:
        """Name in the language of the reader."""
        return self.zh if language == "zh" else self.en

    @property
    def canonical(self) -> Unit:
        """The unit of the limits."""
        unit = parse_unit(self.unit)
        if unit is None:
            raise ValueError(f"analytes.toml: unit {self.unit!r} of {self.id!r} is not understood")
        return unit

    def to_canonical(self, value: float, unit: Unit) -> float | None:
        """The value in `self.unit`; None when the unit does not fit this analyte."""
        if unit.ucum in self.affine:
            slope, offset = self.affine[unit.ucum]
            return slope * value + offset
        return convert(value, unit, self.canonical, molar_mass=self.molar_mass, valence=self.valence)

    def from_canonical(self, value: float, unit: Unit) -> float | None:
        """Inverse of `to_canonical`."""
        if unit.ucum in self.affine:
            slope, offset = self.affine[unit.ucum]
            return (value - offset) / slope
        return convert(value, self.canonical, unit, molar_mass=self.molar_mass, valence=self.valence)


class Limit(_Row):
    """One side of a combined limit, in the analyte's unit, exclusive."""

    analyte: str
    below: float | None = None
    above: float | None = None


class Combined(_Row):
    """Values of one sample that are critical together although none is alone; `act` is what is done first."""

    id: str
    name: str
    name_zh: str
    en: str
    zh: str
    act: str
    act_zh: str
    source: str
    limits: tuple[Limit, ...]


class _File(_Row):
    sources: dict[str, Source]
    analyte: tuple[Analyte, ...]
    combined: tuple[Combined, ...] = ()


def fold(name: str) -> str:
    """Names compare without case, width, spaces and punctuation: `NT-proBNP` equals `nt probnp`."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(ch for ch in text if ch.isalnum() or ch in "%#+")


@cache
def _file() -> _File:
    table = tomllib.loads((files("tools") / "data" / "labs" / "analytes.toml").read_text(encoding="utf-8"))
    return _File.model_validate(table | {"analyte": [row | _called(row["id"]) for row in table["analyte"]]})


def _called(ident: str) -> dict[str, object]:
    """Names and codes of an analyte, as the one vocabulary has them."""
    names = vocabulary().analytes[ident]
    synonyms = (*names.en[1:], *names.zh[1:], *names.sheet)
    return {"en": names.en[0], "zh": names.zh[0], "synonyms": synonyms, "loinc": names.loinc}


@cache
def analytes() -> dict[str, Analyte]:
    """All analytes by id, in panel order."""
    return {a.id: a for a in _file().analyte}


def combined_limits() -> tuple[Combined, ...]:
    """Limits that hold only together."""
    return _file().combined


@cache
def _names() -> dict[str, str]:
    table: dict[str, str] = {}
    for a in _file().analyte:
        for name in (a.id, a.en, a.zh, *a.synonyms):
            table.setdefault(fold(name), a.id)
    return table


@cache
def _codes() -> dict[str, str]:
    return {code: a.id for a in _file().analyte for code in a.loinc}


# Specimens whose values must never be read as those of blood.
_SPECIMENS = tuple((re.compile(words, re.IGNORECASE), kind) for kind, words in _WORDS.table("specimen").items())
_PREFIXES = {"pleural": "pleural ", "bal": "BAL ", "urine": "urine "}


def specimen_of(text: str | None) -> str | None:
    """`pleural`, `bal` or `urine` where the text names such a specimen."""
    return next((kind for pattern, kind in _SPECIMENS if text and pattern.search(text)), None)


def find_analyte(name: str | None, loinc: str | None = None, unit: Unit | None = None, specimen: str | None = None) -> Analyte | None:
    """Find an analyte by LOINC code or by any of its names; None when unknown (nothing is guessed).

    A differential count given in percent is the fraction: `neutrophils 85 %` is `neutrophils_pct`. A value of pleural fluid, lavage or
    urine is that of this specimen (`LDH` of pleural fluid is `pleural_ldh`) or unknown, never that of blood.
    """
    kind = specimen_of(specimen)
    if kind is not None and not _codes().get(loinc or ""):
        named = (find_analyte(f"{word}{name}", unit=unit) for word in ("", _PREFIXES[kind], _WORDS.table("specimen_prefix")[kind]))
        own = next((a for a in named if a is not None and a.id.startswith(f"{kind}_")), None)
        plain = find_analyte(name, unit=unit)
        if own is not None or plain is None:
            return own
        return next((a for i in (f"{kind}_{plain.id}", f"{kind}_{plain.id}_pct") if (a := analytes().get(i)) is not None), None)
    percent = unit is not None and unit.dimension == "fraction"
    found = (
        _codes().get(loinc or "")
        or (_names().get(fold(f"{name}%")) if percent else None)
        or next((i for n in _variants(name or "") if (i := _names().get(fold(n)))), None)
    )
    if found is None:
        return None
    if percent and f"{found}_pct" in analytes():
        found = f"{found}_pct"
    return analytes()[found]


def _variants(name: str) -> list[str]:
    """The name, its part before brackets, what stands in the brackets, and without a specimen prefix."""
    bracket = re.match(r"^(.*?)[(（\[]([^)）\]]+)[)）\]]?(.*)$", name)
    parts = [name, name.partition(",")[0]] + ([bracket[1] + bracket[3], bracket[2]] if bracket else [])
    return parts + [_BLOOD.sub("", p) for p in parts]


def source_of(key: str | None) -> Source | None:
    """Title and year behind a source id of the file."""
    return _file().sources.get(key) if key else None
