"""Losses of the tasks: pretraining and fine-tuning behind one `forward(batch)`.

Means over a batch are means over the batch of all processes, so that two processes train as one with twice the batch.
"""

from typing import Literal

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.errors import BadInput
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.medication import medication_loss
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.data.batches import Batch
from medmpt_backend.train.objectives import TEMPERATURES, PretrainModel, gather_with_gradient, world_rank

# Labels that cover less than this share of the cells weigh as if they covered so much.
RAREST = 1e-5


def global_mean(total: Tensor, count: Tensor) -> Tensor:
    """Sum and count of this process to a loss whose average over processes is the mean over all of them."""
    world, _ = world_rank()
    if world == 1:
        return total / count.clamp_min(1)
    everyone = count.detach().clone()
    dist.all_reduce(everyone)
    return total * world / everyone.clamp_min(1)


def next_token_loss(logits: Tensor, ids: Tensor, pad: int) -> Tensor:
    """Caption loss over the tokens of all processes."""
    target = ids[:, 1:].flatten()
    total = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), target, ignore_index=pad, reduction="sum")
    return global_mean(total, (target != pad).sum().float())


class PretrainTask(nn.Module):
    """All five objectives."""

    def __init__(self, config: MedMPTConfig) -> None:
        super().__init__()
        self.pretrain = PretrainModel(config)
        for name in ("heads", "patch_heads", "patch_mix", "local", "spots", "spot_heads", "summary", "told", "labs", "medication"):
            part = getattr(self.pretrain.model, name)
            if part is not None:
                part.requires_grad_(False)

    @property
    def model(self) -> MedMPT:
        """The part that inference uses."""
        return self.pretrain.model

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss per objective."""
        assert batch.other is not None
        assert batch.noise is not None
        assert self.pretrain.config.text is not None
        out = self.pretrain(batch.view, batch.other, batch.ids, batch.text_mask, batch.noise)
        return {**out.losses, "lm": next_token_loss(out.logits, batch.ids, self.pretrain.config.text.pad)}


class FinetuneTask(nn.Module):
    """One downstream task on top of MedMPT."""

    def __init__(
        self,
        model: MedMPT,
        task: str,
        mask_weight: float = 1.0,
        cell_weights: Tensor | None = None,
        parts: Literal["none", "all", "spots"] = "none",
    ) -> None:
        super().__init__()
        self.model, self.task, self.mask_weight, self.cell_weights, self.parts = model, task, mask_weight, cell_weights, parts
        if task == "medication" and model.medication is None:
            raise BadInput("the configuration has no medication part")
        trained = {id(p) for module in self._trained_modules() for p in module.parameters() if p.requires_grad}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in trained)

    def _trained_modules(self) -> list[nn.Module]:
        model = self.model
        seeing: list[nn.Module] = [model.vision_encoder, model.vision_fusion]
        if self.parts != "none":
            if model.local is None or self.task not in model.patch_heads:
                raise BadInput(f"parts of studies train a head with patches and a local branch; {self.task!r} has none")
            if self.parts == "spots":
                if model.spots is None or self.task not in model.spot_heads:
                    raise BadInput(f"the head {self.task!r} has no labels for the branch for spots")
                return [model.spots, model.spot_heads[self.task]]
            return [model.vision_encoder, model.local, model.patch_heads[self.task]]
        if self.task in model.config.heads:
            seeing += [model.heads[self.task]]
            if self.task in model.patch_heads:
                seeing += [nn.ParameterList([model.patch_mix[self.task]]), model.patch_heads[self.task]]
                seeing += [part for part in (model.local, model.spots, model.summary) if part is not None]
                seeing += [model.spot_heads[self.task]] if self.task in model.spot_heads else []
            return seeing
        wanted = {
            "caption": (model.vision_to_text, model.text_decoder, model.told),
            "medication": (model.text_encoder, model.labs, model.medication),
        }.get(self.task)
        if wanted is None:
            raise BadInput(f"unknown task {self.task!r}; use pretrain, caption, medication or a head: {', '.join(model.config.heads)}")
        return [*seeing, *(part for part in wanted if part is not None)]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss per part."""
        model = self.model
        if self.parts != "none":
            cells = model.look(batch.view, origin=batch.origin, spots=self.parts == "spots")[1]
            assert cells is not None
            assert batch.patches is not None
            logits, covered, weights = model.patch_logits(self.task, cells), batch.patches, self.cell_weights
            if self.parts == "spots":
                rows = model.spot_rows(self.task)
                logits, covered, weights = logits[:, :, rows], covered[:, :, rows], None if weights is None else weights[rows]
            return {"patches": self.mask_weight * patch_loss(logits, covered, weights)}
        slices, patches = model.see(batch.view)
        scan, scan_tokens = model.fuse(slices)
        if self.task == "caption":
            return {"lm": report_loss(model, batch, scan_tokens, model.evidence(scan, patches))}
        if self.task == "medication":
            assert batch.target is not None
            return {"medication": prescription_loss(model, batch, scan, batch.target)}
        assert batch.target is not None
        return findings_losses(model, self.task, (scan, patches), (batch.target, batch.patches), self.mask_weight, self.cell_weights)


class JointTask(nn.Module):
    """Every head, the report and the prescription at once, from one look at each study: one encoder serves them all."""

    def __init__(self, model: MedMPT, mask_weight: float = 1.0, cell_weights: Tensor | None = None) -> None:
        super().__init__()
        self.model, self.mask_weight, self.cell_weights = model, mask_weight, cell_weights
        model.vision_proj_slice.requires_grad_(False)  # pretraining only
        model.temp_image.requires_grad_(False)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss per part."""
        model = self.model
        slices, patches = model.see(batch.view)
        scan, scan_tokens = model.fuse(slices)
        losses: dict[str, Tensor] = {}
        for task in model.heads:
            wanted = (batch.targets[task], batch.patches)
            losses |= findings_losses(model, task, (scan, patches), wanted, self.mask_weight, self.cell_weights)
        if model.text_decoder is not None:
            losses["lm"] = report_loss(model, batch, scan_tokens, model.evidence(scan, patches))
            text = model.project_text(model.encode_text(batch.ids, batch.text_mask))
            losses["itc"] = match_loss(model.project_scan(scan), text, model.temp_multimodal)
        if "medication" in batch.targets:
            losses["medication"] = prescription_loss(model, batch, scan, batch.targets["medication"])
        return losses


def match_loss(scan: Tensor, text: Tensor, temperature: Tensor) -> Tensor:
    """Symmetric contrast of unit rows `(B, P)` within the batch of all processes."""
    _, rank = world_rank()
    limited = temperature.clamp(*TEMPERATURES)
    target = torch.arange(len(scan), device=scan.device) + rank * len(scan)
    there = scan @ gather_with_gradient(text).T / limited
    back = text @ gather_with_gradient(scan).T / limited
    return (F.cross_entropy(there.float(), target) + F.cross_entropy(back.float(), target)) / 2


def report_loss(model: MedMPT, batch: Batch, scan_tokens: Tensor, evidence: Tensor | None) -> Tensor:
    """Next-token loss of the report given the scan tokens and, where the decoder is told, the findings."""
    assert model.text_decoder is not None
    logits = model.text_decoder(batch.ids, model.memory(scan_tokens, evidence), batch.text_mask)
    return next_token_loss(logits, batch.ids, model.text_decoder.config.pad)


def findings_losses(
    model: MedMPT,
    task: str,
    seen: tuple[Tensor, dict[str, Tensor]],
    wanted: tuple[Tensor, Tensor | None],
    mask_weight: float,
    cell_weights: Tensor | None = None,
) -> dict[str, Tensor]:
    """Loss of one head and, where it scores patches, of its patches.

    Args:
        model: Model.
        task: Head.
        seen: Scan embedding `(B, D)` and the patch logits of `MedMPT.see`.
        wanted: Target of the head, and the covered share of each cell, None where the data has no masks.
        mask_weight: Weight of the loss per cell.
        cell_weights: `(labels,)`, as for `patch_loss`.
    """
    (scan, scored), (target, covered) = seen, wanted
    if task not in scored:
        return {task: head_loss(model.head_logits(task, scan), target)}
    losses = {task: head_loss(model.head_logits(task, scan, scored[task]), target)}
    if covered is not None and mask_weight:
        losses["patches"] = mask_weight * patch_loss(scored[task], covered, cell_weights)
    return losses


def prescription_loss(model: MedMPT, batch: Batch, scan: Tensor, target: Tensor) -> Tensor:
    """Both medication heads against the drugs given."""
    assert model.labs is not None
    assert model.medication is not None
    if batch.labs is None:
        raise BadInput("medication training needs a configuration whose laboratory panel is named")
    values, missing = batch.labs
    text = model.encode_text(batch.ids, batch.text_mask)
    medication, patient = model.medication([scan, text, model.labs(values.to(scan.dtype), missing)[:, 0]])
    return medication_loss(medication.float(), patient.float(), target)


def head_loss(logits: Tensor, target: Tensor) -> Tensor:
    """BCE over known labels (NaN = unknown) or cross entropy over known classes (-1 = unknown)."""
    if target.ndim == 2:
        known = ~target.isnan()
        each = F.binary_cross_entropy_with_logits(logits.float(), target.nan_to_num(0.0), reduction="none")
        return global_mean((each * known).sum(), known.sum().float())
    total = F.cross_entropy(logits.float(), target, ignore_index=-1, reduction="sum")
    return global_mean(total, (target >= 0).sum().float())


def patch_loss(logits: Tensor, target: Tensor, label_weights: Tensor | None = None) -> Tensor:
    """BCE of each patch's logits against its covered share, positive patches weighted up to balance.

    Args:
        logits: `(B, S, labels, grid, grid)`.
        target: As `logits`, NaN = unknown.
        label_weights: `(labels,)`; None weighs all labels alike.
    """
    known = ~target.isnan()
    target = target.nan_to_num(0.0)
    weight = torch.where(target > 0.05, 10.0, 1.0) * known
    if label_weights is not None:
        weight = weight * label_weights.to(weight.device)[:, None, None]
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return global_mean((each * weight).sum(), known.sum().float())


def balanced_weights(covered: Tensor, exponent: float) -> Tensor:
    """Weights `(labels,)` that lift labels with few covered cells: the share of covered cells to the power of -`exponent`, scaled so that
    all labels' covered cells together weigh what they did.

    Args:
        covered: `(labels,)` mean covered share of the cells.
        exponent: 0 weighs all alike, 1 gives every label the same sum.
    """
    share = covered.clamp_min(RAREST)
    weights = share**-exponent
    return weights * share.sum() / (weights * share).sum()
