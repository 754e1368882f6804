"""Similar cases: exact hits, image to text, saving, mapping, refusal of foreign vectors."""

from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import BadInput
from retrieval.index.similar_cases import CaseIndex


def _vectors(count: int, dimension: int = 16, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def _filled(count: int = 50) -> tuple[CaseIndex, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    index, vectors = CaseIndex(16, "weights-1"), _vectors(count)
    index.add([f"c{i}" for i in range(count)], vectors, facts=[{"report": f"text {i}"} for i in range(count)])
    index.add([f"c{i}" for i in range(count)], vectors + 0.1 * _vectors(count, seed=1), "text")
    return index, vectors


def test_hits_are_the_nearest_by_cosine() -> None:
    index, vectors = _filled()
    query = _vectors(1, seed=7)[0]
    cosine = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    hits = index.search(query * 5, 4)
    assert [h.id for h in hits] == [f"c{i}" for i in np.argsort(-cosine)[:4]]
    assert hits[0].score == pytest.approx(float(cosine.max()), abs=1e-5)
    assert hits[0].facts == {"report": f"text {hits[0].id[1:]}"}


def test_image_finds_text_text_finds_image_and_a_case_does_not_find_itself() -> None:
    index, vectors = _filled()
    assert index.search(vectors[3], 1, "text")[0].id == "c3"
    assert index.search(vectors[3] + 0.05, 1)[0].id == "c3"
    assert "c3" not in [h.id for h in index.search(vectors[3], 49, without="c3")]
    assert len(index.search(vectors[3], 500)) == 50


def test_a_saved_index_opens_mapped_and_answers_the_same(tmp_path: Path) -> None:
    index, vectors = _filled()
    index.save(tmp_path / "cases")
    index.save(tmp_path / "cases")
    for mapped in (True, False):
        again = CaseIndex.load(tmp_path / "cases", "weights-1", mapped)
        assert again.search(vectors[9], 3) == index.search(vectors[9], 3)
        assert (len(again), again.count("text")) == (50, 50)
    again.add(["new"], vectors[:1] + 1)
    with pytest.raises(BadInput, match="memory-mapped"):
        CaseIndex.load(tmp_path / "cases").add(["x"], vectors[:1])
    assert [p.name for p in tmp_path.iterdir()] == ["cases"]


def test_foreign_damaged_and_wrong_input_is_refused(tmp_path: Path) -> None:
    index, vectors = _filled()
    index.save(tmp_path / "cases")
    with pytest.raises(BadInput, match="other weights"):
        CaseIndex.load(tmp_path / "cases", "weights-2")
    with pytest.raises(BadInput, match="do not fit"):
        index.search(np.ones(3, np.float32))
    with pytest.raises(BadInput, match="zero or not finite"):
        index.search(np.full(16, np.nan, np.float32))
    with pytest.raises(BadInput, match="already"):
        index.add(["c1"], vectors[:1])
    (tmp_path / "cases/scan.faiss").write_bytes(b"x")
    with pytest.raises(BadInput, match="build it again"):
        CaseIndex.load(tmp_path / "cases")
    assert CaseIndex(4, "w").search(np.ones(4, np.float32)) == []


def test_a_hundred_thousand_vectors(tmp_path: Path) -> None:
    index, vectors = CaseIndex(32, "w"), _vectors(100_000, 32)
    index.add([str(i) for i in range(len(vectors))], vectors)
    index.save(tmp_path / "big")
    mapped = CaseIndex.load(tmp_path / "big")
    assert [mapped.search(vectors[i], 1)[0].id for i in (0, 54_321, 99_999)] == ["0", "54321", "99999"]
