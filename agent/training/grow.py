"""Boosted trees for the second reading, grown with scikit-learn and written as plain data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Signs that never speak for a claim: an objection, a contrary, words that the evidence lacks.
AGAINST = ("rule ", "objection", "contrary", "missing")
# Chosen by leaving one author out at a time.
_SETTINGS = {"max_iter": 150, "learning_rate": 0.05, "max_leaf_nodes": 6, "l2_regularization": 10.0, "min_samples_leaf": 20}
_SHARE = 0.2


def grown(table: NDArray[np.float64], faults: NDArray[np.float64], counts: NDArray[np.float64], names: Sequence[str]) -> dict[str, object]:
    """Trees over the signs as `base`, `signs` and `trees`; signs against a claim only ever raise the doubt."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    rising = [1 if name.startswith(AGAINST) else 0 for name in names]
    model = HistGradientBoostingClassifier(**_SETTINGS, max_features=_SHARE, monotonic_cst=rising, random_state=0)
    model.fit(table, faults > 0, sample_weight=counts)
    found = [_tree(step[0].nodes, 0) for step in model._predictors]
    used = sorted({sign for tree in found for sign in _asked(tree)})
    number = {sign: i for i, sign in enumerate(used)}
    return {
        "base": round(float(model._baseline_prediction.ravel()[0]), 4),
        "signs": [names[sign] for sign in used],
        "trees": [_renumbered(tree, number) for tree in found],
    }


def _tree(nodes: Any, at: int) -> Any:
    node = nodes[at]
    if node["is_leaf"]:
        return round(float(node["value"]), 4)
    limit = round(float(node["num_threshold"]), 6)
    return [int(node["feature_idx"]), limit, _tree(nodes, int(node["left"])), _tree(nodes, int(node["right"]))]


def _asked(tree: Any) -> set[int]:
    return {tree[0]} | _asked(tree[2]) | _asked(tree[3]) if isinstance(tree, list) else set()


def _renumbered(tree: Any, number: dict[int, int]) -> Any:
    if not isinstance(tree, list):
        return tree
    sign, limit, left, right = tree
    return [number[sign], limit, _renumbered(left, number), _renumbered(right, number)]
