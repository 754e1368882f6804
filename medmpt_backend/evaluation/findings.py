"""Part `findings`: AUC per label, operating points, the histogram baseline with the paired margin, nodules by size, label efficiency."""

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.evaluation.features import probabilities
from medmpt_backend.evaluation.figures import Figure, PartResult, average, figure, known_count
from medmpt_backend.evaluation.linear import binary_scores, histogram_features, share_of
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.findings import COARSE

Array = NDArray[np.float64]
TASK = "findings"
# Size bands of a study's largest nodule in mm: Fleischner (6, 8) and what is usually seen without effort (12).
SIZES: tuple[tuple[str, float, float], ...] = (("<6mm", 0, 6), ("6-8mm", 6, 8), ("8-12mm", 8, 12), (">12mm", 12, 1e9))
SHARES = (0.01, 0.1, 1.0)
_DRAWS = 3


def measured_labels(context: Context) -> list[str]:
    """Labels of the head among the 18, or all of the head where it has none of them."""
    labels = context.weights.config.heads[TASK].labels
    return [label for label in labels if label in COARSE] or list(labels)


def run(context: Context) -> PartResult:
    """Measure the findings head."""
    result = PartResult(name=TASK)
    if not context.serves(TASK):
        result.notes.append("the weights have no findings head")
        return result
    labels, head = measured_labels(context), context.weights.config.heads[TASK]
    scores = {label: context.found.logits[TASK][:, head.labels.index(label)].astype(np.float64) for label in labels}
    target = {label: context.test.labels(label) for label in labels}
    aucs = {label: context.resampler.auc(scores[label], target[label]) for label in labels}
    missing = [label for label in labels if not np.isfinite(aucs[label][0])]
    if missing:
        result.notes.append(f"no AUC for {', '.join(missing)}: the test studies lack one of the two classes")
    for label in labels:
        result.figures[f"auc/{label}"] = figure(aucs[label], known_count(target[label]))
    result.figures["auc/macro"] = figure(average(aucs), len(context.test))
    lowest = [aucs[label][0] for label in labels if np.isfinite(aucs[label][0])]
    result.figures["auc/lowest"] = Figure(value=round(float(min(lowest)), 4), n=len(context.test)) if lowest else Figure(value=None)
    _operating_points(context, result, labels, target)
    _nodules(context, result, scores)
    _histograms(context, result, labels, target, aucs)
    _efficiency(context, result, labels, target)
    return result


def _operating_points(context: Context, result: PartResult, labels: list[str], target: dict[str, Array]) -> None:
    head = context.weights.config.heads[TASK]
    likely = probabilities(context.found.logits[TASK], True)
    sides: dict[str, dict[str, Array]] = {"sensitivity": {}, "specificity": {}}
    for label in labels:
        i = head.labels.index(label)
        threshold = head.thresholds[i] if head.thresholds else 0.5
        said, truth = (likely[:, i] >= threshold).astype(float), target[label]
        sides["sensitivity"][label] = context.resampler.ratio(said * truth, truth)
        sides["specificity"][label] = context.resampler.ratio((1 - said) * (1 - truth), 1 - truth)
    for name, found in sides.items():
        for label in labels:
            result.figures[f"{name}/{label}"] = figure(found[label], known_count(target[label]))
        result.figures[f"{name}/macro"] = figure(average(found), len(context.test))
    if not head.thresholds:
        result.notes.append("the weights store no operating points: sensitivity and specificity are at 0.5")


def _nodules(context: Context, result: PartResult, scores: dict[str, Array]) -> None:
    """AUC of studies whose largest visible nodule lies in a band, against all studies without a nodule."""
    label = "lung_nodule"
    if label not in scores or not context.test.truths:
        result.notes.append("nodules by size: the weights have no nodule label, or the data set no truth.jsonl")
        return
    target = context.test.labels(label)
    largest = np.array(
        [max((f.size_mm or 0 for f in t.findings if label in f.labels and f.visible), default=0) for t in context.test.truths]
    )
    for name, low, high in SIZES:
        inside = (target == 1) & (largest > 0) & (largest >= low) & (largest < high)
        banded = np.where(inside, 1.0, np.where(target == 0, 0.0, np.nan))
        found = figure(context.resampler.auc(scores[label], banded), int(inside.sum()))
        result.figures[f"nodule_auc/{name}"] = found


# Name of each histogram baseline, and whether it is given the outline of the lungs.
HISTOGRAMS: tuple[tuple[str, bool], ...] = (("histogram", False), ("histogram_outlined", True))


def _histograms(context: Context, result: PartResult, labels: list[str], target: dict[str, Array], aucs: dict[str, Array]) -> None:
    """Linear classifiers on intensity histograms of the same studies, fitted on every training study, and the paired margins over them."""
    train, test = context.counted, context.test
    if train is None or train.histograms is None or test.histograms is None:
        result.notes.append("histogram baseline: give --train with a data set that has histograms.npz")
        return
    for name, outlined in HISTOGRAMS:
        rows, asked = histogram_features(train.histograms, outlined), histogram_features(test.histograms, outlined)
        base = {label: context.resampler.auc(binary_scores(rows, train.labels(label), asked), target[label]) for label in labels}
        for label in labels:
            result.figures[f"auc_{name}/{label}"] = figure(base[label], known_count(target[label]))
            result.figures[f"margin_{name}/{label}"] = figure(aucs[label] - base[label], known_count(target[label]))
        result.figures[f"auc_{name}/macro"] = figure(average(base), len(test))
        result.figures[f"margin_{name}/macro"] = figure(average(aucs) - average(base), len(test))
    result.notes.append(f"histograms of {len(train)} training studies; `outlined` is also given the true outline of the lungs")


def _efficiency(context: Context, result: PartResult, labels: list[str], target: dict[str, Array]) -> None:
    """Linear heads on frozen scan embeddings by share of the training labels, for these and the compared weights."""
    if context.train is None or context.learned is None:
        result.notes.append("label efficiency: give --train")
        return
    embedded = {context.weights.provenance.name: (context.learned.scan, context.found.scan), **context.others()}
    for share in SHARES:
        macro = {}
        draws = 1 if share == 1.0 else _DRAWS
        for name, (rows, asked) in embedded.items():
            found = []
            for draw in range(draws):
                chosen = share_of(len(rows), share, context.seed + draw)
                per_label = {
                    label: context.resampler.auc(
                        binary_scores(rows[chosen].astype(np.float64), context.train.labels(label)[chosen], asked.astype(np.float64)),
                        target[label],
                    )
                    for label in labels
                }
                found.append(average(per_label))
            macro[name] = np.mean(found, 0)
            result.figures[f"linear_auc/{name}/{100 * share:g}%"] = figure(macro[name], len(share_of(len(rows), share, 0)))
        first = macro[context.weights.provenance.name]
        for name in list(embedded)[1:]:
            result.figures[f"linear_margin/over {name}/{100 * share:g}%"] = figure(first - macro[name], len(context.test))
    result.notes.append("linear_auc: logistic regression on frozen scan embeddings; n is the number of labelled training studies")
