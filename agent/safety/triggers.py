"""Emergencies as data: wording, limits of values, who is called, where the first actions stand."""

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

from tools.evidence import Language


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Trigger(_Row):
    """One emergency; see `data/safety/emergencies.toml`. `within`: passages where the record shows a notion of the bedside room."""

    id: str
    order: int
    en: str
    zh: str
    call_en: str
    call_zh: str
    words: tuple[str, ...] = ()
    not_: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    within: dict[str, tuple[str, ...]] = {}

    def name(self, language: Language) -> str:
        """What it is, in words."""
        return self.zh if language == "zh" else self.en

    def call(self, language: Language) -> str:
        """Who is called."""
        return self.call_zh if language == "zh" else self.call_en


class Limit(_Row):
    """A limit of one value, with its source; `unless` are words of a record in which the value alarms nobody (GCS under sedation)."""

    names: str
    below: float | None = None
    above: float | None = None
    inclusive: bool = False
    unit: str | None = None
    plausible: tuple[float, float]
    analyte: str | None = None
    record: str | None = None
    fever: bool = False
    offscale: bool = False
    unless: str | None = None
    source: str

    def crossed(self, value: float) -> bool:
        """Whether a value lies beyond the limit."""
        if self.below is not None:
            return value < self.below or (self.inclusive and value == self.below)
        return self.above is not None and (value > self.above or (self.inclusive and value == self.above))


class _Knowledge(_Row):
    asks: tuple[str, ...]
    person: tuple[str, ...]
    past: tuple[str, ...]


class _Specimen(_Row):
    other: str
    blood: tuple[str, ...]


class _File(_Row):
    emergency: tuple[Trigger, ...]
    limits: dict[str, Limit]
    specimen: _Specimen
    knowledge: _Knowledge


@lru_cache(maxsize=1)
def triggers() -> _File:
    """The data file."""
    data = tomllib.loads(files("agent").joinpath("data/safety/emergencies.toml").read_text(encoding="utf-8"))
    for row in data["emergency"]:
        row["not_"] = row.pop("not", [])
    return _File.model_validate(data)


@lru_cache(maxsize=256)
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern of several wordings; nothing matches where there are none."""
    return re.compile("|".join(words) if words else r"(?!)", re.IGNORECASE | re.ASCII)
