"""Part `retrieval`: does a scan find its own report among all reports of the test studies, and a report its scan?"""

import numpy as np
import torch
from numpy.typing import NDArray

from medmpt_backend.evaluation.figures import Figure, PartResult, figure
from medmpt_backend.evaluation.text.context import Context

Array = NDArray[np.float64]
_KS = (1, 5, 10)
_BATCH = 32


@torch.inference_mode()
def embed_reports(context: Context, texts: list[str]) -> Array:
    """Unit vectors `(N, P)` of reports."""
    model, tokenizer, config = context.model, context.tokenizer, context.weights.config.text
    assert tokenizer is not None
    assert config is not None
    device = next(p for p in model.parameters() if not p.is_meta).device
    out = []
    for start in range(0, len(texts), _BATCH):
        batch = tokenizer.encode(texts[start : start + _BATCH], config.max_length)
        pooled = model.encode_text(batch.ids.to(device), batch.mask.to(device))
        out.append(model.project_text(pooled).double().cpu().numpy())
    return np.concatenate(out)


@torch.inference_mode()
def embed_scans(context: Context) -> Array:
    """Unit vectors `(N, P)` of the test studies."""
    parameter = next(p for p in context.model.parameters() if not p.is_meta)
    scan = torch.from_numpy(context.found.scan).to(parameter.device, parameter.dtype)
    out: Array = context.model.project_scan(scan).double().cpu().numpy()
    return out


def run(context: Context) -> PartResult:
    """Recall at 1, 5 and 10 in both directions, beside chance."""
    result = PartResult(name="retrieval")
    have = [i for i, r in enumerate(context.test.records) if r.report]
    if not context.serves("similarity") or context.tokenizer is None or len(have) < 2:
        result.notes.append("the weights do not serve similarity, or the test studies have no reports")
        return result
    reports = [context.test.records[i].report or "" for i in have]
    similarity = embed_scans(context)[have] @ embed_reports(context, reports).T
    for direction, table in (("image_to_report", similarity), ("report_to_image", similarity.T)):
        rank = ranks(table)
        for k in _KS:
            hit = np.full(len(context.test), np.nan)
            hit[have] = rank < k
            result.figures[f"{direction}/r@{k}"] = figure(context.resampler.mean(hit), len(have))
    for k in _KS:
        result.figures[f"chance/r@{k}"] = Figure(value=round(min(k / len(have), 1.0), 4), n=len(have))
    duplicates = len(reports) - len(set(reports))
    if duplicates:
        result.notes.append(f"{duplicates} of {len(reports)} reports are word for word those of another study; they cannot be told apart")
    return result


def ranks(similarity: Array) -> Array:
    """How many are nearer to each query than its partner on the diagonal; equals count half."""
    own = np.diag(similarity)[:, None]
    out: Array = (similarity > own).sum(1) + 0.5 * ((similarity == own).sum(1) - 1)
    return out
