from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import BadInput
from retrieval.index.store import FAISS_FROM, ChromaStore, Condition, FaissStore, VectorStore, open_store

KINDS: dict[str, Callable[[Path], VectorStore]] = {
    "chroma": lambda folder: ChromaStore(folder / "chroma"),
    "faiss": lambda folder: FaissStore(folder / "faiss"),
}


@pytest.fixture(params=sorted(KINDS))
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], VectorStore]:
    return lambda: KINDS[request.param](tmp_path)


def unit_vectors(n: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(n, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def fill(store: VectorStore) -> tuple[list[str], np.ndarray]:
    vectors = unit_vectors(60)
    ids = [f"p{i}" for i in range(60)]
    store.add(ids, vectors, [{"year": 2000 + i % 20, "topic": "copd" if i % 2 else "asthma", "current": i % 3 == 0} for i in range(60)])
    return ids, vectors


def test_nearest_are_exact_and_ordered(reopen: Callable[[], VectorStore]) -> None:
    store = reopen()
    ids, vectors = fill(store)
    found = store.query(vectors[7], 5)
    expected = np.argsort(-(vectors @ vectors[7]))[:5]
    assert [key for key, _ in found] == [ids[i] for i in expected]
    assert [cosine for _, cosine in found] == pytest.approx((vectors @ vectors[7])[expected], abs=1e-4)
    assert found[0] == (ids[7], pytest.approx(1.0, abs=1e-5))
    store.close()


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        ([Condition("year", ">=", 2015)], lambda i: 2000 + i % 20 >= 2015),
        ([Condition("year", "<=", 2003), Condition("topic", "==", "copd")], lambda i: 2000 + i % 20 <= 2003 and i % 2),
        ([Condition("current", "==", True)], lambda i: i % 3 == 0),
        ([Condition("year", ">=", 2090)], lambda i: False),
        ([Condition("absent", "==", 1)], lambda i: False),
    ],
)
def test_filters_admit_exactly_what_passes(
    reopen: Callable[[], VectorStore], where: list[Condition], passes: Callable[[int], bool]
) -> None:
    store = reopen()
    _, vectors = fill(store)
    assert {key for key, _ in store.query(vectors[0], 60, where)} == {f"p{i}" for i in range(60) if passes(i)}
    store.close()


def test_add_replaces_delete_removes_and_all_survives_reopening(reopen: Callable[[], VectorStore]) -> None:
    store = reopen()
    _, vectors = fill(store)
    store.add(["p3"], vectors[4:5] * -1, [{"year": 1999, "topic": "copd", "current": True}])
    store.delete(["p5", "unknown"])
    store.close()
    again = reopen()
    assert again.count() == 59
    assert np.allclose(again.vectors(["p3", "p0"]), np.stack([-vectors[4], vectors[0]]), atol=1e-6)
    assert [key for key, _ in again.query(vectors[0], 99, [Condition("year", "<=", 1999)])] == ["p3"]
    assert "p5" not in {key for key, _ in again.query(vectors[5], 99)}
    again.close()


def test_an_empty_store_finds_nothing(reopen: Callable[[], VectorStore]) -> None:
    store = reopen()
    assert store.count() == 0
    assert store.query(unit_vectors(1)[0], 3) == []
    store.close()


def test_the_product_chooses_by_size(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path, FAISS_FROM), FaissStore)
    small = open_store(tmp_path, FAISS_FROM - 1)
    assert isinstance(small, ChromaStore)
    small.close()
    with pytest.raises(BadInput, match="ftp://x"):
        open_store(tmp_path, 10, chroma_url="ftp://x")


def test_many_rows_are_found_through_the_coarse_index(tmp_path: Path) -> None:
    n = FAISS_FROM
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(300, 16))
    vectors = (centres[rng.integers(0, 300, n)] + 0.5 * rng.normal(size=(n, 16))).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    built = FaissStore(tmp_path)
    built.add([f"p{i}" for i in range(n)], vectors, [{"year": 2000 + i % 20} for i in range(n)])
    exact = [[key for key, _ in built.query(vectors[i], 10)] for i in range(40)]
    built.close()
    assert (tmp_path / "coarse.faiss").exists()

    store = FaissStore(tmp_path)
    found = [store.query(vectors[i], 10) for i in range(40)]
    assert np.mean([len({key for key, _ in one} & set(truth)) / 10 for one, truth in zip(found, exact, strict=True)]) >= 0.97
    assert [one[0][1] for one in found] == pytest.approx([1.0] * 40, abs=1e-5)
    weak = store.query(vectors[0], 100, [Condition("year", ">=", 2010)])
    assert len(weak) == 100
    assert all(int(key[1:]) % 20 >= 10 for key, _ in weak)
    assert len(store.query(vectors[0], n, [Condition("year", ">=", 2010)])) == n // 2

    store.add(["new"], -vectors[:1], [{"year": 2020}])
    store.delete(["p0"])
    assert store.query(-vectors[0], 1) == [("new", pytest.approx(1.0, abs=1e-5))]
    store.close()
    again = FaissStore(tmp_path)
    assert again.query(-vectors[0], 1) == [("new", pytest.approx(1.0, abs=1e-5))]
    assert "p0" not in {key for key, _ in again.query(vectors[0], 50)}
