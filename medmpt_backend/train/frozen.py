"""What the frozen slice encoder makes of every study, kept so that everything above it can be trained in minutes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.model.finding_memory import zones
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.precision import fast
from medmpt_backend.train.data.batches import BatchSource

_BATCH = 4
# Fields of `HeadFeatures` that are written, in their order: by name, and pairs.
_NAMED, _PAIRS = ("strongest", "zones", "targets"), ("reports", "wordings", "labs")
# Studies per step.
TOGETHER = 64


@dataclass(frozen=True, eq=False)
class HeadFeatures:
    """What the frozen parts make of `N` studies, and what the parts above make of that.

    Attributes:
        cls: `(N, S, D)` CLS of each slice.
        digest: `(N, S, 4 (F + L))` largest and mean of the cells of each side, of models with a local branch.
        strongest: Head that scores patches to `(N, 1 or 3, labels)`.
        zones: Head that scores patches to `(N, labels, figures)` of `evidence.zones`.
        targets: Head, and `medication`, to its targets, as in `Batch.targets`.
        reports: Token ids and mask, `(N, L)` each; None where the model has no text part.
        wordings: Token ids and mask of the same reports in other words, `(K, N, L)` each; the reports themselves are the first.
        labs: Values and missing mask, `(N, tests)` each; None where the model has no medication part.
        scan: `(N, D)` scan embedding, by `read`.
        tokens: `(N, S, D)` scan tokens, by `read`.
        text: Pooled report `(N, T)`, by `read`.
    """

    cls: Tensor
    digest: Tensor | None
    strongest: dict[str, Tensor]
    zones: dict[str, Tensor]
    targets: dict[str, Tensor]
    reports: tuple[Tensor, Tensor] | None = None
    wordings: tuple[Tensor, Tensor] | None = None
    labs: tuple[Tensor, Tensor] | None = None
    scan: Tensor | None = None
    tokens: Tensor | None = None
    text: Tensor | None = None

    def __len__(self) -> int:
        return len(self.cls)


@torch.no_grad()
def head_features(model: MedMPT, source: BatchSource, progress: Callable[[int], None] = lambda _: None) -> HeadFeatures:
    """Every usable study of a source of task `joint`, not augmented."""
    rows: dict[str, list[Tensor]] = {}
    device = model.vision_encoder.cls_token.device
    tasks = (*model.heads, *(("medication",) if model.medication is not None else ()))
    for start in range(0, len(source.usable), _BATCH):
        batch = source.collate([(0, i) for i in source.usable[start : start + _BATCH]], augmented=False)
        with fast(device):
            tokens, cells = model.look(batch.view.to(device))
            patches = {name: model.patch_logits(name, cells).float() for name in model.scoring()} if cells is not None else {}
        found = {"cls": tokens[:, :, 0].float(), **{f"strongest/{task}": model.strongest(scores) for task, scores in patches.items()}}
        found |= {f"zones/{task}": zones(scores) for task, scores in patches.items()}
        if model.summary is not None and cells is not None:
            found["digest"] = model.summary.digest(cells.float(), torch.cat(list(patches.values()), 2))
        found |= {f"target/{task}": batch.targets[task] for task in tasks}
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
    wordings = source.wordings() if reports is not None else None
    return HeadFeatures(joined["cls"], joined.get("digest"), part("strongest"), part("zones"), part("target"), reports, wordings, labs)


def save_features(path: Path, features: HeadFeatures) -> None:
    """Write what the frozen parts made; `scan`, `tokens` and `text` are made anew."""
    from safetensors.torch import save_file

    tensors = {"cls": features.cls, **({} if features.digest is None else {"digest": features.digest})}
    for kind in _NAMED:
        tensors |= {f"{kind}/{name}": x for name, x in getattr(features, kind).items()}
    for kind in _PAIRS:
        tensors |= {f"{kind}/{i}": x for i, x in enumerate(getattr(features, kind) or ())}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    save_file({name: x.contiguous() for name, x in tensors.items()}, partial)
    partial.replace(path)


def load_features(path: Path) -> HeadFeatures:
    """Read what `save_features` wrote.

    Raises:
        BadInput: The file is damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        named = ({n.removeprefix(f"{kind}/"): x for n, x in tensors.items() if n.startswith(f"{kind}/")} for kind in _NAMED)
        pairs = ((tensors[f"{kind}/0"], tensors[f"{kind}/1"]) if f"{kind}/0" in tensors else None for kind in _PAIRS)
        return HeadFeatures(tensors["cls"], tensors.get("digest"), *named, *pairs)  # type: ignore[arg-type]
    except (OSError, KeyError, SafetensorError) as error:
        raise BadInput(f"{path.name!r} does not hold what a frozen encoder made; delete it to make it anew ({error})") from error


def batches(order: Tensor) -> list[Tensor]:
    """Rows in steps of `TOGETHER`."""
    return [order[i : i + TOGETHER] for i in range(0, len(order), TOGETHER)]


Noise = Callable[[str, Tensor], Tensor]


def no_noise(_: str, x: Tensor) -> Tensor:
    return x


def fused(model: MedMPT, features: HeadFeatures, rows: Tensor, noise: Noise = no_noise) -> tuple[Tensor, Tensor]:
    """Scan embedding `(n, D)` and scan tokens `(n, S, D)` of some rows; `noise` is put on what the frozen parts made."""
    slices = noise("cls", features.cls[rows])
    if model.summary is not None and features.digest is not None:
        slices = slices + model.summary(noise("digest", features.digest[rows]))
    return model.fuse(slices)


@torch.no_grad()
def read(model: MedMPT, features: HeadFeatures) -> HeadFeatures:
    """The same with scan embeddings and pooled reports as the parts above make them now."""
    parts = batches(torch.arange(len(features)))
    made = [fused(model, features, rows) for rows in parts]
    seen = replace(features, scan=torch.cat([scan for scan, _ in made]).float(), tokens=torch.cat([tokens for _, tokens in made]).float())
    return read_text(model, seen)


@torch.no_grad()
def read_text(model: MedMPT, features: HeadFeatures) -> HeadFeatures:
    """The same with pooled reports as the text encoder makes them now."""
    if features.reports is None:
        return features
    ids, mask = features.reports
    parts = batches(torch.arange(len(features)))
    return replace(features, text=torch.cat([model.encode_text(ids[rows], mask[rows]) for rows in parts]).float())


def logits_of(model: MedMPT, task: str, features: HeadFeatures, scan: Tensor | None = None) -> Tensor:
    """Logits `(N, labels)` of one head; `scan` stands in for the features' own embeddings."""
    assert features.scan is not None
    out: Tensor = model.heads[task](features.scan if scan is None else scan)
    return out + model.mixed(task, features.strongest[task]) if task in features.strongest else out


def told(model: MedMPT, features: HeadFeatures, rows: Tensor, scan: Tensor, noise: Noise = no_noise) -> Tensor | None:
    """What the report decoder is told of the findings of some rows, given their scan embeddings; it does not train the heads."""
    if model.told is None:
        return None
    parts = []
    for task, where in features.zones.items():
        logits = model.heads[task](scan.detach()) + model.mixed(task, features.strongest[task][rows])
        parts.append((noise(f"zones/{task}", where[rows]), logits.detach()))
    return model.evidence_of(parts)
