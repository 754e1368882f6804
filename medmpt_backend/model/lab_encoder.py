"""Laboratory encoder: normalised values with a missing mask to one vector.

`official`: LayerNorm(value x embedding). LayerNorm divides the value out again, so only its sign is left. `magnitude` (ours): Fourier
features of the squashed value and a direction of the test's own that the value stretches (feature tokenizer: Gorishniy et al., NeurIPS
2021, arXiv 2106.11959), added to the test's identity, so that 3 times the upper limit differs from 1.1 times.
"""

import math
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medmpt_backend.errors import BadInput
from medmpt_backend.model.attention import PostNormEncoder
from medmpt_backend.model.config import LabConfig

# LayerNorm eps of the official laboratory encoder's input.
LAB_EPS = 1e-8


class MagnitudeToken(nn.Module):
    """Value to token: monotone squashing, Fourier features through a small MLP, a direction per test, plus the identity of the test."""

    def __init__(self, tests: int, width: int, frequencies: int = 8) -> None:
        super().__init__()
        self.identity = nn.Parameter(torch.randn(tests, width) * 0.5)
        self.direction = nn.Parameter(torch.randn(tests, width) * 0.5)
        self.frequencies = frequencies
        self.mlp = nn.Sequential(nn.Linear(2 * frequencies + 2, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, values: Tensor) -> Tensor:
        """`(B, tests)`, 0 = lower limit, 1 = upper limit, to `(B, tests, D)`."""
        centred = values - 0.5
        squashed = centred.sign() * torch.log1p(centred.abs())  # log scale far out, linear near the reference interval
        steps = torch.arange(-2, self.frequencies - 2, dtype=values.dtype, device=values.device)
        angle = squashed[..., None] * (math.pi * 2.0**steps)
        features = torch.cat([angle.sin(), angle.cos(), squashed[..., None], centred.clamp(-2, 2)[..., None]], -1)
        out: Tensor = self.mlp(features) + squashed[..., None] * self.direction + self.identity
        return out


class LabEncoder(nn.Module):
    """Both forms; `config.encoder` chooses."""

    def __init__(self, config: LabConfig, dropout: float = 0.0) -> None:
        super().__init__()
        width = config.width
        self.cls_embedding = nn.Parameter(torch.randn(1, width) * 0.02)
        self.transformer_encoder = PostNormEncoder(width, config.layers, config.heads, config.ff, gelu=True, kind="labs", dropout=dropout)
        self.layer_norm = nn.LayerNorm(width, eps=LAB_EPS)
        self.tokens = MagnitudeToken(config.tests, width) if config.encoder == "magnitude" else None
        self.bio_embedding = nn.Parameter(torch.randn(config.tests, width) * 0.02) if config.encoder == "official" else None

    def forward(self, values: Tensor, missing: Tensor) -> Tensor:
        """Encode one panel per patient.

        Args:
            values: `(B, tests)` float, (value - low) / (high - low), 0 where missing.
            missing: `(B, tests)`, non-zero = not measured.

        Returns:
            `(B, 1 + tests, D)`: the panel's vector first.
        """
        if self.tokens is not None:
            tokens = self.tokens(values)
        else:
            assert self.bio_embedding is not None
            tokens = values[..., None] * self.bio_embedding
        x = torch.cat([self.cls_embedding.expand(len(values), 1, -1), tokens], 1)
        present = nn.functional.pad(~missing.bool(), (1, 0), value=True)[:, None, None]
        out: Tensor = self.transformer_encoder(self.layer_norm(x), present)
        return out


def lab_inputs(config: LabConfig, labs: Mapping[str, float | None]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Normalised values `(tests,)` and missing mask `(tests,)` in the panel's order.

    Raises:
        BadInput: An analyte is not in the panel, or the weights name no panel.
    """
    values, missing = np.zeros(config.tests, np.float32), np.ones(config.tests, bool)
    order = {test.analyte: i for i, test in enumerate(config.panel)}
    for analyte, value in labs.items():
        if analyte not in order:
            raise BadInput(f"{analyte!r} is not in the weights' laboratory panel ({len(order)} tests)")
        if value is not None:
            i = order[analyte]
            test = config.panel[i]
            values[i], missing[i] = (value - test.low) / (test.high - test.low), False
    return values, missing
