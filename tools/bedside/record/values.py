"""Numbers of a case by the names that rows use, each with its unit as prose shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from types import MappingProxyType

from retrieval.messages.patterns import patterns
from tools.bedside.record.vocabulary import Number, numbers
from tools.case.record import Case, Observation, Patient
from tools.labs.value import Reading, latest, read, shown
from tools.scores.registry import calculators
from tools.scores.run import run


@dataclass(frozen=True)
class Value:
    """A number as the record gives it; `shown` has its unit, `number` is in the unit of the rows."""

    number: float
    shown: str
    typed: bool = False


_VITALS = {
    "temperature": ("temperature_c", "°C"),
    "hr": ("heart_rate", "/min"),
    "rr": ("respiratory_rate", "/min"),
    "sbp": ("sbp_mmhg", "mmHg"),
    "dbp": ("dbp_mmhg", "mmHg"),
    "spo2": ("spo2_pct", "%"),
    "fio2": ("fio2", ""),
    "gcs": ("gcs", ""),
}
# Which reading is the worst one.
_WORST: Mapping[str, Callable[[list[float]], float]] = {
    **dict.fromkeys(("hr", "rr", "temperature", "fio2"), max),
    **dict.fromkeys(("sbp", "dbp", "spo2", "gcs"), min),
}
_WORDS = patterns("tools.bedside")
# Values whose fall the notes may tell in one sentence.
_COURSES = ("fvc_pct", "dlco_pct", "fev1_pct")
_LUNG = ("fev1_pct", "fvc_pct", "dlco_pct", "fev1_fvc", "fev1_l")
_CALCULATED = {
    "crcl": ("cockcroft_gault", "mL/min", 0),
    "egfr": ("egfr_ckd_epi_2021", "mL/min/1.73 m²", 0),
    "aa": ("aa_gradient", "mmHg", 0),
    "bmi": ("bmi", "kg/m²", 1),
}
# Upper limit of ALT that the stopping rules of tuberculosis treatment count in.
_ALT_LIMIT = 40.0
# mg/dL of urea nitrogen in mmol/L of urea (molar mass of two nitrogen atoms, 28.01 g/mol).
_NITROGEN = 0.357


def find_value(name: str, case: Case, typed: Mapping[str, str]) -> Value | None:
    """A number by name; None when it is not known.

    Args:
        name: A name of the rows (`sbp`, `worst_spo2`, `base_creatinine`, `score_curb_65`, an analyte).
        case: The patient.
        typed: Values that the question gives, for the calculators that take them (`creatinine`, `weight`, `age`).
    """
    plain = _PLAIN.get(name)
    if plain is not None:
        return plain(case)
    if name.removeprefix("worst_") in _VITALS:
        return _vital(name.removeprefix("worst_"), case, worst=name.startswith("worst_"))
    if name.removeprefix("base_") in _LUNG:
        return _lung(case, name.removeprefix("base_"), earlier=name.startswith("base_"))
    if name in _CALCULATED:
        found = _calculated(case, typed, *_CALCULATED[name])
        return found if found is not None or name not in ("crcl", "egfr") else _filtration(case, name)
    for prefix, made in _PREFIXED.items():
        if name.startswith(prefix):
            return made(case, typed, name.removeprefix(prefix))
    if name.endswith("_rise"):
        return _ratio(case, name.removesuffix("_rise"))
    measured = _lab(case, name)
    return _written(case, numbers()[name]) if measured is None and name in numbers() else measured


def labs_of(case: Case) -> Mapping[str, Reading]:
    """Latest reading by analyte."""
    return _readings(case.labs, case.patient)


@lru_cache(maxsize=16)
def _readings(labs: tuple[Observation, ...], patient: Patient) -> Mapping[str, Reading]:
    return MappingProxyType({r.id: r for r in latest(labs, patient)})


def written_texts(case: Case) -> list[str]:
    """Everything that is written about the patient, whole."""
    p = case.presentation
    reports = [s.report or "" for s in case.studies]
    return [p.question or "", *p.symptoms, *p.findings, *reports, *(n.text for n in case.notes)]


def _pressure(case: Case) -> Value | None:
    sbp, dbp = _vital("sbp", case), _vital("dbp", case)
    return None if sbp is None or dbp is None else Value(sbp.number, f"{shown(sbp.number)}/{shown(dbp.number)} mmHg")


def _body(case: Case, field: str, unit: str) -> Value | None:
    value = getattr(case.patient, field)
    return None if value is None else Value(float(value), f"{shown(float(value))}{unit}")


def _fluid(case: Case) -> Value | None:
    """30 mL of crystalloid per kg of weight."""
    weight = case.patient.weight_kg
    return None if weight is None else Value(30 * weight, f"{30 * weight:.0f} mL")


def _smoking(case: Case, field: str) -> Value | None:
    value = getattr(case.patient.smoking, field) if case.patient.smoking else None
    return None if value is None else Value(float(value), shown(float(value)))


def _days(case: Case) -> Value | None:
    days = case.presentation.duration_days
    return None if days is None else Value(days, shown(days))


def _alt_times(case: Case) -> Value | None:
    alt = _lab(case, "alt")
    return None if alt is None else Value(alt.number / _ALT_LIMIT, f"{alt.number / _ALT_LIMIT:.1f}")


def _drop(case: Case, name: str) -> Value | None:
    """Fall of a lung function value since the one before, in points of the predicted value."""
    now, before = _lung(case, name), _lung(case, name, earlier=True)
    return None if now is None or before is None else Value(before.number - now.number, f"{shown(before.number - now.number)}%")


def _lung(case: Case, name: str, *, earlier: bool = False) -> Value | None:
    tests = [float(v) for f in sorted(case.lung_function, key=lambda f: f.time or "") if (v := getattr(f, name)) is not None]
    if len(tests) == 1 and name in _COURSES:
        tests[:0] = _before(case, name, tests[0])
    if len(tests) < (2 if earlier else 1):
        return None
    value = tests[-2 if earlier else -1]
    return Value(value, f"{shown(value)}{'%' if name.endswith('pct') else ''}")


def _before(case: Case, name: str, now: float) -> list[float]:
    """The value before the only one of the table, where the notes tell both."""
    told = (m for text in written_texts(case) for m in _WORDS.regex(f"course_{name}").finditer(text))
    return next(([float(m[1])] for m in told if abs(float(m[2]) - now) < 1), [])


def _vital(name: str, case: Case, *, worst: bool = False) -> Value | None:
    key, unit = _VITALS[name]
    rows = [float(v) for s in sorted(case.vitals, key=lambda v: v.time or "") if (v := getattr(s, key)) is not None]
    if not rows:
        return None
    value = _WORST[name](rows) if worst else rows[-1]
    return Value(value, f"{shown(value)}{'' if unit in ('', '%', '/min') else ' '}{unit}")


def _calculated(case: Case, typed: Mapping[str, str], name: str, unit: str, places: int) -> Value | None:
    calculator = calculators().get(name)
    if calculator is None:
        return None
    keys = {f.key for f in calculator.fields}
    outcome = run(calculator, case, {k: v for k, v in typed.items() if k in keys} or None)
    if outcome.value is None:
        return None
    return Value(outcome.value, f"{outcome.value:.{places}f}{' ' if unit else ''}{unit}")


def _filtration(case: Case, name: str) -> Value | None:
    """The eGFR that is recorded or supposed, where no creatinine gives one."""
    egfr = _lab(case, "egfr")
    if egfr is None or name == "egfr":
        return egfr
    return Value(egfr.number, f"{egfr.number:.0f} mL/min (eGFR)")


def _score(case: Case, typed: Mapping[str, str], name: str) -> Value | None:
    return _calculated(case, typed, name, "", 0)


def _breathed(case: Case) -> Value | None:
    """The inspired fraction that was recorded nearest before the gas."""
    gas = labs_of(case).get("pao2")
    sets = [v for v in case.vitals if v.fio2 is not None]
    if gas is None or not sets:
        return None
    at = gas.observation.time or ""
    before = [v for v in sets if (v.time or "") <= at] if at else []
    vitals = max(before, key=lambda v: v.time or "") if before else min(sets, key=lambda v: v.time or "")
    fraction = vitals.fio2 or 0.21
    return Value(fraction, shown(fraction))


def _oxygenation(case: Case) -> Value | None:
    """PaO2 over the fraction that was breathed when the gas was taken."""
    gas, breathed = labs_of(case).get("pao2"), _breathed(case)
    if gas is None or gas.canonical is None or breathed is None:
        return None
    ratio = gas.canonical / breathed.number
    return Value(ratio, f"{ratio:.0f} mmHg")


def _news2_hypercapnic(case: Case) -> Value | None:
    """NEWS2 on its second oxygen scale."""
    return _calculated(case, {"spo2_scale_2": "yes"}, "news2", "", 0)


def _after_lobectomy(case: Case, name: str) -> Value | None:
    """What stays of a lung function value without the 3 of 19 segments of the right upper lobe."""
    now = _lung(case, name)
    return None if now is None else Value(now.number * 16 / 19, f"{now.number * 16 / 19:.0f}%")


def _with_unit(r: Reading) -> str:
    gap = "" if r.shown_unit in ("", "%") else " "
    return f"{r.observation.comparator or ''}{shown(r.observation.value or 0.0)}{gap}{r.shown_unit}"


def _lab(case: Case, name: str) -> Value | None:
    r = labs_of(case).get(name)
    if r is None or r.observation.value is None or (r.canonical is None and r.analyte is not None):
        return _urea(case) if name == "urea" else None
    return Value(r.observation.value if r.canonical is None else r.canonical, _with_unit(r))


def _urea(case: Case) -> Value | None:
    """Urea out of a urea nitrogen."""
    r = labs_of(case).get("urea_nitrogen")
    if r is None or r.canonical is None or r.analyte is None or r.analyte.unit != "mg/dL":
        return None
    return Value(r.canonical * _NITROGEN, f"{r.canonical * _NITROGEN:.1f} mmol/L (urea nitrogen {_with_unit(r)})")


def _converted(case: Case, _: Mapping[str, str], name: str) -> Value | None:
    """A value as reported and in the unit of our tables, where these differ."""
    if name == "urea":
        urea = _lab(case, "urea")
        return urea if urea is not None and "nitrogen" in urea.shown else None
    r = labs_of(case).get(name)
    if r is None or r.analyte is None or r.unit is None or r.canonical is None or r.unit == r.analyte.canonical:
        return None
    return Value(r.canonical, f"{_with_unit(r)} = {r.canonical:.{r.analyte.decimals}f} {r.analyte.canonical.shown}")


def _earlier(case: Case, _: Mapping[str, str], name: str) -> Value | None:
    """The value before the latest one, with its day."""
    rows = [read(o, case.patient) for o in sorted(case.labs, key=lambda o: o.time or "")]
    mine = [r for r in rows if r.id == name and r.canonical is not None and r.observation.value is not None]
    if len(mine) < 2 or mine[-2].canonical is None:
        return None
    day = (mine[-2].observation.time or "")[:10]
    return Value(mine[-2].canonical, _with_unit(mine[-2]) + (f" ({day})" if day else ""))


def _ratio(case: Case, name: str) -> Value | None:
    """Latest value over the one before."""
    now, before = _lab(case, name), _earlier(case, {}, name)
    if now is None or before is None or not before.number:
        return None
    return Value(now.number / before.number, f"{now.number / before.number:.2f}")


def _written(case: Case, number: Number) -> Value | None:
    """A number that stands in the notes; the last one counts."""
    found = [m for text in written_texts(case) for m in number.pattern.finditer(text)]
    if not found:
        return None
    digits = next(g for g in found[-1].groups() if g)
    return Value(float(digits), f"{digits}{'' if number.unit in ('', '%') else ' '}{number.unit}")


_PLAIN: Mapping[str, Callable[[Case], Value | None]] = {
    "bp": _pressure,
    "pf": _oxygenation,
    "gas_fio2": _breathed,
    "news2_co2": _news2_hypercapnic,
    "ppo_fev1": partial(_after_lobectomy, name="fev1_pct"),
    "ppo_dlco": partial(_after_lobectomy, name="dlco_pct"),
    "days": _days,
    "fluid30": _fluid,
    "alt_times": _alt_times,
    "age": partial(_body, field="age_years", unit=""),
    "weight": partial(_body, field="weight_kg", unit=" kg"),
    "height": partial(_body, field="height_cm", unit=" cm"),
    "pack_years": partial(_smoking, field="pack_years"),
    "quit_years": partial(_smoking, field="quit_years_ago"),
    "fvc_drop": partial(_drop, name="fvc_pct"),
    "dlco_drop": partial(_drop, name="dlco_pct"),
}
_PREFIXED: Mapping[str, Callable[[Case, Mapping[str, str], str], Value | None]] = {"score_": _score, "base_": _earlier, "si_": _converted}
