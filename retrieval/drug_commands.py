"""Command on the drug graph alone: `drugs query "Q"`."""

from collections.abc import Callable
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from retrieval.drugs import DrugGraph
from retrieval.facts import DrugFact, Relation, Severity


class FactReport(BaseModel):
    """One fact as the contract prints it."""

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


class QueryReport(BaseModel):
    """`drugs query`."""

    status: Literal["ok", "partial", "empty"]
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    understood: dict[str, list[str]] = {}
    facts: list[FactReport] = []


def _fact(fact: DrugFact) -> FactReport:
    return FactReport(
        key=fact.key,
        text=fact.text,
        text_zh=fact.text_zh,
        subjects=fact.subjects,
        relation=fact.relation,
        severity=fact.severity,
        source=fact.source,
        year=fact.year,
        inferred=fact.inferred,
        path=fact.path,
    )


def query(question: Annotated[str, typer.Argument(help="Question about drugs, in English or Chinese.")]) -> QueryReport:
    """Ask the drug knowledge graph; a name that is not in it gives `empty`, never a neighbour."""
    result = DrugGraph.load().query(question)
    q = result.understood
    return QueryReport(
        status=result.status,
        reason=result.reason,
        warnings=result.warnings,
        understood={
            "drugs": list(q.drugs),
            "classes": list(q.classes),
            "conditions": list(q.conditions),
            "targets": list(q.targets),
            "relations": list(q.relations),
            "unknown": list(q.unknown),
        },
        facts=[_fact(f) for f in result.facts],
    )


COMMANDS: dict[str, Callable[..., BaseModel]] = {"drugs query": query}
