"""Kidney function: Cockcroft–Gault clearance and CKD-EPI 2021."""

from tools.scores.base import Band, Calculator, Values, number
from tools.scores.fields import AGE, CREATININE, SEX, WEIGHT

_GRADES = (
    Band(14.999, "kidney failure (below 15)", "肾衰竭（低于 15）"),
    Band(29.999, "severely decreased (15–29)", "重度下降（15–29）"),
    Band(44.999, "moderately to severely decreased (30–44)", "中重度下降（30–44）"),
    Band(59.999, "mildly to moderately decreased (45–59)", "轻中度下降（45–59）"),
    Band(89.999, "mildly decreased (60–89)", "轻度下降（60–89）"),
    Band(None, "normal or high (90 or more)", "正常或偏高（≥ 90）"),
)


def _cockcroft(values: Values) -> float | None:
    age, weight, creatinine = (number(values, key) for key in ("age", "weight", "creatinine"))
    sex = values.get("sex")
    if age is None or weight is None or creatinine is None or sex not in ("male", "female"):
        return None
    # (140 - age) x weight / (72 x creatinine mg/dL), x 0.85 in women (Cockcroft and Gault 1976).
    return (140 - age) * weight / (72 * creatinine) * (0.85 if sex == "female" else 1.0)


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
    "creatinine clearance (Cockcroft–Gault)",
    "肌酐清除率（Cockcroft–Gault）",
    (AGE, SEX, WEIGHT, CREATININE),
    compute=_cockcroft,
    unit="mL/min",
    decimals=1,
    note=("actual body weight is used, as in the original formula; creatinine must be stable", "按原公式使用实际体重；要求肌酐稳定"),
    aliases=("crcl", "creatinine_clearance"),
)
CKD_EPI = Calculator(
    "egfr_ckd_epi_2021",
    "estimated GFR (CKD-EPI 2021)",
    "估算肾小球滤过率（CKD-EPI 2021）",
    (AGE, SEX, CREATININE),
    compute=_ckd_epi,
    unit="mL/min/1.73 m²",
    decimals=1,
    bands=_GRADES,
    aliases=("egfr", "ckd_epi"),
)
CALCULATORS = (COCKCROFT_GAULT, CKD_EPI)
