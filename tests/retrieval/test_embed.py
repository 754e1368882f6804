from pathlib import Path

import numpy as np

from retrieval.embed import EmbeddingCache, HashingEmbedder, MiniLM, load_embedder, minilm_folder

TEXTS = ["How long should pulmonary embolism be anticoagulated?", "oxygen", "Community-acquired pneumonia. " * 60]


def test_numpy_minilm_equals_sentence_transformers() -> None:
    from retrieval.embed import SentenceTransformerEmbedder

    ours = load_embedder("minilm").encode(TEXTS)
    theirs = SentenceTransformerEmbedder(minilm_folder(), max_tokens=128).encode(TEXTS)
    assert ours.shape == (3, 384)
    assert (ours * theirs).sum(axis=1).min() > 0.9999


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
