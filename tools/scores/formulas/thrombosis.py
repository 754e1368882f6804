"""Revised Geneva score, Wells DVT, CHA2DS2-VASc."""

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.scores.base import Band, Calculator, Field, either, item, over, steps, yes
from tools.scores.fields import shared

_WORDS = patterns("tools.scores")

pair = messages("tools.scores").pair

_LEG_PAIN = Field("leg_pain", *pair("unilateral leg pain"), kind="flag", terms=_WORDS.words("leg_pain"))
_LEG_TENDER = Field(
    "leg_tenderness",
    *pair("pain on deep venous palpation with unilateral oedema"),
    kind="flag",
    terms=_WORDS.words("leg_tenderness"),
)

# Points and groups: Le Gal 2006.
GENEVA = Calculator(
    "revised_geneva",
    *pair("revised Geneva score"),
    (
        shared("age"),
        shared("previous_vte"),
        shared("recent_surgery"),
        shared("malignancy"),
        _LEG_PAIN,
        shared("haemoptysis"),
        shared("heart_rate"),
        _LEG_TENDER,
    ),
    (
        item("age", *pair("age > 65 years"), ("age",), over("age", 65, equal=False), 1),
        item("previous_vte", *pair("previous DVT or PE"), ("previous_vte",), yes("previous_vte"), 3),
        item("recent_surgery", *pair("surgery or fracture in the last month"), ("recent_surgery",), yes("recent_surgery"), 2),
        item("malignancy", *pair("active malignancy"), ("malignancy",), yes("malignancy"), 2),
        item("leg_pain", *pair("unilateral leg pain"), ("leg_pain",), yes("leg_pain"), 3),
        item("haemoptysis", *pair("haemoptysis"), ("haemoptysis",), yes("haemoptysis"), 2),
        steps("heart_rate", *pair("heart rate (75–94: 3, ≥ 95: 5)"), "heart_rate", ((75, 0), (95, 3)), 5),
        item("leg_tenderness", *pair("deep venous tenderness and oedema"), ("leg_tenderness",), yes("leg_tenderness"), 4),
    ),
    bands=(
        Band(3, *pair("low clinical probability of pulmonary embolism")),
        Band(10, *pair("intermediate clinical probability of pulmonary embolism")),
        Band(None, *pair("high clinical probability of pulmonary embolism")),
    ),
    aliases=("geneva",),
)


def _flag(key: str, en: str, zh: str) -> Field:
    return Field(key, en, zh, kind="flag", terms=_WORDS.words(key))


_DVT_FIELDS = (
    shared("malignancy"),
    _flag("paralysis", *pair("paralysis, paresis or plaster of the leg")),
    _flag("bedridden", *pair("bedridden 3 days or more, or major surgery within 12 weeks")),
    _flag("tenderness", *pair("tenderness along the deep veins")),
    _flag("leg_swollen", *pair("entire leg swollen")),
    _flag("calf_swelling", *pair("calf more than 3 cm larger")),
    _flag("pitting_oedema", *pair("pitting oedema of the leg")),
    _flag("collateral_veins", *pair("collateral superficial veins")),
    _flag("previous_dvt", *pair("previous DVT")),
    _flag("other_diagnosis", *pair("another diagnosis at least as likely")),
)
# Points: Wells 2003 (two levels: 2 or more is likely).
WELLS_DVT = Calculator(
    "wells_dvt",
    *pair("Wells score for deep vein thrombosis"),
    _DVT_FIELDS,
    tuple(item(f.key, f.en, f.zh, (f.key,), yes(f.key), -2 if f.key == "other_diagnosis" else 1) for f in _DVT_FIELDS),
    bands=(Band(1, *pair("deep vein thrombosis unlikely")), Band(None, *pair("deep vein thrombosis likely"))),
)

_STROKE = _flag("stroke_or_embolism", *pair("stroke, TIA or thromboembolism", context="input"))
_HYPERTENSION = _flag("hypertension", *pair("hypertension"))
_DIABETES = _flag("diabetes", *pair("diabetes"))
_VASCULAR = _flag("vascular_disease", *pair("vascular disease"))
# Points: Lip 2010.
CHA2DS2_VASC = Calculator(
    "cha2ds2_vasc",
    *pair("CHA2DS2-VASc"),
    (shared("age"), shared("sex"), shared("heart_failure"), _HYPERTENSION, _DIABETES, _STROKE, _VASCULAR),
    (
        steps("age", *pair("age (65–74: 1, ≥ 75: 2)"), "age", ((65, 0), (75, 1)), 2),
        item("sex", *pair("female"), ("sex",), lambda v: {"female": True, "male": False}.get(str(v.get("sex"))), 1),
        item("heart_failure", *pair("heart failure"), ("heart_failure",), yes("heart_failure"), 1),
        item("hypertension", *pair("hypertension"), ("hypertension",), yes("hypertension"), 1),
        item("diabetes", *pair("diabetes"), ("diabetes",), yes("diabetes"), 1),
        item(
            "stroke_or_embolism",
            *pair("stroke, TIA or thromboembolism"),
            ("stroke_or_embolism",),
            either(yes("stroke_or_embolism")),
            2,
        ),
        item("vascular_disease", *pair("vascular disease"), ("vascular_disease",), yes("vascular_disease"), 1),
    ),
)
CALCULATORS = (GENEVA, WELLS_DVT, CHA2DS2_VASC)
