"""Types of the drug knowledge graph: `Drug` and `DrugFact`.

Absence of an edge is "not in the graph", never "safe".
"""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["contraindicated", "major", "moderate", "minor", "unknown"]
Relation = Literal[
    "treats",
    "contraindicated_in",
    "interacts_with",
    "inhibits",
    "induces",
    "substrate_of",
    "adjusts_for",
    "pregnancy",
    "lactation",
    "allergy_class",
    "cross_reacts_with",
    "monitors",
    "causes",
    "same_class",
]


ChildPugh = Literal["A", "B", "C"]


@dataclass(frozen=True)
class Drug:
    """One drug of the graph; `id` is the lower-case English generic name with hyphens."""

    id: str
    name: str
    name_zh: str
    atc: str | None
    drug_class: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class DrugFact:
    """One statement of the graph with its proof.

    Attributes:
        key: `D-` and six hex digits of the hash of the statement.
        text: The statement in English, a full sentence.
        text_zh: The same in Chinese.
        subjects: Drug ids (and condition or enzyme names) it is about.
        relation: Kind of edge.
        severity: For interactions and contraindications; None elsewhere.
        source: Issuer and title of the source of the row.
        year: Its year.
        inferred: True when derived (for example from CYP edges) and not stated by a source.
        path: The edges that prove it, as readable `a -relation-> b` steps.
        management: What to do, where the source says it.
    """

    key: str
    text: str
    text_zh: str
    subjects: tuple[str, ...]
    relation: Relation
    severity: Severity | None
    source: str
    year: int | None
    inferred: bool
    path: tuple[str, ...]
    management: str | None = None
