"""Suppositions about a patient as typed patches, applied to a copy of the case; the record itself stays as it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.case.record import Allergy, Case, Medication, Observation, Smoking, Vitals
from tools.evidence import Language
from tools.labs.analytes import analytes, find_analyte
from tools.labs.units import parse_unit

_CONFUSION = patterns("tools.case").words("confusion")

pair = messages("tools.case").pair

Kind = Literal["lab", "vital", "patient", "pregnant", "smoking", "finding", "allergy", "take", "stop"]
# A value that depends on another is no longer known when that one is supposed otherwise.
_UNKNOWN_THEN = {
    "egfr": ("creatinine",),
    "creatinine": ("egfr",),
    "urea": ("urea_nitrogen",),
    "urea_nitrogen": ("urea",),
    "pao2": ("sao2",),
}


@dataclass(frozen=True)
class Patch:
    """One supposition.

    Attributes:
        kind: What it changes.
        name: Analyte id, vital sign, field of the patient, substance, or finding.
        value: Number, where it is one.
        unit: Its unit.
        yes: For a flag: whether it is supposed to hold.
        severity: Of an allergy.
        names: Other names of a medicine, lower case.
    """

    kind: Kind
    name: str
    value: float | None = None
    unit: str = ""
    yes: bool = True
    severity: str | None = None
    names: tuple[str, ...] = ()


def patched(case: Case, patches: tuple[Patch, ...]) -> Case:
    """A copy of the case in which the patches hold."""
    for patch in patches:
        case = _APPLY[patch.kind](case, patch)
    return case


def _lab(case: Case, p: Patch) -> Case:
    gone = {p.name, *_UNKNOWN_THEN.get(p.name, ())}
    kept = tuple(o for o in case.labs if (found := find_analyte(o.analyte)) is None or found.id not in gone)
    newest = max((o.time for o in case.labs if o.time), default=None)
    return case.model_copy(update={"labs": (*kept, Observation(time=newest, analyte=p.name, value=p.value, unit=p.unit))})


def _new_vital(case: Case, p: Patch) -> Case:
    last = max(case.vitals, key=lambda v: v.time or "", default=Vitals())
    value = int(p.value) if p.name == "gcs" and p.value is not None else p.value
    return case.model_copy(update={"vitals": (*case.vitals, last.model_copy(update={p.name: value}))})


def _of_patient(case: Case, **update: object) -> Case:
    return case.model_copy(update={"patient": case.patient.model_copy(update=update)})


def _allergy(case: Case, p: Patch) -> Case:
    others = tuple(a for a in case.patient.allergies if a.substance.lower() != p.name.lower())
    new = (Allergy(substance=p.name, reaction=p.severity, severity="severe" if p.severity else None),) if p.yes else ()
    return _of_patient(case, allergies=(*others, *new))


def _finding(case: Case, p: Patch) -> Case:
    seen = tuple(f for f in case.presentation.findings if not any(word in f.lower() for word in _CONFUSION))
    told = ("confusion" if p.yes else "no confusion",)
    return case.model_copy(update={"presentation": case.presentation.model_copy(update={"findings": (*seen, *told)})})


def _stop(case: Case, p: Patch) -> Case:
    kept = tuple(m for m in case.medications if not any(n in m.name.lower() for n in (*p.names, p.name.lower())))
    return case.model_copy(update={"medications": kept})


_APPLY: Mapping[Kind, Callable[[Case, Patch], Case]] = {
    "lab": _lab,
    "vital": _new_vital,
    "patient": lambda case, p: _of_patient(case, **{p.name: p.value}),
    "pregnant": lambda case, p: _of_patient(case, pregnant=p.yes),
    "smoking": lambda case, p: _of_patient(case, smoking=Smoking(status="never")),
    "finding": _finding,
    "allergy": _allergy,
    "take": lambda case, p: case.model_copy(update={"medications": (*case.medications, Medication(name=p.name))}),
    "stop": _stop,
}

# How a supposition is said, in English and Chinese; {name}, {value}, {unit} and what the record holds, {was}.
_SAID: Mapping[Kind, tuple[str, str]] = {
    "lab": ("{name} {value} {unit}", "{name} {value} {unit}"),
    "vital": ("{name} {value} {unit}", "{name} {value} {unit}"),
    "patient": ("{name} {value} {unit}", "{name} {value} {unit}"),
    "pregnant": pair("pregnant"),
    "smoking": pair("never smoked"),
    "finding": pair("new confusion"),
    "allergy": pair("allergy to {name}"),
    "take": pair("takes {name}"),
    "stop": pair("no longer takes {name}"),
}
_NAMES: Mapping[str, tuple[str, str, str]] = {
    "heart_rate": (*pair("heart rate"), "/min"),
    "respiratory_rate": (*pair("respiratory rate"), "/min"),
    "temperature_c": (*pair("temperature"), "°C"),
    "sbp_mmhg": (*pair("systolic pressure"), "mmHg"),
    "dbp_mmhg": (*pair("diastolic pressure"), "mmHg"),
    "spo2_pct": (*pair("oxygen saturation"), "%"),
    "fio2": (*pair("inspired oxygen fraction"), ""),
    "gcs": (*pair("Glasgow Coma Scale"), ""),
    "age_years": (*pair("age"), "years"),
    "weight_kg": (*pair("weight"), "kg"),
    "height_cm": (*pair("height"), "cm"),
}


def told(patch: Patch, case: Case, language: Language) -> str:
    """The supposition in words, with what the record holds instead.

    Args:
        patch: What is supposed.
        case: The record before it.
        language: Of the reader.
    """
    zh = language == "zh"
    names = _NAMES.get(patch.name)
    if patch.kind == "lab":
        analyte, parsed = analytes()[patch.name], parse_unit(patch.unit)
        name, unit = analyte.name(language), parsed.shown if parsed else patch.unit
    else:
        name, unit = (names[1 if zh else 0], pair("years")[zh] if names[2] == "years" else names[2]) if names else (patch.name, "")
    value = "" if patch.value is None else f"{patch.value:g}"
    text = _SAID[patch.kind][1 if zh else 0].format(name=name, value=value, unit=unit).strip()
    if patch.severity:
        text += pair(" ({severity})", severity=patch.severity)[zh]
    if not patch.yes:
        text = pair("not: {text}", text=text)[zh]
    was = _recorded(patch, case)
    return text if was is None else pair("{text} (record: {was})", text=text, was=was)[zh]


def _recorded(patch: Patch, case: Case) -> str | None:
    if patch.kind == "lab":
        mine = [o for o in case.labs if (found := find_analyte(o.analyte)) is not None and found.id == patch.name and o.value is not None]
        last = max(mine, key=lambda o: o.time or "", default=None)
        return None if last is None else f"{last.value:g} {last.unit or ''}".strip()
    if patch.kind == "vital":
        rows = [v for v in case.vitals if getattr(v, patch.name) is not None]
        return f"{getattr(max(rows, key=lambda v: v.time or ''), patch.name):g}" if rows else None
    value = getattr(case.patient, patch.name, None) if patch.kind == "patient" else None
    return None if value is None else f"{value:g}"
