"""FHIR R4 bundle to case: clinical content only, identifiers dropped, ages over 89 generalised.

Reads plain JSON: the fields used here are few and checked one by one; whatever does not fit is counted in a warning.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.case.fhir_values import check_shape, clean, codes, concept, day, number, quantity, text_of
from tools.case.record import Allergy, Case, Condition, LungFunction, Medication, Note, Observation, Patient, Sex, Smoking, Vitals
from tools.case.scrub import scrub
from tools.errors import BadInput
from tools.labs.analytes import find_analyte
from tools.labs.units import parse_unit

pair = messages("tools.case").pair

# HIPAA safe harbour (45 CFR 164.514(b)(2)): ages over 89 become one category.
OLDEST_AGE = 90
_VITALS = {
    "8310-5": "temperature_c", "8331-1": "temperature_c", "8867-4": "heart_rate", "9279-1": "respiratory_rate", "8480-6": "sbp_mmhg",
    "8462-4": "dbp_mmhg", "59408-5": "spo2_pct", "2708-6": "spo2_pct", "9269-2": "gcs",
}  # fmt: skip
_LUNG = {"20150-9": "fev1_l", "20152-5": "fev1_pct", "19870-5": "fvc_l", "19872-1": "fvc_pct", "19926-5": "fev1_fvc"}
_GONE = {"resolved", "inactive", "remission", "entered-in-error", "refuted"}
_ENDED = {"stopped", "cancelled", "completed", "entered-in-error", "draft"}
_SMOKING = {"266919005": "never", "8517006": "former", "449868002": "current", "77176002": "current", "428041000124106": "current"}
_READ = ("Patient", "Condition", "AllergyIntolerance", "Observation", "MedicationRequest", "DiagnosticReport")
Resource = dict[str, Any]


@dataclass(frozen=True)
class Imported:
    """A case from a bundle and what was left out."""

    case: Case
    warnings: tuple[str, ...]


def import_bundle(data: Resource, where: str = "bundle") -> Imported:
    """Map one patient's FHIR R4 bundle to a case.

    Args:
        data: The parsed JSON.
        where: Name for messages.

    Raises:
        BadInput: Not a bundle, no patient, or several patients.
    """
    try:
        return _mapped(_resources(data, where), where)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"{where}: {error.title}.{place}: {first['msg']} (got {first.get('input')!r:.80})") from error


def _mapped(resources: list[Resource], where: str) -> Imported:
    patients = [r for r in resources if r.get("resourceType") == "Patient"]
    if len(patients) != 1:
        raise BadInput(Said(*pair("{where}: {count} Patient resources; a case is exactly one patient", where=where, count=len(patients))))
    observations = [
        r for r in resources if r.get("resourceType") == "Observation" and r.get("status") not in ("entered-in-error", "cancelled")
    ]
    last = max((d for r in resources if (d := _date(r))), default=None)
    age, warning = _age(patients[0], last)
    labs, vitals, lung = _labs(observations), _vitals(observations), _lung(observations)
    conditions, ended = _conditions(resources)
    medications, stopped = _medications(resources)
    left = sum(r.get("resourceType") not in _READ for r in resources)
    warnings = [warning] if warning else []
    if ended or stopped:
        warnings.append(Said(*pair("{ended} resolved conditions and {stopped} ended medicines left out", ended=ended, stopped=stopped)))
    warnings.append(Said(*pair("identifiers dropped; {left} resources of other types not used", left=left)))
    case = Case(
        case_id="fhir-import",
        synthetic=False,
        patient=Patient(
            age_years=age,
            sex=_sex(patients[0]),
            weight_kg=_latest(observations, "29463-7", "kg"),
            height_cm=_latest(observations, "8302-2", "cm"),
            smoking=_smoking(observations),
            allergies=_allergies(resources),
            conditions=conditions,
        ),
        vitals=vitals,
        labs=labs,
        lung_function=lung,
        medications=medications,
        notes=_reports(resources),
    )
    return Imported(case, tuple(warnings))


def _resources(data: Resource, where: str) -> list[Resource]:
    if data.get("resourceType") != "Bundle":
        raise BadInput(
            Said(*pair("{where}: resourceType is {kind}; a FHIR R4 Bundle is needed", where=where, kind=repr(data.get("resourceType"))))
        )
    entries = data.get("entry")
    if not isinstance(entries, list) or not entries:
        raise BadInput(Said(*pair("{where}: the bundle has no entries", where=where)))
    found = [e["resource"] for e in entries if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    for index, resource in enumerate(found):
        if resource.get("resourceType") in _READ:
            check_shape(resource, f"{where}: entry {index} ({resource['resourceType']})")
    if not found:
        raise BadInput(f"{where}: no entry of the bundle holds a resource")
    return found


def _of(resources: Iterable[Resource], kind: str) -> list[Resource]:
    return [r for r in resources if r.get("resourceType") == kind]


def _date(resource: Resource) -> date | None:
    for name in ("effectiveDateTime", "authoredOn", "onsetDateTime", "issued"):
        found = day(resource.get(name))
        if found:
            return found
    return None


def _age(patient: Resource, last: date | None) -> tuple[float | None, Said | None]:
    """Age at the last entry (or at death), in whole years; the birth date itself is dropped."""
    born = day(patient.get("birthDate"))
    reference = day(patient.get("deceasedDateTime")) or last
    if born is None or reference is None:
        return None, Said(*pair("age unknown: no birth date or no dated entry"))
    years = reference.year - born.year - ((reference.month, reference.day) < (born.month, born.day))
    if years < 0:
        return None, Said(*pair("age unknown: the birth date is after the last entry"))
    if years >= OLDEST_AGE:
        return float(OLDEST_AGE), Said(*pair("age over 89 was generalised to 90 or older"))
    return float(years), Said(*pair("age is that at the last entry of the bundle"))


def _sex(patient: Resource) -> Sex:
    sexes: dict[str, Sex] = {"male": "male", "female": "female", "other": "other"}
    return sexes.get(str(patient.get("gender")), "unknown")


def _latest(observations: list[Resource], code: str, unit: str) -> float | None:
    rows = [r for r in observations if code in codes(r) and quantity(r) is not None]
    for r in sorted(rows, key=lambda r: str(r.get("effectiveDateTime") or ""), reverse=True):
        found = quantity(r)
        if found and found[1] == unit and found[0] > 0:
            return round(found[0], 1)
    return None


def _smoking(observations: list[Resource]) -> Smoking | None:
    rows = sorted((r for r in observations if "72166-2" in codes(r)), key=lambda r: str(r.get("effectiveDateTime") or ""))
    if not rows:
        return None
    value = rows[-1].get("valueCodeableConcept") or {}
    text = text_of(value).casefold()
    code = next((c for c in concept(value) if c in _SMOKING), None)
    status = (
        _SMOKING[code]
        if code
        else "never"
        if "never" in text
        else "former"
        if "former" in text
        else "current"
        if "current" in text
        else "unknown"
    )
    return Smoking.model_validate({"status": status})


def _allergies(resources: list[Resource]) -> tuple[Allergy, ...]:
    found = []
    for r in _of(resources, "AllergyIntolerance"):
        if set(concept(r.get("clinicalStatus"))) & _GONE or set(concept(r.get("verificationStatus"))) & _GONE:
            continue
        name = text_of(r.get("code"))
        reaction = next((text_of(m) for x in r.get("reaction") or [] for m in x.get("manifestation") or []), None)
        severity = next((x.get("severity") for x in r.get("reaction") or []), None) or r.get("criticality")
        if name:
            found.append(Allergy(substance=_substance(name), reaction=reaction, severity=clean(severity)))
    return tuple(dict.fromkeys(found))


def _substance(name: str) -> str:
    lowered = name.casefold()
    for pattern in ("allergy to ", "allergic to "):
        if lowered.startswith(pattern):
            return name[len(pattern) :].strip()
    return name[: -len(" allergy")].strip() if lowered.endswith(" allergy") else name


def _conditions(resources: list[Resource]) -> tuple[tuple[Condition, ...], int]:
    kept: dict[str, Condition] = {}
    gone = 0
    for r in _of(resources, "Condition"):
        if set(concept(r.get("clinicalStatus"))) & _GONE or set(concept(r.get("verificationStatus"))) & _GONE or r.get("abatementDateTime"):
            gone += 1
            continue
        name = text_of(r.get("code"))
        since = day(r.get("onsetDateTime"))
        code = next(((f"SNOMED:{c}") for c in concept(r.get("code"))), None)
        if name and name not in kept:
            kept[name] = Condition(name=name, code=code, since=str(since.year) if since else None)
    return tuple(kept.values()), gone


def _medications(resources: list[Resource]) -> tuple[tuple[Medication, ...], int]:
    kept: dict[str, Medication] = {}
    ended = 0
    for r in _of(resources, "MedicationRequest"):
        if str(r.get("status")) in _ENDED:
            ended += 1
            continue
        name = text_of(r.get("medicationCodeableConcept"))
        since = day(r.get("authoredOn"))
        if name and name not in kept:
            kept[name] = Medication(name=name, since=str(since.year) if since else None)
    return tuple(kept.values()), ended


def _labs(observations: list[Resource]) -> tuple[Observation, ...]:
    found = []
    for r in sorted(observations, key=lambda r: str(r.get("effectiveDateTime") or "")):
        kinds = {c for x in r.get("category") or [] for c in concept(x)}
        if "laboratory" not in kinds and not any(find_analyte(None, c) for c in codes(r)):
            continue
        for part in [r, *(r.get("component") or [])]:
            measured = quantity(part)
            if measured is not None:
                found.append(_lab(part, r, measured))
    return tuple(found)


def _lab(part: Resource, parent: Resource, measured: tuple[float, str | None, str | None]) -> Observation:
    value, unit, comparator = measured
    loinc = next(iter(codes(part)), None)
    name = text_of(part.get("code"))
    analyte = find_analyte(None, loinc) or find_analyte(name, unit=parse_unit(unit))
    low, high = _printed(part)
    return Observation.model_validate(
        {
            "time": clean(parent.get("effectiveDateTime")),
            "analyte": analyte.id if analyte else name or loinc or "unnamed",
            "loinc": loinc,
            "value": value,
            "unit": unit,
            "comparator": comparator if comparator in ("<", "<=", ">", ">=") else None,
            "reference_low": low,
            "reference_high": high,
        }
    )


def _printed(part: Resource) -> tuple[float | None, float | None]:
    ranges = part.get("referenceRange") or []
    if len(ranges) != 1 or not isinstance(ranges[0], dict):
        return None, None
    return number((ranges[0].get("low") or {}).get("value")), number((ranges[0].get("high") or {}).get("value"))


def _vitals(observations: list[Resource]) -> tuple[Vitals, ...]:
    by_time: dict[str, dict[str, float | str]] = {}
    for r in observations:
        time = clean(r.get("effectiveDateTime")) or ""
        for part in [r, *(r.get("component") or [])]:
            measured = quantity(part)
            name = next((_VITALS[c] for c in codes(part) if c in _VITALS), None)
            if name and measured is not None:
                value = measured[0] if measured[1] not in ("[degF]", "degF") else (measured[0] - 32) / 1.8
                by_time.setdefault(time, {})[name] = int(value) if name == "gcs" else round(value, 1)
    return tuple(Vitals.model_validate({"time": t or None, **values}) for t, values in sorted(by_time.items()))


def _lung(observations: list[Resource]) -> tuple[LungFunction, ...]:
    by_time: dict[str, dict[str, float]] = {}
    for r in observations:
        name = next((_LUNG[c] for c in codes(r) if c in _LUNG), None)
        measured = quantity(r)
        if name and measured is not None:
            value = measured[0] / 100 if name == "fev1_fvc" and measured[1] == "%" else measured[0]
            by_time.setdefault(clean(r.get("effectiveDateTime")) or "", {})[name] = round(value, 3)
    return tuple(LungFunction.model_validate({"time": t or None, **values}) for t, values in sorted(by_time.items()))


def _reports(resources: list[Resource]) -> tuple[Note, ...]:
    """Conclusions of reports; panels without one are only lists of observations that came in already."""
    notes = []
    for r in _of(resources, "DiagnosticReport"):
        conclusion = clean(r.get("conclusion"))
        if conclusion:
            notes.append(Note(time=clean(r.get("effectiveDateTime")), kind="report", text=scrub(conclusion)))
    return tuple(notes)
