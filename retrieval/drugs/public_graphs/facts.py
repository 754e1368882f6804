"""Facts of imported graphs: edges that this project's schema knows become `DrugFact`s that name the graph they come from.

They are kept apart from the curated tables: an imported edge says that a database lists a pair, not how severe it is or what to do.
"""

from retrieval.drugs.facts import DrugFact, Relation, Severity
from retrieval.drugs.public_graphs.engine import Hop, KnowledgeGraph
from retrieval.drugs.tables import Source
from retrieval.drugs.text import make_fact
from retrieval.messages.catalogue import messages

pair = messages("retrieval.drugs").pair

_VERBS: dict[str, tuple[Relation, str, str]] = {
    "treats": ("treats", *pair("lists {a} as a treatment of {b}")),
    "contraindicated_in": ("contraindicated_in", *pair("lists {a} as contraindicated in {b}")),
    "interacts_with": (
        "interacts_with",
        *pair("lists an interaction of {a} with {b}, without its severity"),
    ),
    "causes": ("causes", *pair("lists {b} as a side effect of {a}")),
}
# Publication years of the releases that the importers read.
_YEARS = {"Hetionet v1.0": 2017, "PrimeKG": 2023, "DRKG": 2020}


def imported_facts(graph: KnowledgeGraph, name: str) -> tuple[DrugFact, ...]:
    """Facts about the nodes of exactly this name or id; empty when the graph has none."""
    names = {node.id: node.name for node in graph.nodes}
    facts = {}
    for node in graph.find(name):
        for hop in graph.neighbours(node.id, frozenset(_VERBS)):
            fact = _fact(hop, names)
            facts[fact.key] = fact
    return tuple(facts.values())


def _fact(hop: Hop, names: dict[str, str]) -> DrugFact:
    relation, verb, verb_zh = _VERBS[hop.relation]
    first, second = (hop.source, hop.target) if hop.forward else (hop.target, hop.source)
    words = {"a": names[first], "b": names[second]}
    year = next((str(y) for release, y in _YEARS.items() if hop.provenance.startswith(release)), "")
    source = Source("", hop.provenance, "imported knowledge graph", year, "", "")
    texts = (f"{hop.provenance} {verb.format(**words)}.", f"{hop.provenance} {verb_zh.format(**words)}。")
    severity: Severity | None = "unknown" if relation == "interacts_with" else None
    return make_fact(relation, (names[first].lower(), names[second].lower()), texts, source, (str(hop),), severity)
