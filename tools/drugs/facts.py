"""Facts of the drug graph as citable `Evidence`."""

import re

from retrieval.drugs.facts import DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.evidence import Evidence, Quantity

# A number with the unit that follows it, as the sentences of the drug tables write doses, clearances and times.
_NUMBER = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)\s*"
    r"(mg/kg|mg/dL|mL/min(?:/1\.73 m²)?|mg|mcg|µg|g|%|hours?|days?|weeks?|months?|years?|ms|mmol/L|IU|million units)?(?![\w])"
)
NOT_SAFE = messages("tools.drugs").pair("absence from the drug graph is not proof of safety")


def quantities(text: str) -> tuple[Quantity, ...]:
    """Numbers of a sentence with their units."""
    found = []
    for index, match in enumerate(_NUMBER.finditer(text), start=1):
        digits = match.group(1)
        decimals = len(digits.partition(".")[2])
        found.append(Quantity(name=f"n{index}", value=float(digits), unit=match.group(2) or "", decimals=decimals))
    return tuple(found)


def subject_names(graph: DrugGraph, fact: DrugFact) -> tuple[str, ...]:
    """Canonical lower-case English names of what a fact is about."""
    known = {drug.id: drug.name.lower() for drug in graph.drugs()}
    return tuple(known.get(subject, subject.lower()) for subject in fact.subjects)


def to_evidence(graph: DrugGraph, fact: DrugFact) -> Evidence:
    """One fact as evidence; its path is the locator."""
    return Evidence(
        key=fact.key,
        kind="drug_graph",
        text=fact.text,
        text_zh=fact.text_zh,
        source=fact.source,
        year=fact.year,
        locator=" · ".join(fact.path),
        quantities=quantities(fact.text),
        subjects=subject_names(graph, fact),
        inferred=fact.inferred,
    )
