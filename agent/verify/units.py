"""Units as they are written in prose, English and Chinese, with what converts into what.

Only exact, analyte-free conversions: a change between mass and amount of substance belongs to the laboratory tool, so a sentence
that makes one on its own is not supported.
"""

import re
import tomllib
from importlib.resources import files

from retrieval.messages.patterns import patterns


def _read() -> dict[str, tuple[str, float]]:
    """Dimension and factor to its base unit, by what is written."""
    rows = tomllib.loads(files("agent").joinpath("data/units.toml").read_text(encoding="utf-8"))["unit"]
    return {name.lower(): (row["dimension"], row["factor"]) for row in rows for name in row["written"]}


_TABLE = _read()
_NAMES = sorted(_TABLE, key=len, reverse=True)
_NOT_A_VERB = patterns("agent.verify").text("units_not_a_verb")
_SHORT = patterns("agent.verify").text("units_short")


def _written(name: str) -> str:
    """A unit as a pattern: a one-letter Chinese unit may be a verb, a Latin one the beginning of a word."""
    verb = _NOT_A_VERB if name == _SHORT else ""
    return re.escape(name) + verb + ("(?![a-z0-9])" if name[-1].isascii() and name[-1].isalnum() else "")


UNIT = re.compile(rf"\s*-?(?:{'|'.join(map(_written, _NAMES))})", re.IGNORECASE)


def parse_unit(surface: str) -> tuple[str, float] | None:
    """Dimension and factor of a unit as written; None when it is not a unit that is known here."""
    return _TABLE.get(surface.strip().lstrip("-").strip().lower())


def surfaces(dimension: str, factor: float) -> tuple[str, ...]:
    """Names of a unit, as written."""
    return tuple(name for name, unit in _TABLE.items() if unit == (dimension, factor))


def convert(value: float, source: tuple[str, float], target: tuple[str, float]) -> float | None:
    """`value` from `source` to `target`; None when the dimensions differ."""
    if {source[0], target[0]} == {"celsius", "fahrenheit"}:
        return value * 9 / 5 + 32 if source[0] == "celsius" else (value - 32) * 5 / 9
    if source[0] != target[0]:
        return None
    return value * source[1] / target[1]
