"""Edges of the drug knowledge graph as arrays, for the drug-graph encoder of the model room, which must not import the graph itself."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from retrieval.drugs.graph import DrugGraph

# Relations in the order of the array: a listed interaction; a condition that both treat.
RELATIONS = ("interaction", "same_condition")


def drug_edges(graph: DrugGraph, names: Sequence[str]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Edges among drugs of a vocabulary.

    Args:
        graph: Drug knowledge graph.
        names: Vocabulary, in the model's output order.

    Returns:
        `(relations, N, N)` 0 or 1, symmetric, every drug joined to itself; and the names that the graph does not know.
    """
    found = [graph.find(name) for name in names]
    treats: dict[str, set[str]] = {}
    for row in graph.tables.treats:
        treats.setdefault(row.drug, set()).add(row.condition)
    out = np.tile(np.eye(len(names), dtype=np.float32), (len(RELATIONS), 1, 1))
    for i, first in enumerate(found):
        for j, second in enumerate(found[:i]):
            if first is None or second is None or first.id == second.id:
                continue
            joined = (bool(graph.interactions(first.id, second.id)), bool(treats.get(first.id, set()) & treats.get(second.id, set())))
            out[:, i, j] = out[:, j, i] = joined
    return out, tuple(name for name, drug in zip(names, found, strict=True) if drug is None)
