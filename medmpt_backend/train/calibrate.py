"""After training, on validation studies: a temperature per head and, for multilabel heads, an operating point per label.

Temperature scaling: Guo et al., ICML 2017, "On calibration of modern neural networks". Operating point: the threshold of the highest F1,
because most findings are rare and few alarms serve a reader better; 0.5 where validation holds fewer than five studies of either kind.
A label whose validation AUC is below 0.75, or cannot be known, is marked as not reliable: the engine gives its score and no decision.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import fast
from medmpt_backend.train.data.batches import BatchSource
from medmpt_backend.train.tasks import head_loss

LEAST = 5
# A probability nearer to 0 or 1 than this decides without a threshold: a single stray study must not pull an operating point there.
SURE = 0.02
RELIABLE = 0.75
TEMPERATURES = np.geomspace(0.25, 4.0, 81)


@dataclass(frozen=True, eq=False)
class HeadOutput:
    """Logits `(N, labels)` of one head over `N` studies, and their targets as in `Batch.targets`."""

    logits: Tensor
    target: Tensor


@torch.inference_mode()
def head_outputs(model: MedMPT, source: BatchSource, batch: int, device: torch.device) -> dict[str, HeadOutput]:
    """Logits and targets of every head over a source of task `joint`."""
    logits: dict[str, list[Tensor]] = {task: [] for task in model.heads}
    targets: dict[str, list[Tensor]] = {task: [] for task in model.heads}
    for start in range(0, len(source.usable), batch):
        made = source.collate([(0, i) for i in source.usable[start : start + batch]], augmented=False)
        with fast(device):
            slices, patches = model.see(made.view.to(device))
            scan, _ = model.fuse(slices)
        scan, patches = scan.float(), {task: scores.float() for task, scores in patches.items()}
        for task in model.heads:
            logits[task].append(model.head_logits(task, scan, patches.get(task)).float().cpu())
            targets[task].append(made.targets[task])
    return {task: HeadOutput(torch.cat(logits[task]), torch.cat(targets[task])) for task in logits}


def fit_temperature(output: HeadOutput) -> float:
    """The temperature of a grid whose negative log-likelihood is lowest."""
    losses = [float(head_loss(output.logits / t, output.target)) for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def best_threshold(probabilities: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Operating point of one label; midway between the two probabilities that it separates, and no nearer to 0 or 1 than `SURE`."""
    if min(positive.sum(), (~positive).sum()) < LEAST:
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(positive[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + positive.sum())
    best = int(np.argmax(f1))
    ranked = probabilities[order]
    return float(np.clip((ranked[best] + ranked[min(best + 1, len(ranked) - 1)]) / 2, SURE, 1 - SURE))


def tells_apart(probabilities: NDArray[np.float64], positive: NDArray[np.bool_]) -> bool:
    """Whether validation shows that the label's score separates: at least five studies of either kind, AUC of at least 0.75."""
    from sklearn.metrics import roc_auc_score

    return bool(min(positive.sum(), (~positive).sum()) >= LEAST and roc_auc_score(positive, probabilities) >= RELIABLE)


def calibrated_head(head: HeadConfig, output: HeadOutput) -> HeadConfig:
    """The head with its temperature and thresholds."""
    temperature = fit_temperature(output)
    changes: dict[str, object] = {"temperature": temperature, "calibrated": True}
    if head.kind == "multilabel":
        probabilities = (output.logits / temperature).sigmoid().double().numpy()
        target = output.target.numpy()
        known = ~np.isnan(target)
        columns = [(probabilities[known[:, i], i], target[known[:, i], i] > 0.5) for i in range(target.shape[1])]
        changes["thresholds"] = tuple(best_threshold(p, y) for p, y in columns)
        changes["reliable"] = tuple(tells_apart(p, y) for p, y in columns)
    return head.model_copy(update=changes)


def calibrate(model: MedMPT, outputs: dict[str, HeadOutput]) -> MedMPTConfig:
    """The model's configuration with every head calibrated; heads without a known validation target stay as they are."""
    heads = dict(model.config.heads)
    for task, output in outputs.items():
        known = ~output.target.isnan() if output.target.is_floating_point() else output.target >= 0
        if bool(known.any()):
            heads[task] = calibrated_head(heads[task], output)
    return model.config.model_copy(update={"heads": heads})


def probabilities(output: HeadOutput, temperature: float = 1.0) -> NDArray[np.float64]:
    """`(N, labels)`: sigmoid for float targets, softmax for classes."""
    scaled = output.logits.double() / temperature
    made = scaled.sigmoid() if output.target.is_floating_point() else F.softmax(scaled, -1)
    out: NDArray[np.float64] = made.numpy()
    return out
