"""Spirometry against the Global Lung Function Initiative: z-score, predicted value and lower limit of normal, 2012 and 2022 (global).

Coefficients in `data/calculators/gli.toml`, splines by quarter years of age in `gli_splines.csv`; between two rows they are interpolated.
"""

import csv
import io
import math
import tomllib
from bisect import bisect_right
from collections.abc import Callable
from functools import cache, partial
from importlib.resources import files

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Extra, Field, Values, number
from tools.scores.fields import shared

pair = messages("tools.scores").pair

# One-sided 5 % of the normal distribution.
_LIMIT = 1.645
# Group terms of the 2012 equations: what is added to M and to S.
_GROUPS = {
    "caucasian": None,
    "african_american": ("a3", "p2"),
    "north_east_asian": ("a4", "p3"),
    "south_east_asian": ("a5", "p4"),
    "other": ("a6", "p5"),
}
_GROUP = Field("group", *pair("group of the 2012 equations"), kind="choice", choices=tuple(_GROUPS), aliases=("ethnicity", "race"))
_MEASURES = {
    "fev1": ("FEV1", Field("fev1_l", "FEV1", "FEV1", "L", aliases=("fev1",)), "L", 2),
    "fvc": ("FVC", Field("fvc_l", "FVC", "FVC", "L", aliases=("fvc",)), "L", 2),
    "fev1fvc": ("FEV1/FVC", Field("fev1_fvc", "FEV1/FVC", "FEV1/FVC", "", aliases=("ratio",)), "", 3),
}
# Severity by z-score: ERS/ATS technical standard on interpretive strategies, 2022.
_BANDS = (
    Band(-4.1, *pair("severely reduced (z-score below −4.1)")),
    Band(-2.5, *pair("moderately reduced (z-score −2.51 to −4.1)")),
    Band(
        -_LIMIT - 0.00001,
        *pair("below the lower limit of normal (z-score −1.65 to −2.5: mildly reduced)"),
    ),
    Band(None, *pair("not below the lower limit of normal")),
)


@cache
def _coefficients() -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    text = (files("tools") / "data" / "calculators" / "gli.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _splines() -> tuple[list[float], dict[str, list[float]]]:
    text = (files("tools") / "data" / "calculators" / "gli_splines.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    return [float(r["age"]) for r in rows], {name: [float(r[name]) for r in rows] for name in rows[0] if name != "age"}


def _spline(name: str, age: float) -> float:
    ages, columns = _splines()
    if name not in columns:
        return 0.0
    after = min(bisect_right(ages, age), len(ages) - 1)
    before = max(after - 1, 0)
    share = (age - ages[before]) / (ages[after] - ages[before])
    return columns[name][before] + share * (columns[name][after] - columns[name][before])


def _lms(edition: str, measure: str, values: Values) -> tuple[float, float, float] | None:
    """L, M and S; None while an input is missing or the age is outside 3 to 95 years."""
    age, height, sex = number(values, "age"), number(values, "height"), values.get("sex")
    group = values.get("group") if edition == "2012" else "caucasian"
    if age is None or height is None or sex not in ("male", "female") or not isinstance(group, str) or not 3 <= age <= 95:
        return None
    c = _coefficients()[edition][measure][str(sex)]
    in_m, in_s = (c[k] for k in _GROUPS[group]) if _GROUPS[group] else (0.0, 0.0)  # type: ignore[union-attr]
    at = partial(_spline, age=age)
    column = f"{edition}_{measure}_{sex}"
    m = math.exp(c["a0"] + c["a1"] * math.log(height) + c["a2"] * math.log(age) + in_m + at(f"{column}_m"))
    s = math.exp(c["p0"] + c["p1"] * math.log(age) + in_s + at(f"{column}_s"))
    return c["q0"] + c.get("q1", 0.0) * math.log(age) + at(f"{column}_l"), m, s


def _measured(values: Values, key: str) -> float | None:
    """The measured value; a ratio may be typed in percent."""
    value = number(values, key)
    return value / 100 if key == "fev1_fvc" and value is not None and value > 1.5 else value


def _z(edition: str, measure: str, values: Values) -> float | None:
    found, value = _lms(edition, measure, values), _measured(values, _MEASURES[measure][1].key)
    if found is None or value is None or value <= 0:
        return None
    power, median, spread = found
    return float(((value / median) ** power - 1) / (power * spread))


def _predicted(edition: str, measure: str, values: Values) -> float | None:
    found = _lms(edition, measure, values)
    return None if found is None else found[1]


def _lower(edition: str, measure: str, values: Values) -> float | None:
    found = _lms(edition, measure, values)
    return None if found is None else float(found[1] * (1 - _LIMIT * found[0] * found[2]) ** (1 / found[0]))


def _percent(edition: str, measure: str, values: Values) -> float | None:
    predicted, value = _predicted(edition, measure, values), _measured(values, _MEASURES[measure][1].key)
    return None if predicted is None or value is None else 100 * value / predicted


def _calculator(edition: str, measure: str) -> Calculator:
    label, field, unit, decimals = _MEASURES[measure]
    kind = pair("global") if edition == "2022" else pair("by group")
    short = measure.replace("fev1fvc", "ratio")

    def with_edition(function: Callable[[str, str, Values], float | None]) -> Callable[[Values], float | None]:
        return partial(function, edition, measure)

    return Calculator(
        f"gli_{edition}_{short}",
        *pair("z-score of {label} (GLI {edition}, {kind})", label=label, edition=edition, kind=kind),
        (shared("age"), shared("sex"), shared("height"), *((_GROUP,) if edition == "2012" else ()), field),
        compute=with_edition(_z),
        unit="",
        decimals=2,
        bands=_BANDS,
        extra=(
            Extra(f"{short}_predicted", *pair("predicted {label}", label=label), unit, decimals, with_edition(_predicted)),
            Extra(f"{short}_lower_limit", *pair("lower limit of normal of {label}", label=label), unit, decimals, with_edition(_lower)),
            Extra(f"{short}_percent", *pair("{label} in percent of predicted", label=label), "%", 0, with_edition(_percent)),
        ),
        note=pair("equations hold from 3 to 95 years"),
    )


CALCULATORS = tuple(_calculator(edition, measure) for edition in ("2022", "2012") for measure in _MEASURES)
