"""The engine on a tiny model: caching, tasks, validity, precision, threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.encodings import Arrays, EncodingCache
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.model.config import MedMPTConfig


def test_a_study_is_encoded_once_and_survives_on_disk(tiny_weights: Path, tmp_path: Path, small_volume: Volume) -> None:
    engine = MedMPTEngine.open(tiny_weights, tmp_path)
    first = engine.encode(small_volume)
    assert (first.scan.shape, first.slices.shape, first.slice_index.shape) == ((32,), (4, 32), (4,))
    assert first.slice_index.tolist() == sorted(first.slice_index.tolist(), reverse=True)  # foot first, 0 = head
    files = list((tmp_path / "encodings").glob("*.npz"))
    assert [f.stem for f in files] == [first.key]
    marked = first.scan + 1
    np.savez(files[0], scan=marked, slices=first.slices, tokens=first.tokens, ranges=first.slice_ranges)
    assert np.array_equal(engine.encode(small_volume).scan, first.scan)  # from memory
    assert np.array_equal(MedMPTEngine.open(tiny_weights, tmp_path).encode(small_volume).scan, marked)  # from disk
    files[0].write_bytes(b"damaged")
    assert np.allclose(MedMPTEngine.open(tiny_weights, tmp_path).encode(small_volume).scan, first.scan)


def test_another_voxel_or_other_weights_change_the_key(
    tiny_engine: MedMPTEngine, small_volume: Volume, tmp_path: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]
) -> None:
    changed = small_volume.hu.copy()
    changed[0, 0, 0] += 1
    assert tiny_engine.key(small_volume) != tiny_engine.key(Volume(changed, small_volume.spacing, small_volume.series))
    other = tiny_config.model_copy(update={"dropout": 0.5})
    engine = MedMPTEngine.open(make_weights(tmp_path / "weights", other), tmp_path)
    assert engine.key(small_volume) != tiny_engine.key(small_volume)


def test_classify_names_findings_and_supporting_slices(tiny_engine: MedMPTEngine, small_volume: Volume) -> None:
    result = tiny_engine.classify(small_volume)
    assert [f.id for f in result.findings] == ["lung_nodule", "emphysema", "consolidation"]
    assert result.findings[0].name_zh == "肺结节"
    assert all(f.present == (f.probability >= 0.5) and f.side is None and not f.calibrated for f in result.findings)
    assert all(0 <= s < len(small_volume.hu) for f in result.findings for s in f.slices)
    severity = tiny_engine.classify(tiny_engine.encode(small_volume), "severity")
    assert sum(f.probability for f in severity.findings) == pytest.approx(1, abs=1e-5)
    with pytest.raises(Unavailable, match="do not serve 'covid'"):
        tiny_engine.classify(small_volume, "covid")


def test_batched_encoding_equals_single(
    tiny_engine: MedMPTEngine, make_volume: Callable[..., Volume], tiny_weights: Path, tmp_path: Path
) -> None:
    volumes = [make_volume(s, slices=5 + s) for s in range(3)]
    together = tiny_engine.encode_many(volumes, batch=2)
    alone = MedMPTEngine.open(tiny_weights, tmp_path / "other", chunk=1)
    for volume, encoding in zip(volumes, together, strict=True):
        assert np.allclose(alone.encode(volume).scan, encoding.scan, atol=1e-5)


@pytest.mark.parametrize(("precision", "cosine"), [("bf16", 0.999), ("int8", 0.995)])
def test_low_precision_stays_close(tiny_weights: Path, tmp_path: Path, small_volume: Volume, precision: str, cosine: float) -> None:
    exact = MedMPTEngine.open(tiny_weights, tmp_path, "fp32").encode(small_volume).scan
    engine = MedMPTEngine.open(tiny_weights, tmp_path, precision)  # type: ignore[arg-type]
    rough = engine.encode(small_volume).scan
    assert not np.array_equal(rough, exact)
    assert float(exact @ rough / np.linalg.norm(exact) / np.linalg.norm(rough)) > cosine
    assert len(engine.classify(small_volume).findings) == 3
    assert engine.draft_findings(small_volume).sentences
    assert len(engine.rank_medications(small_volume, "clear .", {"crp": 30.0}).drugs) == 5


def test_unknown_precision_is_refused(tiny_weights: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="fp8"):
        MedMPTEngine.open(tiny_weights, tmp_path, "fp8")  # type: ignore[arg-type]


def test_domain_is_unknown_without_statistics_and_out_for_real_scans_of_synthetic_weights(
    tmp_path: Path,
    tiny_engine: MedMPTEngine,
    tiny_config: MedMPTConfig,
    make_weights: Callable[..., Path],
    make_volume: Callable[..., Volume],
) -> None:
    assert tiny_engine.encode(make_volume()).validity.domain == "unknown"
    engine = MedMPTEngine.open(make_weights(tmp_path / "w", tiny_config, synthetic=True, domain=True), tmp_path)
    real = engine.classify(make_volume(synthetic=False))
    assert (real.validity.domain, real.findings[0].present) == ("out", None)
    assert "synthetic" in (real.validity.reason or "")
    ours = engine.encode(make_volume(synthetic=True)).validity
    assert ours.distance is not None
    assert ours.domain in ("in", "out")
    assert (ours.domain == "in") == (engine.domain is not None and ours.distance <= engine.domain.threshold)


def test_drafts_are_sentences_with_log_probabilities_and_slices(tiny_engine: MedMPTEngine, make_volume: Callable[..., Volume]) -> None:
    one, two = tiny_engine.draft_many([make_volume(0), make_volume(1)])
    assert one.sentences
    assert one.text == tiny_engine.draft_findings(make_volume(0)).text
    assert two.text == tiny_engine.draft_findings(make_volume(1)).text
    assert not one.laterality_verified
    assert np.allclose(one.cross.sum(1), 1, atol=1e-5)
    for sentence in one.sentences:
        assert sentence.logprob == pytest.approx(np.mean(sentence.token_logprobs))
        assert sentence.slices


def test_text_and_scan_share_a_space(tiny_engine: MedMPTEngine, small_volume: Volume) -> None:
    vectors = tiny_engine.embed_text(["lung clear .", "left effusion ."])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    found = tiny_engine.similarity(small_volume, ["lung clear .", "left effusion ."])
    assert np.allclose(found, vectors @ tiny_engine.embed_scan(small_volume))


def test_medications_depend_on_the_given_modalities(tiny_engine: MedMPTEngine, small_volume: Volume) -> None:
    plain = tiny_engine.rank_medications(small_volume)
    assert plain.used == ("ct",)
    full = tiny_engine.rank_medications(small_volume, "left effusion .", {"crp": 80.0, "urea": None})
    assert (full.used, full.head) == (("ct", "report", "labs"), "medication")
    assert [d.probability for d in full.drugs] == sorted((d.probability for d in full.drugs), reverse=True)
    assert {d.drug: d.probability for d in plain.drugs} != {d.drug: d.probability for d in full.drugs}
    with pytest.raises(BadInput, match="troponin"):
        tiny_engine.rank_medications(small_volume, labs={"troponin": 1.0})


def test_a_drug_is_explained_by_modality_and_laboratory_value(tiny_engine: MedMPTEngine, small_volume: Volume) -> None:
    found = tiny_engine.explain_medication(small_volume, "c", "left effusion .", {"crp": 80.0, "urea": 4.0, "wbc": None})
    assert set(found.modalities) == {"ct", "report", "labs"}
    assert set(found.labs) == {"crp", "urea"}
    assert any(value != 0 for value in found.labs.values())
    with pytest.raises(BadInput, match="vocabulary"):
        tiny_engine.explain_medication(small_volume, "unicorn")


def test_the_cache_is_bounded_and_computes_once_for_many_threads(tmp_path: Path) -> None:
    cache, calls = EncodingCache(tmp_path, in_memory=2, on_disk=3), []

    def compute() -> Arrays:
        calls.append(1)
        one = np.zeros((1, 1), np.float32)
        return Arrays(one[0], one, one, np.zeros((1, 2), np.int64))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cache.get("k", compute), range(40)))
    assert len(calls) == 1
    for i in range(5):
        cache.get(f"k{i}", compute)
    assert len(cache) == 2
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_threads_get_the_same_answers(tiny_engine: MedMPTEngine, make_volume: Callable[..., Volume]) -> None:
    volumes = [make_volume(s) for s in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: [f.probability for f in tiny_engine.classify(v).findings], volumes * 2))
    for volume, probabilities in zip(volumes * 2, together, strict=True):
        assert [f.probability for f in tiny_engine.classify(volume).findings] == pytest.approx(probabilities, abs=1e-6)
