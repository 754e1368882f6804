"""Scores of cells as memory of the report decoder: one token per finding that says where it is and how far it reaches."""

import torch
from torch import Tensor, nn

# Zones of a study: thirds from foot to head, the image's left (the patient's right) and its right half of each.
THIRDS = 3
ZONES = 2 * THIRDS
# Strongest cell and covered share of each zone, and the logit of the head.
FIGURES = 2 * ZONES + 1


def zones(scores: Tensor) -> Tensor:
    """Strongest cell and covered share of every zone.

    Args:
        scores: `(B, S, labels, h, w)` logits of cells, foot first.

    Returns:
        `(B, labels, 2 * ZONES)` within -1 .. 1: tanh of a quarter of each zone's largest logit, then the root of each mean probability.
    """
    half = scores.shape[-1] // 2
    parts = [third[..., side] for third in scores.tensor_split(THIRDS, 1) for side in (slice(None, half), slice(half, None))]
    largest = [torch.tanh(part.amax((1, 3, 4)) / 4) for part in parts]
    covered = [part.sigmoid().mean((1, 3, 4)).sqrt() for part in parts]
    return torch.stack([*largest, *covered], -1)


class EvidenceTokens(nn.Module):
    """`(B, labels, FIGURES)` to tokens `(B, labels, width)`; every label has its own map."""

    def __init__(self, labels: int, width: int) -> None:
        super().__init__()
        self.label = nn.Parameter(torch.empty(labels, width))
        self.weight = nn.Parameter(torch.empty(labels, FIGURES, width))
        nn.init.normal_(self.label, std=0.5)
        nn.init.normal_(self.weight, std=FIGURES**-0.5)

    def forward(self, evidence: Tensor) -> Tensor:
        """`(B, labels, FIGURES)` to `(B, labels, width)`."""
        return self.label + torch.einsum("blf,lfd->bld", evidence, self.weight)
