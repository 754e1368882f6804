"""The released beam search, reproduced with a key-value cache. Correct searches live in `search`."""

from dataclasses import dataclass

import torch
from torch import Tensor

from medmpt_backend.model.text import ReportDecoder

# Log-probability that the released search gives to an immediate repetition.
BANNED = -10000.0


@dataclass(frozen=True, eq=False)
class OfficialBeams:
    """Result of the released search.

    Attributes:
        ids: `(B, beams, T)` int64, best beam first, start token not included.
        logprobs: `(B, beams)` sum of log-probabilities.
        last_input: `(B * beams, T - 1)` what the decoder saw at the last step.
        steps: `(B, beams, T)` log-probability of each chosen token.
        margin: Smallest gap between consecutive scores of the `beams + 1` best candidates over all steps; rounding below it changes no id.
    """

    ids: Tensor
    logprobs: Tensor
    last_input: Tensor
    steps: Tensor
    margin: float


def _best(scores: Tensor, beams: int, margins: list[float]) -> tuple[Tensor, Tensor]:
    """`(B, candidates)` to the `beams` best scores and their indices."""
    top, index = scores.topk(beams + 1)
    gaps = (top[:, :-1] - top[:, 1:])[top[:, 1:].isfinite()]
    margins.append(float(gaps.min()) if len(gaps) else float("inf"))
    return top[:, :beams], index[:, :beams]


def _trace(tokens: list[Tensor], pointers: list[Tensor], scores: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Follow back-pointers from the last step; `tokens`, `scores` `(B, beams)` per step, one pointer fewer."""
    ids, sums = [tokens[-1]], [scores[-1]]
    back = pointers[-1] if pointers else torch.arange(tokens[0].shape[1], device=tokens[0].device).expand_as(tokens[0])
    for step in range(len(tokens) - 2, -1, -1):
        ids.append(tokens[step].gather(1, back))
        sums.append(scores[step].gather(1, back))
        if step:
            back = pointers[step - 1].gather(1, back)
    path = torch.stack(sums[::-1], -1)
    return torch.stack(ids[::-1], -1), torch.diff(path, dim=-1, prepend=torch.zeros_like(path[..., :1]))


def _ban(logprobs: Tensor, previous: Tensor) -> Tensor:
    return logprobs.scatter_(-1, previous[..., None], BANNED)


@torch.inference_mode()
def official_beam_search(decoder: ReportDecoder, memory: Tensor, beams: int, max_steps: int, start: int, end: int) -> OfficialBeams:
    """The released search, faults kept: start token fed once, histories never re-ordered, `end` is the start token.

    Args:
        decoder: Report decoder.
        memory: `(B, S, D)` cross-attention memory.
        beams: Beam size.
        max_steps: Most tokens.
        start: Start token.
        end: Token that freezes a beam.

    Returns:
        Every beam, best first.
    """
    studies = len(memory)
    first = torch.full((studies,), start, device=memory.device)
    margins: list[float] = []
    scores, token = _best(_ban(decoder.step(first, decoder.start(memory)), first), beams, margins)
    vocab = decoder.config.vocab
    frozen = torch.full((vocab,), float("-inf"), device=memory.device)
    frozen[end] = 0.0
    tokens, pointers, sums = [token], [], [scores]
    cache = decoder.start(memory)  # what step 1 cached is dropped: the start token is never seen again
    fed: list[Tensor] = []
    for _ in range(max_steps - 1):
        if bool((token == end).all()):
            break
        fed.append(token.flatten())
        logprobs = _ban(decoder.step(fed[-1], cache), fed[-1]).reshape(studies, beams, -1)
        logprobs = torch.where((token == end)[..., None], frozen, logprobs)
        scores, flat = _best((scores[..., None] + logprobs).flatten(1), beams, margins)
        token = flat % vocab
        tokens.append(token)
        pointers.append(flat // vocab)
        sums.append(scores)
    ids, steps = _trace(tokens, pointers, sums)
    last = torch.stack(fed, 1) if fed else first.new_zeros((studies * beams, 0))
    return OfficialBeams(ids, scores, last, steps, min(margins))


@torch.inference_mode()
def official_next(decoder: ReportDecoder, prefix: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Logits `(B, L, vocab)` of a prefix and the released step's log-probabilities `(B, vocab)` of the next token."""
    logits = decoder(prefix, memory)
    return logits, _ban(logits[:, -1].log_softmax(-1), prefix[:, -1])
