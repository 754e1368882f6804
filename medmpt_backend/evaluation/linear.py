"""Logistic regressions that stand beside the model: on intensity histograms, on frozen features, on laboratory values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.evaluation.figures import weighted_auc

Array = NDArray[np.float64]
_STRENGTHS = (0.003, 0.03, 0.3)
# Weight decay of `fitted_scores`, per output and study: about C = 0.03 with 2000 studies and 55 outputs.
_DECAY = 1e-4
# Fewer training studies than this choose no strength of regularisation: the middle one is taken.
_LEAST_TO_CHOOSE = 150


@dataclass(frozen=True, eq=False)
class Standard:
    """Columns to zero mean and unit deviation, as the training studies have them."""

    mean: Array
    scale: Array

    @classmethod
    def of(cls, rows: Array) -> "Standard":
        """From training rows `(N, F)`."""
        scale = rows.std(0)
        return cls(rows.mean(0), np.where(scale > 1e-9, scale, 1.0))

    def __call__(self, rows: Array) -> Array:
        """Standardised rows, cut at 8 deviations."""
        return np.clip((rows - self.mean) / self.scale, -8, 8)


def histogram_features(counts: Array, outlined: bool = False) -> Array:
    """Counts `(N, 2 * bins)` of volume and lungs to square roots of shares and logarithms: what a linear classifier separates best.

    Args:
        counts: Voxels per bin.
        outlined: Also those inside the lungs as painted, whose outline no model is given; otherwise the raw volume alone.
    """
    halves = np.split(counts, 2, 1)[: 2 if outlined else 1]
    shares = np.concatenate([h / np.maximum(h.sum(1, keepdims=True), 1) for h in halves], 1)
    return np.concatenate([np.sqrt(shares), np.log(shares + 1e-5)], 1)


def _fit(rows: Array, target: Array, strength: float) -> "object":
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(rows, target)


def binary_scores(train: Array, target: Array, test: Array) -> Array:
    """Logits of a logistic regression for `test`; its strength is chosen on every fifth training study. A constant without both classes.

    Args:
        train: `(N, F)`.
        target: `(N,)` 0, 1 or NaN for unknown.
        test: `(M, F)`.
    """
    known = ~np.isnan(target)
    rows, truth = train[known], target[known]
    if len(set(truth.tolist())) < 2:
        return np.zeros(len(test))
    standard = Standard.of(rows)
    rows = standard(rows)
    strength = _STRENGTHS[1]
    held = np.arange(len(rows)) % 5 == 4
    if len(rows) >= _LEAST_TO_CHOOSE and min(truth[held].sum(), (1 - truth[held]).sum(), truth[~held].sum()) >= 3:
        quality = {}
        for candidate in _STRENGTHS:
            scores = _fit(rows[~held], truth[~held], candidate).decision_function(rows[held])  # type: ignore[attr-defined]
            quality[candidate] = float(weighted_auc(scores, truth[held], np.ones((1, int(held.sum()))))[0])
        strength = max(quality, key=lambda c: quality[c])
    out: Array = _fit(rows, truth, strength).decision_function(standard(test))  # type: ignore[attr-defined]
    return out


def class_probabilities(train: Array, target: Array, test: Array, classes: int) -> Array:
    """Probabilities `(M, classes)` of a multinomial logistic regression; classes that training lacks get 0."""
    known = ~np.isnan(target)
    rows, truth = train[known], target[known].astype(int)
    out = np.zeros((len(test), classes))
    seen = sorted(set(truth.tolist()))
    if len(seen) < 2:
        out[:, seen] = 1.0
        return out
    standard = Standard.of(rows)
    model = _fit(standard(rows), truth, _STRENGTHS[1])
    out[:, seen] = model.predict_proba(standard(test))  # type: ignore[attr-defined]
    return out


def fitted_scores(train: Array, targets: Array, test: Array) -> Array:
    """Probabilities `(M, outputs)` of one logistic regression per output, all fitted together by gradient descent with weight decay.

    Args:
        train: `(N, F)` standardised.
        targets: `(N, outputs)` of 0 and 1.
        test: `(M, F)` standardised alike.
    """
    import torch

    rows, wanted = torch.from_numpy(train).float(), torch.from_numpy(targets).float()
    share = wanted.mean(0).clamp(1e-4, 1 - 1e-4)
    weight, bias = torch.zeros((rows.shape[1], wanted.shape[1]), requires_grad=True), torch.logit(share).requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=60, history_size=8, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(rows @ weight + bias, wanted) + _DECAY * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        out: Array = (torch.from_numpy(test).float() @ weight + bias).sigmoid().double().numpy()
    return out


def share_of(count: int, share: float, seed: int) -> NDArray[np.int64]:
    """A random share of `count` training studies, at least 10."""
    wanted = min(count, max(10, round(share * count)))
    out: NDArray[np.int64] = np.random.default_rng(seed).permutation(count)[:wanted]
    return out


def column(values: Sequence[float | None]) -> Array:
    """None as NaN."""
    return np.array([np.nan if v is None else float(v) for v in values])
