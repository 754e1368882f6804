"""Decoding: the cache changes nothing, the correct search is correct, the official one is reproduced elsewhere (parity)."""

import itertools

import pytest
import torch
from torch import Tensor

from medmpt_backend.inference.decoding import DecodeSettings, banned_next, generate, replay
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.text import DecoderCache, ReportDecoder


@pytest.fixture(scope="module")
def decoder() -> ReportDecoder:
    torch.manual_seed(5)
    text = MedMPTConfig.tiny().text
    assert text is not None
    config = MedMPTConfig.tiny(text=text.model_copy(update={"vocab": 12, "pad": 0, "unk": 1, "cls": 2, "sep": 3}).model_dump())
    made = MedMPT(config).eval().text_decoder
    assert made is not None
    with torch.no_grad():
        for parameter in made.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4.0)
    return made


@pytest.fixture(scope="module")
def memory() -> Tensor:
    return torch.randn(3, 4, 32, generator=torch.Generator().manual_seed(1))


def test_cached_steps_equal_the_uncached_model(decoder: ReportDecoder, memory: Tensor) -> None:
    ids = torch.tensor([[2, 5, 6, 7, 8, 5]]).repeat(3, 1)
    cache = decoder.start(memory)
    stepped = torch.stack([decoder.step(ids[:, i], cache) for i in range(ids.shape[1])], 1)
    assert torch.allclose(stepped, decoder(ids, memory).log_softmax(-1), atol=1e-5)


def test_a_cache_grows_and_follows_its_rows() -> None:
    """Against plain concatenation and `index_select`, past the room first made and with a swap of rows."""
    generator = torch.Generator().manual_seed(3)
    cache = DecoderCache(step=2)
    keys, values = torch.empty(3, 2, 0, 4), torch.empty(3, 2, 0, 4)
    for rows in ([0, 1, 2], [1, 0, 2], [2, 2, 0], [0, 1, 1], [2, 1, 0]):
        k, v = (torch.randn(3, 2, 1, 4, generator=generator) for _ in range(2))
        keys, values = torch.cat([keys, k], 2), torch.cat([values, v], 2)
        held = cache.extend(0, k, v)
        assert torch.equal(held[0], keys)
        assert torch.equal(held[1], values)
        cache.length += 1
        cache.reorder(rows)
        keys, values = keys[rows], values[rows]


def _best_by_enumeration(decoder: ReportDecoder, memory: Tensor, length: int, settings: DecodeSettings) -> tuple[float, tuple[int, ...]]:
    """Exhaustive search over all texts of up to `length` tokens that end with the end token."""
    words = [i for i in range(decoder.config.vocab) if i not in (0, 2, settings.end)]
    best = (float("-inf"), (0,))
    for n in range(length):
        for middle in itertools.product(words, repeat=n):
            row = (2, *middle, settings.end)
            total = float(replay(decoder, memory, list(row))[0].sum())
            best = max(best, (total / (n + 1) ** settings.length_penalty, row[1:]))
    return best


def test_a_wide_beam_finds_the_best_text(decoder: ReportDecoder, memory: Tensor) -> None:
    settings = DecodeSettings(beams=81, max_length=3, end=3, no_repeat_ngram=0)
    for study in range(2):
        score, ids = _best_by_enumeration(decoder, memory[study : study + 1], 3, settings)
        found = generate(decoder, memory[study : study + 1], settings)[0]
        assert (found.ids, found.score) == (ids, pytest.approx(score, abs=1e-4))


@pytest.mark.parametrize("method", ["beam", "greedy", "official"])
def test_batching_does_not_change_texts(decoder: ReportDecoder, memory: Tensor, method: str) -> None:
    settings = DecodeSettings(method=method, beams=3, max_length=12, end=2 if method == "official" else 3)  # type: ignore[arg-type]
    together = generate(decoder, memory, settings)
    for study, text in enumerate(together):
        alone = generate(decoder, memory[study : study + 1], settings)[0]
        assert (alone.ids, alone.score) == (text.ids, pytest.approx(text.score, abs=1e-4))


def test_a_beam_of_one_is_greedy_and_more_beams_are_not_worse(decoder: ReportDecoder, memory: Tensor) -> None:
    plain = {"max_length": 10, "end": 3, "length_penalty": 0.0}
    greedy = generate(decoder, memory, DecodeSettings(method="greedy", **plain))  # type: ignore[arg-type]
    one = generate(decoder, memory, DecodeSettings(beams=1, **plain))  # type: ignore[arg-type]
    assert [g.ids for g in greedy] == [o.ids for o in one]
    assert all(g.score == pytest.approx(sum(g.logprobs), abs=1e-4) for g in greedy)


def test_no_ngram_repeats(decoder: ReportDecoder, memory: Tensor) -> None:
    for text in generate(decoder, memory, DecodeSettings(max_length=20, end=3, no_repeat_ngram=2)):
        pairs = list(itertools.pairwise(text.ids))
        assert len(pairs) == len(set(pairs))
    assert banned_next([5, 6, 7, 5, 6], 3) == {7}
    assert banned_next([5, 6], 3) == set()
    assert banned_next([5, 5], 1) == {5}


def test_sampling_repeats_with_its_seed(decoder: ReportDecoder, memory: Tensor) -> None:
    texts = [[g.ids for g in generate(decoder, memory, DecodeSettings(method="sample", max_length=15, end=3, seed=s))] for s in (1, 1, 2)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
    narrow = generate(decoder, memory, DecodeSettings(method="sample", max_length=15, end=3, top_p=1e-9))
    assert [g.ids for g in narrow] == [g.ids for g in generate(decoder, memory, DecodeSettings(method="greedy", max_length=15, end=3))]


def test_texts_end_at_the_end_token_and_attend_to_slices(decoder: ReportDecoder, memory: Tensor) -> None:
    for text in generate(decoder, memory, DecodeSettings(max_length=20, end=3)):
        assert 3 not in text.ids[:-1]
        assert not {0, 2} & set(text.ids)
        assert text.cross.shape == (len(text.ids), 4)
        assert torch.allclose(text.cross.sum(1), torch.ones(len(text.ids)), atol=1e-5)
        assert len(text.logprobs) == len(text.ids)
