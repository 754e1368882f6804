"""Part `classes`: heads with exclusive classes (screening, COVID, extent) beside the histogram baseline and the compared weights."""

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.evaluation.features import probabilities
from medmpt_backend.evaluation.figures import PartResult, Resampler, average, figure, known_count
from medmpt_backend.evaluation.findings import HISTOGRAMS
from medmpt_backend.evaluation.linear import class_probabilities, histogram_features
from medmpt_backend.evaluation.text.context import Context

Array = NDArray[np.float64]
# Grades in order: agreement counts how far off, not only whether.
ORDERED = ("extent", "severity")


def run(context: Context) -> PartResult:
    """Measure every head with exclusive classes."""
    result = PartResult(name="classes")
    heads = {n: h for n, h in context.weights.config.heads.items() if h.kind == "multiclass" and context.serves(n)}
    if not heads:
        result.notes.append("the weights have no head with exclusive classes")
    others = context.others() if heads and context.train is not None else {}
    for task, head in heads.items():
        target = context.test.classes(task)
        if known_count(target) < 2:
            result.notes.append(f"{task}: the test studies have no such class")
            continue
        ways = {"model": probabilities(context.found.logits[task], False), **_baselines(context, task, len(head.labels), others)}
        for name, found in ways.items():
            for measure, samples in measures(context.resampler, found, target, task in ORDERED).items():
                result.figures[f"{task}/{measure}/{name}"] = figure(samples, known_count(target))
    if heads and context.train is None:
        result.notes.append("baselines: give --train")
    return result


def _baselines(
    context: Context, task: str, classes: int, others: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> dict[str, Array]:
    train, test = context.train, context.test
    if train is None or context.learned is None:
        return {}
    target, out = train.classes(task), {}
    counted = context.counted
    if counted is not None and counted.histograms is not None and test.histograms is not None:
        for name, outlined in HISTOGRAMS:
            known, wanted = (histogram_features(part, outlined) for part in (counted.histograms, test.histograms))
            out[name] = class_probabilities(known, counted.classes(task), wanted, classes)
    linear = {"linear": (context.learned.scan, context.found.scan), **{f"linear {name}": sets for name, sets in others.items()}}
    for name, (rows, asked) in linear.items():
        out[name] = class_probabilities(rows.astype(np.float64), target, asked.astype(np.float64), classes)
    return out


def measures(resampler: Resampler, found: Array, target: Array, ordered: bool) -> dict[str, Array]:
    """AUC (one against the rest, mean over classes), accuracy and, for ordered classes, kappa with quadratic weights.

    Args:
        resampler: Weights of studies.
        found: `(N, classes)` probabilities.
        target: `(N,)` class numbers or NaN.
        ordered: Whether classes are grades.
    """
    count = found.shape[1]
    said = found.argmax(1).astype(np.float64)
    known = ~np.isnan(target)
    sides = range(count) if count > 2 else [count - 1]
    aucs = {str(c): resampler.auc(found[:, c], np.where(known, (target == c).astype(float), np.nan)) for c in sides}
    out = {"auc": average(aucs), "accuracy": resampler.mean(np.where(known, (said == target).astype(float), np.nan))}
    if ordered:
        out["kappa"] = _quadratic_kappa(resampler.weights[:, known], said[known].astype(int), target[known].astype(int), count)
    return out


def _quadratic_kappa(weights: Array, said: NDArray[np.int64], truth: NDArray[np.int64], classes: int) -> Array:
    """Cohen's kappa with quadratic weights of each sample."""
    cell = said * classes + truth
    table = np.stack([weights[:, cell == k].sum(1) for k in range(classes**2)], 1).reshape(-1, classes, classes)
    table /= np.maximum(table.sum((1, 2), keepdims=True), 1e-12)
    expected = table.sum(2)[:, :, None] * table.sum(1)[:, None, :]
    cost = (np.arange(classes)[:, None] - np.arange(classes)[None]) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        out: Array = 1 - (table * cost).sum((1, 2)) / (expected * cost).sum((1, 2))
    return out
