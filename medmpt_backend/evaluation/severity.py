"""Part `labs`: how well severity can be read from laboratory values by the official and by the magnitude-aware encoder.

Both are trained here from the same start on the same training patients, with one linear output, and measured on the test patients; a ridge
regression on the same values stands beside them. The official form divides each value's magnitude out again.
"""

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from medmpt_backend.evaluation.data import StudySet
from medmpt_backend.evaluation.figures import PartResult, Resampler, figure
from medmpt_backend.evaluation.text.context import Context
from medmpt_backend.model.config import LabConfig
from medmpt_backend.model.lab_encoder import LabEncoder, lab_inputs

Array = NDArray[np.float64]
_STEPS, _BATCH, _RATE = 600, 64, 1.5e-3
_WELL = ("", "normal", "screening")


def run(context: Context, steps: int = _STEPS) -> PartResult:
    """Train and measure both encoders."""
    result = PartResult(name="labs")
    config = context.weights.config.labs
    taught = context.counted or context.train
    if config is None or not config.panel or taught is None or not taught.truths or not context.test.truths:
        result.notes.append("the weights name no laboratory panel, or --train or truth.jsonl is missing")
        return result
    rows, severity = _ill(taught, config)
    asked, truth = _ill(context.test, config)
    if len(truth) < 10 or len(severity) < 20:
        result.notes.append("too few patients with a disease and a severity")
        return result
    part = Resampler(len(truth), context.seed, context.times)
    found = {"ridge": _ridge(rows, severity, asked)}
    kinds: tuple[Literal["official", "magnitude"], ...] = ("official", "magnitude")
    for kind in kinds:
        found[kind] = _trained(context, config.model_copy(update={"encoder": kind}), rows, severity, asked, steps)
    samples = {}
    for name, said in found.items():
        samples[name] = correlation(part, said, truth)
        result.figures[f"spearman/{name}"] = figure(samples[name], len(truth))
        result.figures[f"r2/{name}"] = figure(explained(part, said, truth), len(truth))
    result.figures["spearman/magnitude over official"] = figure(samples["magnitude"] - samples["official"], len(truth))
    result.notes.append(f"patients with a disease only; {len(severity)} training patients, {steps} steps each")
    return result


def _ill(studies: StudySet, config: LabConfig) -> tuple[tuple[NDArray[np.float32], NDArray[np.bool_]], Array]:
    """Normalised values with missing mask `(N, tests)`, and severity `(N,)`, of patients with a disease."""
    names = {test.analyte for test in config.panel}
    chosen = [i for i, t in enumerate(studies.truths) if t.patient.severity is not None and t.patient.disease not in _WELL]
    made = [lab_inputs(config, {k: v for k, v in studies.records[i].labs.items() if k in names}) for i in chosen]
    values = np.stack([v for v, _ in made]) if made else np.zeros((0, config.tests), np.float32)
    missing = np.stack([m for _, m in made]) if made else np.zeros((0, config.tests), bool)
    return (values, missing), np.array([float(studies.truths[i].patient.severity or 0) for i in chosen])


def _ridge(
    rows: tuple[NDArray[np.float32], NDArray[np.bool_]], severity: Array, asked: tuple[NDArray[np.float32], NDArray[np.bool_]]
) -> Array:
    from sklearn.linear_model import RidgeCV

    def table(x: tuple[NDArray[np.float32], NDArray[np.bool_]]) -> Array:
        values = x[0].astype(np.float64) - 0.5
        return np.concatenate([np.where(x[1], 0, np.sign(values) * np.log1p(np.abs(values))), x[1]], 1)

    model = RidgeCV(alphas=(10, 100, 1000)).fit(table(rows), severity)
    out: Array = model.predict(table(asked))
    return out


def _trained(
    context: Context,
    config: LabConfig,
    rows: tuple[NDArray[np.float32], NDArray[np.bool_]],
    severity: Array,
    asked: tuple[NDArray[np.float32], NDArray[np.bool_]],
    steps: int,
) -> Array:
    torch.manual_seed(context.seed)
    encoder = LabEncoder(config)
    out = nn.Linear(config.width, 1)
    values, missing = (torch.from_numpy(x) for x in rows)
    target = torch.from_numpy((severity - severity.mean()) / (severity.std() + 1e-9)).float()
    optimizer = torch.optim.AdamW([*encoder.parameters(), *out.parameters()], lr=_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    generator = torch.Generator().manual_seed(context.seed)
    for step in range(steps):
        chosen = torch.randint(len(target), (min(_BATCH, len(target)),), generator=generator)
        loss = (out(encoder(values[chosen], missing[chosen])[:, 0])[:, 0] - target[chosen]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if context.progress is not None:
            context.progress(f"{config.encoder} laboratory encoder", step + 1, steps)
    with torch.inference_mode():
        v, m = (torch.from_numpy(x) for x in asked)
        said = torch.cat([out(encoder(v[i : i + 128], m[i : i + 128])[:, 0])[:, 0] for i in range(0, len(v), 128)])
    scaled: Array = said.double().numpy() * severity.std() + severity.mean()
    return scaled


def correlation(part: Resampler, said: Array, truth: Array) -> Array:
    """Spearman's rank correlation of each sample, ranks of the whole set."""
    from scipy.stats import rankdata

    a, b = rankdata(said), rankdata(truth)
    weights = part.weights / part.weights.sum(1, keepdims=True)
    ma, mb = weights @ a, weights @ b
    covariance = weights @ (a * b) - ma * mb
    variance = (weights @ a**2 - ma**2) * (weights @ b**2 - mb**2)
    out: Array = covariance / np.sqrt(np.maximum(variance, 1e-12))
    return out


def explained(part: Resampler, said: Array, truth: Array) -> Array:
    """Share of the variance explained, of each sample."""
    weights = part.weights / part.weights.sum(1, keepdims=True)
    mean = weights @ truth
    out: Array = 1 - (weights @ (truth - said) ** 2) / np.maximum(weights @ truth**2 - mean**2, 1e-12)
    return out
