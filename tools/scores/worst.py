"""A severity score at presentation by the worst vital signs of a day, beside the one by the latest set."""

from datetime import datetime, timedelta

from retrieval.messages.catalogue import messages
from tools.case.record import Case, Vitals
from tools.scores.base import Calculator
from tools.scores.run import Outcome, run

pair = messages("tools.scores").pair

# Scores whose authors took the values at presentation.
AT_PRESENTATION = frozenset({"curb_65", "crb_65", "psi"})
_DAY = timedelta(hours=24)
_HIGHEST = ("respiratory_rate", "heart_rate", "temperature_c")
_LOWEST = ("sbp_mmhg", "dbp_mmhg", "spo2_pct", "gcs")
_NAMES = {
    "respiratory_rate": pair("respiratory rate {value} /min"),
    "heart_rate": pair("heart rate {value} /min"),
    "temperature_c": pair("temperature {value} °C"),
    "sbp_mmhg": pair("systolic pressure {value} mmHg"),
    "dbp_mmhg": pair("diastolic pressure {value} mmHg"),
    "spo2_pct": pair("SpO2 {value}%"),
    "gcs": pair("GCS {value}"),
}


def worse(calculator: Calculator, case: Case | None, inputs: dict[str, str], latest: Outcome) -> tuple[Outcome, tuple[str, str]] | None:
    """The score by the worst vital signs of the last 24 hours and the values that made the difference; None where it is no higher."""
    if case is None or calculator.name not in AT_PRESENTATION or latest.value is None:
        return None
    day = _of_a_day(case)
    if len(day) < 2:
        return None
    now, worst = day[-1], _worst(day)
    outcome = run(calculator, case.model_copy(update={"vitals": (worst,)}), inputs)
    if outcome.value is None or outcome.value <= latest.value:
        return None
    moved = [
        n
        for n in (*_HIGHEST, *_LOWEST)
        if getattr(worst, n) != getattr(now, n) and _counts(calculator, case, inputs, now, worst, n, latest)
    ]
    said = [
        (en.format(value=f"{getattr(worst, n):g}"), zh.format(value=f"{getattr(worst, n):g}")) for n in moved for en, zh in (_NAMES[n],)
    ]
    return outcome, (", ".join(en for en, _ in said), "、".join(zh for _, zh in said))


def _counts(calculator: Calculator, case: Case, inputs: dict[str, str], now: Vitals, worst: Vitals, name: str, latest: Outcome) -> bool:
    """Whether this sign alone, at its worst, raises the score."""
    alone = run(calculator, case.model_copy(update={"vitals": (now.model_copy(update={name: getattr(worst, name)}),)}), inputs)
    return alone.value is not None and latest.value is not None and alone.value > latest.value


def _of_a_day(case: Case) -> list[Vitals]:
    """Sets of vital signs with a time, of the 24 hours up to the last, in order."""
    timed = sorted(((_time(v.time), v) for v in case.vitals if v.time), key=lambda pair: pair[0] or datetime.min)
    known = [(at, v) for at, v in timed if at is not None]
    return [v for at, v in known if known[-1][0] - at <= _DAY]


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=None)
    except ValueError:
        return None


def _worst(day: list[Vitals]) -> Vitals:
    """The worst of each sign; the rest is the last set's."""
    found: dict[str, float | int] = {}
    for names, pick in ((_HIGHEST, max), (_LOWEST, min)):
        for name in names:
            values = [getattr(v, name) for v in day if getattr(v, name) is not None]
            if values:
                found[name] = pick(values)
    return day[-1].model_copy(update=found)
