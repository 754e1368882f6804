"""What of a case the drug graph needs: its drugs, conditions, allergies and creatinine clearance; what could not be resolved is named."""

from dataclasses import dataclass, field

from retrieval.drugs.check import PatientContext
from retrieval.drugs.facts import ChildPugh, Drug
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.case.record import Allergy, Case, Patient
from tools.labs.value import latest
from tools.scores.registry import find
from tools.scores.run import run

pair = messages("tools.drugs").pair
_WORDS = patterns("tools.drugs")

# Ages in which an unknown pregnancy status of a woman has to be asked for.
_FERTILE_AGE = (12.0, 55.0)


@dataclass(frozen=True)
class DrugPatient:
    """A case as the drug graph sees it.

    Attributes:
        current: Drugs the patient takes.
        exposures: Substances that are no medicines but interact (tobacco smoke of a current smoker).
        context: Conditions, allergies and organ function.
        unknown_drugs: Medicines that are not in the graph.
        unknown_allergies: Allergy entries that name nothing in the graph.
        unknown_conditions: Conditions that name nothing in the graph.
        missing: Inputs that were needed and absent, in both languages.
    """

    current: tuple[Drug, ...] = ()
    exposures: tuple[Drug, ...] = ()
    context: PatientContext = field(default_factory=PatientContext)
    unknown_drugs: tuple[str, ...] = ()
    unknown_allergies: tuple[str, ...] = ()
    unknown_conditions: tuple[str, ...] = ()
    missing: tuple[Pair, ...] = ()


def infusion_reaction(allergy: Allergy) -> bool:
    """Whether an entry of the list is no allergy but a glycopeptide run too fast (flushing, itch), without signs of anaphylaxis."""
    told = f"{allergy.reaction or ''} {allergy.severity or ''}"
    by_rate = _WORDS.regex("glycopeptide").search(allergy.substance) and _WORDS.regex("infusion_reaction").search(told)
    return bool(by_rate) and not _WORDS.regex("true_allergy").search(told)


def may_be_pregnant(patient: Patient) -> bool:
    """Whether sex and age leave the question open; an unknown age does."""
    of_age = patient.age_years is None or _FERTILE_AGE[0] <= patient.age_years <= _FERTILE_AGE[1]
    return patient.sex != "male" and (of_age or bool(patient.pregnant))


def read_patient(graph: DrugGraph, case: Case | None) -> DrugPatient:
    """Resolve a case against the graph; nothing unknown is dropped in silence."""
    if case is None:
        return DrugPatient()
    current: list[Drug] = []
    unknown_drugs = []
    for medicine in case.medications:
        by_code = graph.find(medicine.atc) if medicine.atc else None
        found = graph.resolve(medicine.name) or ((by_code,) if by_code else ())
        current += found
        if not found:
            unknown_drugs.append(medicine.name)
    allergens = {a.substance: graph.allergens(a.substance) for a in case.patient.allergies if not infusion_reaction(a)}
    conditions = {c.name: graph.match_conditions(c.name, c.code) for c in case.patient.conditions}
    clearance = creatinine_clearance(case)
    return DrugPatient(
        current=tuple(dict.fromkeys(current)),
        exposures=_exposures(graph, case.patient),
        context=PatientContext(
            conditions=tuple(dict.fromkeys(i for ids in conditions.values() for i in ids)),
            allergies=tuple(dict.fromkeys(i for ids in allergens.values() for i in ids)),
            crcl=clearance,
            hepatic=_child_pugh(tuple(conditions)),
            pregnant=case.patient.pregnant,
            age=case.patient.age_years,
            sex=case.patient.sex,
        ),
        unknown_drugs=tuple(unknown_drugs),
        unknown_allergies=tuple(name for name, ids in allergens.items() if not ids),
        unknown_conditions=tuple(name for name, ids in conditions.items() if not ids),
        missing=_missing(case.patient, clearance),
    )


def _exposures(graph: DrugGraph, patient: Patient) -> tuple[Drug, ...]:
    smokes = patient.smoking is not None and patient.smoking.status == "current"
    return graph.resolve("tobacco smoke") if smokes else ()


def creatinine_clearance(case: Case) -> float | None:
    """Cockcroft–Gault creatinine clearance in mL/min by the calculator of this room; without a creatinine the eGFR of the record.

    None when neither is known. An eGFR is for a body surface of 1.73 m²: for the drug rows' coarse bands it stands for the clearance.
    """
    clearance = run(find("cockcroft_gault"), case, None).value
    return clearance if clearance is not None else recorded_egfr(case)


def recorded_egfr(case: Case) -> float | None:
    """The latest eGFR that stands in the record itself."""
    found = next((r for r in latest(case.labs, case.patient) if r.id == "egfr"), None)
    return found.canonical if found is not None else None


def _child_pugh(names: tuple[str, ...]) -> ChildPugh | None:
    text = " ".join(names).lower().replace("-", " ")
    grades: tuple[ChildPugh, ...] = ("A", "B", "C")
    return next((grade for grade in grades if f"child pugh {grade.lower()}" in text or f"child pugh class {grade.lower()}" in text), None)


def _missing(patient: Patient, clearance: float | None) -> tuple[Pair, ...]:
    missing = [] if clearance is not None else [pair("creatinine clearance (needs serum creatinine, age, sex and weight)")]
    fertile = may_be_pregnant(patient)
    if patient.pregnant is None and patient.sex == "female" and fertile:
        missing.append(pair("pregnancy status"))
    return tuple(missing)
