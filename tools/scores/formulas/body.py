"""Body size and mean arterial pressure."""

from tools.scores.base import Band, Calculator, Values, formula, number
from tools.scores.fields import DBP, HEIGHT, SBP, SEX, WEIGHT

BMI = Calculator(
    "bmi",
    "body mass index",
    "体重指数",
    (WEIGHT, HEIGHT),
    compute=formula(("weight", "height"), lambda kg, cm: kg / (cm / 100) ** 2),
    unit="kg/m²",
    decimals=1,
    # WHO Technical Report Series 894 (2000).
    bands=(
        Band(18.499, "underweight", "体重过低"),
        Band(24.999, "normal weight (WHO)", "正常（WHO）"),
        Band(29.999, "overweight (WHO)", "超重（WHO）"),
        Band(None, "obesity (WHO)", "肥胖（WHO）"),
    ),
)
BSA = Calculator(
    "bsa",
    "body surface area",
    "体表面积",
    (WEIGHT, HEIGHT),
    compute=formula(("weight", "height"), lambda kg, cm: (kg * cm / 3600) ** 0.5),
    unit="m²",
    decimals=2,
)


def ideal_weight(values: Values) -> float | None:
    """Ideal body weight in kg; None without sex or height."""
    height, sex = number(values, "height"), values.get("sex")
    if height is None or sex not in ("male", "female"):
        return None
    # 50 kg (men) or 45.5 kg (women) plus 2.3 kg per inch over 60 inches (Devine 1974).
    return (50.0 if sex == "male" else 45.5) + 2.3 * (height / 2.54 - 60)


def adjusted_weight(values: Values) -> float | None:
    """Ideal weight plus 0.4 of the excess, in kg."""
    ideal, weight = ideal_weight(values), number(values, "weight")
    return None if ideal is None or weight is None else ideal + 0.4 * (weight - ideal)


IDEAL_WEIGHT = Calculator(
    "ideal_body_weight", "ideal body weight", "理想体重", (SEX, HEIGHT), compute=ideal_weight, unit="kg", decimals=1, aliases=("ibw",)
)
ADJUSTED_WEIGHT = Calculator(
    "adjusted_body_weight",
    "adjusted body weight",
    "校正体重",
    (SEX, HEIGHT, WEIGHT),
    compute=adjusted_weight,
    unit="kg",
    decimals=1,
    aliases=("abw",),
)
MEAN_PRESSURE = Calculator(
    "mean_arterial_pressure",
    "mean arterial pressure",
    "平均动脉压",
    (SBP, DBP),
    compute=formula(("sbp", "dbp"), lambda sbp, dbp: (sbp + 2 * dbp) / 3),
    unit="mmHg",
    decimals=0,
    bands=(
        Band(64.999, "below 65 mmHg, the usual target in septic shock", "低于脓毒性休克常用目标 65 mmHg"),
        Band(None, "65 mmHg or more", "≥ 65 mmHg"),
    ),
    aliases=("map",),
)
CALCULATORS = (BMI, BSA, IDEAL_WEIGHT, ADJUSTED_WEIGHT, MEAN_PRESSURE)
