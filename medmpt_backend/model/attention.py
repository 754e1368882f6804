"""Attention that all parts share: fast by default, recorded when an explanation asks for it.

`with recording() as tap:` makes every call inside it (in this thread) keep its probabilities under the name of its kind.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Tap = dict[str, list[Tensor]]
_TAP: ContextVar[Tap | None] = ContextVar("medmpt_attention_tap", default=None)

# Plain products take 0.6 of the fused kernel's time on Zen 4 (197 tokens, 12 heads of 64).
_HAS_AMX = torch.cpu._is_amx_tile_supported()


@contextmanager
def recording() -> Iterator[Tap]:
    """Keep attention probabilities `(B, heads, queries, keys)` by kind.

    Kinds: `vision`, `masked_decoder`, `fusion`, `text`, `decoder`, `cross`, `labs`, `modalities`, `drugs`.
    """
    tap: Tap = defaultdict(list)
    token = _TAP.set(tap)
    try:
        yield tap
    finally:
        _TAP.reset(token)


def attend(q: Tensor, k: Tensor, v: Tensor, kind: str, mask: Tensor | None = None, causal: bool = False, dropout: float = 0.0) -> Tensor:
    """Scaled dot-product attention.

    Args:
        q: `(B, heads, queries, d)`.
        k: `(B, heads, keys, d)`.
        v: `(B, heads, keys, d)`.
        kind: Name under which probabilities are recorded.
        mask: Boolean, True = may be attended; broadcast to `(B, heads, queries, keys)`.
        causal: Mask later keys (queries and keys of equal length).
        dropout: Dropout probability on the attention.

    Returns:
        `(B, heads, queries, d)`.
    """
    tap = _TAP.get()
    # On a CPU the fused kernel's bf16 backward pass is far slower than plain matrix products; without AMX so is its forward pass.
    bf16_cpu = q.device.type == "cpu" and q.dtype == torch.bfloat16
    slow = bf16_cpu and (not _HAS_AMX or (torch.is_grad_enabled() and q.requires_grad))
    if tap is None and not slow:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, dropout_p=dropout)
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1), float("-inf"))
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    probs = scores.softmax(-1)
    if tap is not None:
        if probs.requires_grad:
            probs.retain_grad()
        tap[kind].append(probs)
    return F.dropout(probs, dropout) @ v if dropout else probs @ v


def split_heads(x: Tensor, heads: int) -> Tensor:
    """`(B, L, D)` to `(B, heads, L, D / heads)`."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """`(B, heads, L, d)` to `(B, L, heads * d)`."""
    return x.transpose(1, 2).flatten(2)


class _InProjection(nn.Module):
    """Self-attention with one packed input projection."""

    def __init__(self, width: int, heads: int, kind: str, dropout: float) -> None:
        super().__init__()
        self.heads, self.kind, self.dropout = heads, kind, dropout
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        q, k, v = (split_heads(t, self.heads) for t in F.linear(x, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        dropout = self.dropout if self.training else 0.0
        out: Tensor = self.out_proj(merge_heads(attend(q, k, v, self.kind, mask, dropout=dropout)))
        return out


class PostNormLayer(nn.Module):
    """Transformer encoder layer, LayerNorm after each residual (eps 1e-5)."""

    def __init__(self, width: int, heads: int, ff: int, gelu: bool, kind: str, dropout: float) -> None:
        super().__init__()
        self.self_attn = _InProjection(width, heads, kind, dropout)
        self.linear1 = nn.Linear(width, ff)
        self.linear2 = nn.Linear(ff, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.act = nn.GELU() if gelu else nn.ReLU()
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(B, L, D)` to `(B, L, D)`; `mask` True = may be attended."""
        x = self.norm1(x + self.drop(self.self_attn(x, mask)))
        out: Tensor = self.norm2(x + self.drop(self.linear2(self.drop(self.act(self.linear1(x))))))
        return out


class PostNormEncoder(nn.Module):
    """A stack of `PostNormLayer` without a final norm."""

    def __init__(self, width: int, layers: int, heads: int, ff: int, *, gelu: bool, kind: str, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(PostNormLayer(width, heads, ff, gelu, kind, dropout) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(B, L, D)` to `(B, L, D)`; `mask` True = may be attended, broadcast to `(B, heads, L, L)`."""
        for layer in self.layers:
            x = layer(x, mask)
        return x
