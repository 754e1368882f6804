"""The list of medicines as a whole: which of them interact, and which need another dose at this kidney function."""

from collections.abc import Sequence

from retrieval.drugs.check import check
from retrieval.drugs.facts import Drug, DrugFact
from retrieval.messages.catalogue import messages
from tools.bedside.asks.subject import asks
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.evidence import Evidence
from tools.labs.value import shown

pair = messages("tools.bedside").pair

_MOST = 6
_SOURCE = "drug knowledge graph"


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
    lines: list[tuple[str, str, str, int | None]] = []
    if _interactions(question):
        lines += _pairs(patient.current, [f for f in facts if f.relation == "interacts_with"], record)
    if _kidney(question):
        lines += _doses(patient.current, [f for f in facts if f.relation == "adjusts_for"], record)
    if patient.unknown_drugs:
        names = ", ".join(patient.unknown_drugs)
        lines.append((*pair("Not in the drug graph and not checked: {names}.", names=names), _SOURCE, None))
    return [evidence(f"B-review-{i}", en, zh, source, year) for i, (en, zh, source, year) in enumerate(lines)]


def _listed(drugs: Sequence[Drug], record: Record) -> tuple[str, str]:
    names = [record.graph.name(d.id) for d in drugs]
    return ", ".join(n.en for n in names), "、".join(n.zh for n in names)


def _pairs(drugs: Sequence[Drug], facts: list[DrugFact], record: Record) -> list[tuple[str, str, str, int | None]]:
    stated = [f for f in facts if not f.inferred] or facts
    if stated:
        return [(f.text, f.text_zh, f.source, f.year) for f in stated[:_MOST]]
    names, pairs = _listed(drugs, record), len(drugs) * (len(drugs) - 1) // 2
    said = pair(
        "No interaction found among {names} ({pairs} pairs looked up); absence from the drug graph is not proof of safety.",
        names=names,
        pairs=pairs,
    )
    return [(*said, _SOURCE, None)]


def _doses(drugs: Sequence[Drug], facts: list[DrugFact], record: Record) -> list[tuple[str, str, str, int | None]]:
    clearance = record.patient.context.crcl
    if clearance is None:
        lacking = record.patient.missing or (pair("creatinine"),)
        missing = ", ".join(en for en, _ in lacking), "、".join(zh for _, zh in lacking)
        return [(*pair("Kidney doses cannot be judged: the clearance is not known (missing: {missing}).", missing=missing), _SOURCE, None)]
    lines = [(f.text, f.text_zh, f.source, f.year) for f in facts[:_MOST]]
    adjusted = {subject for f in facts for subject in f.subjects}
    rest = [d for d in drugs if d.id not in adjusted]
    if rest:
        value = shown(round(clearance))
        said = pair(
            "At a creatinine clearance of {value} mL/min the drug graph asks no other dose for {names}.",
            value=value,
            names=_listed(rest, record),
        )
        lines.append((*said, _SOURCE, None))
    return lines
