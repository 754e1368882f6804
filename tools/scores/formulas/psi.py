"""Pneumonia Severity Index (PSI, PORT score)."""

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.scores.base import Band, Calculator, Field, Item, Values, either, item, number, over, under, yes
from tools.scores.fields import shared

_WORDS = patterns("tools.scores")

pair = messages("tools.scores").pair

_HOME = Field("nursing_home", *pair("nursing home resident"), kind="flag", terms=_WORDS.words("nursing_home"))
_EFFUSION = Field("pleural_effusion", *pair("pleural effusion"), kind="flag", terms=_WORDS.words("pleural_effusion"))
_COMORBID = ("malignancy", "liver_disease", "heart_failure", "cerebrovascular_disease", "renal_disease")


def _age(values: Values) -> float | None:
    return number(values, "age")


def _female(values: Values) -> float | None:
    sex = values.get("sex")
    return {"female": -10.0, "male": 0.0}.get(sex) if isinstance(sex, str) else None


def _hypoxaemia(values: Values) -> bool | None:
    """Either measure decides: a normal PaO2 needs no oximeter and the other way round."""
    known = [t for t in (under("pao2", 60)(values), under("spo2", 90)(values)) if t is not None]
    return any(known) if known else None


# Points: Fine 1997, table 2 (urea nitrogen 30 mg/dL = 11 mmol/L; glucose 250 mg/dL = 14 mmol/L).
_ITEMS = (
    Item("age", *pair("age in years"), ("age",), _age, 18, 120),
    Item("sex", *pair("female: minus 10"), ("sex",), _female, -10, 0),
    item("nursing_home", *pair("nursing home resident"), ("nursing_home",), yes("nursing_home"), 10),
    item("malignancy", *pair("neoplastic disease"), ("malignancy",), yes("malignancy"), 30),
    item("liver_disease", *pair("liver disease"), ("liver_disease",), yes("liver_disease"), 20),
    item("heart_failure", *pair("heart failure"), ("heart_failure",), yes("heart_failure"), 10),
    item("cerebrovascular_disease", *pair("cerebrovascular disease"), ("cerebrovascular_disease",), yes("cerebrovascular_disease"), 10),
    item("renal_disease", *pair("renal disease"), ("renal_disease",), yes("renal_disease"), 10),
    item("confusion", *pair("altered mental status"), ("confusion",), yes("confusion"), 20),
    item("respiratory_rate", *pair("respiratory rate ≥ 30 /min"), ("respiratory_rate",), over("respiratory_rate", 30), 20),
    item("sbp", *pair("systolic < 90 mmHg"), ("sbp",), under("sbp", 90), 20),
    item(
        "temperature",
        *pair("temperature < 35 or ≥ 40 °C"),
        ("temperature",),
        either(under("temperature", 35), over("temperature", 40)),
        15,
    ),
    item("heart_rate", *pair("heart rate ≥ 125 /min"), ("heart_rate",), over("heart_rate", 125), 10),
    item("ph", *pair("arterial pH < 7.35"), ("ph",), under("ph", 7.35), 30),
    item("urea_nitrogen", *pair("blood urea nitrogen ≥ 30 mg/dL"), ("urea_nitrogen",), over("urea_nitrogen", 30), 20),
    item("sodium", *pair("sodium < 130 mmol/L"), ("sodium",), under("sodium", 130), 20),
    item("glucose", *pair("glucose ≥ 14 mmol/L"), ("glucose",), over("glucose", 250 / 18.0156), 10),
    item("haematocrit", *pair("haematocrit < 30%"), ("haematocrit",), under("haematocrit", 30), 10),
    item(
        "oxygen",
        *pair("PaO2 < 60 mmHg or oxygen saturation < 90%"),
        ("pao2", "spo2"),
        _hypoxaemia,
        10,
    ),
    item("pleural_effusion", *pair("pleural effusion"), ("pleural_effusion",), yes("pleural_effusion"), 10),
)


def _band(score: float, values: Values) -> tuple[str, str] | None:
    """Risk class and 30-day mortality (Fine 1997, MedisGroups validation cohort)."""
    if _class_one(values):
        return pair("risk class I (30-day mortality about 0.1%)")
    return None


def _class_one(values: Values) -> bool:
    """Step 1 of the rule: age 50 or less and none of the comorbidities and vital signs; all must be known."""
    signs = (
        under("age", 50, equal=True)(values),
        *(not flag if (flag := yes(key)(values)) is not None else None for key in (*_COMORBID, "confusion")),
        under("heart_rate", 125)(values),
        under("respiratory_rate", 30)(values),
        over("sbp", 90)(values),
        over("temperature", 35)(values),
        under("temperature", 40)(values),
    )
    return all(sign is True for sign in signs)


PSI = Calculator(
    "psi",
    *pair("Pneumonia Severity Index"),
    (
        shared("age"),
        shared("sex"),
        _HOME,
        shared("malignancy"),
        shared("liver_disease"),
        shared("heart_failure"),
        shared("cerebrovascular_disease"),
        shared("renal_disease"),
        shared("confusion"),
        shared("respiratory_rate"),
        shared("sbp"),
        shared("temperature"),
        shared("heart_rate"),
        shared("ph"),
        shared("urea_nitrogen"),
        shared("sodium"),
        shared("glucose"),
        shared("haematocrit"),
        shared("pao2"),
        shared("spo2"),
        _EFFUSION,
    ),
    _ITEMS,
    bands=(
        Band(70, *pair("risk class II (30-day mortality about 0.6%)")),
        Band(90, *pair("risk class III (30-day mortality about 2.8%)")),
        Band(130, *pair("risk class IV (30-day mortality about 8.2%)")),
        Band(None, *pair("risk class V (30-day mortality about 29.2%)")),
    ),
    band_of=_band,
    aliases=("port", "pneumonia_severity_index"),
)
CALCULATORS = (PSI,)
