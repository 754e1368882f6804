"""Whether a medicine is one for what this patient has: the place in treatment that the drug graph lists, or that it lists none here."""

from retrieval.messages.catalogue import messages
from tools.bedside.judging import evidence
from tools.bedside.record.view import Record
from tools.bedside.record.vocabulary import words
from tools.evidence import Evidence

pair = messages("tools.bedside").pair

_MOST_DRUGS = 2
_MOST_PLACES = 2
_MOST_ELSEWHERE = 3


def asks_place(question: str) -> bool:
    """Whether a question asks if a medicine is wanted, not only if it is allowed."""
    return bool(words("wanted").search(question))


def places(question: str, record: Record) -> list[Evidence]:
    """For each medicine that the question would add: its uses among the diseases of the record; without one, what it is listed for.

    Empty where the question only asks whether the medicine is allowed.
    """
    if not asks_place(question):
        return []
    current = {d.id for d in record.patient.current}
    named = [d for d in dict.fromkeys(d.id for d in record.graph.mentions(question)) if d not in current]
    return [e for drug in named[:_MOST_DRUGS] for e in _places(drug, record)]


def _places(drug: str, record: Record) -> list[Evidence]:
    graph = record.graph
    held = graph.with_parents(record.patient.context.conditions)
    uses = graph.facts((drug,), ("treats",))
    mine = [f for f in uses if graph.condition_of(f) in held]
    if mine:
        return [evidence(f"B-place-{drug}-{n}", f.text, f.text_zh, f.source, f.year) for n, f in enumerate(mine[:_MOST_PLACES])]
    if not uses or not held:
        return []
    name = graph.name(drug)
    elsewhere = [graph.condition(c) for f in uses if (c := graph.condition_of(f)) is not None][:_MOST_ELSEWHERE]
    en, zh = pair(
        "{name} is listed for {uses}; the drug graph lists no use of it in what this record shows.",
        name=(name.en, name.zh),
        uses=("; ".join(c.name for c in elsewhere), "；".join(c.name_zh for c in elsewhere)),
    )
    return [evidence(f"B-place-{drug}-0", en, zh, "drug graph", None)]
