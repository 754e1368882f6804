"""Logistic regressions of many labels at once over the same features: one minimisation, a dense block and a sparse one."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.optimize import minimize

_STEPS = 80
# A gradient this small for a mean loss per label moves no probability by a percent.
_STILL = 1e-4


@dataclass(frozen=True)
class Design:
    """Features of many rows: the first columns dense, the others sparse.

    Attributes:
        dense: `(rows, d)` float32.
        sparse: `(rows, s)` float32.
    """

    dense: NDArray[np.float32]
    sparse: sparse.csr_matrix

    def of(self, rows: NDArray[np.bool_]) -> "Design":
        """Some of the rows."""
        return Design(self.dense[rows], self.sparse[rows])

    def score(self, coef: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of all labels, `(rows, labels)`."""
        d = self.dense.shape[1]
        out: NDArray[np.float32] = self.dense @ coef[:, :d].T + self.sparse @ np.ascontiguousarray(coef[:, d:].T) + bias
        return out


def fit_labels(
    x: Design, y: NDArray[np.bool_], weight: NDArray[np.float32], strength: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Minimise, for every label, `|w|^2 / 2 + strength * weighted sum of log losses`.

    Args:
        x: Features.
        y: `(rows, labels)`.
        weight: `(rows, labels)`: what a row counts for a label; 0 where it says nothing about it.
        strength: Weight of the data against the penalty.

    Returns:
        Coefficients `(labels, columns)` and biases `(labels,)`.
    """
    d, s, labels = x.dense.shape[1], x.sparse.shape[1], y.shape[1]
    target = y.astype(np.float32)
    back = x.sparse.T.tocsr()
    size = labels * (d + s)
    share = np.clip((target * weight).sum(0) / np.maximum(weight.sum(0), 1), 1e-4, 1 - 1e-4)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coef, bias = flat[:size].reshape(labels, d + s).astype(np.float32), flat[size:].astype(np.float32)
        score = x.score(coef, bias)
        p = 1.0 / (1.0 + np.exp(-score))
        value = weight * (np.logaddexp(0.0, score) - target * score)
        slope = strength * weight * (p - target)
        gradient = np.concatenate([slope.T @ x.dense, (back @ slope).T], axis=1) + coef
        total = 0.5 * float((coef.astype(np.float64) ** 2).sum()) + strength * float(value.sum(dtype=np.float64))
        return total / len(y), np.concatenate([gradient.ravel(), slope.sum(0)]).astype(np.float64) / len(y)

    start = np.concatenate([np.zeros(size), np.log(share / (1 - share))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "maxcor": 8, "gtol": _STILL})
    return found.x[:size].reshape(labels, d + s).astype(np.float32), found.x[size:].astype(np.float32)
