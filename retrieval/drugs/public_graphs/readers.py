"""Readers of public biomedical graphs (Hetionet, PrimeKG, DRKG): their rows become one stream of `GraphEdge` with provenance kept.

Nothing is renamed away: `relation` is the schema of this project where the meaning is the same, `original` is what the file says.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from retrieval.errors import BadInput

# Hetionet metaedge abbreviations (Himmelstein et al., eLife 2017;6:e26726, metagraph of hetio/hetionet) to readable relations.
HETIONET_METAEDGES: dict[str, str] = {
    "AdG": "downregulates",
    "AeG": "expresses",
    "AuG": "upregulates",
    "CbG": "binds",
    "CcSE": "causes",
    "CdG": "downregulates",
    "CpD": "palliates",
    "CrC": "resembles",
    "CtD": "treats",
    "CuG": "upregulates",
    "DaG": "associates",
    "DdG": "downregulates",
    "DlA": "localizes",
    "DpS": "presents",
    "DrD": "resembles",
    "DuG": "upregulates",
    "GcG": "covaries",
    "GiG": "interacts",
    "GpBP": "participates",
    "GpCC": "participates",
    "GpMF": "participates",
    "GpPW": "participates",
    "Gr>G": "regulates",
    "PCiC": "includes",
}
# Relations of PrimeKG (Chandak et al., Sci Data 2023;10:67, kg.csv) that this project's schema has under another name.
PRIMEKG_RELATIONS: dict[str, str] = {
    "indication": "treats",
    "off-label use": "treats_off_label",
    "contraindication": "contraindicated_in",
    "drug_drug": "interacts_with",
    "drug_effect": "causes",
    "drug_protein": "binds",
}
# Relations of DRKG (gnn4dr/DRKG relation glossary) with a counterpart here; the key is `source::relation`.
DRKG_RELATIONS: dict[str, str] = {
    "DRUGBANK::treats": "treats",
    "DRUGBANK::ddi-interactor-in": "interacts_with",
    "DRUGBANK::target": "binds",
    "DRUGBANK::enzyme": "metabolised_by",
    "GNBR::T": "treats",
    "GNBR::C": "inhibits_growth_of",
    "Hetionet::CtD": "treats",
    "Hetionet::CcSE": "causes",
    "Hetionet::CpD": "palliates",
    "Hetionet::CbG": "binds",
}
_PRIMEKG_HEADER = [
    "relation",
    "display_relation",
    "x_index",
    "x_id",
    "x_type",
    "x_name",
    "x_source",
    "y_index",
    "y_id",
    "y_type",
    "y_name",
    "y_source",
]


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A node of an imported graph; `id` is unique in its graph (`Compound::DB00682`)."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class GraphEdge:
    """An edge of an imported graph; `provenance` says which file, source and relation it stood under."""

    source: str
    relation: str
    target: str
    original: str
    provenance: str


def _open(path: Path) -> IO[str]:
    if not path.is_file():
        raise BadInput(f"graph file {path.name!r} does not exist")
    if path.suffix == ".gz":
        return TextIOWrapper(gzip.open(path, "rb"), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _rows(path: Path, delimiter: str, width: int, header: list[str] | None) -> Iterator[list[str]]:
    with _open(path) as handle:
        reader = csv.reader(handle, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE)
        if header is not None:
            first = next(reader, [])
            if first != header:
                raise BadInput(f"{path.name}: header {first!r} is not {header!r}")
        for number, row in enumerate(reader, start=1 if header is None else 2):
            if len(row) != width:
                raise BadInput(f"{path.name} line {number}: {len(row)} columns, expected {width}")
            yield row


def hetionet_nodes(path: Path) -> Iterator[GraphNode]:
    """Nodes of `hetionet-v1.0-nodes.tsv`: columns id, name, kind.

    Raises:
        BadInput: When the file is absent or its rows do not have this form.
    """
    for node_id, name, kind in _rows(path, "\t", 3, ["id", "name", "kind"]):
        yield GraphNode(node_id, name, kind)


def hetionet_edges(path: Path) -> Iterator[GraphEdge]:
    """Edges of `hetionet-v1.0-edges.sif.gz`: columns source, metaedge, target.

    Raises:
        BadInput: When the file is absent, a row has another form, or a metaedge is unknown.
    """
    for source, metaedge, target in _rows(path, "\t", 3, ["source", "metaedge", "target"]):
        relation = HETIONET_METAEDGES.get(metaedge)
        if relation is None:
            raise BadInput(f"{path.name}: metaedge {metaedge!r} is none of Hetionet v1.0")
        yield GraphEdge(source, relation, target, metaedge, "Hetionet v1.0")


def primekg(path: Path) -> Iterator[tuple[GraphNode, GraphEdge, GraphNode]]:
    """Edges of PrimeKG's `kg.csv` with both nodes; ids are `type::source:id`.

    Raises:
        BadInput: When the file is absent or its header is not PrimeKG's.
    """
    for row in _rows(path, ",", len(_PRIMEKG_HEADER), _PRIMEKG_HEADER):
        relation, display, _, x_id, x_type, x_name, x_source, _, y_id, y_type, y_name, y_source = row
        x = GraphNode(f"{x_type}::{x_source}:{x_id}", x_name, x_type)
        y = GraphNode(f"{y_type}::{y_source}:{y_id}", y_name, y_type)
        provenance = f"PrimeKG ({x_source}, {y_source}; {display})"
        yield x, GraphEdge(x.id, PRIMEKG_RELATIONS.get(relation, relation), y.id, relation, provenance), y


def drkg(path: Path) -> Iterator[GraphEdge]:
    """Edges of DRKG's `drkg.tsv`: head, `source::relation::types` (or `source::relation:types`), tail, without a header.

    Raises:
        BadInput: When the file is absent or a relation names no source.
    """
    for head, original, tail in _rows(path, "\t", 3, None):
        source, sep, rest = original.partition("::")
        if not sep:
            raise BadInput(f"{path.name}: relation {original!r} names no source")
        name = rest.partition(":")[0]
        yield GraphEdge(head, DRKG_RELATIONS.get(f"{source}::{name}", name), tail, original, f"DRKG ({source})")


def drkg_nodes(edges: Iterator[GraphEdge]) -> Iterator[GraphNode]:
    """Nodes that DRKG's edges name; the kind is what stands before `::`, and DRKG has no other names than ids."""
    seen: set[str] = set()
    for edge in edges:
        for node in (edge.source, edge.target):
            if node not in seen:
                seen.add(node)
                yield GraphNode(node, node.partition("::")[2], node.partition("::")[0])
