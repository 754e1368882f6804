"""The list of medicines as a whole: which of them interact, and which need another dose at this kidney function."""

from collections.abc import Sequence

from retrieval.drugs.check import check
from retrieval.drugs.facts import Drug, DrugFact
from retrieval.messages.catalogue import Pair, messages
from tools.bedside.asks.subject import asks
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.drugs.facts import to_evidence
from tools.evidence import Evidence
from tools.labs.value import shown

pair = messages("tools.bedside").pair


def raised(question: str) -> bool:
    """Whether a message asks about interactions or kidney doses of the medicines without naming one."""
    return bool(asks("medicines").search(question)) and (_interactions(question) or _kidney(question))


def _interactions(question: str) -> bool:
    return bool(asks("interact").search(question))


def _kidney(question: str) -> bool:
    return bool(asks("kidney").search(question) and asks("renal_dose").search(question))


def reviewed(record: Record) -> list[Evidence]:
    """What the graph holds on the whole list, kidney doses after interactions; nothing found is said with what was checked.

    Empty where the question names a medicine, a class or a condition of its own, or the record lists no medicine.
    """
    question = record.question
    if not raised(question) or record.graph.mentions(question) or any(m.kind == "class" for m in record.graph.scan(question)):
        return []
    patient = record.patient
    if not patient.current:
        return []
    facts = check(record.graph, (*patient.current, *patient.exposures), patient.context)
    said: list[Evidence] = []
    if _interactions(question):
        said += _pairs(patient.current, [f for f in facts if f.relation == "interacts_with"], record)
    if _kidney(question):
        said += _doses(patient.current, [f for f in facts if f.relation == "adjusts_for"], record)
    if patient.unknown_drugs:
        said.append(_of_list(pair("Not in the drug graph and not checked: {names}.", names=", ".join(patient.unknown_drugs))))
    return [e.model_copy(update={"key": f"B-review-{i}"}) for i, e in enumerate(said)]


def _of_list(text: Pair) -> Evidence:
    """A statement on the list as a whole."""
    return evidence("B-review", *text, "drug knowledge graph", None)


def _listed(drugs: Sequence[Drug], record: Record) -> tuple[str, str]:
    names = [record.graph.name(d.id) for d in drugs]
    return ", ".join(n.en for n in names), "、".join(n.zh for n in names)


def _pairs(drugs: Sequence[Drug], facts: list[DrugFact], record: Record) -> list[Evidence]:
    stated = [f for f in facts if not f.inferred] or facts
    if stated:
        return [to_evidence(record.graph, f) for f in stated]
    said = pair(
        "No interaction found among {names} ({pairs} pairs looked up); absence from the drug graph is not proof of safety.",
        names=_listed(drugs, record),
        pairs=len(drugs) * (len(drugs) - 1) // 2,
    )
    return [_of_list(said)]


def _doses(drugs: Sequence[Drug], facts: list[DrugFact], record: Record) -> list[Evidence]:
    clearance = record.patient.context.crcl
    if clearance is None:
        lacking = record.patient.missing or (pair("creatinine"),)
        missing = ", ".join(en for en, _ in lacking), "、".join(zh for _, zh in lacking)
        return [_of_list(pair("Kidney doses cannot be judged: the clearance is not known (missing: {missing}).", missing=missing))]
    said = [to_evidence(record.graph, f) for f in facts]
    adjusted = {subject for f in facts for subject in f.subjects}
    rest = [d for d in drugs if d.id not in adjusted]
    if rest:
        text = pair(
            "At a creatinine clearance of {value} mL/min the drug graph asks no other dose for {names}.",
            value=shown(round(clearance)),
            names=_listed(rest, record),
        )
        said.append(_of_list(text))
    return said
