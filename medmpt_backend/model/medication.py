"""Fusion of CT, report and laboratory, the drug graph, and the two medication heads.

The graph layer itself is missing from the release (its parameters look like GATv2: Brody et al., ICLR 2022); `DrugGraph` is our own.
`official` pools it to one vector that is the same for every patient, a bias per drug; `patient` lets the patient's state attend over
the drugs.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.model.attention import PostNormEncoder, attend, merge_heads, split_heads
from medmpt_backend.model.config import MedicationConfig


class ModalityFusion(nn.Module):
    """One token per modality, mean over the tokens after two layers."""

    def __init__(self, widths: tuple[int, ...], config: MedicationConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.mlp = nn.ModuleList(nn.Sequential(nn.Linear(w, w), nn.ReLU(), nn.Linear(w, config.fusion_width)) for w in widths)
        self.transformer_encoder = PostNormEncoder(
            config.fusion_width, config.fusion_layers, config.fusion_heads, config.fusion_ff, gelu=True, kind="modalities", dropout=dropout
        )

    def forward(self, modalities: list[Tensor], present: Tensor | None = None) -> Tensor:
        """Fuse.

        Args:
            modalities: One `(B, width)` per modality, in the order CT, report, laboratory.
            present: `(B, modalities)` bool, False leaves a missing modality out; None: all are there.

        Returns:
            `(B, D)`.
        """
        x = torch.stack([mlp(m) for mlp, m in zip(self.mlp, modalities, strict=True)], 1)
        if present is None:
            pooled: Tensor = self.transformer_encoder(x).mean(1)
            return pooled
        y = self.transformer_encoder(x, present[:, None, None])
        weight = present.to(y.dtype)[..., None]
        out: Tensor = (y * weight).sum(1) / weight.sum(1)
        return out


def prior_adjacency(together: NDArray[np.float64], counts: NDArray[np.float64], threshold: float) -> NDArray[np.float32]:
    """Drug i points to j where P(i | j) = together[i, j] / counts[j] reaches the threshold; every drug points to itself.

    Args:
        together: `(drugs, drugs)` co-prescription counts.
        counts: `(drugs,)` prescriptions of each drug.
        threshold: Smallest conditional probability kept.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        edges = np.nan_to_num(together / counts) >= threshold
    out: NDArray[np.float32] = (edges.astype(np.float32) + np.eye(len(counts), dtype=np.float32)).clip(0, 1)
    return out


class GraphAttention(nn.Module):
    """GATv2 attention over nodes: score(i, j) = a . LeakyReLU(Wl h_i + Wr h_j), softmax over the neighbours j, heads concatenated."""

    def __init__(self, width_in: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.left = nn.Linear(width_in, heads * width, bias=False)
        self.right = nn.Linear(width_in, heads * width, bias=False)
        self.score = nn.Parameter(torch.randn(heads, width) * width**-0.5)

    def forward(self, nodes: Tensor, edges: Tensor) -> Tensor:
        """`(N, D)`, `(N, N)` non-zero = edge, to `(N, heads * width)`."""
        left = self.left(nodes).reshape(len(nodes), self.heads, -1)
        right = self.right(nodes).reshape(len(nodes), self.heads, -1)
        scores = (F.leaky_relu(left[:, None] + right[None], 0.2) * self.score).sum(-1)
        weights = scores.masked_fill(edges[..., None] == 0, float("-inf")).softmax(1)
        return torch.einsum("ijh,jhd->ihd", weights, right).flatten(1)


class DrugGraph(nn.Module):
    """Drug embeddings through alternating attention over all drugs and over each relation's edges.

    Buffers: `prior` `(1 + relations, N, N)`: co-prescription first, then one matrix per knowledge-graph relation of the config.
    """

    prior: Tensor

    def __init__(self, config: MedicationConfig) -> None:
        super().__init__()
        drugs = len(config.drugs)
        self.nodes = nn.Parameter(torch.randn(drugs, config.node_width) * 0.1)
        relations = 1 + len(config.relations)
        self.register_buffer("prior", torch.eye(drugs).repeat(relations, 1, 1))
        self.everywhere = nn.ModuleList()
        self.along_edges = nn.ModuleList()
        width = config.node_width
        for heads in config.graph_heads:
            self.everywhere.append(GraphAttention(width, config.graph_width, heads))
            width = heads * config.graph_width
            self.along_edges.append(nn.ModuleList(GraphAttention(width, config.graph_width, heads) for _ in range(relations)))
        self.out = nn.Linear(width, config.graph_width)

    def forward(self) -> Tensor:
        """`(drugs, graph width)`."""
        x: Tensor = self.nodes
        everywhere = torch.ones_like(self.prior[0])
        for whole, relations in zip(self.everywhere, self.along_edges, strict=True):
            assert isinstance(relations, nn.ModuleList)
            x = F.elu(whole(x, everywhere))
            x = F.elu(torch.stack([layer(x, edges) for layer, edges in zip(relations, self.prior, strict=True)]).mean(0))
        out: Tensor = self.out(x)
        return out


class PatientOverDrugs(nn.Module):
    """One logit per drug from the patient's state and that drug's node, after the patient attended over all drugs."""

    def __init__(self, config: MedicationConfig) -> None:
        super().__init__()
        self.heads = config.fusion_heads
        width = config.fusion_width
        self.query = nn.Linear(width, width)
        self.keys = nn.Linear(config.graph_width, 2 * width)
        self.norm = nn.LayerNorm(width)
        self.score = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, patient: Tensor, nodes: Tensor) -> Tensor:
        """`(B, D)`, `(drugs, G)` to `(B, drugs)`."""
        keys, values = self.keys(nodes).chunk(2, -1)
        rows = len(patient)
        k, v = (split_heads(t[None].expand(rows, -1, -1), self.heads) for t in (keys, values))
        seen = merge_heads(attend(split_heads(self.query(patient)[:, None], self.heads), k, v, "drugs"))[:, 0]
        state = self.norm(patient + seen)[:, None].expand(-1, len(nodes), -1)
        pair = torch.cat([state * keys, state + values], -1)
        out: Tensor = self.score(pair)[..., 0]
        return out


class MedicationModel(nn.Module):
    """Patient fusion with the `patient` head and the `medication` head (the one used for ranking)."""

    def __init__(self, widths: tuple[int, ...], config: MedicationConfig, dropout: float = 0.0) -> None:
        super().__init__()
        drugs = len(config.drugs)
        self.fusion = ModalityFusion(widths, config, dropout)
        self.patient_head = nn.Linear(config.fusion_width, drugs, bias=False)
        self.graph = DrugGraph(config)
        official = config.drug_graph == "official"
        self.medication_head = nn.Linear(config.fusion_width + config.graph_width, drugs, bias=False) if official else None
        self.over_drugs = None if official else PatientOverDrugs(config)

    def official_logits(self, fused: Tensor, nodes: Tensor) -> Tensor:
        """Official head: `(B, D)`, `(drugs, G)` to `(B, drugs)`; the graph enters as its mean over drugs."""
        assert self.medication_head is not None
        pooled = nodes.mean(0).expand(len(fused), -1)
        out: Tensor = self.medication_head(torch.cat([fused, pooled], -1))
        return out

    def forward(self, modalities: list[Tensor], present: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits `(B, drugs)` of the medication head and of the patient head."""
        fused = self.fusion(modalities, present)
        patient: Tensor = self.patient_head(fused)
        if self.over_drugs is None:
            return self.official_logits(fused, self.graph()), patient
        return self.over_drugs(fused, self.graph()) + patient, patient


def medication_loss(medication: Tensor, patient: Tensor, label: Tensor) -> Tensor:
    """1 x BCE(medication) + 2 x BCE(patient), the official weights."""
    bce = F.binary_cross_entropy_with_logits
    return bce(medication, label) + 2.0 * bce(patient, label)
