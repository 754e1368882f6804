"""`MedMPT`: all parts under one roof, one method per step. Inference never needs labels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.config import HeadConfig, MedMPTConfig
from medmpt_backend.labs import LabEncoder
from medmpt_backend.medication import MedicationModel
from medmpt_backend.text import ReportDecoder, TextEncoder, pool_text
from medmpt_backend.vision import SliceEncoder, SliceFusion

# Patches of a study whose mean score speaks for a finding.
STRONGEST_PATCHES = 4


def projection(width: int, out: int) -> nn.Sequential:
    """Linear-ReLU-Linear; its output is L2-normalised by the caller."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def make_head(width: int, config: HeadConfig) -> nn.Module:
    """One classification head."""
    out = nn.Linear(width, len(config.labels))
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), out) if config.hidden else out


class MedMPT(nn.Module):
    """Slices to scan, text, laboratory and drugs.

    Shapes: `B` studies, `S` slices, `C` channels, `D` vision width, `T` text width, `P` projection width.
    """

    def __init__(self, config: MedMPTConfig) -> None:
        super().__init__()
        self.config = config
        vision, text = config.vision, config.text
        self.vision_encoder = SliceEncoder(vision, config.preprocess.channels)
        self.vision_fusion = SliceFusion(vision, config.dropout)
        self.vision_proj_slice = projection(vision.width, config.projection)
        self.vision_proj_scan = projection(vision.width, config.projection)
        self.temp_image = nn.Parameter(torch.tensor(config.pretrain.temperature))
        self.temp_multimodal = nn.Parameter(torch.tensor(config.pretrain.temperature))
        self.text_encoder = TextEncoder(text, config.dropout) if text else None
        self.text_proj = projection(text.width, config.projection) if text else None
        self.vision_to_text = nn.Linear(vision.width, text.width) if text and text.decoder_layers else None
        self.text_decoder = ReportDecoder(text, config.dropout) if text and text.decoder_layers else None
        self.retie()
        self.heads = nn.ModuleDict({name: make_head(vision.width, head) for name, head in config.heads.items()})
        scored = {name: head for name, head in config.heads.items() if head.patches}
        self.patch_heads = nn.ModuleDict({name: nn.Linear(vision.width, len(head.labels)) for name, head in scored.items()})
        self.patch_mix = nn.ParameterDict({name: nn.Parameter(torch.full((len(h.labels),), 0.5)) for name, h in scored.items()})
        self.labs = LabEncoder(config.labs, config.dropout) if config.labs is not None else None
        self.medication: MedicationModel | None = None
        if config.medication is not None and config.medication.drugs and config.labs is not None and text is not None:
            self.medication = MedicationModel((vision.width, text.width, config.labs.width), config.medication, config.dropout)

    def retie(self) -> None:
        """Share what encoder and decoder share; needed again after tensors were assigned."""
        if self.text_decoder is not None and self.text_encoder is not None:
            self.text_decoder.tie(self.text_encoder)

    def encode_slices(self, image: Tensor, chunk: int | None = None) -> Tensor:
        """`(B, S, C, H, W)` float in [-1, 1] to slice embeddings `(B, S, D)`; `chunk` slices at a time bound the memory."""
        flat = image.flatten(0, 1)
        step = chunk or len(flat)
        embedded = [self.vision_encoder(flat[i : i + step])[:, 0] for i in range(0, len(flat), step)]
        return torch.cat(embedded).reshape(*image.shape[:2], -1)

    def patch_logits(self, task: str, tokens: Tensor) -> Tensor:
        """All tokens of slices `(N, 1 + patches, D)` to `(N, labels, grid, grid)`; only for heads with `patches`."""
        grid = self.config.vision.grid
        out: Tensor = self.patch_heads[task](tokens[:, 1:])
        return out.transpose(1, 2).reshape(len(tokens), -1, grid, grid)

    def see(self, image: Tensor, chunk: int | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """As `encode_slices`, with the patch logits `(B, S, labels, grid, grid)` of every head that has them."""
        flat, (batch, count) = image.flatten(0, 1), image.shape[:2]
        step = chunk or len(flat)
        embedded: list[Tensor] = []
        scores: dict[str, list[Tensor]] = {name: [] for name in self.patch_heads}
        for i in range(0, len(flat), step):
            tokens = self.vision_encoder(flat[i : i + step])
            embedded.append(tokens[:, 0])
            for name, parts in scores.items():
                parts.append(self.patch_logits(name, tokens))
        patches = {name: torch.cat(parts) for name, parts in scores.items()}
        return torch.cat(embedded).reshape(batch, count, -1), {n: p.reshape(batch, count, *p.shape[1:]) for n, p in patches.items()}

    def fuse(self, slices: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, S, D)` to the scan embedding `(B, D)` and the scan tokens `(B, S, D)`."""
        out: Tensor = self.vision_fusion(slices)
        return out[:, 0], out[:, 1:]

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Tokens `(B, L)` to pooled text `(B, T)`."""
        assert self.text_encoder is not None
        return pool_text(self.text_encoder(ids, mask), mask)

    def project_scan(self, scan: Tensor) -> Tensor:
        """`(B, D)` to unit vectors `(B, P)`."""
        return F.normalize(self.vision_proj_scan(scan), dim=-1)

    def project_slices(self, slices: Tensor) -> Tensor:
        """`(N, D)` to unit vectors `(N, P)`."""
        return F.normalize(self.vision_proj_slice(slices), dim=-1)

    def project_text(self, pooled: Tensor) -> Tensor:
        """`(B, T)` to unit vectors `(B, P)`."""
        assert self.text_proj is not None
        return F.normalize(self.text_proj(pooled), dim=-1)

    def memory(self, tokens: Tensor) -> Tensor:
        """Scan tokens `(B, S, D)` to the decoder's memory `(B, S, T)`."""
        assert self.vision_to_text is not None
        out: Tensor = self.vision_to_text(tokens)
        return out

    def head_logits(self, task: str, scan: Tensor, patches: Tensor | None = None) -> Tensor:
        """Logits `(B, labels)` of one head; `patches` `(B, S, labels, grid, grid)` add the mean of their strongest."""
        out: Tensor = self.heads[task](scan)
        if patches is None:
            return out
        strongest = patches.transpose(1, 2).flatten(2).topk(min(STRONGEST_PATCHES, patches[0, :, 0].numel())).values.mean(-1)
        mixed: Tensor = out + self.patch_mix[task] * strongest
        return mixed
