"""Small boosted trees over the signs of a claim, as plain data: a leaf is a number, a fork `[sign, limit, left, right]`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Node = float | list[Any]


@dataclass(frozen=True)
class Trees:
    """A sum of trees.

    Attributes:
        base: What is added to their sum.
        signs: Names of the signs that forks ask for by number.
        trees: The trees.
    """

    base: float
    signs: Sequence[str]
    trees: Sequence[Node]

    def doubt(self, found: Mapping[str, float]) -> float:
        """Probability of a fault."""
        values = [found.get(name, 0.0) for name in self.signs]
        score = self.base + sum(_leaf(tree, values) for tree in self.trees)
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, score))))


def _leaf(node: Node, values: Sequence[float]) -> float:
    while isinstance(node, list):
        sign, limit, left, right = node
        node = left if values[sign] <= limit else right
    return node
