"""`eval medmpt` from the command's side: interactions of the vocabulary, options, the shape of the result."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click
import numpy as np
import pytest
import torch
import typer

from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.data.shards import DatasetInfo, ShardWriter, StudyRecord
from medmpt_backend.weights.checkpoint import save_weights
from tools.imaging.medmpt_evaluation import COMMANDS, eval_medmpt, interactions


@dataclass(frozen=True)
class _Settings:
    data_dir: Path
    cache_dir: Path
    weights: str | None = None


def _context(folder: Path) -> typer.Context:
    return cast(typer.Context, click.Context(click.Command("x"), obj=_Settings(folder / "home", folder / "cache")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny weights without a tokenizer, and twelve studies."""
    place, config = tmp_path_factory.mktemp("eval"), MedMPTConfig.tiny()
    torch.manual_seed(0)
    save_weights(place / "home/weights", MedMPT(config), "tiny", licence="test", trained_on="nothing", synthetic_training=True)
    info = DatasetInfo(preprocess=config.preprocess, slices=config.vision.slices, image=config.vision.image, synthetic=True)
    random = np.random.default_rng(0)
    with ShardWriter(place / "set", info) as writer:
        for i in range(12):
            image = torch.from_numpy(random.integers(0, 255, (4, 3, 32, 32)).astype(np.uint8))
            writer.add(StudyRecord(id=f"s{i}", labels={"lung_nodule": i % 2, "emphysema": int(i < 5)}), image)
    return place


def test_serious_interactions_of_the_cohort_vocabulary_come_from_the_drug_graph() -> None:
    pairs = {frozenset((e.one, e.other)) for e in interactions(VOCABULARY)}
    assert frozenset(("rifampicin", "voriconazole")) in pairs
    assert frozenset(("ceftriaxone", "ambroxol")) not in pairs
    assert 10 < len(pairs) < 200


def test_the_command_gives_figures_and_says_what_it_left_out(folder: Path) -> None:
    out = folder / "new/result.json"
    found = eval_medmpt(_context(folder), folder / "set", parts="findings,calibration,report,domain", out=out, train_limit=20)
    assert (found.status, found.weights, found.studies) == ("partial", "tiny", 12)
    assert found.reason == "nothing was measured in report, domain"
    assert found.metrics["findings/auc/lung_nodule"].n == 12
    assert "calibration/ece/after" in found.metrics
    assert any(w.startswith("findings: histogram baseline") for w in found.warnings)
    assert json.loads(out.read_text(encoding="utf-8"))["metrics"] == {name: m.model_dump() for name, m in found.metrics.items()}
    assert list((folder / "new/evaluation").glob("features-*.npz"))


def test_weights_are_named_or_a_folder_and_wrong_options_are_refused(folder: Path) -> None:
    assert set(COMMANDS) == {"eval medmpt"}
    where = str(folder / "home/weights/tiny")
    found = eval_medmpt(_context(folder), folder / "set", weights=where, parts="findings", limit=6, train_limit=20)
    assert found.studies == 6
    with pytest.raises(BadInput, match="no part 'speed'"):
        eval_medmpt(_context(folder), folder / "set", parts="speed")
    with pytest.raises(BadInput, match="NAME=WEIGHTS"):
        eval_medmpt(_context(folder), folder / "set", compare=["tiny"])
    with pytest.raises(Unavailable, match="not installed"):
        eval_medmpt(_context(folder), folder / "set", weights="other")
    with pytest.raises(BadInput, match="not a finished data set"):
        eval_medmpt(_context(folder), folder / "nothing")
