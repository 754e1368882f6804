"""Whether a study is of the kind that the weights know: statistics of the input, distances, files, the engine's verdict."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.evaluation.corruptions import CORRUPTIONS, corrupt
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.appearance import BLOCKS, described, input_statistics, sharpened
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.inference.training_domain import DOMAIN_FILE, EMBEDDING, DomainModel, judge
from medmpt_backend.model.config import OFFICIAL_WINDOWS, MedMPTConfig
from medmpt_backend.weights.checkpoint import read_weights


def phantom(seed: int, size: int = 48, slices: int = 8) -> Tensor:
    """A body with two lungs and a spine behind them, wider at the foot end: `(S, 3, size, size)` uint8."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    width, planes = random.normal(0.8, 0.03), []
    for k in range(slices):
        hu = np.where((x / width) ** 2 + (y / 0.65) ** 2 < 1, 40.0, -1000.0)
        lung = 0.28 - 0.02 * k + random.normal(0, 0.004)
        for side in (-0.38, 0.38):
            hu[((x - side) / lung) ** 2 + ((y + 0.05) / (1.4 * lung)) ** 2 < 1] = -850 + random.normal(0, 8)
        hu[(x / 0.12) ** 2 + ((y - 0.45) / 0.12) ** 2 < 1] = 300
        hu += random.normal(0, random.uniform(12, 20), hu.shape)
        planes.append([np.clip(255 * (hu - (c - w / 2)) / w, 0, 255) for w, c in OFFICIAL_WINDOWS])
    return torch.from_numpy(np.array(planes).astype(np.uint8))


@pytest.fixture(scope="module")
def fitted() -> DomainModel:
    return DomainModel.fit(None, described(phantom(seed) for seed in range(60)))


def _distance(model: DomainModel, image: Tensor) -> float:
    return max(model.distances(np.zeros(1, np.float32), input_statistics(image)).values())


def test_statistics_do_not_depend_on_how_many_slices_or_pixels_there_are() -> None:
    small, large = input_statistics(phantom(1)), input_statistics(phantom(1, size=64, slices=12))
    assert tuple(small) == BLOCKS
    assert {k: v.shape for k, v in small.items()} == {k: v.shape for k, v in large.items()}
    assert all(np.isfinite(v).all() for v in small.values())
    assert np.isfinite(input_statistics(phantom(1)[:1])["stack"]).all()
    double = torch.cat([phantom(1), phantom(2)], 1)
    assert len(input_statistics(double)["intensity"]) == 2 * len(small["intensity"])


def test_unseen_studies_are_inside(fitted: DomainModel) -> None:
    assert tuple(fitted.blocks) == BLOCKS
    assert all(_distance(fitted, phantom(seed)) <= fitted.threshold for seed in range(100, 120))
    assert _distance(fitted, sharpened(phantom(100), 0.5)) <= fitted.threshold


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_every_corruption_changes_the_study_and_is_outside(fitted: DomainModel, name: str) -> None:
    image = phantom(101)
    changed = corrupt(name, image, OFFICIAL_WINDOWS, seed=5)
    assert (changed.shape, changed.dtype) == (image.shape, torch.uint8)
    assert torch.equal(changed, corrupt(name, image, OFFICIAL_WINDOWS, seed=5))
    assert _distance(fitted, changed) > fitted.threshold, name


def test_the_reason_names_what_is_odd(fitted: DomainModel, tiny_weights: Path) -> None:
    provenance = read_weights(tiny_weights).provenance
    scan = np.zeros(1, np.float32)
    ours = judge(scan, True, provenance, fitted, input_statistics(phantom(102)))
    assert (ours.domain, ours.reason, ours.limit) == ("in", None, fitted.threshold)
    reversed_ = judge(scan, True, provenance, fitted, input_statistics(phantom(102).flip(0)))
    assert reversed_.domain == "out"
    assert "its anatomy" in (reversed_.reason or "")
    assert judge(np.full(1, np.nan, np.float32), True, provenance, None).domain == "unknown"


def test_files_of_both_formats_are_read(fitted: DomainModel, tmp_path: Path) -> None:
    (tmp_path / DOMAIN_FILE).write_bytes(fitted.to_bytes())
    again = DomainModel.load(tmp_path)
    assert again is not None
    assert again.threshold == fitted.threshold
    assert _distance(again, phantom(3)) == pytest.approx(_distance(fitted, phantom(3)))
    np.savez(tmp_path / DOMAIN_FILE, mean=np.zeros(4, np.float32), whitening=np.eye(4, dtype=np.float32), threshold=np.float64(2))
    old = DomainModel.load(tmp_path)
    assert old is not None
    assert (tuple(old.blocks), old.threshold) == ((EMBEDDING,), 2.0)
    assert old.distances(np.full(4, 3, np.float32), None) == {EMBEDDING: pytest.approx(3.0)}
    (tmp_path / DOMAIN_FILE).write_bytes(b"damaged")
    with pytest.raises(BadInput, match="cannot be read"):
        DomainModel.load(tmp_path)


def test_a_distance_that_is_not_a_number_is_outside(tiny_weights: Path) -> None:
    model = DomainModel.fit(np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    found = judge(np.full(4, np.nan, np.float32), True, read_weights(tiny_weights).provenance, model)
    assert found.domain == "out"
    with pytest.raises(BadInput, match="too few"):
        DomainModel.fit(np.zeros((1, 4), np.float32))


def test_the_engine_abstains_on_an_odd_input_and_keeps_its_statistics(
    tmp_path: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path], make_volume: Callable[..., Volume]
) -> None:
    folder = make_weights(tmp_path / "w", tiny_config, synthetic=True)
    plain = MedMPTEngine.open(folder, tmp_path / "cache")
    known = [make_volume(seed, synthetic=True) for seed in range(30)]
    model = DomainModel.fit(np.stack([plain.encode(v).scan for v in known]), described(plain.prepare(v).image for v in known))
    (folder / DOMAIN_FILE).write_bytes(model.to_bytes())
    engine = MedMPTEngine.open(folder, tmp_path / "cache")
    assert engine.classify(make_volume(50, synthetic=True)).validity.domain == "in"
    odd = make_volume(51, synthetic=True)
    odd.hu[:] = -1000
    result = engine.classify(odd)
    assert result.validity.domain == "out"
    assert all(f.present is None for f in result.findings)
    assert "from the training studies" in (result.validity.reason or "")
    again = MedMPTEngine.open(folder, tmp_path / "cache").classify(odd)  # from the cache on disk
    assert again.validity == result.validity
