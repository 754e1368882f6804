"""Several sources of one patient become one case: what each brought, and where they contradict each other. Nothing is chosen in silence.

A CT, a FHIR bundle and a laboratory sheet are usually of one patient: lists are joined, single values are taken where only one source has
them, and where two sources differ the difference is a `Conflict` that a person decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.case.files import LoadedCase
from tools.case.record import Allergy, Case, Condition, Medication, Observation, Patient, Presentation, StudyRef
from tools.labs.analytes import find_analyte

# Single values of the patient that two sources may not disagree on unnoticed.
_FIELDS = ("age_years", "sex", "weight_kg", "height_cm", "pregnant", "smoking")
# A difference in these means that the sources may be of two people.
_IDENTITY = frozenset({"age_years", "sex"})
_ABSENT = (None, "unknown")


@dataclass(frozen=True)
class Source:
    """One source with the name that a person knows it by; `loaded` is what was read from it."""

    name: str
    loaded: LoadedCase


@dataclass(frozen=True)
class Brought:
    """What a source adds, in numbers, as it is shown before anything is opened."""

    name: str
    counts: dict[str, int]
    fields: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Two sources differ on one thing.

    Attributes:
        id: Stable name, `age_years` or `lab:creatinine@2025-03-01T08:10`.
        field: What it is about, without the time.
        options: (source name, value as written) of every source that has it, in the order of the sources.
        other_person: Whether the difference suggests that the sources are of two people.
    """

    id: str
    field: str
    options: tuple[tuple[str, str], ...]
    other_person: bool = False


@dataclass(frozen=True)
class Merged:
    """The joined case; `parts` names for each study the source it came from and its handle there."""

    case: Case
    brought: tuple[Brought, ...]
    conflicts: tuple[Conflict, ...]
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)


def merge(sources: Sequence[Source], chosen: Mapping[str, int] | None = None) -> Merged:
    """Join sources of one patient.

    Args:
        sources: In the order in which they count where nobody has chosen: the first that has a value gives it.
        chosen: For conflicts by id, the place of the option that a person took.

    Returns:
        The case with every conflict, decided or not.
    """
    chosen = chosen or {}
    conflicts: list[Conflict] = []
    patient = _patient(sources, chosen, conflicts)
    labs = _labs(sources, chosen, conflicts)
    studies, parts = _studies(sources)
    cases = [s.loaded.case for s in sources]
    named = [c for c in cases if c.case_id not in ("sheet", "study")]
    case = Case(
        case_id=(named or cases)[0].case_id,
        synthetic=all(c.synthetic for c in named or cases),
        language=(named or cases)[0].language,
        patient=patient,
        presentation=_presentation([c.presentation for c in cases]),
        vitals=_joined(cases, "vitals"),
        labs=labs,
        lung_function=_joined(cases, "lung_function"),
        medications=_medications(sources, chosen, conflicts),
        studies=studies,
        notes=_joined(cases, "notes"),
    )
    return Merged(case, tuple(_brought(s) for s in sources), tuple(conflicts), parts)


def _joined(cases: Sequence[Case], name: str) -> tuple[Any, ...]:
    """A list of all cases, each entry once."""
    return tuple(dict.fromkeys(item for case in cases for item in getattr(case, name)))


def _patient(sources: Sequence[Source], chosen: Mapping[str, int], conflicts: list[Conflict]) -> Patient:
    values: dict[str, Any] = {}
    for name in _FIELDS:
        held = [(s.name, getattr(s.loaded.case.patient, name)) for s in sources]
        present = [(where, value) for where, value in held if value not in _ABSENT]
        if not present:
            continue
        values[name] = present[0][1]
        if len({str(value) for _, value in present}) > 1:
            options = tuple((where, _written(value)) for where, value in present)
            conflicts.append(Conflict(name, name, options, name in _IDENTITY))
            values[name] = present[_place(chosen, name, len(present))][1]
    people = [s.loaded.case.patient for s in sources]
    allergies: dict[str, Allergy] = {}
    conditions: dict[str, Condition] = {}
    for person in people:
        for allergy in person.allergies:
            allergies.setdefault(allergy.substance.casefold(), allergy)
        for condition in person.conditions:
            conditions.setdefault(condition.code or condition.name.casefold(), condition)
    return Patient(**values, allergies=tuple(allergies.values()), conditions=tuple(conditions.values()))


def _place(chosen: Mapping[str, int], ident: str, count: int) -> int:
    """The option that was chosen; the first where nobody has, or where the choice is none of them."""
    place = chosen.get(ident, 0)
    return place if 0 <= place < count else 0


def _written(value: object) -> str:
    if hasattr(value, "status"):
        return str(value.status)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _presentation(all_of: Sequence[Presentation]) -> Presentation:
    return Presentation(
        question=next((p.question for p in all_of if p.question), None),
        symptoms=tuple(dict.fromkeys(s for p in all_of for s in p.symptoms)),
        duration_days=next((p.duration_days for p in all_of if p.duration_days is not None), None),
        findings=tuple(dict.fromkeys(f for p in all_of for f in p.findings)),
    )


def _labs(sources: Sequence[Source], chosen: Mapping[str, int], conflicts: list[Conflict]) -> tuple[Observation, ...]:
    """All values; one of the same analyte and minute that differs between sources is a conflict."""
    found: dict[tuple[str, str], list[tuple[str, Observation]]] = {}
    for source in sources:
        for o in source.loaded.case.labs:
            known = find_analyte(o.analyte, o.loinc, specimen=o.specimen)
            name = known.id if known else o.analyte.casefold()
            # Undated values of two sources are not of one sample.
            minute = o.time[:16] if o.time else f"undated in {source.name}"
            found.setdefault((name, minute), []).append((source.name, o))
    kept: list[Observation] = []
    for (name, minute), rows in found.items():
        options = list({(o.value, o.unit, o.comparator): (where, o) for where, o in reversed(rows)}.values())[::-1]
        if len({where for where, _ in options}) > 1:
            ident = f"lab:{name}@{minute}"
            written = tuple(
                (where, f"{o.comparator or ''}{o.value:g} {o.unit or ''}".strip()) for where, o in options if o.value is not None
            )
            conflicts.append(Conflict(ident, name, written))
            kept.append(options[_place(chosen, ident, len(options))][1])
        else:
            kept += [o for _, o in options]
    return tuple(kept)


def _value(o: Observation) -> str:
    return "–" if o.value is None else f"{o.comparator or ''}{o.value:g} {o.unit or ''}".strip()


def _medications(sources: Sequence[Source], chosen: Mapping[str, int], conflicts: list[Conflict]) -> tuple[Medication, ...]:
    found: dict[str, list[tuple[str, Medication]]] = {}
    for source in sources:
        for m in source.loaded.case.medications:
            found.setdefault(m.atc or m.name.casefold(), []).append((source.name, m))
    kept = []
    for rows in found.values():
        options = list({(m.dose, m.unit, m.route, m.frequency): (where, m) for where, m in reversed(rows)}.values())[::-1]
        first = options[0][1]
        if len({where for where, _ in options}) > 1:
            ident = f"medicine:{first.name.casefold()}"
            conflicts.append(Conflict(ident, first.name, tuple((where, _dose(m)) for where, m in options)))
            kept.append(options[_place(chosen, ident, len(options))][1])
        else:
            kept += [m for _, m in options]
    return tuple(kept)


def _dose(m: Medication) -> str:
    return " ".join(str(p) for p in (f"{m.dose:g}" if m.dose is not None else None, m.unit, m.route, m.frequency) if p) or "–"


def _studies(sources: Sequence[Source]) -> tuple[tuple[StudyRef, ...], dict[str, tuple[int, str]]]:
    """Studies under new handles `ct-1`, `ct-2`, …; their paths are those that the caller puts them at."""
    rows: list[StudyRef] = []
    parts: dict[str, tuple[int, str]] = {}
    for place, source in enumerate(sources):
        for study in source.loaded.case.studies:
            handle = f"ct-{len(rows) + 1}"
            parts[handle] = (place, study.id)
            rows.append(study.model_copy(update={"id": handle}))
    return tuple(rows), parts


def _brought(source: Source) -> Brought:
    case = source.loaded.case
    counts = {
        "studies": len(case.studies),
        "labs": len(case.labs),
        "vitals": len(case.vitals),
        "medications": len(case.medications),
        "conditions": len(case.patient.conditions),
        "allergies": len(case.patient.allergies),
        "notes": len(case.notes),
        "lung_function": len(case.lung_function),
    }
    fields = tuple(name for name in _FIELDS if getattr(case.patient, name) not in _ABSENT)
    return Brought(source.name, {k: v for k, v in counts.items() if v}, fields, source.loaded.warnings)


def unsettled(merged: Merged, chosen: Mapping[str, int]) -> tuple[Conflict, ...]:
    """Conflicts that nobody has decided."""
    return tuple(c for c in merged.conflicts if c.id not in chosen)
