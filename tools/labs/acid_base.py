"""Blood gas rules: respiratory failure, primary acid–base disorder with expected compensation, anion gap."""

from collections.abc import Callable

from retrieval.messages.catalogue import messages
from tools.labs.panel import Panel, Pattern, Reference, pattern, quantity

pair = messages("tools.labs").pair

_BTS = Reference("BTS: Guideline for oxygen use in adults in healthcare and emergency settings, doi:10.1136/thoraxjnl-2016-209729", 2017)
_BEREND = Reference(
    "Berend K et al.: Physiological approach to assessment of acid-base disturbances, NEJM 371:1434, doi:10.1056/NEJMra1003327", 2014
)
_FIGGE = Reference("Figge J et al.: Anion gap and hypoalbuminemia, Crit Care Med 26:1807", 1998)
# Hypoxaemia PaO2 < 8 kPa (60 mmHg); hypercapnia PaCO2 > 6 kPa (45 mmHg) (BTS 2017).
PAO2_FAILURE = 60.0
PACO2_HIGH = 45.0
PACO2_LOW = 35.0
# Henderson-Hasselbalch: pK 6.1, CO2 solubility 0.0307 mmol/L per mmHg (Berend 2014, supplement).
_PK = 6.1
_SOLUBILITY = 0.0307


def bicarbonate(p: Panel) -> float | None:
    """Measured bicarbonate of the same sample, else calculated from pH and PaCO2, in mmol/L."""
    measured = p.value("bicarbonate")
    if measured is not None and p.together("ph", "paco2", "bicarbonate"):
        return measured
    ph, paco2 = p.value("ph"), p.value("paco2")
    return None if ph is None or paco2 is None else _SOLUBILITY * paco2 * 10 ** (ph - _PK)


def respiratory_failure(p: Panel) -> Pattern | None:
    """Type 1 or type 2 respiratory failure."""
    pao2, paco2 = p.value("pao2"), p.value("paco2")
    if paco2 is None or pao2 is None or not p.together("pao2", "paco2"):
        return None
    if paco2 > PACO2_HIGH and pao2 < PAO2_FAILURE:
        acute = (p.value("ph") or 7.4) < 7.35
        return pattern(
            p,
            "type-2-respiratory-failure",
            "type 2 respiratory failure",
            *pair(
                "Hypoxaemia with hypercapnia is type 2 respiratory failure{more}.",
                more=pair("; the low pH means the carbon dioxide retention is at least partly acute") if acute else "",
            ),
            ("pao2", "paco2", "ph", "bicarbonate"),
            _BTS,
        )
    if pao2 < PAO2_FAILURE:
        return pattern(
            p,
            "type-1-respiratory-failure",
            "type 1 respiratory failure",
            *pair("Hypoxaemia without hypercapnia is type 1 respiratory failure."),
            ("pao2", "paco2", "ph"),
            _BTS,
        )
    return None


def acid_base(p: Panel) -> Pattern | None:
    """Primary disorder and whether compensation is as expected."""
    ph, paco2, hco3 = p.value("ph"), p.value("paco2"), bicarbonate(p)
    if ph is None or paco2 is None or hco3 is None or not p.together("ph", "paco2"):
        return None
    found = _primary(ph, paco2, hco3)
    if found is None:
        return None
    name, name_zh, expected, low, high, actual, unit = found
    shown = f"{round(actual, 1):g}"
    span = f"{low:.0f}–{high:.0f} {unit}"
    if low <= actual <= high:
        judged, second = pair("within the expected {span}", span=span), ("", "")
    elif actual < low:
        judged, second = pair("below the expected {span}", span=span), _second(name, below=True)
    else:
        judged, second = pair("above the expected {span}", span=span), _second(name, below=False)
    return pattern(
        p,
        "acid-base",
        name,
        *pair(
            "The blood gas shows {name}; {expected} {shown} {unit} is {judged}{second}.",
            shown=shown,
            unit=unit,
            name=(name, name_zh),
            expected=expected,
            judged=judged,
            second=second,
        ),
        ("ph", "paco2", "bicarbonate"),
        _BEREND,
        quantity("compensation", actual, unit, 1),
        quantity("expected_low", low, unit, 0),
        quantity("expected_high", high, unit, 0),
    )


_Found = tuple[str, str, tuple[str, str], float, float, float, str]


def _primary(ph: float, paco2: float, hco3: float) -> _Found | None:
    """Name, compensating quantity, its expected range (Berend 2014) and actual value; None when nothing is off."""
    bicarb, co2 = pair("bicarbonate"), pair("PaCO2")
    if ph < 7.35 and hco3 < 22 and paco2 <= PACO2_HIGH:
        winters = 1.5 * hco3 + 8
        return *pair("metabolic acidosis"), co2, winters - 2, winters + 2, paco2, "mmHg"
    if ph > 7.45 and hco3 > 26 and paco2 >= PACO2_LOW:
        expected = 0.7 * (hco3 - 24) + 40
        return *pair("metabolic alkalosis"), co2, expected - 2, expected + 2, paco2, "mmHg"
    rise = (paco2 - 40) / 10
    if paco2 > PACO2_HIGH and ph < 7.40:
        # +1 mmol/L per 10 mmHg when acute, +4 to 5 when chronic; 2 mmol/L around both ends is noise.
        return *pair("respiratory acidosis"), bicarb, 24 + rise - 2, 24 + 5 * rise + 2, hco3, "mmol/L"
    if paco2 < PACO2_LOW and ph > 7.40:
        return *pair("respiratory alkalosis"), bicarb, 24 + 5 * rise - 2, 24 + 2 * rise + 2, hco3, "mmol/L"
    return None


def _second(name: str, *, below: bool) -> tuple[str, str]:
    if name.startswith("respiratory"):
        kind = pair("metabolic acidosis") if below else pair("metabolic alkalosis")
    else:
        kind = pair("respiratory alkalosis") if below else pair("respiratory acidosis")
    return pair(", so an additional {kind} is likely", kind=kind)


def anion_gap(p: Panel) -> Pattern | None:
    """High anion gap, corrected for albumin where it is known."""
    sodium, chloride, hco3 = p.value("sodium"), p.value("chloride"), p.value("bicarbonate")
    if sodium is None or chloride is None or hco3 is None or hco3 >= 22:
        return None
    gap = sodium - chloride - hco3
    albumin = p.value("albumin")
    # +2.5 mmol/L per 10 g/L of albumin below 40 g/L (Figge 1998).
    corrected = gap if albumin is None else gap + 0.25 * (40 - albumin)
    if corrected <= 12:
        return None
    label, label_zh = pair("albumin-corrected anion gap") if albumin is not None else pair("anion gap")
    return pattern(
        p,
        "high-anion-gap",
        "high anion gap",
        *pair(
            "The {label} is {corrected:.1f} mmol/L with low bicarbonate: a high anion gap metabolic acidosis is "
            "present (lactate, ketones, kidney failure or toxins).",
            corrected=corrected,
            label=(label, label_zh),
        ),
        ("sodium", "chloride", "bicarbonate", "albumin", "lactate"),
        _FIGGE,
        quantity("anion_gap", corrected, "mmol/L", 1),
    )


RULES: tuple[Callable[[Panel], Pattern | None], ...] = (respiratory_failure, acid_base, anion_gap)
