"""Embedded engine for imported graphs of millions of edges: compressed sparse rows in numpy arrays.

Chosen by measurement (`benchmarks/drug_graph.py`): at Hetionet's size it answers two-hop queries faster than rustworkx, SQLite and
networkx, with a short tail at hubs, in less memory than the graph libraries; it loads its own file in seconds and needs only numpy.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.drugs.public_graphs.readers import GraphEdge, GraphNode
from retrieval.errors import BadInput

_FORMAT = 1
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Hop:
    """One step: `forward` is False when the edge was walked against its direction."""

    source: str
    relation: str
    target: str
    provenance: str
    forward: bool

    def __str__(self) -> str:
        """The edge as readable proof."""
        return f"{self.source} -{self.relation}-> {self.target}" if self.forward else f"{self.target} -{self.relation}-> {self.source}"


@dataclass(frozen=True)
class _Half:
    """Edges sorted by node: neighbours of node i are `other[start[i]:start[i + 1]]`, with the edge label beside."""

    start: NDArray[np.int64]
    other: Ints
    label: NDArray[np.uint16]


class KnowledgeGraph:
    """Nodes and labelled edges; a label is (relation, original relation, provenance)."""

    def __init__(self, nodes: tuple[GraphNode, ...], labels: tuple[tuple[str, str, str], ...], out: _Half, back: _Half) -> None:
        self.nodes = nodes
        self.labels = labels
        self._out = out
        self._back = back
        self._index = {node.id: i for i, node in enumerate(nodes)}
        self._by_name: dict[str, list[int]] = {}
        for i, node in enumerate(nodes):
            self._by_name.setdefault(node.name.casefold(), []).append(i)

    @classmethod
    def build(cls, nodes: Iterable[GraphNode], edges: Iterable[GraphEdge]) -> "KnowledgeGraph":
        """Index nodes and edges; a node listed twice counts once.

        Raises:
            BadInput: When an edge names a node that is not listed.
        """
        unique = tuple({node.id: node for node in nodes}.values())
        index = {node.id: i for i, node in enumerate(unique)}
        labels: dict[tuple[str, str, str], int] = {}
        sources, targets, kinds = [], [], []
        for edge in edges:
            if edge.source not in index or edge.target not in index:
                missing = edge.source if edge.source not in index else edge.target
                raise BadInput(f"edge {edge.original!r} names {missing!r}, which is no listed node")
            sources.append(index[edge.source])
            targets.append(index[edge.target])
            kinds.append(labels.setdefault((edge.relation, edge.original, edge.provenance), len(labels)))
        return cls.from_arrays(unique, tuple(labels), np.array(sources, np.int32), np.array(targets, np.int32), np.array(kinds, np.uint16))

    @classmethod
    def from_arrays(
        cls, nodes: tuple[GraphNode, ...], labels: tuple[tuple[str, str, str], ...], source: Ints, target: Ints, label: NDArray[np.uint16]
    ) -> "KnowledgeGraph":
        """Index edges given as arrays `(E,)` of node positions and label numbers."""
        return cls(nodes, labels, _half(len(nodes), source, target, label), _half(len(nodes), target, source, label))

    @property
    def edge_count(self) -> int:
        """Number of edges."""
        return int(self._out.other.size)

    def find(self, name_or_id: str) -> tuple[GraphNode, ...]:
        """Nodes with this id, or with exactly this name in any case."""
        if name_or_id in self._index:
            return (self.nodes[self._index[name_or_id]],)
        return tuple(self.nodes[i] for i in self._by_name.get(name_or_id.casefold(), ()))

    def neighbours(self, node_id: str, relations: frozenset[str] | None = None) -> Iterator[Hop]:
        """Edges at a node in both directions, as hops that start there."""
        i = self._index[node_id]
        for half, forward in ((self._out, True), (self._back, False)):
            for at in range(int(half.start[i]), int(half.start[i + 1])):
                relation, _, provenance = self.labels[half.label[at]]
                if relations is None or relation in relations:
                    yield Hop(node_id, relation, self.nodes[half.other[at]].id, provenance, forward)

    def two_hops(self, node_id: str, kind: str | None = None) -> dict[str, int]:
        """Nodes two steps away (either direction) with the number of paths, all or of one kind; the start itself is left out."""
        start = self._index[node_id]
        first = self._around(np.array([start], dtype=np.int64))
        second = self._around(first)
        ends, counts = np.unique(second, return_counts=True)
        return {
            self.nodes[e].id: int(n)
            for e, n in zip(ends.tolist(), counts.tolist(), strict=True)
            if e != start and (kind is None or self.nodes[e].kind == kind)
        }

    def _around(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.concatenate([_gather(half, at) for half in (self._out, self._back)])

    def paths(self, source_id: str, target_id: str, limit: int = 20) -> tuple[tuple[Hop, Hop], ...]:
        """Two-step paths between two nodes, as proof."""
        last = {hop.target: hop for hop in self.neighbours(target_id)}
        found = []
        for hop in self.neighbours(source_id):
            end = last.get(hop.target)
            if end is not None:
                found.append((hop, Hop(end.target, end.relation, target_id, end.provenance, not end.forward)))
                if len(found) == limit:
                    break
        return tuple(found)

    def save(self, path: Path) -> None:
        """Write arrays and names as one uncompressed `.npz`."""
        np.savez(
            path,
            format=np.array(_FORMAT),
            id=_packed(n.id for n in self.nodes),
            name=_packed(n.name for n in self.nodes),
            kind=_packed(n.kind for n in self.nodes),
            labels=_packed("\t".join(label) for label in self.labels),
            source=np.repeat(np.arange(len(self.nodes), dtype=np.int32), np.diff(self._out.start)),
            target=self._out.other,
            label=self._out.label,
        )

    @classmethod
    def load(cls, path: Path) -> "KnowledgeGraph":
        """Read what `save` wrote.

        Raises:
            BadInput: When the file is absent or of another format.
        """
        if not path.is_file():
            raise BadInput(f"graph file {path.name!r} does not exist; import it first")
        with np.load(path, allow_pickle=False) as data:
            if "format" not in data or int(data["format"]) != _FORMAT:
                raise BadInput(f"{path.name} is no graph of format {_FORMAT}; import it again")
            columns = (data[name].tobytes().decode().split("\n") for name in ("id", "name", "kind"))
            nodes = tuple(GraphNode(*row) for row in zip(*columns, strict=True))
            rows = [line.split("\t") for line in data["labels"].tobytes().decode().split("\n")]
            labels = tuple((relation, original, provenance) for relation, original, provenance in rows)
            return cls.from_arrays(nodes, labels, data["source"], data["target"], data["label"])


def _packed(lines: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def _half(nodes: int, at: Ints, other: Ints, label: NDArray[np.uint16]) -> _Half:
    order = np.argsort(at, kind="stable")
    start = np.zeros(nodes + 1, dtype=np.int64)
    np.cumsum(np.bincount(at, minlength=nodes), out=start[1:])
    return _Half(start, other[order], label[order])


def _gather(half: _Half, at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Neighbours of all nodes `at`, repeated as often as they are reached."""
    begin, length = half.start[at], half.start[at + 1] - half.start[at]
    total = int(length.sum())
    if total == 0:
        return np.empty(0, dtype=np.int64)
    offset = np.repeat(begin - np.concatenate(([0], np.cumsum(length)[:-1])), length)
    found: NDArray[np.int64] = half.other[offset + np.arange(total)].astype(np.int64)
    return found
