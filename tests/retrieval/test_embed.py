from pathlib import Path

import numpy as np
import pytest

from retrieval.guidelines.corpus import load_corpus
from retrieval.index.embed import BULK, EmbeddingCache, HashingEmbedder, MiniLM, SentenceTransformerEmbedder, load_embedder, minilm_folder

TEXTS = ["How long should pulmonary embolism be anticoagulated?", "oxygen", "Community-acquired pneumonia. " * 60]


def test_numpy_minilm_equals_sentence_transformers() -> None:
    ours = load_embedder("minilm").encode(TEXTS)
    theirs = SentenceTransformerEmbedder(minilm_folder(), max_tokens=128).encode(TEXTS)
    assert ours.shape == (3, 384)
    assert (ours * theirs).sum(axis=1).min() > 0.9999


@pytest.mark.parametrize("bf16", [True, False])
def test_bulk_embedding_equals_float32(bf16: bool) -> None:
    texts = [*(p.text for p in load_corpus().passages[: 4 * (BULK - 2) : 4]), "oxygen", "Community-acquired pneumonia. " * 60]
    assert len(texts) == BULK == 64
    slow = MiniLM(minilm_folder(), 48)
    exact = np.concatenate([slow.encode(texts[i : i + 32]) for i in (0, 32)])
    fast = SentenceTransformerEmbedder(minilm_folder(), max_tokens=48, bf16=bf16).encode(texts)
    assert fast.dtype == np.float32
    assert np.linalg.norm(fast, axis=1) == pytest.approx(np.ones(BULK), abs=1e-5)
    lowest = (exact * fast).sum(axis=1).min()
    assert lowest >= 0.999
    assert bool(lowest < 0.99999) is bf16, "bfloat16 shows in the last digits, float32 does not"


def test_from_64_texts_on_the_bulk_path_embeds(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    encode = SentenceTransformerEmbedder.encode
    monkeypatch.setattr(SentenceTransformerEmbedder, "encode", lambda self, texts: seen.append(len(texts)) or encode(self, texts))
    model = MiniLM(minilm_folder(), 16)
    model.encode([f"word {i}" for i in range(BULK - 1)])
    assert seen == []
    assert model.encode([f"word {i}" for i in range(BULK)]).shape == (BULK, 384)
    assert seen == [BULK]


def test_a_batch_equals_one_by_one() -> None:
    model = MiniLM(minilm_folder(), 64)
    assert np.allclose(model.encode(TEXTS), np.concatenate([model.encode([text]) for text in TEXTS]), atol=1e-5)


def test_meaning_orders_cosines() -> None:
    a, b, c = load_embedder("minilm").encode(["blood clot in the lung", "pulmonary embolism", "flat bicycle tyre"])
    assert a @ b > 0.5 > a @ c


def test_the_cache_computes_each_text_once(tmp_path: Path) -> None:
    calls: list[int] = []

    class Counting(HashingEmbedder):
        def encode(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]
            calls.append(len(texts))
            return super().encode(texts)

    def cache() -> EmbeddingCache:
        return EmbeddingCache(tmp_path, Counting, "hashing")

    first = cache().encode(["a b", "c", "a b"])
    second = cache().encode(["c", "d", "a b"])
    assert calls == [2, 1]
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(second[[0, 2]], first[[1, 0]])
