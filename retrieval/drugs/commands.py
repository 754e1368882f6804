"""Commands on the drug graph alone: `drugs query "Q"`, and `drugs import` and `drugs imported` for public graphs."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import typer
from pydantic import BaseModel

from retrieval.drugs.facts import DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.errors import BadInput

if TYPE_CHECKING:
    from retrieval.drugs.public_graphs.engine import KnowledgeGraph


class _Settings(Protocol):
    """What these commands need of the settings."""

    data_dir: Path


class QueryReport(BaseModel):
    """`drugs query`."""

    status: Literal["ok", "partial", "empty"]
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    understood: dict[str, list[str]] = {}
    facts: list[DrugFact] = []


def query(question: Annotated[str, typer.Argument(help="Question about drugs, in English or Chinese.")]) -> QueryReport:
    """Ask the drug knowledge graph; a name that is not in it gives `empty`, never a neighbour."""
    result = DrugGraph.load().query(question)
    q = result.understood
    return QueryReport(
        status=result.status,
        reason=result.reason[0] if result.reason else None,
        warnings=tuple(w[0] for w in result.warnings),
        understood={
            "drugs": list(q.drugs),
            "classes": list(q.classes),
            "conditions": list(q.conditions),
            "targets": list(q.targets),
            "relations": list(q.relations),
            "unknown": list(q.unknown),
        },
        facts=list(result.facts),
    )


class ImportReport(BaseModel):
    """`drugs import`."""

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    format: str
    nodes: int
    edges: int


class ImportedReport(BaseModel):
    """`drugs imported`."""

    status: Literal["ok", "empty"]
    reason: str | None = None
    warnings: tuple[str, ...] = ("imported edges are not curated: they carry no severity and no advice",)
    facts: list[DrugFact] = []


def _saved(ctx: typer.Context, name: str) -> Path:
    settings: _Settings = ctx.obj
    return settings.data_dir / "graphs" / f"{name}.npz"


def _build(form: str, files: list[Path]) -> "KnowledgeGraph":
    from retrieval.drugs.public_graphs.engine import KnowledgeGraph
    from retrieval.drugs.public_graphs.readers import drkg, drkg_nodes, hetionet_edges, hetionet_nodes, primekg

    wanted = {"hetionet": 2, "primekg": 1, "drkg": 1}
    if form not in wanted:
        raise BadInput(f"graph format {form!r} is none of {', '.join(wanted)}")
    if len(files) != wanted[form]:
        raise BadInput(f"{form} takes {wanted[form]} file(s) (hetionet: nodes, then edges), got {len(files)}")
    if form == "hetionet":
        return KnowledgeGraph.build(hetionet_nodes(files[0]), hetionet_edges(files[1]))
    if form == "primekg":
        nodes = (node for x, _, y in primekg(files[0]) for node in (x, y))
        return KnowledgeGraph.build(nodes, (edge for _, edge, _ in primekg(files[0])))
    return KnowledgeGraph.build(drkg_nodes(drkg(files[0])), drkg(files[0]))


def import_graph(
    ctx: typer.Context,
    form: Annotated[str, typer.Argument(help="hetionet, primekg or drkg.")],
    files: Annotated[
        list[Path], typer.Argument(help="The graph's files: nodes and edges (hetionet), kg.csv (primekg) or drkg.tsv (drkg).")
    ],
) -> ImportReport:
    """Import a public knowledge graph and keep it in the data folder."""
    graph = _build(form, files)
    target = _saved(ctx, form)
    target.parent.mkdir(parents=True, exist_ok=True)
    graph.save(target)
    return ImportReport(format=form, nodes=len(graph.nodes), edges=graph.edge_count)


def imported(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Exact name or id of a node.")],
    form: Annotated[str, typer.Option("--graph", help="hetionet, primekg or drkg.")] = "hetionet",
) -> ImportedReport:
    """Facts of an imported graph about a drug, with their provenance."""
    from retrieval.drugs.public_graphs.engine import KnowledgeGraph
    from retrieval.drugs.public_graphs.facts import imported_facts

    facts = imported_facts(KnowledgeGraph.load(_saved(ctx, form)), name)
    if not facts:
        return ImportedReport(
            status="empty", reason=f"{name!r} has no treatment, interaction or side-effect edge in the imported {form} graph"
        )
    return ImportedReport(status="ok", facts=list(facts))


COMMANDS: dict[str, Callable[..., BaseModel]] = {"drugs query": query, "drugs import": import_graph, "drugs imported": imported}
