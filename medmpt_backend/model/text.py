"""BERT text encoder and the report decoder with its key-value cache.

Parameter names follow BERT's usual layout, so that BERT checkpoints load as they are. Between encoder and decoder all embeddings and each
layer's feed-forward part with its LayerNorm are one and the same tensor; self-attention is not shared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medmpt_backend.model.attention import attend, merge_heads, split_heads
from medmpt_backend.model.config import TextConfig
from medmpt_backend.model.few_rows import ThinLinear

# LayerNorm eps of BERT.
BERT_EPS = 1e-12


@dataclass
class DecoderCache:
    """Keys and values of the tokens decoded so far and of the memory.

    Attributes:
        cross_kv: Of the memory, `(B, heads, S, d)` per layer.
        self_kv: Of the tokens, `(2, rows, heads, room, d)` per layer; the first `length` of `room` are filled.
        length: Tokens decoded so far.
        step: Tokens for which room is made at a time; the longest official report has 120.
    """

    cross_kv: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    self_kv: list[Tensor] = field(default_factory=list)
    length: int = 0
    step: int = 128

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Put the keys and values `(rows, heads, 1, d)` of the next token behind those of `layer`; returns all so far."""
        if layer == len(self.self_kv):
            self.self_kv.append(k.new_empty((2, *k.shape[:2], self.step, k.shape[3])))
        elif self.length == self.self_kv[layer].shape[3]:
            old = self.self_kv[layer]
            self.self_kv[layer] = torch.cat([old, old.new_empty((*old.shape[:3], self.step, old.shape[4]))], 3)
        held = self.self_kv[layer]
        held[0, :, :, self.length : self.length + 1] = k
        held[1, :, :, self.length : self.length + 1] = v
        return held[0, :, :, : self.length + 1], held[1, :, :, : self.length + 1]

    def reorder(self, rows: list[int]) -> None:
        """Keep `rows` (indices into the row axis) of the decoded tokens; each row must stay within its study."""
        moved = [(i, row) for i, row in enumerate(rows) if i != row]
        if not moved:
            return
        to, source = [i for i, _ in moved], [row for _, row in moved]
        for held in self.self_kv:
            filled = held[:, :, :, : self.length]
            filled[:, to] = filled[:, source]


def _dense_norm(inner: int, width: int) -> nn.ModuleDict:
    return nn.ModuleDict({"dense": ThinLinear(inner, width), "LayerNorm": nn.LayerNorm(width, eps=BERT_EPS)})


class _Attention(nn.Module):
    def __init__(self, config: TextConfig, kind: str, dropout: float) -> None:
        super().__init__()
        self.heads, self.kind = config.heads, kind
        self.add_module("self", nn.ModuleDict({n: ThinLinear(config.width, config.width) for n in ("query", "key", "value")}))
        self.output = _dense_norm(config.width, config.width)
        self.drop = nn.Dropout(dropout)

    def _project(self, name: str, x: Tensor) -> Tensor:
        return split_heads(cast(nn.ModuleDict, self._modules["self"])[name](x), self.heads)

    def keys_values(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of `source` `(B, L, D)`."""
        return self._project("key", source), self._project("value", source)

    def forward(self, x: Tensor, kv: tuple[Tensor, Tensor], mask: Tensor | None, causal: bool) -> Tensor:
        q = self._project("query", x)
        rows, studies = q.shape[0], kv[0].shape[0]
        if rows != studies:  # several beams of one study share its memory: fold beams into the query axis
            q = q.reshape(studies, -1, *q.shape[1:]).transpose(1, 2).flatten(2, 3)
        y = attend(q, *kv, kind=self.kind, mask=mask, causal=causal, dropout=self.drop.p if self.training else 0.0)
        if rows != studies:
            y = y.reshape(studies, self.heads, rows // studies, -1, y.shape[-1]).transpose(1, 2).flatten(0, 1)
        out: Tensor = self.output["LayerNorm"](self.drop(self.output["dense"](merge_heads(y))) + x)
        return out


class _Layer(nn.Module):
    def __init__(self, config: TextConfig, decoder: bool, dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(config, "decoder" if decoder else "text", dropout)
        if decoder:
            self.crossattention = _Attention(config, "cross", dropout)
        self.intermediate = nn.ModuleDict({"dense": ThinLinear(config.width, config.ff)})
        self.output = _dense_norm(config.ff, config.width)
        self.drop = nn.Dropout(dropout)

    def feed_forward(self, x: Tensor) -> Tensor:
        y = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        out: Tensor = self.output["LayerNorm"](self.drop(y) + x)
        return out


class _Embeddings(nn.Module):
    def __init__(self, config: TextConfig, dropout: float) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab, config.width)
        self.position_embeddings = nn.Embedding(config.positions, config.width)
        self.token_type_embeddings = nn.Embedding(config.types, config.width)
        self.LayerNorm = nn.LayerNorm(config.width, eps=BERT_EPS)
        self.drop = nn.Dropout(dropout)
        for table in (self.word_embeddings, self.position_embeddings, self.token_type_embeddings):
            nn.init.normal_(table.weight, std=0.02)

    def forward(self, ids: Tensor, offset: int) -> Tensor:
        positions = self.position_embeddings.weight[offset : offset + ids.shape[1]]
        x = self.word_embeddings(ids) + positions + self.token_type_embeddings.weight[0]
        out: Tensor = self.drop(self.LayerNorm(x))
        return out


class _Stack(nn.Module):
    def __init__(self, config: TextConfig, layers: int, decoder: bool, dropout: float) -> None:
        super().__init__()
        self.layer = nn.ModuleList(_Layer(config, decoder, dropout) for _ in range(layers))

    def __iter__(self) -> Iterator[_Layer]:
        return iter(cast(list[_Layer], self.layer))


class _Bert(nn.Module):
    def __init__(self, config: TextConfig, layers: int, decoder: bool, dropout: float) -> None:
        super().__init__()
        self.embeddings = _Embeddings(config, dropout)
        self.encoder = _Stack(config, layers, decoder, dropout)


class TextEncoder(_Bert):
    """BERT encoder (without its pooler, which no part of MedMPT uses)."""

    def __init__(self, config: TextConfig, dropout: float = 0.0) -> None:
        super().__init__(config, config.layers, False, dropout)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Encode tokens.

        Args:
            ids: `(B, L)` int64.
            mask: `(B, L)`, non-zero = token.

        Returns:
            `(B, L, D)`.
        """
        keys = mask.bool()[:, None, None]
        x = self.embeddings(ids, 0)
        for layer in self.encoder:
            x = layer.feed_forward(layer.attention(x, layer.attention.keys_values(x), keys, False))
        out: Tensor = x
        return out


def pool_text(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over tokens, CLS and SEP included: `(B, L, D)`, `(B, L)` to `(B, D)`."""
    weight = mask.to(hidden.dtype)[..., None]
    return (hidden * weight).sum(1) / weight.sum(1)


class _Predictions(nn.Module):
    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        self.transform = _dense_norm(config.width, config.width)
        self.decoder = ThinLinear(config.width, config.vocab)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.decoder(self.transform["LayerNorm"](F.gelu(self.transform["dense"](x))))
        return out


class ReportDecoder(nn.Module):
    """Causal BERT with cross-attention to the scan tokens."""

    def __init__(self, config: TextConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.bert = _Bert(config, config.decoder_layers, True, dropout)
        self.cls = nn.ModuleDict({"predictions": _Predictions(config)})

    def tie(self, encoder: TextEncoder) -> None:
        """Share embeddings, feed-forward parts and output weight with `encoder`."""
        self.bert.embeddings.word_embeddings.weight = encoder.embeddings.word_embeddings.weight
        self.bert.embeddings.position_embeddings.weight = encoder.embeddings.position_embeddings.weight
        self.bert.embeddings.token_type_embeddings.weight = encoder.embeddings.token_type_embeddings.weight
        self.bert.embeddings.LayerNorm = encoder.embeddings.LayerNorm
        for mine, theirs in zip(self.bert.encoder, encoder.encoder, strict=False):
            mine.intermediate, mine.output = theirs.intermediate, theirs.output
        self.get_submodule("cls.predictions.decoder").weight = encoder.embeddings.word_embeddings.weight

    def start(self, memory: Tensor) -> DecoderCache:
        """A cache that knows the memory `(B, S, D)` and no token."""
        return DecoderCache(cross_kv=[layer.crossattention.keys_values(memory) for layer in self.bert.encoder])

    def forward(self, ids: Tensor, memory: Tensor, mask: Tensor | None = None) -> Tensor:
        """Teacher forcing: `ids` `(B, L)`, `memory` `(B, S, D)`, `mask` `(B, L)` to logits `(B, L, vocab)`."""
        length = ids.shape[1]
        allowed = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()[None, None]
        if mask is not None:
            allowed = allowed & mask.bool()[:, None, None]
        x = self.bert.embeddings(ids, 0)
        for layer in self.bert.encoder:
            x = layer.attention(x, layer.attention.keys_values(x), allowed, False)
            x = layer.feed_forward(layer.crossattention(x, layer.crossattention.keys_values(memory), None, False))
        out: Tensor = self.cls["predictions"](x)
        return out

    def step(self, token: Tensor, cache: DecoderCache) -> Tensor:
        """Feed one token per row.

        Args:
            token: `(rows,)` int64; rows are studies times beams, study-major.
            cache: Extended in place.

        Returns:
            Log-probabilities of the next token, `(rows, vocab)` float32.
        """
        x = self.bert.embeddings(token[:, None], cache.length)
        for i, layer in enumerate(self.bert.encoder):
            kv = cache.extend(i, *layer.attention.keys_values(x))
            x = layer.crossattention(layer.attention(x, kv, None, False), cache.cross_kv[i], None, False)
            x = layer.feed_forward(x)
        cache.length += 1
        logits: Tensor = self.cls["predictions"](x[:, -1])
        return logits.float().log_softmax(-1)


def caption_loss(logits: Tensor, ids: Tensor, pad: int) -> Tensor:
    """Cross entropy of the next token; padding is not a target. `logits` `(B, L, vocab)`, `ids` `(B, L)`."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), ids[:, 1:].flatten(), ignore_index=pad)
