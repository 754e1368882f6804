"""Body size and mean arterial pressure."""

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Values, formula, number
from tools.scores.fields import shared

pair = messages("tools.scores").pair

BMI = Calculator(
    "bmi",
    *pair("body mass index"),
    (shared("weight"), shared("height")),
    compute=formula(("weight", "height"), lambda kg, cm: kg / (cm / 100) ** 2),
    unit="kg/m²",
    decimals=1,
    # WHO Technical Report Series 894 (2000).
    bands=(
        Band(18.499, *pair("underweight")),
        Band(24.999, *pair("normal weight (WHO)")),
        Band(29.999, *pair("overweight (WHO)")),
        Band(None, *pair("obesity (WHO)")),
    ),
)
BSA = Calculator(
    "bsa",
    *pair("body surface area"),
    (shared("weight"), shared("height")),
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
    "ideal_body_weight",
    *pair("ideal body weight"),
    (shared("sex"), shared("height")),
    compute=ideal_weight,
    unit="kg",
    decimals=1,
    aliases=("ibw",),
)
ADJUSTED_WEIGHT = Calculator(
    "adjusted_body_weight",
    *pair("adjusted body weight"),
    (shared("sex"), shared("height"), shared("weight")),
    compute=adjusted_weight,
    unit="kg",
    decimals=1,
    aliases=("abw",),
)
MEAN_PRESSURE = Calculator(
    "mean_arterial_pressure",
    *pair("mean arterial pressure"),
    (shared("sbp"), shared("dbp")),
    compute=formula(("sbp", "dbp"), lambda sbp, dbp: (sbp + 2 * dbp) / 3),
    unit="mmHg",
    decimals=0,
    bands=(
        Band(64.999, *pair("below 65 mmHg, the usual target in septic shock")),
        Band(None, "65 mmHg or more", "≥ 65 mmHg"),
    ),
    aliases=("map",),
)
CALCULATORS = (BMI, BSA, IDEAL_WEIGHT, ADJUSTED_WEIGHT, MEAN_PRESSURE)
