"""Fine detail: the residual stem, the branches that see half patches with their neighbours, and what they add to a slice."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from medmpt_backend.model.config import VisionConfig

# LayerNorm eps of the slice encoder: released MedMPT.
VIT_EPS = 1e-6


class _ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of each pixel of `(N, D, h, w)`: a part of an image is normalised as the whole is."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=VIT_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """`(N, D, h, w)` to the same."""
        out: Tensor = super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return out


class _Residual(nn.Module):
    """`(N, D, h, w)` to the same: norm, activation, 3x3 convolution, added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = _ChannelNorm(width)
        self.conv = nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv(nn.functional.gelu(self.norm(x)))
        return out


class ResidualStem(nn.Module):
    """Strided 4x4 convolutions of doubling width with residual 3x3 ones between; the scale before last serves `LocalBranch`."""

    def __init__(self, config: VisionConfig, channels: int, coarse: bool = True) -> None:
        super().__init__()
        steps = int(math.log2(config.patch))
        if 2**steps != config.patch or steps < 3:
            raise ValueError(f"a residual stem needs a patch that is a power of two and at least 8, not {config.patch}")
        widths = [config.cell_width >> (steps - 2 - step) for step in range(steps - 1)]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, 2, 1)]
        for step, (a, b) in enumerate(pairwise(widths)):
            layers += [_ChannelNorm(a), nn.GELU(), nn.Conv2d(a, b, 4, 2, 1)]
            layers += [_Residual(b) for _ in range(2 if step < steps - 3 else 3)]
        self.fine = nn.Sequential(*layers)
        if coarse:
            self.coarse = nn.Sequential(_ChannelNorm(widths[-1]), nn.GELU(), nn.Conv2d(widths[-1], config.width, 3, 2, 1))

    def cells(self, x: Tensor) -> Tensor:
        """`(N, C, H, W)` to features of half patches `(N, cell width, 2 grid, 2 grid)`."""
        out: Tensor = self.fine(x.contiguous(memory_format=torch.channels_last))
        return out

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`(N, C, H, W)` to features of half patches `(N, cell width, 2 grid, 2 grid)` and patch tokens `(N, patches, D)`."""
        fine = self.cells(x)
        return fine, self.coarse(fine).flatten(2).transpose(1, 2)


class _Neighbours(nn.Module):
    """`(B, S, C, h, w)` to the same: a residual 3x3 convolution within each slice, then one over three slices."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.within = _Residual(width)
        self.norm = _ChannelNorm(width)
        self.across = nn.Conv2d(width, width, (3, 1), 1, (1, 0))

    def forward(self, x: Tensor) -> Tensor:
        batch, slices, channels, height, width = x.shape
        flat = self.within(x.flatten(0, 1))
        stacked = nn.functional.gelu(self.norm(flat)).reshape(batch, slices, channels, -1).transpose(1, 2)
        moved = self.across(stacked.contiguous(memory_format=torch.channels_last)).transpose(1, 2)
        out: Tensor = flat.reshape(x.shape) + moved.reshape(batch, slices, channels, height, width)
        return out


class LocalBranch(nn.Module):
    """Half patches with what their patch knows and their neighbours in all three directions."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        width = config.local_width
        self.fine = nn.Conv2d(config.cell_width, width, 1)
        self.context = nn.Linear(config.width, width)
        self.mix = nn.Sequential(_Neighbours(width), _Neighbours(width))
        self.norm = nn.LayerNorm(width, eps=VIT_EPS)

    def forward(self, fine: Tensor, tokens: Tensor) -> Tensor:
        """`(B, S, cell width, h, w)`, `(B, S, 1 + patches, D)` to `(B, S, h, w, local width)`."""
        batch, slices, _, height, width = fine.shape
        context = self.context(tokens[:, :, 1:]).transpose(2, 3).reshape(batch * slices, -1, height // 2, width // 2)
        wide = nn.functional.interpolate(context, scale_factor=2.0, mode="nearest")
        x = self.fine(fine.flatten(0, 1).contiguous(memory_format=torch.channels_last)) + wide
        out: Tensor = nn.functional.gelu(self.norm(self.mix(x.reshape(batch, slices, -1, height, width)).permute(0, 1, 3, 4, 2)))
        return out


class SpotBranch(nn.Module):
    """Own stem and own local branch for small dense findings, which the many cells of large findings drown in a shared one."""

    def __init__(self, config: VisionConfig, channels: int) -> None:
        super().__init__()
        self.stem, self.local = ResidualStem(config, channels, coarse=False), LocalBranch(config)

    def forward(self, image: Tensor, tokens: Tensor) -> Tensor:
        """`(B, S, C, H, W)` and the encoder's tokens `(B, S, 1 + patches, D)` to `(B, S, h, w, local width)`."""
        fine = self.stem.cells(image.flatten(0, 1))
        out: Tensor = self.local(fine.reshape(*image.shape[:2], *fine.shape[1:]), tokens)
        return out

    @torch.no_grad()
    def begin_from(self, stem: ResidualStem, local: LocalBranch) -> None:
        """Copy a trained stem and local branch: what they know is the start."""
        self.stem.load_state_dict({k: v for k, v in stem.state_dict().items() if k.startswith("fine.")})
        self.local.load_state_dict(local.state_dict())


# Deviation that a figure of the digest counts as having at least.
_LEAST_SPREAD = 1e-3


class LocalSummary(nn.Module):
    """The strongest cells of each side of a slice and their mean, as an addition to the slice embedding; it starts from nothing.

    `F` features and `L` scores of each cell.

    Buffers: `mean` and `scale` `(4 (F + L),)`, which bring the digest of the training studies to zero mean and unit deviation.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: VisionConfig, features: int, scores: int) -> None:
        super().__init__()
        width = 4 * (features + scores)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.out = nn.Linear(width, config.width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    @staticmethod
    def digest(cells: Tensor, scores: Tensor) -> Tensor:
        """Cells `(B, S, h, w, F)` and their scores `(B, S, L, h, w)` to largest and mean of each side, `(B, S, 4 (F + L))`."""
        half = cells.shape[3] // 2
        parts = []
        for side in (slice(None, half), slice(half, None)):
            inside, scored = cells[:, :, :, side].flatten(2, 3), scores[..., side].flatten(3)
            parts += [inside.amax(2), inside.mean(2), torch.tanh(scored.amax(3) / 4), scored.sigmoid().mean(3)]
        return torch.cat(parts, -1)

    def forward(self, digest: Tensor) -> Tensor:
        """Output of `digest` to `(B, S, D)`."""
        out: Tensor = self.out((digest - self.mean) * self.scale)
        return out

    @torch.no_grad()
    def standardise(self, digest: Tensor) -> None:
        """Take mean and deviation from the digest of training studies, `(N, S, 4 (F + L))`."""
        self.mean.copy_(digest.mean((0, 1)))
        self.scale.copy_(1 / digest.std((0, 1)).clamp_min(_LEAST_SPREAD))
