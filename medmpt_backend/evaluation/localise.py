"""Part `explanations`: does the strongest point of the heatmap lie on the lesion?

Pointing game (Zhang et al., IJCV 2018, "Top-down Neural Attention by Excitation Backprop") on studies that show the finding: a hit when the
strongest cell of the heatmap touches the finding's mask. Chance is the share of cells that touch it.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from medmpt_backend.evaluation.figures import Figure, PartResult, average, figure
from medmpt_backend.evaluation.findings import TASK
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.inference.explain import patch_maps, slice_relevance
from medmpt_backend.inference.preprocess import scale

Array = NDArray[np.float64]
# Share of a cell that a mask must cover, in 255ths: one covered voxel of the reduced study is enough.
_TOUCHED = 1
_GRADIENT_CASES = 40


def run(context: Context, gradient_cases: int = _GRADIENT_CASES) -> PartResult:
    """Pointing game per label for the patch scores, and for gradient-weighted attention on a few studies."""
    result = PartResult(name="explanations")
    masks = context.test.data.info.mask_labels
    head = context.weights.config.heads.get(TASK)
    if head is None or not context.serves(TASK) or not masks:
        result.notes.append("the weights have no findings head, or the data set has no masks")
        return result
    labels = [label for label in head.labels if label in masks]
    hits, shares = {}, {}
    peaks = context.found.peaks.get(TASK)
    if peaks is None:
        result.notes.append("the findings head does not score patches: only gradient heatmaps are measured")
    for label in labels:
        hit, share = _per_study(context, label, peaks[:, head.labels.index(label)] if peaks is not None else None)
        count = int((~np.isnan(share)).sum())
        if not count:
            continue
        shares[label] = context.resampler.mean(share)
        result.figures[f"chance/{label}"] = figure(shares[label], count)
        if peaks is not None:
            hits[label] = context.resampler.mean(hit)
            result.figures[f"hit/{label}"] = figure(hits[label], count)
    if hits:
        result.figures["hit/mean"] = figure(average(hits), len(context.test))
        result.figures["over_chance/mean"] = figure(average(hits) - average(shares), len(context.test))
    if shares:
        result.figures["chance/mean"] = figure(average(shares), len(context.test))
        _gradient(context, labels, result, gradient_cases)
    return result


def _per_study(context: Context, label: str, peaks: NDArray[np.int64] | None) -> tuple[Array, Array]:
    """Hit and chance of each study that shows the finding; NaN elsewhere."""
    hit, share = np.full(len(context.test), np.nan), np.full(len(context.test), np.nan)
    for i in context.test.where(context.test.labels(label) == 1):
        touched = touched_cells(context, i, label)
        if touched is None:
            continue
        share[i] = float(touched.mean())
        if peaks is not None:
            hit[i] = float(inside(touched, peaks[i], context.found.cells))
    return hit, share


def touched_cells(context: Context, position: int, label: str) -> NDArray[np.bool_] | None:
    """`(S, cells, cells)` cells that a finding's mask touches; None where the mask is empty."""
    data = context.test.data
    mask = data.mask(context.test.rows[position])
    assert mask is not None
    touched: NDArray[np.bool_] = (mask[:, data.info.mask_labels.index(label)] >= _TOUCHED).numpy()
    return touched if touched.any() else None


def inside(touched: NDArray[np.bool_], cell: NDArray[np.int64], cells: int) -> bool:
    """Whether the middle of a cell of a grid of `cells` lies in a touched cell; the mask's grid may be another."""
    ratio = touched.shape[-1] / cells
    row, column = (min(int((c + 0.5) * ratio), touched.shape[-1] - 1) for c in cell[1:])
    return bool(touched[int(cell[0]), row, column])


def _gradient(context: Context, labels: list[str], result: PartResult, most: int) -> None:
    """The same for gradient-weighted attention, weighted by slice relevance, as `engine.explain` shows it."""
    head, model = context.weights.config.heads[TASK], context.model
    pairs = [(i, label) for label in labels for i in context.test.where(context.test.labels(label) == 1)]
    order = np.random.default_rng(context.seed).permutation(len(pairs))
    parameter = next(p for p in model.parameters() if not p.is_meta)
    hits: list[float] = []
    shares: list[float] = []
    for i, label in (pairs[k] for k in order):
        touched = touched_cells(context, i, label) if len(hits) < most else None
        if touched is None:
            continue
        image = scale(context.test.data.image(context.test.rows[i])).to(parameter.device, parameter.dtype)
        index = head.labels.index(label)
        maps = patch_maps(model, image, TASK, index, "gradient").float().cpu().numpy()
        with torch.inference_mode():
            relevance = np.clip(slice_relevance(model, model.encode_slices(image[None], 8)[0], TASK)[index], 0, None)
        maps = maps / maps.reshape(len(maps), -1).max(1).clip(1e-12)[:, None, None] * relevance[:, None, None]
        peak = np.array(np.unravel_index(int(maps.argmax()), maps.shape))
        hits.append(float(inside(touched, peak, maps.shape[-1])))
        shares.append(float(touched.mean()))
        if context.progress is not None:
            context.progress("gradient heatmaps", len(hits), most)
    if hits:
        spread = 1.96 * float(np.std(hits)) / len(hits) ** 0.5
        middle = float(np.mean(hits))
        bounds = {"low": round(max(middle - spread, 0), 4), "high": round(min(middle + spread, 1), 4)}
        result.figures["gradient_hit/mean"] = Figure(value=round(middle, 4), n=len(hits), **bounds)
        result.figures["gradient_chance/mean"] = Figure(value=round(float(np.mean(shares)), 4), n=len(hits))
