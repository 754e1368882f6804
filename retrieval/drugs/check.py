"""Check of drugs against a patient: interactions, contraindications, allergy, renal and hepatic rules, pregnancy, duplications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from retrieval.drugs.edges import FactGraph
from retrieval.drugs.facts import ChildPugh, Drug, DrugFact
from retrieval.drugs.tables import ConditionRow
from retrieval.drugs.text import SEVERITY_RANK, class_fact

Kidney = Literal["crcl", "egfr"]


@dataclass(frozen=True)
class PatientContext:
    """What is known of the patient; None means unknown, never normal.

    Attributes:
        conditions: Ids of conditions of the graph.
        allergies: Drug ids the patient is allergic to (a class allergy lists its members).
        crcl: Cockcroft–Gault creatinine clearance, mL/min.
        egfr: Estimated GFR, mL/min/1.73 m².
        hepatic: Child-Pugh class.
        pregnant: Pregnancy.
        lactating: Breastfeeding.
        age: Years.
        sex: `male` or `female`.
    """

    conditions: tuple[str, ...] = ()
    allergies: tuple[str, ...] = ()
    crcl: float | None = None
    egfr: float | None = None
    hepatic: ChildPugh | None = None
    pregnant: bool | None = None
    lactating: bool | None = None
    age: float | None = None
    sex: str | None = None


def by_rule(conditions: Iterable[ConditionRow], age: float | None, sex: str | None) -> tuple[str, ...]:
    """Conditions that follow from age and sex; none where these are unknown."""
    return tuple(c.id for c in conditions if c.rule and _holds(c.rule, age, sex))


def _holds(rule: str, age: float | None, sex: str | None) -> bool:
    if rule.startswith("sex="):
        return sex == rule[4:]
    if age is None:
        return False
    return age < float(rule[4:]) if rule.startswith("age<") else age >= float(rule[5:])


def check(graph: FactGraph, drugs: Sequence[Drug], patient: PatientContext) -> tuple[DrugFact, ...]:
    """All facts that speak against the drugs or ask for another dose, most severe first, listed before inferred."""
    facts: list[DrugFact] = []
    unique = list(dict.fromkeys(drugs))
    for a, b in combinations(unique, 2):
        facts += graph.interactions(a.id, b.id)
        facts += duplicates(graph, a, b)
    for drug in unique:
        facts += patient_facts(graph, drug, patient, unique)
    found = {fact.key: fact for fact in facts}
    return tuple(sorted(found.values(), key=severity_order))


def severity_order(fact: DrugFact) -> tuple[int, bool]:
    """Sort key: severity, listed before inferred; the order of the tables otherwise stays."""
    return (SEVERITY_RANK[fact.severity] if fact.severity else 5, fact.inferred)


def duplicates(graph: FactGraph, a: Drug, b: Drug) -> list[DrugFact]:
    """Duplication of class, where the class counts as one treatment and no listed interaction already says so."""
    shared = [g for g in graph.groups_of(a.id) if g in graph.groups_of(b.id) and graph.is_duplicate_group(g)]
    if not shared:
        return []
    return [class_fact(graph.name(a.id), graph.name(b.id), graph.group_name(shared[0]), graph.atc_source, duplicate=True)]


def patient_facts(graph: FactGraph, drug: Drug, patient: PatientContext, taken: Iterable[Drug] = ()) -> list[DrugFact]:
    """Facts of one drug for this patient, who also takes `taken`."""
    held = graph.with_parents((*patient.conditions, *by_rule(graph.conditions(), patient.age, patient.sex)))
    if patient.pregnant:
        held = (*held, "pregnancy-state")
    together = [d.id for d in taken]
    facts = [
        f for f in graph.facts((drug.id,), ("contraindicated_in",)) if graph.condition_of(f) in held and not graph.excused(f, together)
    ]
    facts += graph.dose_rules(drug.id, crcl=patient.crcl, egfr=patient.egfr, hepatic=patient.hepatic)
    if patient.pregnant:
        facts += graph.facts((drug.id,), ("pregnancy",))
    if patient.lactating:
        facts += graph.facts((drug.id,), ("lactation",))
    for allergen in patient.allergies:
        facts += graph.cross_reactions(allergen, drug.id)
    return facts
