"""GOLD airflow grade and Light's criteria."""

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Field, Values, formula, item, number

pair = messages("tools.scores").pair

_FEV1 = Field("fev1_pct", *pair("FEV1"), "%", aliases=("fev1",))
_RATIO = Field("fev1_fvc", *pair("FEV1/FVC after bronchodilator"), "")


def _gold_band(score: float, values: Values) -> tuple[str, str] | None:
    """GOLD 1 to 4 by FEV1 in percent of predicted, only with FEV1/FVC below 0.70 (GOLD report 2026)."""
    ratio = number(values, "fev1_fvc")
    if ratio is None:
        return None
    if (ratio if ratio <= 1.5 else ratio / 100) >= 0.7:
        return pair("no airflow obstruction by the fixed ratio (FEV1/FVC not below 0.70): no GOLD grade")
    grade = 1 if score >= 80 else 2 if score >= 50 else 3 if score >= 30 else 4
    words = (pair("mild"), pair("moderate"), pair("severe"), pair("very severe"))[grade - 1]
    return pair("GOLD grade {grade} ({words})", grade=grade, words=words)


GOLD_GRADE = Calculator(
    "gold_grade",
    *pair("FEV1 for the GOLD grade"),
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
    *pair("Light's criteria"),
    (
        Field("pleural_protein", *pair("pleural fluid protein"), "g/L"),
        Field("serum_protein", *pair("serum protein"), "g/L", analytes=("total_protein",)),
        Field("pleural_ldh", *pair("pleural fluid LDH"), "U/L"),
        Field("serum_ldh", *pair("serum LDH"), "U/L", analytes=("ldh",)),
        Field("ldh_upper_limit", *pair("upper limit of serum LDH of the laboratory"), "U/L"),
    ),
    (
        item("protein", *pair("protein ratio > 0.5"), ("pleural_protein", "serum_protein"), _protein),
        item("ldh", *pair("LDH ratio > 0.6"), ("pleural_ldh", "serum_ldh"), _ldh),
        item(
            "ldh_limit",
            *pair("pleural LDH > two thirds of the upper limit"),
            ("pleural_ldh", "ldh_upper_limit"),
            _ldh_limit,
        ),
    ),
    unit="criteria",
    bands=(Band(0, *pair("transudate")), Band(None, *pair("exudate"))),
    aliases=("light",),
)
CALCULATORS = (GOLD_GRADE, LIGHT)
