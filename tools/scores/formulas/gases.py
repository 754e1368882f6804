"""Oxygenation and acid–base: A–a gradient, P/F ratio, anion gap, expected PaCO2."""

from dataclasses import replace

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Extra, Field, Values, formula, number
from tools.scores.fields import shared

pair = messages("tools.scores").pair

# Standard atmosphere 760 mmHg; water vapour at 37 °C 47 mmHg; respiratory quotient 0.8 (Fenn 1946; West, Respiratory Physiology).
SEA_LEVEL = 760.0
_VAPOUR = 47.0
_QUOTIENT = 0.8
_PRESSURE = Field("barometric_pressure", *pair("barometric pressure"), "mm[Hg]", optional=True, aliases=("patm",))


def _gradient(values: Values) -> float | None:
    fio2, paco2, pao2 = (number(values, key) for key in ("fio2", "paco2", "pao2"))
    if fio2 is None or paco2 is None or pao2 is None:
        return None
    pressure = number(values, "barometric_pressure") or SEA_LEVEL
    return fio2 * (pressure - _VAPOUR) - paco2 / _QUOTIENT - pao2


def _expected(values: Values) -> float | None:
    # Upper limit for age breathing air: age / 4 + 4 mmHg (Mellemgaard 1966, as commonly rounded).
    age = number(values, "age")
    return None if age is None else age / 4 + 4


def _gradient_band(score: float, values: Values) -> tuple[str, str] | None:
    limit, fio2 = _expected(values), number(values, "fio2")
    if limit is None or fio2 is None:
        return None
    if fio2 > 0.22:
        return pair("not judged by age: the age limit holds for breathing air, and the gradient widens with inspired oxygen")
    if score > limit:
        return pair("above the upper limit for age of {limit:.0f} mmHg", limit=limit)
    return pair("within the upper limit for age of {limit:.0f} mmHg", limit=limit)


A_A_GRADIENT = Calculator(
    "aa_gradient",
    *pair("alveolar–arterial oxygen gradient"),
    (shared("fio2"), shared("paco2"), shared("pao2"), replace(shared("age"), optional=True), _PRESSURE),
    compute=_gradient,
    unit="mmHg",
    decimals=1,
    band_of=_gradient_band,
    note=pair("sea level pressure (760 mmHg) is used unless barometric_pressure is set"),
    aliases=("a_a_gradient", "aagradient"),
)

# Limits of the Berlin definition, which also needs PEEP or CPAP of at least 5 cmH2O (ARDS Definition Task Force 2012).
PF_RATIO = Calculator(
    "pf_ratio",
    *pair("PaO2/FiO2 ratio"),
    (shared("pao2"), shared("fio2")),
    compute=formula(("pao2", "fio2"), lambda pao2, fio2: pao2 / fio2),
    unit="mmHg",
    bands=(
        Band(100, *pair("severe impairment (ARDS range: severe)")),
        Band(200, *pair("moderate impairment (ARDS range: moderate)")),
        Band(300, *pair("mild impairment (ARDS range: mild)")),
        Band(None, *pair("above the ARDS range")),
    ),
    aliases=("p_f_ratio", "pao2_fio2"),
)


def _gap(values: Values) -> float | None:
    return formula(("sodium", "chloride", "bicarbonate"), lambda na, cl, hco3: na - cl - hco3)(values)


def _corrected(values: Values) -> float | None:
    # +0.25 mmol/L per g/L of albumin below 40 g/L (Figge 1998).
    gap, albumin = _gap(values), number(values, "albumin")
    return None if gap is None or albumin is None else gap + 0.25 * (40.0 - albumin)


def _delta(values: Values) -> float | None:
    # Usual normal gap 12 mmol/L, normal bicarbonate 24 mmol/L (Berend 2014).
    gap = _gap(values)
    return None if gap is None else gap - 12.0


def _delta_ratio(values: Values) -> float | None:
    delta, hco3 = _delta(values), number(values, "bicarbonate")
    return None if delta is None or hco3 is None or hco3 == 24 else delta / (24.0 - hco3)


_IONS = (shared("sodium"), shared("chloride"), shared("bicarbonate"))
_GAP_BANDS = (
    Band(7.999, *pair("low", context="gases")),
    Band(12, *pair("within the usual 8–12 mmol/L")),
    Band(None, *pair("above the usual 8–12 mmol/L")),
)
ANION_GAP = Calculator(
    "anion_gap",
    *pair("anion gap"),
    (*_IONS, replace(shared("albumin"), optional=True)),
    compute=_gap,
    unit="mmol/L",
    decimals=1,
    bands=_GAP_BANDS,
    extra=(Extra("corrected_anion_gap", *pair("albumin-corrected anion gap"), "mmol/L", 1, _corrected),),
)
CORRECTED_ANION_GAP = Calculator(
    "corrected_anion_gap",
    *pair("albumin-corrected anion gap"),
    (*_IONS, shared("albumin")),
    compute=_corrected,
    unit="mmol/L",
    decimals=1,
    bands=_GAP_BANDS,
)
DELTA_GAP = Calculator("delta_gap", *pair("delta gap"), _IONS, compute=_delta, unit="mmol/L", decimals=1)
DELTA_RATIO = Calculator("delta_ratio", *pair("delta ratio"), _IONS, compute=_delta_ratio, unit="", decimals=2)
WINTERS = Calculator(
    "winters",
    *pair("expected PaCO2 (Winters)"),
    (shared("bicarbonate"),),
    compute=formula(("bicarbonate",), lambda hco3: 1.5 * hco3 + 8),
    unit="mmHg",
    decimals=1,
    note=pair("the expectation holds within ± 2 mmHg and only in metabolic acidosis"),
)
CALCULATORS = (A_A_GRADIENT, PF_RATIO, ANION_GAP, CORRECTED_ANION_GAP, DELTA_GAP, DELTA_RATIO, WINTERS)
