"""`MedMPT`: all parts under one roof, one method per step. Inference never needs labels."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.model.finding_memory import EvidenceTokens, zones
from medmpt_backend.model.fine_detail import LocalBranch, LocalSummary, ResidualStem, SpotBranch
from medmpt_backend.model.lab_encoder import LabEncoder
from medmpt_backend.model.medication import MedicationModel
from medmpt_backend.model.text import ReportDecoder, TextEncoder, pool_text
from medmpt_backend.model.vision import SliceEncoder, SliceFusion

# Patches of a study whose mean score speaks for a finding.
STRONGEST_PATCHES = 4
# With a local branch also the strongest alone, which a small nodule is, and the mean over this share of the study's cells, which diffuse
# findings reach and single cells do not.
SPREAD = 0.02

# Logit that a cell starts from with a local branch: hardly any cell holds any one finding.
RARE = -6.0


def projection(width: int, out: int) -> nn.Sequential:
    """Linear-ReLU-Linear; its output is L2-normalised by the caller."""
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, out))


def make_head(width: int, config: HeadConfig) -> nn.Module:
    """One classification head."""
    out = nn.Linear(width, len(config.labels))
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), out) if config.hidden else out


def make_mix(config: HeadConfig, local: bool) -> Tensor:
    """How the strongest cells add to the logits: `(labels,)`; local branch: `(3, labels)`; with all evidence `(3, labels, labels)`."""
    labels = len(config.labels)
    if not local:
        return torch.full((labels,), 0.5)
    return torch.eye(labels).mul(0.3).repeat(3, 1, 1) if config.evidence == "all" else torch.full((3, labels), 0.3)


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
        self.local = LocalBranch(vision) if vision.local_width else None
        self.spots = SpotBranch(vision, config.preprocess.channels) if any(head.spots for head in scored.values()) else None
        cell = vision.local_width or vision.width
        self.patch_heads = nn.ModuleDict({name: nn.Linear(cell, len(head.labels)) for name, head in scored.items()})
        self.spot_heads = nn.ModuleDict({name: nn.Linear(cell, len(head.spots)) for name, head in scored.items() if head.spots})
        if vision.local_width:
            for scorer in (*self.patch_heads.values(), *self.spot_heads.values()):
                nn.init.constant_(scorer.bias, RARE)  # type: ignore[arg-type]
        outputs = sum(len(head.labels) for head in scored.values())
        self.summary = LocalSummary(vision, cell if self.spots is None else 2 * cell, outputs) if vision.local_width and outputs else None
        told = outputs if text and text.decoder_layers and text.memory == "evidence" else 0
        self.told = EvidenceTokens(told, text.width) if text and told else None
        self.patch_mix = nn.ParameterDict({name: nn.Parameter(make_mix(head, bool(vision.local_width))) for name, head in scored.items()})
        self.labs = LabEncoder(config.labs, config.dropout) if config.labs is not None else None
        self.medication: MedicationModel | None = None
        if config.medication is not None and config.medication.drugs and config.labs is not None and text is not None:
            self.medication = MedicationModel((vision.width, text.width, config.labs.width), config.medication, config.dropout)

    def retie(self) -> None:
        """Share what encoder and decoder share; needed again after tensors were assigned."""
        if self.text_decoder is not None and self.text_encoder is not None:
            self.text_decoder.tie(self.text_encoder)

    def encode_slices(self, image: Tensor, chunk: int | None = None, cells: bool = True) -> Tensor:
        """`(B, S, C, H, W)` float in [-1, 1] to slice embeddings `(B, S, D)`.

        Args:
            image: Slices.
            chunk: Slices at a time, to bound the memory.
            cells: Whether the strongest cells add to the embeddings, where these weights score cells.
        """
        if cells and self.summary is not None and self.scoring():
            return self.see(image, chunk)[0]
        flat = image.flatten(0, 1)
        step = chunk or len(flat)
        embedded = [self.vision_encoder.cls(flat[i : i + step]) for i in range(0, len(flat), step)]
        return torch.cat(embedded).reshape(*image.shape[:2], -1)

    def scoring(self) -> tuple[str, ...]:
        """Heads that score patches and whose tensors these weights have."""
        if self.local is not None and any(p.is_meta for p in self.local.parameters()):
            return ()
        return tuple(name for name, head in self.patch_heads.items() if not any(p.is_meta for p in head.parameters()))

    def spotting(self) -> bool:
        """Whether there is a branch for spots and these weights have its tensors."""
        parts = () if self.spots is None else (*self.spots.parameters(), *self.spot_heads.parameters())
        return bool(parts) and not any(p.is_meta for p in parts)

    def look(
        self, image: Tensor, chunk: int | None = None, origin: Tensor | None = None, spots: bool = True
    ) -> tuple[Tensor, Tensor | None]:
        """All tokens of all slices, and what the heads that score patches look at.

        Args:
            image: `(B, S, C, H, W)` float in [-1, 1]; with `origin` a part of each study.
            chunk: Slices at a time, to bound the memory.
            origin: `(B, 2)` int64, row and column of the first patch of each part.
            spots: Whether the branch for spots looks as well, where these weights have it.

        Returns:
            Tokens `(B, S, 1 + patches, D)`; cells `(B, S, cells, cells, features)`, None where no head scores patches. Features are those
            of the local branch and then those of the branch for spots.
        """
        flat, lead = image.flatten(0, 1), image.shape[:2]
        step = chunk or len(flat)
        side = image.shape[-1] // self.config.vision.patch
        where = [None if origin is None else self._positions(origin, lead[1], side)[i : i + step] for i in range(0, len(flat), step)]
        made = [self.vision_encoder.tokens(flat[i * step : (i + 1) * step], positions=part) for i, part in enumerate(where)]
        tokens = torch.cat([t for t, _ in made])
        tokens = tokens.reshape(*lead, *tokens.shape[1:])
        if not self.scoring():
            return tokens, None
        if self.local is None:
            return tokens, tokens[:, :, 1:].reshape(*lead, side, side, -1)
        fine = torch.cat([f for _, f in made if f is not None])
        cells = self.local(fine.reshape(*lead, *fine.shape[1:]), tokens)
        if not spots or not self.spotting():
            return tokens, cells
        assert self.spots is not None
        return tokens, torch.cat([cells, self.spots(image, tokens)], -1)

    def _positions(self, origin: Tensor, slices: int, side: int) -> Tensor:
        """Patches of the whole image that parts of `side` x `side` patches are: `(B * slices, side * side)`."""
        steps = torch.arange(side, device=origin.device)
        rows, columns = origin[:, :1] + steps, origin[:, 1:] + steps
        places = (rows[:, :, None] * self.config.vision.grid + columns[:, None]).flatten(1)
        return places.repeat_interleave(slices, 0)

    def patch_logits(self, task: str, cells: Tensor) -> Tensor:
        """Cells `(B, S, cells, cells, features)` to `(B, S, labels, cells, cells)`; only for heads with `patches`."""
        width = self.config.vision.local_width or cells.shape[-1]
        out: Tensor = self.patch_heads[task](cells[..., :width])
        if task in self.spot_heads and cells.shape[-1] > width:
            scores = self.spot_heads[task](cells[..., width:])
            out = out.index_copy(-1, torch.tensor(self.spot_rows(task), device=out.device), scores.to(out.dtype))
        return out.permute(0, 1, 4, 2, 3)

    def spot_rows(self, task: str) -> list[int]:
        """Labels of a head whose cells the branch for spots scores."""
        head = self.config.heads[task]
        return [head.labels.index(label) for label in head.spots]

    @torch.no_grad()
    def begin_spots(self) -> None:
        """Start the branch for spots from the trained stem, local branch and scores of cells."""
        assert self.spots is not None
        assert self.local is not None
        stem = self.vision_encoder.patch_embed
        assert isinstance(stem, ResidualStem)
        self.spots.begin_from(stem, self.local)
        for task, head in self.spot_heads.items():
            scorer, rows = self.patch_heads[task], self.spot_rows(task)
            head.weight.copy_(scorer.weight[rows])  # type: ignore[index, operator]
            head.bias.copy_(scorer.bias[rows])  # type: ignore[index, operator]

    def slices_of(self, tokens: Tensor, cells: Tensor | None, scores: dict[str, Tensor]) -> Tensor:
        """Slice embeddings `(B, S, D)` of what `look` saw: CLS, with a local branch and what its strongest cells say."""
        cls = tokens[:, :, 0]
        if self.summary is None or cells is None or self.summary.out.weight.is_meta:
            return cls
        added: Tensor = self.summary(self.summary.digest(cells, torch.cat(list(scores.values()), 2)))
        return cls + added

    def see(self, image: Tensor, chunk: int | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """As `encode_slices`, with the patch logits `(B, S, labels, cells, cells)` of every head that has them."""
        tokens, cells = self.look(image, chunk)
        scores = {name: self.patch_logits(name, cells) for name in self.scoring()} if cells is not None else {}
        return self.slices_of(tokens, cells, scores), scores

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

    def evidence(self, scan: Tensor, patches: dict[str, Tensor]) -> Tensor | None:
        """What the decoder is told of each finding, `(B, labels, FIGURES)`; None where it sees the scan tokens alone.

        Args:
            scan: `(B, D)`.
            patches: Patch logits of `see`.
        """
        if self.told is None:
            return None
        return self.evidence_of([(zones(scores), self.head_logits(name, scan, scores)) for name, scores in patches.items()])

    @staticmethod
    def evidence_of(parts: list[tuple[Tensor, Tensor]]) -> Tensor:
        """Zones `(B, labels, 2 * ZONES)` and logits `(B, labels)` of each head that scores patches, in their order, to `evidence`."""
        return torch.cat([torch.cat([where, torch.tanh(logits / 4)[..., None]], -1) for where, logits in parts], 1)

    def memory(self, tokens: Tensor, evidence: Tensor | None = None) -> Tensor:
        """Scan tokens `(B, S, D)` to the decoder's memory `(B, S, T)`; with `evidence` and one entry per finding `(B, S + labels, T)`."""
        assert self.vision_to_text is not None
        out: Tensor = self.vision_to_text(tokens)
        if evidence is None or self.told is None:
            return out
        return torch.cat([out, self.told(evidence)], 1)

    def head_logits(self, task: str, scan: Tensor, patches: Tensor | None = None) -> Tensor:
        """Logits `(B, labels)` of one head; `patches` `(B, S, labels, cells, cells)` add the mean of their strongest."""
        out: Tensor = self.heads[task](scan)
        if patches is None:
            return out
        return out + self.mixed(task, self.strongest(patches))

    def strongest(self, patches: Tensor) -> Tensor:
        """Means of the strongest cells: `(B, S, labels, cells, cells)` to `(B, 1, labels)`, with a local branch to `(B, 3, labels)`."""
        flat = patches.transpose(1, 2).flatten(2)
        few = min(STRONGEST_PATCHES, flat.shape[-1])
        counts = (1, few, max(1, int(flat.shape[-1] * SPREAD))) if self.local is not None else (few,)
        top = flat.topk(max(counts)).values
        return torch.stack([top[..., :count].mean(-1) for count in counts], 1)

    def mixed(self, task: str, strongest: Tensor) -> Tensor:
        """What the strongest cells `(B, 1 or 3, labels)` add to the logits `(B, labels)`."""
        weight: Tensor = self.patch_mix[task]
        if weight.ndim == 3:
            return torch.einsum("bkl,klm->bm", strongest, weight)
        added: Tensor = (strongest * weight).sum(1)
        return added
