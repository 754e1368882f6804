"""Laboratory units: read what people write, compare and convert exactly.

A unit is reduced to a dimension and a factor to that dimension's base (g/L, mol/L, 1/L, U/L, mm[Hg], ...). Mass and amount
concentrations convert through the analyte's molar mass, equivalents through its valence. A unit that is not understood stays
unknown: nothing is guessed.
"""

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from retrieval.messages.patterns import patterns

_WORDS = patterns("tools.labs")

Dimension = Literal[
    "mass",
    "molar",
    "equivalents",
    "count",
    "activity",
    "pressure",
    "fraction",
    "ratio",
    "volume",
    "cell_mass",
    "rate",
    "time",
    "clearance",
    "osmolality",
]

_PREFIX = {"": 1.0, "k": 1e3, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_VOLUME = {"l": 1.0, "dl": 0.1, "cl": 0.01, "ml": 1e-3, "ul": 1e-6, "mm3": 1e-6, "nl": 1e-9, "100ml": 0.1, "h": 0.0}
# 1 mm[Hg] = 133.322387415 Pa (NIST SP 811, 2008, appendix B).
_MMHG_PER_KPA = 1000.0 / 133.322387415
# 1 U = 1 umol/min, so 1 ukat = 60 U (IUPAC, Enzyme activity, 1979).
_U_PER_UKAT = 60.0
_FIXED: dict[str, tuple[Dimension, float, str]] = {
    "%": ("fraction", 0.01, "%"),
    "l/l": ("fraction", 1.0, "L/L"),
    "mmhg": ("pressure", 1.0, "mm[Hg]"),
    "mm[hg]": ("pressure", 1.0, "mm[Hg]"),
    "torr": ("pressure", 1.0, "mm[Hg]"),
    "kpa": ("pressure", _MMHG_PER_KPA, "kPa"),
    "fl": ("volume", 1.0, "fL"),
    "pg": ("cell_mass", 1.0, "pg"),
    "mm/h": ("rate", 1.0, "mm/h"),
    "mm/hr": ("rate", 1.0, "mm/h"),
    "mm/1h": ("rate", 1.0, "mm/h"),
    "s": ("time", 1.0, "s"),
    "sec": ("time", 1.0, "s"),
    "ml/min/1.73m2": ("clearance", 1.0, "mL/min/{1.73_m2}"),
    "ml/min/1.73_m2": ("clearance", 1.0, "mL/min/{1.73_m2}"),
    "ml/min/1.73m^2": ("clearance", 1.0, "mL/min/{1.73_m2}"),
    "mosm/kg": ("osmolality", 1.0, "mosm/kg"),
    "mosmol/kg": ("osmolality", 1.0, "mosm/kg"),
    "mmol/mol": ("ratio", 1e-3, "mmol/mol"),
    "": ("ratio", 1.0, "1"),
    "1": ("ratio", 1.0, "1"),
    "ph": ("ratio", 1.0, "1"),
    "inr": ("ratio", 1.0, "1"),
    "ratio": ("ratio", 1.0, "1"),
}
_COUNT = _WORDS.regex("count", 0)
_COUNT_WORD = {"k": 1e3, "giga": 1e9, "tera": 1e12, "mill": 1e6, "cells": 1.0, "cell": 1.0, "": 1.0}
_CONC = re.compile(r"^(?P<prefix>[kmunpf]?)(?P<base>g|mol|eq|val|iu|u|kat)/(?P<vol>l|dl|cl|ml|ul|100ml)$")
_SHOWN_BASE = {"g": "g", "mol": "mol", "eq": "eq", "val": "eq", "iu": "U", "u": "U", "kat": "kat"}
_SHOWN_VOL = {"l": "L", "dl": "dL", "cl": "cL", "ml": "mL", "ul": "uL", "100ml": "dL", "mm3": "uL", "nl": "nL"}


@dataclass(frozen=True)
class Unit:
    """A unit as understood.

    Attributes:
        ucum: UCUM form (`mmol/L`, `10*9/L`, `mm[Hg]`).
        dimension: What it measures.
        factor: Multiplier to the base of the dimension.
    """

    ucum: str
    dimension: Dimension
    factor: float

    @property
    def shown(self) -> str:
        """How prose writes it: `10^9/L`, `mmHg`, `µmol/L`; empty for a pure number."""
        if self.ucum == "1":
            return ""
        text = self.ucum.replace("10*", "10^").replace("mm[Hg]", "mmHg").replace("{1.73_m2}", "1.73 m²")
        text = text.replace("eq/", "Eq/")
        return "µ" + text[1:] if re.match(r"u(?:g|mol|kat)/", text) else text.replace("/uL", "/µL")


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("μ", "u").replace("µ", "u").replace("×", "x").replace("·", "")
    text = re.sub(r"[\s{}]", "", text)
    # Capitals carry meaning in cell counts: G/L is 10*9/L, g/L is grams; M/uL is millions.
    text = re.sub(r"^G/(?=[Ll]$)", "giga/", re.sub(r"^T/(?=[Ll]$)", "tera/", re.sub(r"^M/(?=u[Ll]$|mm3$)", "mill/", text)))
    text = text.casefold().replace(_WORDS.text("litre"), "l")
    text = re.sub(r"^(?:mcg|micrograms?(?=/))", "ug", text)
    text = re.sub(r"^(micro|milli|nano)mol(?:es?)?(?=/)", lambda m: {"micro": "umol", "milli": "mmol", "nano": "nmol"}[m[1]], text)
    return re.sub(r"feu$|/liter$|/litre$", lambda m: "" if m[0] == "feu" else "/l", text)


def parse_unit(text: str | None) -> Unit | None:
    """Read a unit as people and machines write it; None when it is not understood."""
    unit = _clean(text or "")
    unit = _WORDS.table("unit_word").get(unit, unit)
    if unit in _FIXED:
        dimension, factor, ucum = _FIXED[unit]
        return Unit(ucum, dimension, factor)
    count = _COUNT.match(unit)
    if count:
        per_volume = 1.0 / _VOLUME[count["vol"]]
        word = count["word"] or ""
        number = 10.0 ** int(count["power"]) if count["power"] else _COUNT_WORD[_WORDS.table("count_word").get(word, word)]
        power = round(math.log10(number)) if number > 1 else 0
        shown = f"10*{power}" if power else ""
        return Unit(f"{shown}/{_SHOWN_VOL[count['vol']]}", "count", number * per_volume)
    return _concentration(unit)


def _concentration(unit: str) -> Unit | None:
    match = _CONC.match(unit)
    if match is None:
        return None
    base = _SHOWN_BASE[match["base"]]
    factor = _PREFIX[match["prefix"]] / _VOLUME[match["vol"]]
    ucum = f"{match['prefix']}{base}/{_SHOWN_VOL[match['vol']]}"
    if base == "kat":
        return Unit(ucum, "activity", factor * 1e6 * _U_PER_UKAT)
    dimension: Dimension = {"g": "mass", "mol": "molar", "eq": "equivalents", "U": "activity"}[base]  # type: ignore[assignment]
    return Unit(ucum, dimension, factor)


def convert(value: float, source: Unit, target: Unit, *, molar_mass: float | None = None, valence: int | None = None) -> float | None:
    """Convert between units of one analyte.

    Args:
        value: Number in `source`.
        source: Its unit.
        target: Wanted unit.
        molar_mass: g/mol, needed between mass and amount.
        valence: Charge number, needed for equivalents.

    Returns:
        The number in `target`, or None when there is no exact way.
    """
    if source.dimension == target.dimension:
        return value if source.factor == target.factor else value * source.factor / target.factor
    base = _to_molar(value * source.factor, source.dimension, molar_mass, valence)
    unit_base = _to_molar(target.factor, target.dimension, molar_mass, valence)
    return None if base is None or unit_base is None else base / unit_base


def _to_molar(amount: float, dimension: Dimension, molar_mass: float | None, valence: int | None) -> float | None:
    if dimension == "molar":
        return amount
    if dimension == "mass" and molar_mass:
        return amount / molar_mass
    if dimension == "equivalents" and valence:
        return amount / valence
    return None
