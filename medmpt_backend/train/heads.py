"""Heads trained to their end on a frozen encoder: every study is seen once, the rest takes seconds on cached features.

Joint training stops where the encoder stops; what stands on top of it is cheap, so it is fitted again until the validation studies stop
improving: report decoder and image-text match with batches that hold enough other reports to be told from, heads with evidence of all
labels' cells for each label, the medication part.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from medmpt_backend.checkpoint import load_model, read_weights, save_weights
from medmpt_backend.config import MedMPTConfig
from medmpt_backend.domain import DOMAIN_FILE
from medmpt_backend.errors import BadInput
from medmpt_backend.medication import medication_loss
from medmpt_backend.model import MedMPT
from medmpt_backend.precision import fast
from medmpt_backend.tokens import ReportTokenizer
from medmpt_backend.train.batches import BatchSource
from medmpt_backend.train.calibrate import HeadOutput, calibrate
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.train.shards import ShardDataset
from medmpt_backend.train.tasks import head_loss, match_loss, next_token_loss

_BATCH = 4
# The language parts: rounds, studies per step, rounds without gain, rate.
_WORD_EPOCHS, _WORD_BATCH, _WORD_PATIENCE, _WORD_RATE = 12, 64, 2, 6e-4
_STEPS, _PATIENCE, _RATE, _DECAY, _NOISE = 600, 60, 2e-3, 0.02, 0.1
# The medication part: steps, studies per step, steps between looks at the validation studies, looks without gain, rate.
_DRUG_STEPS, _DRUG_BATCH, _DRUG_LOOK, _DRUG_PATIENCE, _DRUG_RATE = 800, 128, 20, 6, 1e-3


@dataclass(frozen=True, eq=False)
class HeadFeatures:
    """What the frozen model makes of `N` studies.

    Attributes:
        scan: `(N, D)`.
        tokens: `(N, S, D)` scan tokens.
        strongest: Head that scores patches to `(N, 1 or 3, labels)`.
        targets: Head, and `medication`, to its targets, as in `Batch.targets`.
        reports: Token ids and mask, `(N, L)` each; None where the model has no text part.
        labs: Values and missing mask, `(N, tests)` each; None where the model has no medication part.
        text: Pooled report `(N, T)`, by `with_text`.
    """

    scan: Tensor
    tokens: Tensor
    strongest: dict[str, Tensor]
    targets: dict[str, Tensor]
    reports: tuple[Tensor, Tensor] | None = None
    labs: tuple[Tensor, Tensor] | None = None
    text: Tensor | None = None


@torch.no_grad()
def head_features(model: MedMPT, source: BatchSource, progress: Callable[[int], None] = lambda _: None) -> HeadFeatures:
    """Every usable study of a source of task `joint`, not augmented."""
    rows: dict[str, list[Tensor]] = {}
    device = model.vision_encoder.cls_token.device  # parts that the weights lack have no device
    tasks = (*model.heads, *(("medication",) if model.medication is not None else ()))
    for start in range(0, len(source.usable), _BATCH):
        batch = source.collate([(0, i) for i in source.usable[start : start + _BATCH]], augmented=False)
        with fast(device):
            slices, patches = model.see(batch.view.to(device))
            scan, tokens = model.fuse(slices)
        found = {"scan": scan, "tokens": tokens, **{f"strongest/{task}": model.strongest(scores) for task, scores in patches.items()}}
        found = {name: tensor.float() for name, tensor in found.items()} | {f"target/{task}": batch.targets[task] for task in tasks}
        if model.text_encoder is not None and source.tokenizer is not None:
            found |= {"ids": batch.ids, "mask": batch.text_mask}
        if batch.labs is not None:
            found |= {"labs": batch.labs[0], "missing": batch.labs[1]}
        for name, tensor in found.items():
            rows.setdefault(name, []).append(tensor.cpu())
        progress(len(batch.view))
    joined = {name: torch.cat(parts) for name, parts in rows.items()}

    def part(kind: str) -> dict[str, Tensor]:
        return {name.removeprefix(f"{kind}/"): tensor for name, tensor in joined.items() if name.startswith(f"{kind}/")}

    reports = (joined["ids"], joined["mask"]) if "ids" in joined else None
    labs = (joined["labs"], joined["missing"]) if "labs" in joined else None
    return HeadFeatures(joined["scan"], joined["tokens"], part("strongest"), part("target"), reports, labs)


@torch.no_grad()
def with_text(model: MedMPT, features: HeadFeatures) -> HeadFeatures:
    """The same with the pooled reports, as the text encoder reads them now."""
    if features.reports is None:
        return features
    ids, mask = features.reports
    read = [model.encode_text(ids[i : i + _WORD_BATCH], mask[i : i + _WORD_BATCH]) for i in range(0, len(ids), _WORD_BATCH)]
    return replace(features, text=torch.cat(read).float())


def language_loss(model: MedMPT, features: HeadFeatures, rows: Tensor, noise: Tensor | None = None) -> dict[str, Tensor]:
    """Next-token loss of the reports of some rows, and their match with the scans among these rows."""
    assert model.text_decoder is not None
    assert features.reports is not None
    (ids, mask), tokens = (part[rows] for part in features.reports), features.tokens[rows]
    logits = model.text_decoder(ids, model.memory(tokens if noise is None else tokens + noise), mask)
    text = model.project_text(model.encode_text(ids, mask))
    return {
        "report": next_token_loss(logits, ids, model.text_decoder.config.pad),
        "match": match_loss(model.project_scan(features.scan[rows]), text, model.temp_multimodal),
    }


def fit_language(model: MedMPT, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Fit report decoder, text encoder and the projections of the image-text match; keeps the lowest validation loss.

    Returns:
        `report` and `match` to validation loss before and after; the match is that among all validation studies.
    """
    parts = [model.text_encoder, model.text_decoder, model.vision_to_text, model.text_proj, model.vision_proj_scan]
    shared = {id(p): p for part in parts if part is not None for p in part.parameters()}
    parameters = [*shared.values(), model.temp_multimodal]
    for parameter in parameters:
        parameter.requires_grad_(True)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(parameters, lr=_WORD_RATE, weight_decay=_DECAY)
    everyone, spread = torch.arange(len(held_out.scan)), train.tokens.std((0, 1)) * _NOISE

    def validate() -> dict[str, float]:
        with torch.no_grad():
            return {name: float(loss) for name, loss in language_loss(model, held_out, everyone).items()}

    first = best = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for _ in range(_WORD_EPOCHS):
        for rows in torch.randperm(len(train.scan), generator=generator).split(_WORD_BATCH):
            noise = torch.randn((len(rows), *train.tokens.shape[1:]), generator=generator) * spread
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(language_loss(model, train, rows, noise).values())).sum().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(parameters, 3.0)
            optimizer.step()
        value, waited = validate(), waited + 1
        if sum(value.values()) < sum(best.values()):
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= _WORD_PATIENCE:
            break
    _restore(parameters, kept)
    return {name: (first[name], best[name]) for name in best}


@torch.no_grad()
def _restore(parameters: list[nn.Parameter], kept: list[Tensor]) -> None:
    for parameter, value in zip(parameters, kept, strict=True):
        parameter.copy_(value)


def logits_of(model: MedMPT, task: str, features: HeadFeatures, scan: Tensor | None = None) -> Tensor:
    """Logits `(N, labels)` of one head; `scan` stands in for the features' own embeddings."""
    out: Tensor = model.heads[task](features.scan if scan is None else scan)
    return out + model.mixed(task, features.strongest[task]) if task in features.strongest else out


def fit_head(model: MedMPT, task: str, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0) -> tuple[float, float]:
    """Fit one head by full batches of AdamW with noise on the embeddings; keeps the lowest validation loss.

    Returns:
        Validation loss before and after; equal where nothing was gained, and then the head is as it was.
    """
    torch.manual_seed(seed)
    parameters = [*model.heads[task].parameters(), *([model.patch_mix[task]] if task in model.patch_mix else [])]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_DECAY)
    spread = train.scan.std(0)

    def validate() -> float:
        with torch.no_grad():
            return float(head_loss(logits_of(model, task, held_out), held_out.targets[task]))

    best = first = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for _ in range(_STEPS):
        optimizer.zero_grad(set_to_none=True)
        noisy = train.scan + torch.randn_like(train.scan) * spread * _NOISE
        head_loss(logits_of(model, task, train, noisy), train.targets[task]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        value = validate()
        waited += 1
        if value < best:
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= _PATIENCE:
            break
    _restore(parameters, kept)
    return first, best


def prescription_loss_of(model: MedMPT, features: HeadFeatures, rows: Tensor, present: Tensor) -> Tensor:
    """Loss of the medication part on some rows; `present` `(rows, 3)` bool says whether CT, report and laboratory may be used."""
    assert model.labs is not None
    assert model.medication is not None
    assert features.labs is not None
    assert features.text is not None
    values, missing = (part[rows] for part in features.labs)
    panel = model.labs(values.to(features.scan.dtype), missing)[:, 0]
    medication, patient = model.medication([features.scan[rows], features.text[rows], panel], present)
    return medication_loss(medication, patient, features.targets["medication"][rows])


def fit_medication(model: MedMPT, train: HeadFeatures, held_out: HeadFeatures, seed: int = 0) -> tuple[float, float]:
    """Fit laboratory encoder and medication part, half of the time without the report: patients are seen before one is written.

    Returns:
        Validation loss before and after, the mean over with and without report.
    """
    assert model.labs is not None
    assert model.medication is not None
    generator = torch.Generator().manual_seed(seed)
    parameters = [*model.labs.parameters(), *model.medication.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=_DRUG_RATE, weight_decay=_DECAY)
    everyone = torch.arange(len(held_out.scan))
    ways = [torch.tensor(way).expand(len(everyone), 3) for way in ((True, True, True), (True, False, True))]

    def validate() -> float:
        with torch.no_grad():
            return float(torch.stack([prescription_loss_of(model, held_out, everyone, way) for way in ways]).mean())

    best = first = validate()
    kept, waited = [p.detach().clone() for p in parameters], 0
    for step in range(_DRUG_STEPS):
        rows = torch.randperm(len(train.scan), generator=generator)[:_DRUG_BATCH]
        present = torch.rand((len(rows), 3), generator=generator) > torch.tensor([0.1, 0.5, 0.1])
        present[:, 2] |= ~present.any(1)
        optimizer.zero_grad(set_to_none=True)
        prescription_loss_of(model, train, rows, present).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if (step + 1) % _DRUG_LOOK:
            continue
        value, waited = validate(), waited + 1
        if value < best:
            best, waited, kept = value, 0, [p.detach().clone() for p in parameters]
        if waited >= _DRUG_PATIENCE:
            break
    _restore(parameters, kept)
    return first, best


def with_all_evidence(model: MedMPT) -> None:
    """Let every label's cells speak for every label; the logits stay as they are until the head is fitted."""
    heads = dict(model.config.heads)
    for task, mix in model.patch_mix.items():
        if mix.ndim == 2:
            heads[task] = heads[task].model_copy(update={"evidence": "all"})
            model.patch_mix[task] = nn.Parameter(torch.diag_embed(mix.detach()))
    model.config = model.config.model_copy(update={"heads": heads})


def _source(data: Path, split: str, config: MedMPTConfig, tokenizer: ReportTokenizer | None) -> BatchSource:
    settings = TrainSettings(task="joint", augment=False)
    return BatchSource(ShardDataset(data, "val" if split == "val" else "train"), config, settings, tokenizer)


def refit(
    weights: Path, data: Path, root: Path, name: str, progress: Callable[[int], None] = lambda _: None
) -> dict[str, tuple[float, float]]:
    """Fit language parts, heads and medication part of installed weights on a frozen encoder, calibrate, and write `root/name`.

    Args:
        weights: Weights folder.
        data: Data set with a validation split.
        root: The `weights` folder.
        name: Name of the result.
        progress: Told how many studies were seen.

    Returns:
        Head, `report`, `match` and `medication` to validation loss before and after.

    Raises:
        BadInput: Data and weights do not fit, or the weights have no heads.
    """
    loaded = read_weights(weights)
    if not loaded.config.heads:
        raise BadInput(f"the weights {weights.name!r} have no heads")
    model = load_model(loaded).eval()
    text = loaded.config.text
    tokenizer = ReportTokenizer.load(weights, text.pad, text.cls, text.sep) if text is not None else None
    seen = {split: head_features(model, _source(data, split, loaded.config, tokenizer), progress) for split in ("train", "val")}
    losses: dict[str, tuple[float, float]] = {}
    if model.text_decoder is not None and model.text_encoder is not None and seen["train"].reports is not None:
        losses |= fit_language(model, seen["train"], seen["val"])
        seen = {split: with_text(model, features) for split, features in seen.items()}
    with_all_evidence(model)
    losses |= {task: fit_head(model, task, seen["train"], seen["val"]) for task in model.heads}
    if model.medication is not None and seen["train"].labs is not None and seen["val"].labs is not None:
        losses["medication"] = fit_medication(model, seen["train"], seen["val"])
    outputs = {task: HeadOutput(logits_of(model, task, seen["val"]).detach(), seen["val"].targets[task]) for task in model.heads}
    model.config = calibrate(model, outputs)
    was = loaded.provenance
    domain = weights / DOMAIN_FILE
    save_weights(
        root,
        model,
        name,
        licence=was.licence,
        trained_on=was.trained_on,
        synthetic_training=was.synthetic_training,
        source=f"{was.source}; heads fitted on the frozen encoder",
        tokenizer=weights if text is not None else None,
        domain=domain.read_bytes() if domain.is_file() else None,
        laterality_verified=was.laterality_verified,
        missing=was.missing,
    )
    return losses
