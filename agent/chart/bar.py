"""The patient bar: who this is, what must not be overlooked, and what is urgent in the record."""

from agent.chart.views import Bar, Sign, State
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Case, Patient
from tools.case.vitals import abnormal, lines
from tools.case.words import allergy_words, as_recorded, conditions
from tools.deps import Deps
from tools.evidence import Language
from tools.labs.analytes import ADULT_YEARS
from tools.labs.interpret import interpret_labs
from tools.labs.value import Reading, latest, shown
from tools.scores.registry import find
from tools.scores.run import run

pair = messages("agent.chart").pair
say = messages("agent.chart").say

_SEX = {"male": pair("man"), "female": pair("woman"), "other": pair("other"), "unknown": ("", "")}
_CHILD = {"male": pair("boy"), "female": pair("girl")}
_SHORT = {
    "temperature_c": pair("T"), "heart_rate": pair("HR"), "respiratory_rate": pair("RR"), "sbp_mmhg": pair("SBP"),
    "dbp_mmhg": pair("DBP"), "spo2_pct": pair("SpO₂"), "fio2": pair("FiO₂"), "gcs": ("GCS", "GCS"),
}  # fmt: skip
_FERTILE = (12.0, 55.0)
_STATES: dict[str, State] = {"low": "low", "high": "high", "critical_low": "urgent", "critical_high": "urgent"}


def bar(deps: Deps, graph: DrugGraph, *, sealed: bool = False) -> Bar:
    """The bar of the open case.

    Args:
        deps: The case and the language.
        graph: For names in Chinese.
        sealed: Whether a teaching case waits for a reading.
    """
    case, language = deps.case, deps.language
    assert case is not None
    zh = language == "zh"
    p = case.patient
    readings = {r.id: r for r in latest(case.labs, p)}
    fertile = p.sex == "female" and (p.age_years is None or _FERTILE[0] <= p.age_years <= _FERTILE[1])
    urgent = (*abnormal(case, language, urgent=True), *interpret_labs(deps).emergencies)
    return Bar(
        name=case.case_id,
        synthetic=case.synthetic,
        sealed=sealed,
        age="" if p.age_years is None else pair("{age_years} y", age_years=shown(p.age_years))[zh],
        sex=_sex(p)[1 if zh else 0],
        weight="" if p.weight_kg is None else f"{shown(p.weight_kg)} kg",
        pregnant=p.pregnant,
        may_be_pregnant=fertile,
        allergies=tuple(as_recorded(allergy_words(a, graph, language), language) for a in p.allergies),
        conditions=tuple(as_recorded(name, language) for name in conditions(case, graph, language)),
        kidney=_kidney(case, readings, language),
        clotting=_sign(readings.get("inr"), "INR"),
        vitals=_vitals(case, language),
        vitals_at=max((row.time or "" for row in lines(case)), default=""),
        question=case.presentation.question or "",
        emergencies=tuple(dict.fromkeys(urgent)),
    )


def _sex(p: Patient) -> tuple[str, str]:
    return (_CHILD.get(p.sex) if is_minor(p) else None) or _SEX[p.sex]


def is_minor(p: Patient) -> bool:
    """Whether formulas and doses for adults do not hold."""
    return p.age_years is not None and p.age_years < ADULT_YEARS


def _kidney(case: Case, readings: dict[str, Reading], language: Language) -> tuple[Sign, ...]:
    """Estimated filtration rate, as reported or out of a newer creatinine, and creatinine itself."""
    signs = []
    reported = readings.get("egfr")
    if reported is not None and not _older(reported, readings.get("creatinine")):
        signs.append(_sign(reported, "eGFR"))
    elif (value := run(find("egfr_ckd_epi_2021"), case, None).value) is not None:
        key = readings["creatinine"].key if "creatinine" in readings else ""
        signs.append(Sign(name="eGFR", value=f"{value:.0f}", state="urgent" if value < 30 else "low" if value < 60 else "", key=key))
    signs.append(_sign(readings.get("creatinine"), say(language, "Cr")))
    return tuple(s for s in signs if s is not None)


def _older(one: Reading, other: Reading | None) -> bool:
    """Whether a value is of an earlier day than another; unknown days say nothing."""
    days = [(r.observation.time or "")[:10] for r in (one, other) if r is not None]
    return len(days) == 2 and all(days) and days[0] < days[1]


def _sign(reading: Reading | None, name: str) -> Sign | None:
    if reading is None or reading.observation.value is None:
        return None
    unit = "" if reading.shown_unit in ("", "1") else f" {reading.shown_unit}"
    value = f"{reading.observation.comparator or ''}{shown(reading.observation.value)}{unit}"
    return Sign(name=name, value=value, state=_STATES.get(reading.flag, ""), key=reading.key)


def _vitals(case: Case, language: Language) -> tuple[Sign, ...]:
    zh = language == "zh"
    urgent = " ".join(abnormal(case, "en", urgent=True)).casefold()
    signs = {}
    for row in lines(case):
        state: State = "low" if row.en.endswith("(low)") else "high" if row.en.endswith(("(high)", "(on oxygen)")) else ""
        name = row.en.split(f" {shown(row.value)}")[0].casefold()
        gap = "" if row.unit in ("", "%") else " "
        signs[row.name] = Sign(
            name=_SHORT[row.name][1 if zh else 0],
            value=f"{shown(row.value)}{gap}{row.unit}",
            state="urgent" if name in urgent else state,
        )
    return tuple(_pressures_as_one(signs, zh).values())


def _pressures_as_one(signs: dict[str, Sign], zh: bool) -> dict[str, Sign]:
    """Blood pressure as it is spoken of, 92/58 mmHg; its mark is that of the systolic one, else of the diastolic one."""
    systolic, diastolic = signs.get("sbp_mmhg"), signs.get("dbp_mmhg")
    if systolic is None or diastolic is None:
        return signs
    over, under = (float(s.value.partition(" ")[0]) for s in (systolic, diastolic))
    value = f"{over:.0f}/{under:.0f} mmHg"
    states = {systolic.state, diastolic.state}
    both = Sign(name=pair("BP")[zh], value=value, state="urgent" if "urgent" in states else systolic.state or diastolic.state)
    return {("bp" if k == "sbp_mmhg" else k): both if k == "sbp_mmhg" else s for k, s in signs.items() if k != "dbp_mmhg"}
