"""Slice encoder (ViT), its masked-image form, and the fusion of slices into a scan."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint as activation_checkpoint

from medmpt_backend.model.attention import PostNormEncoder, attend, merge_heads, split_heads
from medmpt_backend.model.config import VisionConfig
from medmpt_backend.model.fine_detail import VIT_EPS, ResidualStem

# LayerNorm eps of the fusion's input norm: released MedMPT.
FUSION_EPS = 1e-8


def sincos_positions(width: int, grid: int) -> Tensor:
    """Fixed 2-D sine-cosine positions, zeros for CLS: `(1, 1 + grid * grid, width)`; half of the width codes columns, half rows."""
    quarter = width // 4
    omega = 10000.0 ** -(torch.arange(quarter, dtype=torch.float64) / quarter)
    rows, columns = torch.meshgrid(torch.arange(grid, dtype=torch.float64), torch.arange(grid, dtype=torch.float64), indexing="ij")

    def code(coordinate: Tensor) -> Tensor:
        angle = coordinate.reshape(-1, 1) * omega
        return torch.cat([angle.sin(), angle.cos()], 1)

    table = torch.cat([code(columns), code(rows)], 1)
    table = nn.functional.pad(table, (0, width - table.shape[1], 1, 0))
    return table[None].float()


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, kind: str, queries: int | None = None) -> Tensor:
        q, k, v = (split_heads(t, self.heads) for t in self.qkv(x).chunk(3, -1))
        out: Tensor = self.proj(merge_heads(attend(q[:, :, :queries], k, v, kind)))
        return out


class Mlp(nn.Module):
    """Linear-GELU-Linear; `fused` where the first layer applies the GELU itself."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fused = False
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """`(..., D)` to the same."""
        hidden = self.fc1(x)
        out: Tensor = self.fc2(hidden if self.fused else nn.functional.gelu(hidden))
        return out


class Block(nn.Module):
    """Pre-norm transformer block."""

    def __init__(self, width: int, heads: int, mlp_ratio: float, kind: str = "vision") -> None:
        super().__init__()
        self.kind = kind
        self.norm1 = nn.LayerNorm(width, eps=VIT_EPS)
        self.attn = _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=VIT_EPS)
        self.mlp = Mlp(width, int(width * mlp_ratio))

    def forward(self, x: Tensor, count: int | None = None) -> Tensor:
        """`(B, L, D)` to `(B, L, D)`, or to the first `count` tokens of that without the work for the others."""
        x = x[:, :count] + self.attn(self.norm1(x), self.kind, count)
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class _PatchEmbed(nn.Module):
    """`(B, C, H, W)` to `(B, patches, D)`."""

    def __init__(self, config: VisionConfig, channels: int) -> None:
        super().__init__()
        if config.stem == "official":
            self.proj: nn.Module = nn.Conv2d(channels, config.width, config.patch, config.patch)
            return
        steps = int(math.log2(config.patch))
        if 2**steps != config.patch:
            raise ValueError(f"a convolutional stem needs a patch that is a power of two, not {config.patch}")
        layers: list[nn.Module] = []
        width = channels
        for step in range(steps):
            out = max(config.width >> (steps - 1 - step), 8)
            layers += [nn.Conv2d(width, out, 3, 2, 1, bias=False), nn.GroupNorm(1, out), nn.GELU()]
            width = out
        self.proj = nn.Sequential(*layers, nn.Conv2d(width, config.width, 1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.proj(x).flatten(2).transpose(1, 2)
        return out


def hide_patches(image: Tensor, mask: Tensor, patch: int) -> Tensor:
    """`(B, C, H, W)` with the patches of `mask` `(B, N)` (1 = removed) set to 0, the middle of the window."""
    side = image.shape[-1] // patch
    keep = (1 - mask).reshape(-1, 1, side, 1, side, 1).expand(-1, 1, side, patch, side, patch).reshape(-1, 1, *image.shape[-2:])
    return image * keep


@dataclass(frozen=True)
class Masking:
    """Which patches of each slice are kept: `keep` `(B, kept)` int64, `restore` `(B, N)` int64, `mask` `(B, N)` float, 1 = removed."""

    keep: Tensor
    restore: Tensor
    mask: Tensor


def random_masking(noise: Tensor, ratio: float) -> Masking:
    """Keep the `int(N * (1 - ratio))` patches with the smallest noise; `noise` is `(B, N)`."""
    patches = noise.shape[1]
    kept = int(patches * (1 - ratio))
    shuffle = noise.argsort(dim=1)
    restore = shuffle.argsort(dim=1)
    return Masking(shuffle[:, :kept], restore, (restore >= kept).float())


class SliceEncoder(nn.Module):
    """ViT over one slice; the slice embedding is token 0 after the final norm."""

    def __init__(self, config: VisionConfig, channels: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.pos_embed = nn.Parameter(sincos_positions(config.width, config.grid), requires_grad=False)
        self.patch, self.deep_stem = config.patch, config.stem == "residual"
        self.patch_embed: nn.Module = ResidualStem(config, channels) if self.deep_stem else _PatchEmbed(config, channels)
        self.blocks = nn.ModuleList(Block(config.width, config.heads, config.mlp_ratio) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width, eps=VIT_EPS)
        self.recompute = False  # training may trade time for memory
        nn.init.normal_(self.cls_token, std=0.02)

    def forward(self, x: Tensor, masking: Masking | None = None) -> Tensor:
        """Encode slices.

        Args:
            x: `(B, C, H, W)` float, scaled to [-1, 1].
            masking: Kept patches; None keeps all, in natural order.

        Returns:
            `(B, 1 + kept, D)`.
        """
        return self.tokens(x, masking)[0]

    def cls(self, x: Tensor) -> Tensor:
        """Slice embeddings alone, `(B, C, H, W)` to `(B, D)`: the last block works for one token."""
        return self.tokens(x, wanted=1)[0][:, 0]

    def tokens(
        self, x: Tensor, masking: Masking | None = None, positions: Tensor | None = None, wanted: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """As `forward`, and the features of half patches `(B, cell width, 2 grid, 2 grid)` where the stem has them.

        Args:
            x: `(B, C, H, W)`; of a part of the image where `positions` are given.
            masking: Kept patches.
            positions: `(B, patches)` int64, which patch of the whole image each patch of a part is.
            wanted: How many tokens are wanted; None wants all.
        """
        fine: Tensor | None = None
        if self.deep_stem:
            fine, x = self.patch_embed(x if masking is None else hide_patches(x, masking.mask, self.patch))
        else:
            x = self.patch_embed(x)
        x = x + (self.pos_embed[:, 1:] if positions is None else self.pos_embed[0, 1:][positions])
        if masking is not None:
            x = x.gather(1, masking.keep[..., None].expand(-1, -1, x.shape[-1]))
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(len(x), -1, -1), x], 1)
        for i, block in enumerate(self.blocks):
            count = wanted if i == len(self.blocks) - 1 else None
            remade = self.recompute and self.training
            x = activation_checkpoint(block, x, count, use_reentrant=False) if remade else block(x, count)
        return self.norm(x), fine


class MaskedDecoder(nn.Module):
    """Predicts the pixels of every patch from the kept tokens."""

    def __init__(self, config: VisionConfig, channels: int) -> None:
        super().__init__()
        width = config.decoder_width
        self.mask_token = nn.Parameter(torch.empty(1, 1, width))
        self.decoder_pos_embed = nn.Parameter(sincos_positions(width, config.grid), requires_grad=False)
        self.decoder_embed = nn.Linear(config.width, width)
        self.decoder_blocks = nn.ModuleList(
            Block(width, config.decoder_heads, config.mlp_ratio, "masked_decoder") for _ in range(config.decoder_depth)
        )
        self.decoder_norm = nn.LayerNorm(width, eps=VIT_EPS)
        self.decoder_pred = nn.Linear(width, config.patch**2 * channels)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: Tensor, restore: Tensor) -> Tensor:
        """`latent` `(B, 1 + kept, D)`, `restore` `(B, N)` to `(B, N, patch * patch * C)` in natural order."""
        x = self.decoder_embed(latent)
        missing = restore.shape[1] + 1 - x.shape[1]
        patches = torch.cat([x[:, 1:], self.mask_token.expand(len(x), missing, -1).to(x.dtype)], 1)
        patches = patches.gather(1, restore[..., None].expand(-1, -1, x.shape[-1]))
        x = torch.cat([x[:, :1], patches], 1) + self.decoder_pos_embed
        for block in self.decoder_blocks:
            x = block(x)
        out: Tensor = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        return out


def patchify(x: Tensor, patch: int) -> Tensor:
    """`(B, C, H, W)` to `(B, N, patch * patch * C)`, pixels ordered (row, column, channel)."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, channels, height // patch, patch, width // patch, patch)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(batch, -1, patch * patch * channels)


def masked_image_loss(prediction: Tensor, image: Tensor, mask: Tensor, patch: int) -> Tensor:
    """Mean squared error on raw pixels over the removed patches (`mask` 1 = removed)."""
    error = (prediction - patchify(image, patch)).square().mean(-1)
    return (error * mask).sum() / mask.sum()


class SliceFusion(nn.Module):
    """Slice embeddings to one scan embedding and one token per slice."""

    def __init__(self, config: VisionConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.empty(1, 1, config.width))
        self.pos_embed = nn.Embedding(config.fusion_positions, config.width)
        self.encoder = PostNormEncoder(
            config.width, config.fusion_layers, config.fusion_heads, config.fusion_ff, gelu=False, kind="fusion", dropout=dropout
        )
        self.layer_norm = nn.LayerNorm(config.width, eps=FUSION_EPS)
        nn.init.normal_(self.cls_token, std=0.02)
        nn.init.normal_(self.pos_embed.weight, std=0.02)

    def embed(self, slices: Tensor) -> Tensor:
        """Input of the encoder, `(B, 1 + S, D)`."""
        x = torch.cat([self.cls_token.expand(len(slices), -1, -1).to(slices.dtype), slices], 1)
        out: Tensor = self.layer_norm(x + self.pos_embed.weight[: x.shape[1]])
        return out

    def forward(self, slices: Tensor) -> Tensor:
        """`(B, S, D)` to `(B, 1 + S, D)`: scan embedding first, then scan tokens."""
        out: Tensor = self.encoder(self.embed(slices))
        return out
