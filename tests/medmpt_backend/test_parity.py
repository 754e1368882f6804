"""Numerical parity with the released model on the fixture folder that stands beside the checkout."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from medmpt_backend.errors import BadInput
from medmpt_backend.parity import ArrayCheck, check_fixture, compare

FIXTURE = Path(__file__).resolve().parents[2] / "../shared/parity/a"
needs_fixture = pytest.mark.skipif(not FIXTURE.is_dir(), reason="the parity fixture does not stand beside the checkout")


@pytest.fixture(scope="module")
def checks() -> dict[str, ArrayCheck]:
    torch.set_num_threads(1)
    return {c.name: c for c in check_fixture(FIXTURE)}


@needs_fixture
def test_every_array_is_within_tolerance(checks: dict[str, ArrayCheck]) -> None:
    assert [c for c in checks.values() if not c.ok] == []


@needs_fixture
def test_only_stand_ins_and_unofficial_arrays_are_exempt(checks: dict[str, ArrayCheck]) -> None:
    exempt = {c.name for c in checks.values() if c.kind == "information"}
    assert all("STANDIN" in n or n.startswith("nonofficial_") or n.endswith("_scipy15_like") for n in exempt)
    compared = [c for c in checks.values() if c.kind in ("absolute", "relative", "equal")]
    assert len(compared) >= 70
    assert {c.name for c in compared} >= {
        "beam_ids",
        "eosbias_beam_ids",
        "pretrain_loss_lm",
        "pretrain_queue_ptr_after",
        "resize_300_to_32",
        "med_fusion",
    }


@needs_fixture
def test_the_head_after_the_stand_in_graph_agrees_too(checks: dict[str, ArrayCheck]) -> None:
    difference = checks["med_medication_logits_STANDIN"].difference
    assert difference is not None
    assert difference < 1e-4


@needs_fixture
def test_a_changed_weight_fails(tmp_path: Path) -> None:
    for file in FIXTURE.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    checkpoint = torch.load(tmp_path / "pretrain_checkpoint.pth", weights_only=True)
    checkpoint["model"]["module.vision_encoder_q.norm.bias"] += torch.linspace(0, 1, 64)
    torch.save(checkpoint, tmp_path / "pretrain_checkpoint.pth")
    failed = {c.name for c in check_fixture(tmp_path) if not c.ok}
    assert {"slice_cls", "caption_logits"} <= failed
    assert "text_hidden" not in failed


def test_a_folder_that_is_no_fixture_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"config": {}}), encoding="utf-8")
    with pytest.raises(BadInput, match=r"io\.npz"):
        check_fixture(tmp_path)


def test_comparison_is_absolute_relative_or_exact_by_name() -> None:
    one = np.array([100.0], np.float32)
    assert not compare("scan_feat", one, one + 2e-4).ok
    assert compare("caption_loss", one, one + 2e-4).ok
    assert not compare("beam_ids", np.array([1, 2]), np.array([1, 3])).ok
    assert not compare("scan_feat", one, None).ok
    assert not compare("scan_feat", one, np.zeros((1, 1), np.float32)).ok
    assert compare("corr_out_STANDIN", one, one + 1).ok
    assert not compare("scan_feat", one, one * np.nan).ok
