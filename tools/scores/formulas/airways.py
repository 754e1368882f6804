"""GOLD airflow grade and Light's criteria."""

from tools.scores.base import Band, Calculator, Field, Values, formula, item, number

_FEV1 = Field("fev1_pct", "FEV1", "FEV1 占预计值", "%", aliases=("fev1",))
_RATIO = Field("fev1_fvc", "FEV1/FVC after bronchodilator", "支气管舒张后 FEV1/FVC", "")


def _gold_band(score: float, values: Values) -> tuple[str, str] | None:
    """GOLD 1 to 4 by FEV1 in percent of predicted, only with FEV1/FVC below 0.70 (GOLD report 2026)."""
    ratio = number(values, "fev1_fvc")
    if ratio is None:
        return None
    if (ratio if ratio <= 1.5 else ratio / 100) >= 0.7:
        return (
            "no airflow obstruction by the fixed ratio (FEV1/FVC not below 0.70): no GOLD grade",
            "FEV1/FVC 不低于 0.70，无气流受限，不分级",
        )
    grade = 1 if score >= 80 else 2 if score >= 50 else 3 if score >= 30 else 4
    words = (("mild", "轻度"), ("moderate", "中度"), ("severe", "重度"), ("very severe", "极重度"))[grade - 1]
    return f"GOLD grade {grade} ({words[0]})", f"GOLD {grade} 级（{words[1]}）"


GOLD_GRADE = Calculator(
    "gold_grade",
    "FEV1 for the GOLD grade",
    "GOLD 气流受限分级（FEV1 占预计值）",
    (_FEV1, _RATIO),
    compute=formula(("fev1_pct",), lambda fev1: fev1),
    unit="%",
    band_of=_gold_band,
    aliases=("gold",),
)


def _ldh_limit(values: Values) -> bool | None:
    value, upper = number(values, "pleural_ldh"), number(values, "ldh_upper_limit")
    return None if value is None or upper is None or upper <= 0 else value > upper * 2 / 3


def _protein(values: Values) -> bool | None:
    a, b = number(values, "pleural_protein"), number(values, "serum_protein")
    return None if a is None or b is None or b <= 0 else a / b > 0.5


def _ldh(values: Values) -> bool | None:
    a, b = number(values, "pleural_ldh"), number(values, "serum_ldh")
    return None if a is None or b is None or b <= 0 else a / b > 0.6


# Any one of three makes an exudate (Light 1972).
LIGHT = Calculator(
    "lights_criteria",
    "Light's criteria",
    "Light 标准",
    (
        Field("pleural_protein", "pleural fluid protein", "胸水蛋白", "g/L"),
        Field("serum_protein", "serum protein", "血清总蛋白", "g/L", analytes=("total_protein",)),
        Field("pleural_ldh", "pleural fluid LDH", "胸水 LDH", "U/L"),
        Field("serum_ldh", "serum LDH", "血清 LDH", "U/L", analytes=("ldh",)),
        Field("ldh_upper_limit", "upper limit of serum LDH of the laboratory", "本实验室血清 LDH 上限", "U/L"),
    ),
    (
        item("protein", "protein ratio > 0.5", "蛋白比值 > 0.5", ("pleural_protein", "serum_protein"), _protein),
        item("ldh", "LDH ratio > 0.6", "LDH 比值 > 0.6", ("pleural_ldh", "serum_ldh"), _ldh),
        item(
            "ldh_limit",
            "pleural LDH > two thirds of the upper limit",
            "胸水 LDH > 血清上限的三分之二",
            ("pleural_ldh", "ldh_upper_limit"),
            _ldh_limit,
        ),
    ),
    unit="criteria",
    bands=(Band(0, "transudate", "漏出液"), Band(None, "exudate", "渗出液")),
    aliases=("light",),
)
CALCULATORS = (GOLD_GRADE, LIGHT)
