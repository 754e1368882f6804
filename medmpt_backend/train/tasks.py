"""Losses of the tasks: pretraining and fine-tuning behind one `forward(batch)`.

Means over a batch are means over the batch of all processes, so that two processes train as one with twice the batch.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.config import MedMPTConfig
from medmpt_backend.errors import BadInput
from medmpt_backend.medication import medication_loss
from medmpt_backend.model import MedMPT
from medmpt_backend.train.batches import Batch
from medmpt_backend.train.objectives import PretrainModel, world_rank


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
        for name in ("heads", "labs", "medication"):
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

    def __init__(self, model: MedMPT, task: str, mask_weight: float = 1.0) -> None:
        super().__init__()
        self.model, self.task, self.mask_weight = model, task, mask_weight
        if task == "medication" and model.medication is None:
            raise BadInput("the configuration has no medication part")
        trained = {id(p) for module in self._trained_modules() for p in module.parameters() if p.requires_grad}
        for parameter in model.parameters():
            parameter.requires_grad_(id(parameter) in trained)

    def _trained_modules(self) -> list[nn.Module]:
        model = self.model
        seeing: list[nn.Module] = [model.vision_encoder, model.vision_fusion]
        if self.task in model.config.heads:
            mixed = nn.ParameterList([self.model.patch_mix[self.task]] if self.task in self.model.patch_mix else [])
            return [*seeing, model.heads[self.task], mixed, *(h for name, h in model.patch_heads.items() if name == self.task)]
        wanted = {
            "caption": (model.vision_to_text, model.text_decoder),
            "medication": (model.text_encoder, model.labs, model.medication),
        }.get(self.task)
        if wanted is None:
            raise BadInput(f"unknown task {self.task!r}; use pretrain, caption, medication or a head: {', '.join(model.config.heads)}")
        return [*seeing, *(part for part in wanted if part is not None)]

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Loss per part."""
        model = self.model
        tokens = model.vision_encoder(batch.view.flatten(0, 1))
        scan, scan_tokens = model.fuse(tokens[:, 0].reshape(*batch.view.shape[:2], -1))
        if self.task == "caption":
            assert model.text_decoder is not None
            logits = model.text_decoder(batch.ids, model.memory(scan_tokens), batch.text_mask)
            return {"lm": next_token_loss(logits, batch.ids, model.text_decoder.config.pad)}
        if self.task == "medication":
            return {"medication": self._medication(batch, scan)}
        assert batch.target is not None
        if self.task not in model.patch_heads:
            return {self.task: head_loss(model.head_logits(self.task, scan), batch.target)}
        patches = model.patch_logits(self.task, tokens)
        patches = patches.reshape(*batch.view.shape[:2], *patches.shape[1:])
        losses = {self.task: head_loss(model.head_logits(self.task, scan, patches), batch.target)}
        if batch.patches is not None and self.mask_weight:
            losses["patches"] = self.mask_weight * patch_loss(patches, batch.patches)
        return losses

    def _medication(self, batch: Batch, scan: Tensor) -> Tensor:
        model = self.model
        assert model.labs is not None
        assert model.medication is not None
        assert batch.target is not None
        if batch.labs is None:
            raise BadInput("medication training needs a configuration whose laboratory panel is named")
        values, missing = batch.labs
        text = model.encode_text(batch.ids, batch.text_mask)
        medication, patient = model.medication([scan, text, model.labs(values.to(scan.dtype), missing)[:, 0]])
        return medication_loss(medication.float(), patient.float(), batch.target)


def head_loss(logits: Tensor, target: Tensor) -> Tensor:
    """BCE over known labels (NaN = unknown) or cross entropy over known classes (-1 = unknown)."""
    if target.ndim == 2:
        known = ~target.isnan()
        each = F.binary_cross_entropy_with_logits(logits.float(), target.nan_to_num(0.0), reduction="none")
        return global_mean((each * known).sum(), known.sum().float())
    total = F.cross_entropy(logits.float(), target, ignore_index=-1, reduction="sum")
    return global_mean(total, (target >= 0).sum().float())


def patch_loss(logits: Tensor, target: Tensor) -> Tensor:
    """BCE of each patch's logits against its covered share, positive patches weighted up to balance.

    Args:
        logits: `(B, S, labels, grid, grid)`.
        target: As `logits`, NaN = unknown.
    """
    known = ~target.isnan()
    target = target.nan_to_num(0.0)
    weight = torch.where(target > 0.05, 10.0, 1.0) * known
    each = F.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return global_mean((each * weight).sum(), known.sum().float())
