"""SMART-COP and the ATS/IDSA 2007 criteria of severe pneumonia."""

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.scores.base import Band, Calculator, Field, Item, Values, item, number, over, under, yes
from tools.scores.fields import shared

_WORDS = patterns("tools.scores")

pair = messages("tools.scores").pair

_MULTILOBAR = Field(
    "multilobar",
    *pair("infiltrates in more than one lobe"),
    kind="flag",
    terms=_WORDS.words("multilobar"),
)


def _by_age(values: Values, young: float, old: float, key: str, *, above: bool) -> bool | None:
    age, value = number(values, "age"), number(values, key)
    if value is None:
        return None
    tests = [value >= x if above else value < x if key == "pao2" else value <= x for x in (young, old)]
    if age is None:
        return tests[0] if tests[0] == tests[1] else None
    return tests[0] if age <= 50 else tests[1]


def _rate(values: Values) -> float | None:
    """Respiratory rate >= 25/min up to 50 years, >= 30/min above."""
    met = _by_age(values, 25, 30, "respiratory_rate", above=True)
    return None if met is None else 1.0 if met else 0.0


def _oxygen(values: Values) -> float | None:
    """Up to 50 years: PaO2 < 70, SpO2 <= 93 or P/F < 333; above: PaO2 < 60, SpO2 <= 90 or P/F < 250."""
    tests = [_by_age(values, 70, 60, "pao2", above=False), _by_age(values, 93, 90, "spo2", above=False)]
    pao2, fio2, age = number(values, "pao2"), number(values, "fio2"), number(values, "age")
    if pao2 is not None and fio2 is not None and age is not None:
        tests.append(pao2 / fio2 < (333 if age <= 50 else 250))
    if True in tests:
        return 2.0
    return None if all(t is None for t in tests) else 0.0


# Points and risk groups: Charles 2008.
SMART_COP = Calculator(
    "smart_cop",
    "SMART-COP",
    "SMART-COP",
    (
        shared("age"),
        shared("sbp"),
        _MULTILOBAR,
        shared("albumin"),
        shared("respiratory_rate"),
        shared("heart_rate"),
        shared("confusion"),
        shared("pao2"),
        shared("spo2"),
        shared("fio2"),
        shared("ph"),
    ),
    (
        item("sbp", *pair("systolic < 90 mmHg"), ("sbp",), under("sbp", 90), 2),
        item("multilobar", *pair("multilobar infiltrates"), ("multilobar",), yes("multilobar"), 1),
        item("albumin", *pair("albumin < 35 g/L"), ("albumin",), under("albumin", 35), 1),
        Item("respiratory_rate", *pair("raised respiratory rate for age"), ("age", "respiratory_rate"), _rate, 0, 1),
        item("heart_rate", *pair("heart rate ≥ 125 /min"), ("heart_rate",), over("heart_rate", 125), 1),
        item("confusion", *pair("new confusion"), ("confusion",), yes("confusion"), 1),
        Item("oxygen", *pair("low oxygen for age"), ("age", "pao2", "spo2"), _oxygen, 0, 2),
        item("ph", *pair("arterial pH < 7.35"), ("ph",), under("ph", 7.35), 2),
    ),
    bands=(
        Band(2, *pair("low risk of needing intensive respiratory or vasopressor support")),
        Band(4, *pair("moderate risk of needing intensive respiratory or vasopressor support")),
        Band(6, *pair("high risk of needing intensive respiratory or vasopressor support")),
        Band(None, *pair("very high risk of needing intensive respiratory or vasopressor support")),
    ),
)
CALCULATORS = (SMART_COP,)
