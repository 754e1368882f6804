"""The five pretraining objectives: slice MoCo, scan MoCo, masked image, image-text contrast, language modelling. All weigh 1."""

import copy
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.text import caption_loss
from medmpt_backend.model.vision import MaskedDecoder, masked_image_loss, random_masking

# Both learned temperatures are kept inside this interval: released MedMPT.
TEMPERATURES = (0.001, 0.5)
OBJECTIVES = ("iic_slice", "iic_scan", "mim", "itc", "lm")
_MOMENTUM_PARTS = ("vision_encoder", "vision_fusion", "vision_proj_slice", "vision_proj_scan")


@dataclass(frozen=True, eq=False)
class PretrainOutput:
    """Losses and the intermediate results that parity looks at.

    Attributes:
        losses: Scalar per objective.
        sim_slice: `(B * S, B * S + queue)` slice similarities over temperature.
        sim_scan: `(B, B + queue)`.
        sim_text: `(B, B)` scan to text.
        logits: `(B, L, vocab)` of the report decoder.
        latent: `(B * S, 1 + kept, D)` of the masked encoder.
        prediction: `(B * S, N, pixels)` of the masked decoder.
    """

    losses: dict[str, Tensor]
    sim_slice: Tensor
    sim_scan: Tensor
    sim_text: Tensor
    logits: Tensor
    latent: Tensor
    prediction: Tensor

    @property
    def total(self) -> Tensor:
        """Sum of the five losses."""
        return torch.stack(list(self.losses.values())).sum()


def gather(x: Tensor) -> Tensor:
    """Rows of all processes in rank order, `(world * n, ...)`, without gradient to the others; `x` itself when not distributed."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return x
    parts = [torch.empty_like(x) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, x.contiguous())
    return torch.cat(parts)


class _GatherWithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return gather(x)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        grad = grad.contiguous().clone()
        dist.all_reduce(grad)
        rows = len(grad) // dist.get_world_size()
        return grad[dist.get_rank() * rows : (dist.get_rank() + 1) * rows]


def gather_with_gradient(x: Tensor) -> Tensor:
    """As `gather`, with gradient to every process."""
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return x
    out: Tensor = _GatherWithGradient.apply(x)  # type: ignore[no-untyped-call]
    return out


def world_rank() -> tuple[int, int]:
    """World size and rank; (1, 0) when not distributed."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_world_size(), dist.get_rank()
    return 1, 0


class PretrainModel(nn.Module):
    """MedMPT with momentum copies, queues and the masked decoder.

    Buffers: `image_queue_slice` `(P, K)`, `image_queue_scan` `(P, K)` unit columns, `queue_ptr_slice`, `queue_ptr_scan` `(1,)` int64.
    """

    image_queue_slice: Tensor
    image_queue_scan: Tensor
    queue_ptr_slice: Tensor
    queue_ptr_scan: Tensor

    def __init__(self, config: MedMPTConfig) -> None:
        super().__init__()
        self.config = config
        self.model = MedMPT(config)
        self.moves_itself = True  # sharded training moves the momentum copies outside of `forward`
        self.vision_decoder = MaskedDecoder(config.vision, config.preprocess.channels)
        for name in _MOMENTUM_PARTS:
            part = copy.deepcopy(getattr(self.model, name))
            self.add_module(f"{name}_k", part.requires_grad_(False))
        for name, size in (("slice", config.pretrain.queue_slice), ("scan", config.pretrain.queue_scan)):
            self.register_buffer(f"image_queue_{name}", F.normalize(torch.randn(config.projection, size), dim=0))
            self.register_buffer(f"queue_ptr_{name}", torch.zeros(1, dtype=torch.int64))

    @torch.no_grad()
    def update_momentum(self) -> None:
        """Momentum copies move towards the trained parts."""
        m = self.config.pretrain.momentum
        for name in _MOMENTUM_PARTS:
            for slow, fast in zip(self.get_submodule(f"{name}_k").parameters(), getattr(self.model, name).parameters(), strict=True):
                slow.mul_(m).add_(fast, alpha=1 - m)

    @torch.no_grad()
    def _enqueue(self, name: str, keys: Tensor) -> None:
        """Write unit rows `(n, P)` of all processes at the pointer, wrapping round; the queue's size need not be a multiple of n."""
        queue: Tensor = getattr(self, f"image_queue_{name}")
        pointer: Tensor = getattr(self, f"queue_ptr_{name}")
        keys = gather(keys)[-queue.shape[1] :]
        columns = (int(pointer) + torch.arange(len(keys), device=keys.device)) % queue.shape[1]
        queue[:, columns] = keys.T.to(queue.dtype)
        pointer[0] = (int(pointer) + len(keys)) % queue.shape[1]

    @torch.no_grad()
    def _keys(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Unit slice rows `(B * S, P)` and scan rows `(B, P)` of the momentum branch."""
        cls = self.get_submodule("vision_encoder_k")(image.flatten(0, 1))[:, 0]
        scan = self.get_submodule("vision_fusion_k")(cls.reshape(*image.shape[:2], -1))[:, 0]
        slices = F.normalize(self.get_submodule("vision_proj_slice_k")(cls), dim=-1)
        return slices, F.normalize(self.get_submodule("vision_proj_scan_k")(scan), dim=-1)

    def _moco(self, name: str, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
        everyone = gather(key)
        _, rank = world_rank()
        queue: Tensor = getattr(self, f"image_queue_{name}")
        sim = query @ torch.cat([everyone.T, queue.clone().detach()], 1) / self.model.temp_image
        target = torch.arange(len(query), device=query.device) + rank * len(query)
        return sim, F.cross_entropy(sim.float(), target)

    def _contrast(self, scan: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        _, rank = world_rank()
        temperature = self.model.temp_multimodal
        sim = scan @ gather_with_gradient(text).T / temperature
        back = text @ gather_with_gradient(scan).T / temperature
        target = torch.arange(len(scan), device=scan.device) + rank * len(scan)
        return sim, (F.cross_entropy(sim.float(), target) + F.cross_entropy(back.float(), target)) / 2

    def forward(self, view_q: Tensor, view_k: Tensor, ids: Tensor, mask: Tensor, noise: Tensor) -> PretrainOutput:
        """One step's losses; momentum copies and queues move while training and when asked by `update`.

        Args:
            view_q: `(B, S, C, H, W)` float in [-1, 1], seen by the trained branch, masked.
            view_k: The other view, seen whole by the momentum branch.
            ids: `(B, L)` report tokens.
            mask: `(B, L)`, non-zero = token.
            noise: `(B * S, N)` uniform noise that decides the masking.
        """
        model, vision = self.model, self.config.vision
        assert model.text_decoder is not None
        assert self.config.text is not None
        with torch.no_grad():
            model.temp_image.clamp_(*TEMPERATURES)
            model.temp_multimodal.clamp_(*TEMPERATURES)
        masking = random_masking(noise, vision.mask_ratio)
        flat = view_q.flatten(0, 1)
        latent = model.vision_encoder(flat, masking)
        prediction = self.vision_decoder(latent, masking.restore)
        scan, tokens = model.fuse(latent[:, 0].reshape(*view_q.shape[:2], -1))
        if self.moves_itself:
            self.update_momentum()
        keys_slice, keys_scan = self._keys(view_k)
        sim_slice, loss_slice = self._moco("slice", model.project_slices(latent[:, 0]), keys_slice)
        scan_unit = model.project_scan(scan)
        sim_scan, loss_scan = self._moco("scan", scan_unit, keys_scan)
        text = model.project_text(model.encode_text(ids, mask))
        sim_text, loss_text = self._contrast(scan_unit, text)
        logits = model.text_decoder(ids, model.memory(tokens), mask)
        losses = {
            "iic_slice": loss_slice,
            "iic_scan": loss_scan,
            "mim": masked_image_loss(prediction.float(), flat, masking.mask, vision.patch),
            "itc": loss_text,
            "lm": caption_loss(logits, ids, self.config.text.pad),
        }
        self._enqueue("slice", keys_slice)
        self._enqueue("scan", keys_scan)
        return PretrainOutput(losses, sim_slice, sim_scan, sim_text, logits, latent, prediction)
