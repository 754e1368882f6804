"""Part `medication`: recommended drugs against those that were given, beside popularity and logistic regression.

All ways but the stored threshold name as many drugs per patient on average as the training prescriptions hold, so that Jaccard, F1 and the
rate of interactions compare choices, not thresholds. What a modality or the drug graph adds is measured on cached features: modalities are
left out of the trained model, heads with and without graph are trained anew for a few hundred steps.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from medmpt_backend.evaluation.data import StudySet
from medmpt_backend.evaluation.figures import PartResult, Resampler, figure
from medmpt_backend.evaluation.linear import Standard, fitted_scores
from medmpt_backend.evaluation.text.context import Context, Edge
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.model.lab_encoder import lab_inputs
from medmpt_backend.model.medication import MedicationModel, medication_loss

Array = NDArray[np.float64]
_MODALITIES = ("ct", "report", "labs")
_KS = (3, 5, 10)
_STEPS, _BATCH, _RATE = 300, 128, 2e-3
_TEXTS = 32


def run(context: Context, steps: int = _STEPS) -> PartResult:
    """Measure drug recommendation."""
    result = PartResult(name="medication")
    config, model = context.weights.config, context.model
    given = [i for i, r in enumerate(context.test.records) if r.drugs is not None]
    if not context.serves("medication") or config.medication is None or model.medication is None or not given:
        result.notes.append("the weights do not rank drugs, or the test studies hold no prescriptions")
        return result
    target = prescriptions(context.test, config.medication.drugs)
    asked = modalities(context, context.test, context.found.scan)
    with torch.inference_mode():
        ways = {"model": scores_of(model.medication, asked)}
        for left_out, name in enumerate(_MODALITIES):
            present = torch.ones((len(asked[0]), 3), dtype=torch.bool)
            present[:, left_out] = False
            ways[f"without {name}"] = scores_of(model.medication, asked, present)
    usual = target[given].sum(1).mean()
    if context.train is not None and context.learned is not None:
        known = prescriptions(context.train, config.medication.drugs)
        usual = known.sum(1).mean()
        ways["popularity"] = np.tile(known.mean(0), (len(target), 1))
        ways["logistic regression"] = _regression(context, known)
        rows = modalities(context, context.train, context.learned.scan)
        ways["anew with graph"] = _anew(context, rows, known, asked, steps, graph=True)
        ways["anew without graph"] = _anew(context, rows, known, asked, steps, graph=False)
    else:
        result.notes.append("popularity, logistic regression, and heads with and without graph: give --train")
    pairs = _pairs(context.interactions, config.medication.drugs)
    part = Resampler(len(given), context.seed, context.times)
    for name, found in ways.items():
        said = _as_many(found[given], usual)
        _measure(result, part, name, found[given], said, target[given], pairs)
    stored = (ways["model"][given] >= config.medication.threshold).astype(float)
    _measure(result, part, "model at its threshold", ways["model"][given], stored, target[given], pairs)
    if pairs is None:
        result.notes.append("the rate of interactions was left out: no drug graph was given")
    else:
        result.figures["ddi_rate/as prescribed"] = figure(_ddi_rate(part, target[given], pairs), len(given))
        result.notes.append(
            f"ddi_rate: pairs with an interaction among pairs named; {int(pairs.sum() / 2)} pairs of the vocabulary have one"
        )
    return result


def prescriptions(studies: StudySet, drugs: Sequence[str]) -> Array:
    """`(N, drugs)` of 0 and 1."""
    return np.array([[float(d in (r.drugs or ())) for d in drugs] for r in studies.records])


@torch.inference_mode()
def modalities(context: Context, studies: StudySet, scan: NDArray[np.float32]) -> list[Tensor]:
    """Scan `(N, D)`, pooled report `(N, T)` and laboratory vector `(N, L)`, float32."""
    model, labs = context.model, context.weights.config.labs
    assert model.labs is not None
    assert labs is not None
    assert context.tokenizer is not None
    parameter = next(p for p in model.parameters() if not p.is_meta)
    names = {test.analyte for test in labs.panel}
    made = [lab_inputs(labs, {k: v for k, v in r.labs.items() if k in names}) for r in studies.records]
    texts, panels = [], []
    for start in range(0, len(studies), _TEXTS):
        part = slice(start, start + _TEXTS)
        texts.append(_pooled(context, context.tokenizer, [r.report or "" for r in studies.records[part]]))
        values, missing = (torch.from_numpy(np.stack(x)) for x in zip(*made[part], strict=True))
        panels.append(model.labs(values.to(parameter.device, parameter.dtype), missing.to(parameter.device))[:, 0].float().cpu())
    return [torch.from_numpy(scan), torch.cat(texts), torch.cat(panels)]


def _pooled(context: Context, tokenizer: ReportTokenizer, texts: list[str]) -> Tensor:
    assert context.weights.config.text is not None
    device = next(p for p in context.model.parameters() if not p.is_meta).device
    batch = tokenizer.encode(texts, context.weights.config.text.max_length)
    return context.model.encode_text(batch.ids.to(device), batch.mask.to(device)).float().cpu()


@torch.no_grad()
def scores_of(model: MedicationModel, rows: list[Tensor], present: Tensor | None = None) -> Array:
    """Probabilities `(N, drugs)` of the medication head."""
    parameter = next(p for p in model.parameters() if not p.is_meta)
    moved = [m.to(parameter.device, parameter.dtype) for m in rows]
    logits = model(moved, present.to(parameter.device) if present is not None else None)[0]
    out: Array = logits.float().sigmoid().cpu().double().numpy()
    return out


def _anew(context: Context, rows: list[Tensor], known: Array, asked: list[Tensor], steps: int, *, graph: bool) -> Array:
    """A new medication part trained on the cached features, with the drug graph or with the plain head alone."""
    config = context.weights.config.medication
    assert config is not None
    assert context.model.medication is not None
    torch.manual_seed(context.seed)
    model = MedicationModel((rows[0].shape[1], rows[1].shape[1], rows[2].shape[1]), config)
    if not context.model.medication.graph.prior.is_meta:
        model.graph.prior.copy_(context.model.medication.graph.prior.float().cpu())
    means, scales = [m.mean(0) for m in rows], [m.std(0) + 1e-4 for m in rows]
    rows, asked = ([(m - a) / s for m, a, s in zip(x, means, scales, strict=True)] for x in (rows, asked))
    target = torch.from_numpy(known).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    generator = torch.Generator().manual_seed(context.seed)
    for step in range(steps):
        chosen = torch.randint(len(target), (min(_BATCH, len(target)),), generator=generator)
        part = [m[chosen] for m in rows]
        if graph:
            ranked, patient = model(part)
            loss = medication_loss(ranked, patient, target[chosen])
        else:
            loss = F.binary_cross_entropy_with_logits(model.patient_head(model.fusion(part)), target[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if context.progress is not None:
            context.progress(f"medication head {'with' if graph else 'without'} graph", step + 1, steps)
    with torch.no_grad():
        logits = model(asked)[0] if graph else model.patient_head(model.fusion(asked))
    out: Array = logits.sigmoid().double().numpy()
    return out


def _regression(context: Context, known: Array) -> Array:
    """Logistic regression per drug on laboratory values, which are measured, and the true findings."""
    assert context.train is not None
    labels = sorted({label for r in context.train.records for label in r.labels})
    tests = sorted({name for r in context.train.records for name in r.labs})
    rows, asked = (_table(s, labels, tests) for s in (context.train, context.test))
    standard = Standard.of(rows)
    return fitted_scores(standard(rows), known, standard(asked))


def _table(studies: StudySet, labels: list[str], tests: list[str]) -> Array:
    found = [[float(r.labels.get(label) or 0) for label in labels] for r in studies.records]
    values = np.array([[np.nan if (v := r.labs.get(t)) is None else np.log1p(max(float(v), 0)) for t in tests] for r in studies.records])
    measured = ~np.isnan(values)
    return np.concatenate([np.array(found).reshape(len(studies), -1), np.nan_to_num(values), measured.astype(float)], 1)


def _as_many(scores: Array, usual: float) -> Array:
    """1 for the highest scores of all patients together, as many as prescriptions hold on average."""
    wanted = max(1, round(usual * len(scores)))
    flat = scores.ravel()
    chosen = np.argsort(-flat, kind="stable")[:wanted]
    out = np.zeros(len(flat))
    out[chosen] = 1.0
    return out.reshape(scores.shape)


def _measure(result: PartResult, part: Resampler, name: str, scores: Array, said: Array, target: Array, pairs: Array | None) -> None:
    both, either = (said * target).sum(1), np.maximum(said, target).sum(1)
    jaccard = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    f1 = np.where(either > 0, 2 * both / np.maximum(said.sum(1) + target.sum(1), 1), 1.0)
    count = len(target)
    result.figures[f"jaccard/{name}"] = figure(part.mean(jaccard), count)
    result.figures[f"f1/{name}"] = figure(part.mean(f1), count)
    result.figures[f"pr_auc/{name}"] = figure(part.mean(_precision_per_patient(scores, target)), count)
    order = np.argsort(-scores, 1)
    some = target.sum(1) > 0
    for k in _KS:
        hits = np.take_along_axis(target, order[:, :k], 1).sum(1)
        result.figures[f"recall@{k}/{name}"] = figure(
            part.mean(np.where(some, hits / np.maximum(target.sum(1), 1), np.nan)), int(some.sum())
        )
    if pairs is not None:
        result.figures[f"ddi_rate/{name}"] = figure(_ddi_rate(part, said, pairs), count)


def _precision_per_patient(scores: Array, target: Array) -> Array:
    """Average precision of each patient's ranking, NaN without drugs."""
    order = np.argsort(-scores, 1, kind="stable")
    truth = np.take_along_axis(target, order, 1)
    precision = np.cumsum(truth, 1) / np.arange(1, truth.shape[1] + 1)
    count = truth.sum(1)
    out: Array = np.where(count > 0, (precision * truth).sum(1) / np.maximum(count, 1), np.nan)
    return out


def _ddi_rate(part: Resampler, said: Array, pairs: Array) -> Array:
    """Interacting pairs over pairs among the drugs named together."""
    bad = np.einsum("ni,ij,nj->n", said, pairs, said) / 2
    count = said.sum(1)
    return part.ratio(bad, count * (count - 1) / 2)


def _pairs(edges: tuple[Edge, ...] | None, drugs: tuple[str, ...]) -> Array | None:
    """`(drugs, drugs)` symmetric, 1 for an interaction."""
    if edges is None:
        return None
    place = {drug: i for i, drug in enumerate(drugs)}
    out = np.zeros((len(drugs), len(drugs)))
    for edge in edges:
        if edge.one in place and edge.other in place and edge.one != edge.other:
            out[place[edge.one], place[edge.other]] = out[place[edge.other], place[edge.one]] = 1.0
    return out
