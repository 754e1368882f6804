"""Part `calibration`: expected calibration error of the findings before and after temperature scaling.

One temperature for the head (Guo et al., ICML 2017, "On Calibration of Modern Neural Networks"), fitted on validation studies, or where
there are none on the other fold of the test studies.
"""

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.evaluation.figures import Figure, PartResult, Resampler, figure
from medmpt_backend.evaluation.findings import TASK, measured_labels
from medmpt_backend.evaluation.text.context import Context

Array = NDArray[np.float64]
_BINS = 15


def run(context: Context) -> PartResult:
    """Measure how far probabilities are from frequencies."""
    result = PartResult(name="calibration")
    if not context.serves(TASK):
        result.notes.append("the weights have no findings head")
        return result
    labels, head = measured_labels(context), context.weights.config.heads[TASK]
    columns = [head.labels.index(label) for label in labels]
    logits = context.found.logits[TASK][:, columns].astype(np.float64)
    target = np.stack([context.test.labels(label) for label in labels], 1)
    if context.val is not None and context.checked is not None:
        truth = np.stack([context.val.labels(label) for label in labels], 1)
        temperature = fit_temperature(context.checked.logits[TASK][:, columns].astype(np.float64), truth)
        scaled = logits / temperature
        result.figures["temperature"] = Figure(value=round(temperature, 4), n=len(context.val))
    else:
        fold = np.arange(len(logits)) % 2
        scaled = np.empty_like(logits)
        for k in (0, 1):
            scaled[fold == k] = logits[fold == k] / fit_temperature(logits[fold != k], target[fold != k])
        result.notes.append("temperature: no validation studies were given, so each half of the test studies was scaled by the other")
    before, after = (expected_error(context.resampler, sigmoid(x), target) for x in (logits, scaled))
    result.figures["ece/before"] = figure(before, len(context.test))
    result.figures["ece/after"] = figure(after, len(context.test))
    result.figures["ece/change"] = figure(after - before, len(context.test))
    result.notes.append(f"the stored probabilities count as {'calibrated' if head.calibrated else 'not calibrated'}")
    return result


def sigmoid(logits: Array) -> Array:
    """Probability of logits."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))))


def fit_temperature(logits: Array, target: Array) -> float:
    """Temperature with the smallest log loss over known targets."""
    from scipy.optimize import minimize_scalar

    known = ~np.isnan(target)
    x, y = logits[known], target[known]

    def loss(log_temperature: float) -> float:
        z = x / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, z) - y * z))

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def expected_error(resampler: Resampler, likely: Array, target: Array) -> Array:
    """ECE of each sample: mean distance of probability and frequency over 15 equal bins, all labels together.

    Args:
        resampler: Weights of studies.
        likely: `(N, labels)` probabilities.
        target: `(N, labels)` 0, 1 or NaN.
    """
    known = ~np.isnan(target)
    where = np.minimum((likely * _BINS).astype(int), _BINS - 1)
    total, error = np.zeros(len(resampler.weights)), np.zeros(len(resampler.weights))
    for b in range(_BINS):
        inside = known & (where == b)
        gap = resampler.weights @ np.where(inside, likely - np.nan_to_num(target), 0.0).sum(1)
        total += resampler.weights @ inside.sum(1)
        error += np.abs(gap)
    return error / np.maximum(total, 1e-12)
