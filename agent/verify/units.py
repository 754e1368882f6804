"""Units as they are written in prose, English and Chinese, with what converts into what.

Only exact, analyte-free conversions: a change between mass and amount of substance belongs to the laboratory tool, so a sentence
that makes one on its own is not supported.
"""

import re

# surface -> (dimension, factor to the dimension's base unit)
_TABLE: dict[str, tuple[str, float]] = {}


def _add(dimension: str, *rows: tuple[float, str]) -> None:
    for factor, names in rows:
        for name in names.split("|"):
            _TABLE[name.lower()] = (dimension, factor)


_add(
    "length",
    (1, "mm|millimetre|millimetres|millimeter|millimeters|毫米"),
    (10, "cm|centimetre|centimetres|厘米"),
    (1000, "m|metre|metres|米"),
    (1e6, "km|kilometre|kilometres|公里|千米"),
)
_add("volume", (1, "l|litre|litres|liter|liters|升"), (1e-3, "ml|millilitre|millilitres|cm3|cm³|cc|毫升"), (1e-6, "mm3|mm³|立方毫米"))
_add("amount", (1, "mmol/l|毫摩尔/升|mmol·l-1"), (1e-3, "µmol/l|μmol/l|umol/l|微摩尔/升"), (1e-6, "nmol/l"))
_add("equivalent", (1, "meq/l"))
_add(
    "massconc",
    (1, "g/l|克/升"),
    (10, "g/dl"),
    (1e-2, "mg/dl"),
    (1e-3, "mg/l|毫克/升|µg/ml|μg/ml|ug/ml"),
    (1e-6, "µg/l|μg/l|ug/l|ng/ml"),
    (1e-9, "pg/ml|ng/l"),
)
_add("enzyme", (1, "u/l|iu/l"), (1e3, "u/ml|iu/ml|ku/l"))
_add(
    "cells",
    (1, "×10^9/l|x10^9/l|10^9/l|×10⁹/l|x10⁹/l|10⁹/l|10*9/l|x10*9/l|g/l cells"),
    (1e-3, "个/ul|cells/µl|cells/μl|cells/ul|/µl|/μl|/ul|个/µl|个/μl|个/微升"),
)
_add("redcells", (1, "×10^12/l|x10^12/l|10^12/l|×10¹²/l|10¹²/l|10*12/l"))
_add("pressure", (1, "mmhg|mm hg|毫米汞柱"), (7.50062, "kpa|千帕"), (0.735559, "cmh2o|cm h2o|cmh₂o|厘米水柱"))
_add("percent", (1, "%|％|percent|per cent|percentage points|个百分点"))
_add("rate", (1, "/min|breaths/min|beats/min|bpm|per minute|breaths per minute|beats per minute|次/分|次/分钟|次每分"))
_add("celsius", (1, "°c|℃|deg c|摄氏度|cel|degrees celsius"))
_add("fahrenheit", (1, "°f|℉|degf|degrees fahrenheit"))
_add(
    "hours",
    (1, "h|hr|hrs|hour|hours|小时"),
    (24, "d|day|days|天|日"),
    (168, "wk|week|weeks|周|星期"),
    (1 / 60, "min|minute|minutes|分钟"),
    (1 / 3600, "s|sec|second|seconds|秒|秒钟"),
    (1 / 3.6e6, "ms|msec|millisecond|milliseconds|毫秒"),
)
_add("months", (1, "month|months|个月|月"), (12, "y|yr|yrs|year|years|years old|年|岁"))
_add("mass", (1, "mg|milligram|milligrams|毫克"), (1000, "g|gram|grams|克"), (1e-3, "µg|μg|mcg|ug|微克"), (1e6, "kg|公斤|千克"))
_add("massrate", (1, "mg/kg"), (1e-3, "µg/kg|μg/kg"))
_add("tidal", (1, "ml/kg"))
_add("flow", (1, "l/min|升/分"), (1e-3, "ml/min|毫升/分"))
_add("gfr", (1, "ml/min/1.73m2|ml/min/1.73m²|ml/min/1.73 m2|ml/min/1.73 m²"))
_add("bmi", (1, "kg/m2|kg/m²"))
_add("hounsfield", (1, "hu|亨氏单位"))
_add("points", (1, "points|point|分"))
_add("packyears", (1, "pack-years|pack-year|pack years|包年"))
_add("ppb", (1, "ppb"))
_add("inr", (1, "iu"))
_add("fold", (1, "times|fold|倍|次"))
_add("doses", (1, "doses|dose|剂"))
# Times a day: what the frequency words become.
_add("perday", (1, "daily|per day|a day|/day|/天|每日|每天"))

_NAMES = sorted(_TABLE, key=len, reverse=True)
UNIT = re.compile(
    r"\s*-?(?:"
    + "|".join(
        re.escape(n) + (r"(?![至高到降压温])" if n == "升" else "") + (r"(?![a-z0-9])" if n[-1].isascii() and n[-1].isalnum() else "")
        for n in _NAMES
    )
    + ")",
    re.IGNORECASE,
)


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
