"""Vital signs with what is abnormal and what is urgent about them."""

from dataclasses import dataclass

from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.evidence import Language
from tools.labs.value import decimals, shown
from tools.scores.inputs import latest_vital

pair = messages("tools.case").pair
say = messages("tools.case").say


@dataclass(frozen=True)
class Line:
    """One vital sign as prose writes it."""

    name: str
    value: float
    unit: str
    decimals: int
    en: str
    zh: str
    time: str | None


@dataclass(frozen=True)
class _Sign:
    field: str
    en: str
    zh: str
    unit: str
    low: float | None
    high: float | None
    urgent_low: float | None
    urgent_high: float | None


# Low and high: the zero-point band of NEWS2; urgent: its three-point band (Royal College of Physicians, NEWS2, 2017).
# Diastolic: CURB-65 limit.
# GCS below 9: usual limit for airway protection.
_SIGNS = (
    _Sign("temperature_c", *pair("temperature"), "°C", 36.1, 38.0, 35.0, None),
    _Sign("heart_rate", *pair("heart rate"), "/min", 51, 90, 40, 131),
    _Sign("respiratory_rate", *pair("respiratory rate"), "/min", 12, 20, 8, 25),
    _Sign("sbp_mmhg", *pair("systolic blood pressure"), "mmHg", 111, 219, 90, 220),
    _Sign("dbp_mmhg", *pair("diastolic blood pressure"), "mmHg", 61, None, None, None),
    _Sign("spo2_pct", *pair("oxygen saturation"), "%", 96, None, 91, None),
    _Sign("fio2", *pair("inspired oxygen fraction"), "", None, 0.21, None, None),
    _Sign("gcs", *pair("Glasgow Coma Scale"), "", 15, None, 8, None),
)


def lines(case: Case) -> list[Line]:
    """The latest value of every recorded sign, abnormal ones named."""
    out = []
    for s in _SIGNS:
        found = latest_vital(case, s.field)
        if found is None:
            continue
        value, time = found
        word, word_zh = _word(s, value)
        gap = "" if s.unit in ("", "%") else " "
        text = f"{shown(value)}{gap}{s.unit}"
        out.append(Line(s.field, value, s.unit, decimals(value), f"{s.en} {text}{word}", f"{s.zh} {text}{word_zh}", time))
    return out


def _word(s: _Sign, value: float) -> tuple[str, str]:
    if s.field == "fio2":
        return pair(" (on oxygen)") if value > 0.21 else pair(" (air)")
    if s.low is not None and value < s.low:
        return pair(" (low)")
    return pair(" (high)") if s.high is not None and value > s.high else ("", "")


def abnormal(case: Case, language: Language = "en", *, urgent: bool = False) -> list[str]:
    """Sentences for signs outside their limits; `urgent` keeps those of the three-point band of NEWS2."""
    out = []
    for s in _SIGNS:
        found = latest_vital(case, s.field)
        low, high = (s.urgent_low, s.urgent_high) if urgent else (s.low, s.high)
        if found is None or not ((low is not None and found[0] <= low) or (high is not None and found[0] >= high)):
            continue
        gap = "" if s.unit in ("", "%") else " "
        value = f"{shown(found[0])}{gap}{s.unit}"
        out.append(
            say(
                language,
                "{upper}{text} {value} is in the red range (3 points in NEWS2): assess now.",
                value=value,
                upper=s.en[:1].upper(),
                text=s.en[1:],
                name_zh=s.zh,
            )
        )
    return out
