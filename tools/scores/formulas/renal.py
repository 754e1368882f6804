"""Kidney function: Cockcroft–Gault clearance and CKD-EPI 2021."""

from dataclasses import replace

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Extra, Values, number
from tools.scores.fields import shared
from tools.scores.formulas.body import adjusted_weight, ideal_weight

pair = messages("tools.scores").pair

# Body mass index from which the adjusted weight is used (WHO obesity).
OBESE = 30.0

_GRADES = (
    Band(14.999, *pair("kidney failure (below 15)")),
    Band(29.999, *pair("severely decreased (15–29)")),
    Band(44.999, *pair("moderately to severely decreased (30–44)")),
    Band(59.999, *pair("mildly to moderately decreased (45–59)")),
    Band(89.999, *pair("mildly decreased (60–89)")),
    Band(None, *pair("normal or high (90 or more)")),
)


def _clearance(values: Values, weight: float | None) -> float | None:
    """(140 - age) x weight / (72 x creatinine mg/dL), x 0.85 in women (Cockcroft and Gault 1976)."""
    age, creatinine, sex = number(values, "age"), number(values, "creatinine"), values.get("sex")
    if age is None or weight is None or creatinine is None or sex not in ("male", "female"):
        return None
    return (140 - age) * weight / (72 * creatinine) * (0.85 if sex == "female" else 1.0)


def _bmi(values: Values) -> float | None:
    weight, height = number(values, "weight"), number(values, "height")
    return None if weight is None or height is None else weight / (height / 100) ** 2


def _cockcroft(values: Values) -> float | None:
    """Actual weight as in the original; adjusted weight in obesity (body mass index of 30 or more), where the actual one overestimates."""
    bmi = _bmi(values)
    weight = adjusted_weight(values) if bmi is not None and bmi >= OBESE else number(values, "weight")
    return _clearance(values, weight)


def _weight_used(_: float, values: Values) -> tuple[str, str]:
    bmi = _bmi(values)
    if bmi is None:
        return pair("with the actual body weight; without height obesity is not judged")
    if bmi >= OBESE:
        return pair("with the adjusted body weight, because the body mass index is {bmi:.1f} kg/m²", bmi=bmi)
    return pair("with the actual body weight")


def _actual(values: Values) -> float | None:
    return _clearance(values, number(values, "weight"))


def _ideal(values: Values) -> float | None:
    return _clearance(values, ideal_weight(values))


def _adjusted(values: Values) -> float | None:
    return _clearance(values, adjusted_weight(values))


def _ckd_epi(values: Values) -> float | None:
    age, creatinine, sex = number(values, "age"), number(values, "creatinine"), values.get("sex")
    if age is None or creatinine is None or sex not in ("male", "female"):
        return None
    # CKD-EPI creatinine 2021 without race (Inker 2021).
    kappa, alpha, factor = (0.7, -0.241, 1.012) if sex == "female" else (0.9, -0.302, 1.0)
    ratio = creatinine / kappa
    return float(142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938**age * factor)


COCKCROFT_GAULT = Calculator(
    "cockcroft_gault",
    *pair("creatinine clearance (Cockcroft–Gault)"),
    (shared("age"), shared("sex"), shared("weight"), shared("creatinine"), replace(shared("height"), optional=True)),
    compute=_cockcroft,
    unit="mL/min",
    decimals=1,
    band_of=_weight_used,
    extra=(
        Extra("clearance_actual", *pair("clearance with the actual weight"), "mL/min", 1, _actual),
        Extra("clearance_ideal", *pair("clearance with the ideal weight"), "mL/min", 1, _ideal),
        Extra("clearance_adjusted", *pair("clearance with the adjusted weight"), "mL/min", 1, _adjusted),
    ),
    note=pair("creatinine must be stable"),
    aliases=("crcl", "creatinine_clearance"),
)
CKD_EPI = Calculator(
    "egfr_ckd_epi_2021",
    *pair("estimated GFR (CKD-EPI 2021)"),
    (shared("age"), shared("sex"), shared("creatinine")),
    compute=_ckd_epi,
    unit="mL/min/1.73 m²",
    decimals=1,
    bands=_GRADES,
    aliases=("egfr", "ckd_epi"),
)
CALCULATORS = (COCKCROFT_GAULT, CKD_EPI)
