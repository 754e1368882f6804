"""Everything above the slices, trained to its end on a frozen encoder: every study is seen once, the rest takes minutes on what is kept.

Slice encoder, local branch and scores of cells stay as they are. First all at once, in batches that hold enough other reports to be told
from: fusion, summary of the cells, heads with evidence of all labels' cells, report decoder, image-text match. Then each head, the language
parts and the medication part alone, until the validation studies stop improving.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from medmpt_backend.errors import BadInput
from medmpt_backend.inference.appearance import described
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.inference.training_domain import DomainModel
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.calibrate import HeadOutput, calibrate
from medmpt_backend.train.data.batches import BatchSource
from medmpt_backend.train.data.shards import ShardDataset
from medmpt_backend.train.fits import fit_head, fit_language, fit_medication, fit_readout
from medmpt_backend.train.frozen import HeadFeatures, head_features, load_features, logits_of, read, read_text, save_features
from medmpt_backend.train.run import DOMAIN_STUDIES, RunPlan, join_drugs, start_from
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.weights.checkpoint import read_weights, save_weights

_FITTED = (
    "vision_fusion.", "summary.", "heads.", "patch_mix.", "text_encoder.", "text_decoder.", "vision_to_text.", "told.",
    "text_proj.", "vision_proj_scan.", "temp_multimodal", "labs.", "medication.",
)  # fmt: skip
# What the reading out takes as it is: weights without these cannot be read out.
_FROZEN = ("vision_encoder.", "local.", "patch_heads.", "spots.", "spot_heads.")


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


def _whole(weights: Path, data: Path, root: Path, edges: Path | None) -> MedMPT:
    """The model with what the weights have; the parts above that they lack start from random numbers, drugs joined as the data say.

    Raises:
        BadInput: A part that stays as it is was never trained, or the weights have no heads.
    """
    loaded = read_weights(weights)
    if not loaded.config.heads:
        raise BadInput(f"the weights {weights.name!r} have no heads")
    untrained = [name for name in loaded.provenance.missing if name.startswith(_FROZEN)]
    if untrained:
        raise BadInput(f"{untrained[0]!r} of the weights {weights.name!r} was never trained; train the head with patches first")
    torch.manual_seed(0)
    model = MedMPT(loaded.config)
    plan = RunPlan(data, root, TrainSettings(task="joint"), weights=weights, edges=edges)
    start_from(plan, model)
    if model.medication is not None and any(name.startswith("medication.") for name in loaded.provenance.missing):
        join_drugs(plan, model, ShardDataset(data, "train"))
    return model.eval()


def _digest(source: BatchSource) -> str:
    index = (source.data.folder / "index.jsonl").read_bytes() + (source.data.folder / "dataset.json").read_bytes()
    return hashlib.sha256(index).hexdigest()[:16]


def _seen(model: MedMPT, source: BatchSource, split: str, weights: str, keep: Path | None, progress: Callable[[int], None]) -> HeadFeatures:
    """What the frozen encoder makes of one split, taken from `keep` where it lies there, and left there."""
    file = keep / f"frozen-{weights}-{_digest(source)}-{split}.safetensors" if keep is not None else None
    if file is not None and file.is_file():
        return load_features(file)
    found = head_features(model, source, progress)
    if file is not None:
        save_features(file, found)
    return found


def _domain(seen: HeadFeatures, source: BatchSource) -> DomainModel | None:
    """What the training studies look like; None of a single one."""
    assert seen.scan is not None
    if len(seen.scan) < 2:
        return None
    images = (source.data.image(i) for i in source.usable[:DOMAIN_STUDIES])
    return DomainModel.fit(seen.scan[:DOMAIN_STUDIES].numpy(), described(images))


def refit(
    weights: Path,
    data: Path,
    root: Path,
    name: str,
    edges: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
    keep: Path | None = None,
) -> dict[str, tuple[float, float]]:
    """Fit everything above the slices of installed weights on their frozen encoder, calibrate, and write `root/name`.

    Args:
        weights: Weights folder; parts above the slices may be missing.
        data: Data set with a validation split.
        root: The `weights` folder.
        name: Name of the result.
        edges: File of the drug graph's edges, where the weights have no medication part yet.
        progress: Told how many studies were seen.
        keep: Folder for what the frozen encoder makes of the studies, by the digests of weights and data: a second reading out of the same
            weights takes it from there.

    Returns:
        Head, `report`, `match` and `medication` to validation loss before and after.

    Raises:
        BadInput: Data and weights do not fit, the weights have no heads, or their encoder was never trained.
    """
    was, model = read_weights(weights).provenance, _whole(weights, data, root, edges)
    text = model.config.text
    tokenizer = ReportTokenizer.load(weights, text.pad, text.cls, text.sep) if text is not None else None
    sources = {split: _source(data, split, model.config, tokenizer) for split in ("train", "val")}
    seen = {split: _seen(model, source, split, was.model_sha256[:16], keep, progress) for split, source in sources.items()}
    with_all_evidence(model)
    losses = fit_readout(model, seen["train"], seen["val"], progress=progress)
    seen = {split: read(model, features) for split, features in seen.items()}
    losses |= {task: (losses[task][0], fit_head(model, task, seen["train"], seen["val"])[1]) for task in model.heads}
    if model.text_decoder is not None and seen["train"].reports is not None:
        worded = fit_language(model, seen["train"], seen["val"], progress=progress)
        losses |= {part: (losses[part][0], after) for part, (_, after) in worded.items()}
        seen = {split: read_text(model, features) for split, features in seen.items()}
    if model.medication is not None and seen["train"].labs is not None and seen["val"].labs is not None:
        losses["medication"] = fit_medication(model, seen["train"], seen["val"])
    outputs = {task: HeadOutput(logits_of(model, task, seen["val"]).detach(), seen["val"].targets[task]) for task in model.heads}
    model.config = calibrate(model, outputs)
    domain = _domain(seen["train"], sources["train"])
    save_weights(
        root,
        model,
        name,
        licence=was.licence,
        trained_on=was.trained_on,
        synthetic_training=was.synthetic_training,
        source=f"{was.source}; everything above the slices fitted on the frozen encoder",
        tokenizer=weights if text is not None else None,
        domain=domain.to_bytes() if domain is not None else None,
        laterality_verified=was.laterality_verified,
        missing={n for n in was.missing if not n.startswith(_FITTED)},
    )
    return losses
