"""Oxygenation and acid–base: A–a gradient, P/F ratio, anion gap, expected PaCO2."""

from tools.scores.base import Band, Calculator, Extra, Field, Values, formula, number
from tools.scores.fields import AGE, ALBUMIN, BICARBONATE, CHLORIDE, FIO2, PACO2, PAO2, SODIUM

# Standard atmosphere 760 mmHg; water vapour at 37 °C 47 mmHg; respiratory quotient 0.8 (Fenn 1946; West, Respiratory Physiology).
SEA_LEVEL = 760.0
_VAPOUR = 47.0
_QUOTIENT = 0.8
_PRESSURE = Field("barometric_pressure", "barometric pressure", "大气压", "mm[Hg]", optional=True, aliases=("patm",))


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
        return (
            "not judged by age: the age limit holds for breathing air, and the gradient widens with inspired oxygen",
            "吸氧时梯度增大，年龄上限仅适用于呼吸空气，故不作判断",
        )
    if score > limit:
        return (f"above the upper limit for age of {limit:.0f} mmHg", f"高于年龄上限 {limit:.0f} mmHg")
    return (f"within the upper limit for age of {limit:.0f} mmHg", f"未超过年龄上限 {limit:.0f} mmHg")


A_A_GRADIENT = Calculator(
    "aa_gradient",
    "alveolar–arterial oxygen gradient",
    "肺泡–动脉血氧分压差",
    (FIO2, PACO2, PAO2, Field(**{**AGE.__dict__, "optional": True}), _PRESSURE),
    compute=_gradient,
    unit="mmHg",
    decimals=1,
    band_of=_gradient_band,
    note=(
        "sea level pressure (760 mmHg) is used unless barometric_pressure is set",
        "未设定 barometric_pressure 时按海平面气压 760 mmHg 计算",
    ),
    aliases=("a_a_gradient", "aagradient"),
)

# Limits of the Berlin definition, which also needs PEEP or CPAP of at least 5 cmH2O (ARDS Definition Task Force 2012).
PF_RATIO = Calculator(
    "pf_ratio",
    "PaO2/FiO2 ratio",
    "氧合指数（PaO2/FiO2）",
    (PAO2, FIO2),
    compute=formula(("pao2", "fio2"), lambda pao2, fio2: pao2 / fio2),
    unit="mmHg",
    bands=(
        Band(100, "severe impairment (ARDS range: severe)", "重度氧合障碍（ARDS 分级：重度）"),
        Band(200, "moderate impairment (ARDS range: moderate)", "中度氧合障碍（ARDS 分级：中度）"),
        Band(300, "mild impairment (ARDS range: mild)", "轻度氧合障碍（ARDS 分级：轻度）"),
        Band(None, "above the ARDS range", "高于 ARDS 诊断范围"),
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


_IONS = (SODIUM, CHLORIDE, BICARBONATE)
_GAP_BANDS = (
    Band(7.999, "low", "降低"),
    Band(12, "within the usual 8–12 mmol/L", "在常用范围 8–12 mmol/L 内"),
    Band(None, "above the usual 8–12 mmol/L", "高于常用范围 8–12 mmol/L"),
)
ANION_GAP = Calculator(
    "anion_gap",
    "anion gap",
    "阴离子间隙",
    (*_IONS, Field(**{**ALBUMIN.__dict__, "optional": True})),
    compute=_gap,
    unit="mmol/L",
    decimals=1,
    bands=_GAP_BANDS,
    extra=(Extra("corrected_anion_gap", "albumin-corrected anion gap", "白蛋白校正阴离子间隙", "mmol/L", 1, _corrected),),
)
CORRECTED_ANION_GAP = Calculator(
    "corrected_anion_gap",
    "albumin-corrected anion gap",
    "白蛋白校正阴离子间隙",
    (*_IONS, ALBUMIN),
    compute=_corrected,
    unit="mmol/L",
    decimals=1,
    bands=_GAP_BANDS,
)
DELTA_GAP = Calculator("delta_gap", "delta gap", "delta 间隙", _IONS, compute=_delta, unit="mmol/L", decimals=1)
DELTA_RATIO = Calculator("delta_ratio", "delta ratio", "delta 比值", _IONS, compute=_delta_ratio, unit="", decimals=2)
WINTERS = Calculator(
    "winters",
    "expected PaCO2 (Winters)",
    "预期 PaCO2（Winters 公式）",
    (BICARBONATE,),
    compute=formula(("bicarbonate",), lambda hco3: 1.5 * hco3 + 8),
    unit="mmHg",
    decimals=1,
    note=("the expectation holds within ± 2 mmHg and only in metabolic acidosis", "仅适用于代谢性酸中毒，允许 ± 2 mmHg"),
)
CALCULATORS = (A_A_GRADIENT, PF_RATIO, ANION_GAP, CORRECTED_ANION_GAP, DELTA_GAP, DELTA_RATIO, WINTERS)
