"""qSOFA, SOFA, SIRS and NEWS2: sepsis and early warning."""

from dataclasses import replace

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.scores.base import Band, Calculator, Field, Item, Values, either, item, number, over, steps, under, yes
from tools.scores.fields import shared

_WORDS = patterns("tools.scores")

pair = messages("tools.scores").pair

_WBC = Field("wbc", *pair("white cell count"), "10*9/L", analytes=("wbc",))
_PLATELETS = Field("platelets", *pair("platelet count"), "10*9/L", analytes=("platelets",))
_BILIRUBIN = Field("bilirubin", *pair("bilirubin"), "umol/L", analytes=("bilirubin",))
_CREATININE = Field("creatinine", *pair("creatinine"), "umol/L", analytes=("creatinine",))
_URINE = Field("urine_output", *pair("urine output"), "mL/day", optional=True)
_MAP = Field("mean_arterial_pressure", *pair("mean arterial pressure"), "mmHg", aliases=("map",), optional=True)
_DBP = Field("dbp", *pair("diastolic blood pressure"), "mmHg", vital="dbp_mmhg", optional=True)
_VENTILATED = Field(
    "ventilated",
    *pair("mechanical ventilation or CPAP"),
    kind="flag",
    terms=_WORDS.words("ventilated"),
)
_VASOPRESSOR = Field(
    "vasopressor_points",
    *pair("points for vasopressors (2 to 4), 0 when none"),
    aliases=("vasopressors",),
)

# Three criteria: respiratory rate >= 22/min, altered mentation, systolic <= 100 mmHg (Singer 2016).
QSOFA = Calculator(
    "qsofa",
    "qSOFA",
    "qSOFA",
    (shared("respiratory_rate"), shared("sbp"), shared("gcs")),
    (
        item("respiratory_rate", *pair("respiratory rate ≥ 22 /min"), ("respiratory_rate",), over("respiratory_rate", 22)),
        item("sbp", *pair("systolic ≤ 100 mmHg"), ("sbp",), under("sbp", 100, equal=True)),
        item("gcs", *pair("Glasgow Coma Scale < 15"), ("gcs",), under("gcs", 15)),
    ),
    bands=(
        Band(1, *pair("below 2: sepsis is not excluded")),
        Band(None, *pair("2 or more: raised risk of death in suspected infection")),
    ),
)

# Two or more of four (Bone 1992).
SIRS = Calculator(
    "sirs",
    *pair("SIRS"),
    (shared("temperature"), shared("heart_rate"), shared("respiratory_rate"), replace(shared("paco2"), optional=True), _WBC),
    (
        item(
            "temperature",
            *pair("temperature > 38 or < 36 °C"),
            ("temperature",),
            either(over("temperature", 38, equal=False), under("temperature", 36)),
        ),
        item("heart_rate", *pair("heart rate > 90 /min"), ("heart_rate",), over("heart_rate", 90, equal=False)),
        Item(
            "breathing",
            *pair("respiratory rate > 20 /min or PaCO2 < 32 mmHg"),
            ("respiratory_rate",),
            lambda v: _either_known(over("respiratory_rate", 20, equal=False)(v), under("paco2", 32)(v)),
            0,
            1,
        ),
        item(
            "wbc",
            *pair("white cells > 12 or < 4 10^9/L"),
            ("wbc",),
            either(over("wbc", 12, equal=False), under("wbc", 4)),
        ),
    ),
    unit="criteria",
    bands=(Band(1, *pair("SIRS not met")), Band(None, *pair("SIRS met"))),
)


def _either_known(first: bool | None, second: bool | None) -> float | None:
    """A tachypnoea that is measured decides; a gas decides only when it is met."""
    if first or second:
        return 1.0
    return None if first is None else 0.0


def _respiration(values: Values) -> float | None:
    pao2, fio2 = number(values, "pao2"), number(values, "fio2")
    if pao2 is None or fio2 is None:
        return None
    ratio = pao2 / fio2
    if ratio >= 400:
        return 0.0
    if ratio >= 300:
        return 1.0
    ventilated = values.get("ventilated")
    if ratio >= 200 or ventilated is False:
        return 2.0
    if ventilated is None:
        return None
    return 3.0 if ratio >= 100 else 4.0


def _circulation(values: Values) -> float | None:
    drugs = number(values, "vasopressor_points")
    if drugs is not None and drugs > 0:
        return min(max(drugs, 2.0), 4.0)
    pressure = number(values, "mean_arterial_pressure")
    sbp, dbp = number(values, "sbp"), number(values, "dbp")
    if pressure is None and sbp is not None and dbp is not None:
        pressure = (sbp + 2 * dbp) / 3
    return None if drugs is None or pressure is None else 1.0 if pressure < 70 else 0.0


def _kidney(values: Values) -> float | None:
    """Creatinine, or urine output below 500 (3 points) or 200 mL a day (4 points), whichever gives more."""
    creatinine, urine = number(values, "creatinine"), number(values, "urine_output")
    dry = None if urine is None else 4.0 if urine < 200 else 3.0 if urine < 500 else 0.0
    if creatinine is None:
        return dry if dry == 4.0 else None
    points = next((p for upper, p in ((106, 0.0), (171, 1.0), (300.6, 2.0), (442.1, 3.0)) if creatinine < upper), 4.0)
    return max(points, dry or 0.0)


# Points: Vincent 1996, table 3, which gives creatinine in mg/dL (1.2, 2.0, 3.5, 5.0) and rounded in µmol/L (110, 171, 300, 440); the
# limits here lie between both tables: 1.2 mg/dL (106 µmol/L) is one point, 3.4 mg/dL (300.6 µmol/L) two.
SOFA = Calculator(
    "sofa",
    *pair("SOFA"),
    (
        shared("pao2"),
        shared("fio2"),
        _VENTILATED,
        _PLATELETS,
        _BILIRUBIN,
        shared("sbp"),
        _DBP,
        _MAP,
        _VASOPRESSOR,
        shared("gcs"),
        _CREATININE,
        _URINE,
    ),
    (
        Item("respiration", *pair("respiration (PaO2/FiO2)"), ("pao2", "fio2", "ventilated"), _respiration, 0, 4),
        steps("platelets", *pair("platelets"), "platelets", ((20, 4), (50, 3), (100, 2), (150, 1)), 0),
        steps("bilirubin", *pair("bilirubin"), "bilirubin", ((20, 0), (33, 1), (102, 2), (204.001, 3)), 4),
        Item(
            "circulation",
            *pair("circulation (mean pressure, vasopressors)"),
            ("sbp", "dbp", "vasopressor_points"),
            _circulation,
            0,
            4,
        ),
        steps("gcs", *pair("Glasgow Coma Scale"), "gcs", ((6, 4), (10, 3), (13, 2), (15, 1)), 0),
        Item("creatinine", *pair("creatinine or urine output"), ("creatinine",), _kidney, 0, 4),
    ),
    bands=(
        Band(1, *pair("below 2")),
        Band(None, *pair("2 or more: with infection and an acute rise of 2 points this is sepsis")),
    ),
)


def _saturation(values: Values) -> float | None:
    """Scale 1, or scale 2 for hypercapnic failure with a target of 88–92 % (COPD is not enough; it must be set)."""
    spo2, second = number(values, "spo2"), values.get("spo2_scale_2")
    if spo2 is None:
        return None
    if second is not True:
        return 3.0 if spo2 <= 91 else 2.0 if spo2 <= 93 else 1.0 if spo2 <= 95 else 0.0
    if spo2 <= 92:
        return 3.0 if spo2 <= 83 else 2.0 if spo2 <= 85 else 1.0 if spo2 <= 87 else 0.0
    oxygen = _oxygen(values)
    if oxygen is None:
        return None
    return 0.0 if not oxygen else 1.0 if spo2 <= 94 else 2.0 if spo2 <= 96 else 3.0


def _oxygen(values: Values) -> bool | None:
    fio2 = number(values, "fio2")
    stated = yes("on_oxygen")(values)
    return stated if stated is not None else None if fio2 is None else fio2 > 0.21


def _consciousness(values: Values) -> float | None:
    gcs = number(values, "gcs")
    return None if gcs is None else 0.0 if gcs >= 15 else 3.0


_SCALE_2 = Field("spo2_scale_2", *pair("target saturation 88–92% (hypercapnic failure)"), kind="flag", optional=True)
# Points: Royal College of Physicians, NEWS2 chart, 2017.
NEWS2 = Calculator(
    "news2",
    *pair("NEWS2"),
    (
        shared("respiratory_rate"),
        shared("spo2"),
        _SCALE_2,
        replace(shared("on_oxygen"), optional=True),
        shared("fio2"),
        shared("sbp"),
        shared("heart_rate"),
        shared("gcs"),
        shared("temperature"),
        replace(shared("copd"), optional=True),
    ),
    (
        steps("respiratory_rate", *pair("respiratory rate"), "respiratory_rate", ((9, 3), (12, 1), (21, 0), (25, 2)), 3),
        Item("spo2", *pair("oxygen saturation"), ("spo2",), _saturation, 0, 3),
        item("oxygen", *pair("supplemental oxygen"), ("fio2",), _oxygen, 2),
        steps("sbp", *pair("systolic pressure"), "sbp", ((91, 3), (101, 2), (111, 1), (220, 0)), 3),
        steps("heart_rate", *pair("heart rate"), "heart_rate", ((41, 3), (51, 1), (91, 0), (111, 1), (131, 2)), 3),
        Item("consciousness", *pair("new confusion or less than alert"), ("gcs",), _consciousness, 0, 3),
        steps("temperature", *pair("temperature"), "temperature", ((35.05, 3), (36.05, 1), (38.05, 0), (39.05, 1)), 2),
    ),
    bands=(
        Band(4, *pair("low clinical risk unless one parameter alone gives 3 points")),
        Band(6, *pair("medium clinical risk: urgent review")),
        Band(None, *pair("high clinical risk: emergency review")),
    ),
    note=pair("SpO2 scale 1 is used unless spo2_scale_2=yes is set for confirmed hypercapnic failure"),
)
CALCULATORS = (QSOFA, SIRS, SOFA, NEWS2)
