"""Wells score and PERC rule for pulmonary embolism."""

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.scores.base import Band, Calculator, Field, either, item, over, under, yes
from tools.scores.fields import shared

_WORDS = patterns("tools.scores")

pair = messages("tools.scores").pair

_LIKELIEST = Field(
    "pe_most_likely",
    *pair("pulmonary embolism at least as likely as another diagnosis"),
    kind="flag",
    terms=_WORDS.words("pe_most_likely"),
)
_IMMOBILE = Field(
    "immobilisation",
    *pair("immobilisation for at least 3 days"),
    kind="flag",
    terms=_WORDS.words("immobilisation"),
    aliases=("immobilization",),
)
_HORMONES = Field(
    "hormone_use",
    *pair("oestrogen use"),
    kind="flag",
    terms=_WORDS.words("hormone_use"),
    drugs=_WORDS.words("hormone_drugs"),
)

# Points: Wells 2000, table 3; PE unlikely at 4 or less.
WELLS_PE = Calculator(
    "wells_pe",
    *pair("Wells score for pulmonary embolism"),
    (
        shared("leg_swelling"),
        _LIKELIEST,
        shared("heart_rate"),
        _IMMOBILE,
        shared("recent_surgery"),
        shared("previous_vte"),
        shared("haemoptysis"),
        shared("malignancy"),
    ),
    (
        item("leg_swelling", *pair("clinical signs of DVT"), ("leg_swelling",), yes("leg_swelling"), 3),
        item(
            "pe_most_likely",
            *pair("pulmonary embolism at least as likely as another diagnosis"),
            ("pe_most_likely",),
            yes("pe_most_likely"),
            3,
        ),
        item("heart_rate", *pair("heart rate > 100 /min"), ("heart_rate",), over("heart_rate", 100, equal=False), 1.5),
        item(
            "immobilisation",
            *pair("immobilisation ≥ 3 days or surgery in the last 4 weeks"),
            ("immobilisation", "recent_surgery"),
            either(yes("immobilisation"), yes("recent_surgery")),
            1.5,
        ),
        item("previous_vte", *pair("previous DVT or PE"), ("previous_vte",), yes("previous_vte"), 1.5),
        item("haemoptysis", *pair("haemoptysis"), ("haemoptysis",), yes("haemoptysis"), 1),
        item("malignancy", *pair("malignancy"), ("malignancy",), yes("malignancy"), 1),
    ),
    decimals=1,
    bands=(Band(4, *pair("pulmonary embolism unlikely")), Band(None, *pair("pulmonary embolism likely"))),
    aliases=("wells",),
)

# Eight criteria: Kline 2004. The rule is for patients whose pre-test probability is already low.
PERC = Calculator(
    "perc",
    *pair("PERC rule"),
    (
        shared("age"),
        shared("heart_rate"),
        shared("spo2"),
        shared("leg_swelling"),
        shared("haemoptysis"),
        shared("recent_surgery"),
        shared("previous_vte"),
        _HORMONES,
    ),
    (
        item("age", *pair("age ≥ 50 years"), ("age",), over("age", 50)),
        item("heart_rate", *pair("heart rate ≥ 100 /min"), ("heart_rate",), over("heart_rate", 100)),
        item("spo2", *pair("oxygen saturation < 95%"), ("spo2",), under("spo2", 95)),
        item("leg_swelling", *pair("unilateral leg swelling"), ("leg_swelling",), yes("leg_swelling")),
        item("haemoptysis", *pair("haemoptysis"), ("haemoptysis",), yes("haemoptysis")),
        item("recent_surgery", *pair("surgery or trauma in the last 4 weeks"), ("recent_surgery",), yes("recent_surgery")),
        item("previous_vte", *pair("previous DVT or PE"), ("previous_vte",), yes("previous_vte")),
        item("hormone_use", *pair("oestrogen use"), ("hormone_use",), yes("hormone_use")),
    ),
    unit="criteria",
    bands=(
        Band(0, *pair("negative: with a low pre-test probability pulmonary embolism is excluded")),
        Band(None, *pair("positive: the rule cannot exclude pulmonary embolism")),
    ),
    note=pair("PERC applies only when the clinical probability of pulmonary embolism is low"),
)
CALCULATORS = (WELLS_PE, PERC)
