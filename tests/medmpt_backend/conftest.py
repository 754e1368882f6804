"""A tiny MedMPT with its weights folder, and a small volume."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.inference.training_domain import DomainModel
from medmpt_backend.model.config import LabTest, MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.weights.checkpoint import save_weights

_WORDS = ["lung", "nodule", "clear", "right", "left", "lobe", "no", "effusion", "肺", "结", "节", "。", ".", ","]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    words = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
    words += [f"w{i}" for i in range(160 - len(words))]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_config() -> MedMPTConfig:
    panel = tuple(LabTest(analyte=n, unit="mg/L", low=0.0, high=10.0) for n in ("crp", "urea", "wbc", "pct", "ldh", "alb"))
    config = MedMPTConfig.tiny()
    assert config.labs is not None
    return config.model_copy(update={"labs": config.labs.model_copy(update={"panel": panel})})


@pytest.fixture(scope="session")
def make_weights(tokenizer_dir: Path) -> Callable[..., Path]:
    def make(root: Path, config: MedMPTConfig, name: str = "tiny", synthetic: bool = False, domain: bool = False) -> Path:
        torch.manual_seed(3)
        model = MedMPT(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1 and parameter.requires_grad:
                    parameter.mul_(2.0)  # strong enough that attention is not uniform
        width = config.vision.width
        statistics = DomainModel.fit(np.random.default_rng(0).normal(size=(60, width)).astype(np.float32)).to_bytes() if domain else None
        return save_weights(
            root,
            model,
            name,
            licence="test",
            trained_on="nothing",
            synthetic_training=synthetic,
            tokenizer=tokenizer_dir,
            domain=statistics,
        )

    return make


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]) -> Path:
    return make_weights(tmp_path_factory.mktemp("data") / "weights", tiny_config)


@pytest.fixture
def tiny_engine(tiny_weights: Path, tmp_path: Path) -> MedMPTEngine:
    return MedMPTEngine.open(tiny_weights, tmp_path / "cache")


def _volume(seed: int = 0, slices: int = 11, synthetic: bool = False) -> Volume:
    hu = np.random.default_rng(seed).integers(-1000, 300, (slices, 24, 20)).astype(np.int16)
    return Volume(hu, (2.5, 0.8, 0.8), SeriesInfo(f"{seed:016x}", synthetic=synthetic))


@pytest.fixture(scope="session")
def make_volume() -> Callable[..., Volume]:
    return _volume


@pytest.fixture(scope="session")
def small_volume() -> Volume:
    return _volume()
