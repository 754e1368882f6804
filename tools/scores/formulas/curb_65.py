"""CURB-65 and CRB-65: severity of community-acquired pneumonia."""

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, either, item, over, under, yes
from tools.scores.fields import shared

pair = messages("tools.scores").pair

_CONFUSION = item("confusion", *pair("new confusion"), ("confusion",), yes("confusion"))
# Urea > 7 mmol/L, respiratory rate >= 30/min, systolic < 90 or diastolic <= 60 mmHg, age >= 65 years (Lim 2003).
_UREA = item("urea", *pair("urea > 7 mmol/L"), ("urea",), over("urea", 7.0, equal=False))
_RATE = item("respiratory_rate", *pair("respiratory rate ≥ 30 /min"), ("respiratory_rate",), over("respiratory_rate", 30))
_PRESSURE = item(
    "blood_pressure",
    *pair("systolic < 90 mmHg or diastolic ≤ 60 mmHg"),
    ("sbp", "dbp"),
    either(under("sbp", 90), under("dbp", 60, equal=True)),
)
_AGE = item("age", *pair("age ≥ 65 years"), ("age",), over("age", 65))

# 30-day mortality by group: Lim 2003, derivation cohort.
CURB_65 = Calculator(
    "curb_65",
    "CURB-65",
    "CURB-65",
    (shared("confusion"), shared("urea"), shared("respiratory_rate"), shared("sbp"), shared("dbp"), shared("age")),
    (_CONFUSION, _UREA, _RATE, _PRESSURE, _AGE),
    bands=(
        Band(1, *pair("low severity (30-day mortality about 1.5%)")),
        Band(2, *pair("intermediate severity (30-day mortality about 9.2%)")),
        Band(None, *pair("high severity (30-day mortality about 22%)")),
    ),
    aliases=("curb65", "curb"),
    # By score, the whole series of 1,068 (Lim 2003).
    exact={score: pair("30-day mortality about {pct}%", pct=pct) for score, pct in enumerate(("0.7", "2.1", "9.2", "14.5", "40", "57"))},
)

# 30-day mortality by group: Bauer 2006 and Lim 2003 as quoted in BTS 2009: < 1 %, 1-10 %, > 10 %.
CRB_65 = Calculator(
    "crb_65",
    "CRB-65",
    "CRB-65",
    (shared("confusion"), shared("respiratory_rate"), shared("sbp"), shared("dbp"), shared("age")),
    (_CONFUSION, _RATE, _PRESSURE, _AGE),
    bands=(
        Band(0, *pair("low risk of death (30-day mortality below 1%)")),
        Band(2, *pair("intermediate risk of death (30-day mortality 1 to 10%)")),
        Band(None, *pair("high risk of death (30-day mortality above 10%)")),
    ),
    aliases=("crb65",),
)
CALCULATORS = (CURB_65, CRB_65)
