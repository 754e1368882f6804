"""Correct decoding with a key-value cache: beam search, greedy and sampling, batched over studies.

The start token stays in view, histories follow their beams, the end token ends them, longer texts are not punished, and no n-gram repeats.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from medmpt_backend.inference.released_decoding import official_beam_search
from medmpt_backend.model.attention import recording
from medmpt_backend.model.text import ReportDecoder

_NEVER = float("-inf")


@dataclass(frozen=True)
class DecodeSettings:
    """How to decode.

    Attributes:
        method: `official` reproduces the released search, `beam`, `greedy`, `sample` are correct.
        beams: Beam size.
        max_length: Most tokens.
        end: End token id.
        length_penalty: Score = log-probability / length ** penalty.
        no_repeat_ngram: No n-gram of this length occurs twice; 0 switches it off.
        temperature: Of sampling.
        top_p: Of sampling: smallest set of tokens with this probability.
        seed: Of sampling.
        prefix: Tokens that every text begins with (not by the official search).
    """

    method: Literal["official", "beam", "greedy", "sample"] = "beam"
    beams: int = 2
    max_length: int = 120
    end: int = 102
    length_penalty: float = 0.6
    no_repeat_ngram: int = 4
    temperature: float = 1.0
    top_p: float = 0.9
    seed: int = 0
    prefix: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Generated:
    """One decoded text.

    Attributes:
        ids: Token ids without the start token; the end token is kept.
        logprobs: Per token, under the teacher-forced model.
        score: Length-normalised sum (plain sum for `official`).
        cross: `(T, S)` cross-attention of each token to the slices, mean over layers and heads; rows sum to 1.
    """

    ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    score: float
    cross: Tensor


def banned_next(history: list[int], size: int) -> set[int]:
    """Tokens that would repeat an n-gram of `size` that `history` already holds."""
    if size < 1 or len(history) < size:
        return set()
    tail = history[len(history) - size + 1 :]
    return {history[i + size - 1] for i in range(len(history) - size + 1) if history[i : i + size - 1] == tail}


@dataclass
class _Study:
    """Live and finished hypotheses of one study."""

    live: list[list[int]]
    scores: list[float]
    finished: list[tuple[float, list[int]]]

    def done(self, beams: int, penalty: float, limit: int) -> bool:
        if len(self.finished) < beams:
            return False
        worst = sorted(self.finished, reverse=True)[beams - 1][0]
        return max(self.scores) / float(limit**penalty) <= worst


def _forbid(logprobs: Tensor, rows: list[list[int]], settings: DecodeSettings, never: tuple[int, ...]) -> Tensor:
    logprobs[:, list(never)] = _NEVER
    for row, history in enumerate(rows):
        if len(history) <= len(settings.prefix):
            wanted = settings.prefix[len(history) - 1]
            kept = logprobs[row, wanted].clone()
            logprobs[row] = _NEVER
            logprobs[row, wanted] = kept
            continue
        for token in banned_next(history[1:], settings.no_repeat_ngram):
            logprobs[row, token] = _NEVER
    return logprobs


def _advance(study: _Study, candidates: list[tuple[float, int]], vocab: int, settings: DecodeSettings) -> list[int]:
    """Take the best candidates `(score, beam * vocab + token)`; returns the beam each new live hypothesis continues."""
    live: list[list[int]] = []
    scores: list[float] = []
    origins: list[int] = []
    for rank, (score, flat) in enumerate(candidates):
        beam, token = divmod(flat, vocab)
        history = [*study.live[beam], token]
        if token == settings.end:
            if rank < settings.beams and score > _NEVER:
                study.finished.append((score / (len(history) - 1) ** settings.length_penalty, history))
        elif len(live) < settings.beams:
            live.append(history)
            scores.append(score)
            origins.append(beam)
    study.live, study.scores = live, scores
    return origins


def _beam(decoder: ReportDecoder, memory: Tensor, settings: DecodeSettings) -> list[tuple[float, list[int]]]:
    config, beams = decoder.config, settings.beams
    studies = [_Study([[config.cls] for _ in range(beams)], [0.0] + [_NEVER] * (beams - 1), []) for _ in range(len(memory))]
    cache = decoder.start(memory)
    for _ in range(settings.max_length):
        rows = [history for s in studies for history in s.live]
        token = torch.tensor([history[-1] for history in rows], device=memory.device)
        logprobs = _forbid(decoder.step(token, cache), rows, settings, (config.pad, config.cls))
        totals = torch.tensor([s.scores for s in studies], device=memory.device)[..., None] + logprobs.reshape(len(studies), beams, -1)
        top, index = totals.flatten(1).topk(2 * beams)
        order: list[int] = []
        for i, study in enumerate(studies):
            candidates = list(zip(top[i].tolist(), index[i].tolist(), strict=True))
            order += [i * beams + origin for origin in _advance(study, candidates, config.vocab, settings)]
        if all(s.done(beams, settings.length_penalty, settings.max_length) for s in studies):
            break
        cache.reorder(order)
    best = []
    for study in studies:
        unfinished = [(s / (len(h) - 1) ** settings.length_penalty, h) for s, h in zip(study.scores, study.live, strict=True)]
        best.append(max(study.finished or unfinished, key=lambda pair: pair[0]))
    return best


def _pick(logprobs: Tensor, settings: DecodeSettings, generator: torch.Generator) -> Tensor:
    """One token per row by nucleus sampling."""
    probs, index = (logprobs / settings.temperature).softmax(-1).sort(-1, descending=True)
    probs = probs.masked_fill(probs.cumsum(-1) - probs > settings.top_p, 0.0)
    return index.gather(1, torch.multinomial(probs.cpu(), 1, generator=generator).to(index.device))[:, 0]


def _one_path(decoder: ReportDecoder, memory: Tensor, settings: DecodeSettings) -> list[tuple[float, list[int]]]:
    """Greedy decoding or sampling: one hypothesis per study."""
    config = decoder.config
    generator = torch.Generator().manual_seed(settings.seed)
    rows = [[config.cls] for _ in range(len(memory))]
    totals = [0.0] * len(rows)
    cache = decoder.start(memory)
    for _ in range(settings.max_length):
        token = torch.tensor([r[-1] for r in rows], device=memory.device)
        logprobs = _forbid(decoder.step(token, cache), rows, settings, (config.pad, config.cls))
        chosen = logprobs.argmax(-1) if settings.method == "greedy" else _pick(logprobs, settings, generator)
        for i, (row, following) in enumerate(zip(rows, chosen.tolist(), strict=True)):
            if row[-1] != settings.end:
                totals[i] += float(logprobs[i, following])
                row.append(following)
            elif len(row) > 1:
                row.append(settings.end)
        if all(row[-1] == settings.end for row in rows):
            break
    ended = [r[: r.index(settings.end) + 1] if settings.end in r else r for r in rows]
    return [(total / (len(r) - 1) ** settings.length_penalty, r) for total, r in zip(totals, ended, strict=True)]


@torch.inference_mode()
def replay(decoder: ReportDecoder, memory: Tensor, ids: list[int]) -> tuple[Tensor, Tensor]:
    """Teacher-forced log-probability per token and cross-attention of a text.

    Args:
        decoder: Report decoder.
        memory: `(1, S, D)`.
        ids: Start token first.

    Returns:
        `(T,)` and `(T, S)` for the tokens after the start token.
    """
    tokens = torch.tensor([ids], device=memory.device)
    with recording() as tap:
        logits = decoder(tokens[:, :-1], memory)
    logprobs = logits[0].float().log_softmax(-1).gather(1, tokens[0, 1:, None])[:, 0]
    cross = torch.stack(tap["cross"]).float().mean((0, 2))[0]
    return logprobs, cross / cross.sum(-1, keepdim=True)  # probabilities in half precision do not quite add up to 1


@torch.inference_mode()
def generate(decoder: ReportDecoder, memory: Tensor, settings: DecodeSettings) -> list[Generated]:
    """Decode one text per study.

    Args:
        decoder: Report decoder.
        memory: `(B, S, D)` cross-attention memory.
        settings: How.

    Returns:
        One text per study, in order.
    """
    longest = min(settings.max_length, decoder.config.positions - 1)
    settings = DecodeSettings(**{**vars(settings), "max_length": longest})
    if settings.method == "official":
        beams = official_beam_search(decoder, memory, settings.beams, longest, decoder.config.cls, settings.end)
        scores, ids = beams.logprobs[:, 0].tolist(), beams.ids[:, 0].tolist()
        texts = [(score, [decoder.config.cls, *row]) for score, row in zip(scores, ids, strict=True)]
    else:
        texts = (_beam if settings.method == "beam" else _one_path)(decoder, memory, settings)
    out = []
    for study, (score, row) in enumerate(texts):
        logprobs, cross = replay(decoder, memory[study : study + 1], row)
        out.append(Generated(tuple(row[1:]), tuple(logprobs.tolist()), score, cross.cpu()))
    return out
