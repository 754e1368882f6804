"""Corrected calcium and sodium, osmolality, corrected QT interval."""

from dataclasses import replace

from retrieval.messages.catalogue import messages
from tools.scores.base import Band, Calculator, Field, Values, formula, number
from tools.scores.fields import shared

pair = messages("tools.scores").pair

_CALCIUM = Field("calcium", *pair("calcium"), "mmol/L", analytes=("calcium",), aliases=("ca",))
_QT = Field("qt_interval", *pair("QT interval"), "msec", aliases=("qt",))

CORRECTED_CALCIUM = Calculator(
    "corrected_calcium",
    *pair("albumin-corrected calcium"),
    (_CALCIUM, shared("albumin")),
    # +0.02 mmol/L per g/L of albumin below 40 g/L (Payne 1973, as commonly rounded).
    compute=formula(("calcium", "albumin"), lambda calcium, albumin: calcium + 0.02 * (40 - albumin)),
    unit="mmol/L",
    decimals=2,
    bands=(Band(2.199, *pair("low")), Band(2.6, *pair("normal")), Band(None, *pair("high"))),
)
CORRECTED_SODIUM = Calculator(
    "corrected_sodium",
    *pair("sodium corrected for glucose"),
    (shared("sodium"), shared("glucose")),
    # +2.4 mmol/L per 5.55 mmol/L (100 mg/dL) of glucose above 5.55 mmol/L (Hillier 1999).
    compute=formula(("sodium", "glucose"), lambda sodium, glucose: sodium + 2.4 * (glucose - 5.55) / 5.55),
    unit="mmol/L",
    decimals=1,
)
OSMOLALITY = Calculator(
    "serum_osmolality",
    *pair("calculated serum osmolality"),
    (shared("sodium"), shared("glucose"), shared("urea")),
    # 2 x Na + glucose + urea, all mmol/L (Worthley 1987).
    compute=formula(("sodium", "glucose", "urea"), lambda sodium, glucose, urea: 2 * sodium + glucose + urea),
    unit="mosm/kg",
    decimals=0,
    bands=(Band(274.999, *pair("low")), Band(295, *pair("within the usual range")), Band(None, *pair("high"))),
    aliases=("osmolality",),
)


def _qt_band(score: float, values: Values) -> tuple[str, str] | None:
    """Prolonged above 450 ms in men and 460 ms in women; above 500 ms high risk of torsades (AHA/ACCF/HRS 2009)."""
    sex = values.get("sex")
    if score > 500:
        return pair("above 500 msec: high risk of torsades de pointes")
    if sex not in ("male", "female"):
        return None
    limit = 450 if sex == "male" else 460
    if score > limit:
        return pair("prolonged (above {limit} msec)", limit=limit)
    return pair("not prolonged (limit {limit} msec)", limit=limit)


def _corrected_qt(name: str, en: str, zh: str, power: float) -> Calculator:
    def compute(values: Values) -> float | None:
        qt, rate = number(values, "qt_interval"), number(values, "heart_rate")
        return None if qt is None or rate is None or rate <= 0 else float(qt / (60 / rate) ** power)

    sex = replace(shared("sex"), optional=True)
    return Calculator(name, en, zh, (_QT, shared("heart_rate"), sex), compute=compute, unit="msec", decimals=0, band_of=_qt_band)


QTC_BAZETT = _corrected_qt("qtc_bazett", *pair("corrected QT interval (Bazett)"), 1 / 2)
QTC_FRIDERICIA = _corrected_qt("qtc_fridericia", *pair("corrected QT interval (Fridericia)"), 1 / 3)
CALCULATORS = (CORRECTED_CALCIUM, CORRECTED_SODIUM, OSMOLALITY, QTC_BAZETT, QTC_FRIDERICIA)
