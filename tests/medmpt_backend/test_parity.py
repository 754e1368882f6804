"""Numerical parity with the released model on the fixture folder that stands beside the checkout."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from medmpt_backend.errors import BadInput
from medmpt_backend.train.objectives import PretrainModel
from medmpt_backend.weights.parity import GROUPS, ArrayCheck, Fixture, check_fixture, compare

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


def _names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Our tensor names as the released checkpoint writes them."""
    renames = {
        "model.vision_encoder.": "vision_encoder_q.",
        "model.vision_fusion.": "vision_fusion_q.",
        "model.text_encoder.": "text_encoder_q.bert.",
        "model.text_decoder.bert.": "text_decoder.bert.bert.",
        "model.text_decoder.cls.": "text_decoder.bert.cls.",
        "model.vision_proj_slice.": "vision_proj_slice_q.",
        "model.vision_proj_scan.": "vision_proj_scan_q.",
        "model.text_proj.": "text_proj_q.",
        "model.labs.": "biomarker_encoder.",
        "model.medication.fusion.": "cross_modal_fusion_module.",
        "model.medication.patient_head.": "cls_head.",
        "model.medication.medication_head.": "post_cls_head.",
        "model.medication.graph.nodes": "med_embedding",
        "model.heads.screening.": "head.",
        "model.heads.probe.": "head.",
        "model.": "",
    }
    out = {}
    for key, value in state.items():
        old = next((o for o in renames if key.startswith(o)), "")
        out["module." + renames.get(old, "") + key[len(old) :]] = value
    return out


# fmt: off
DIMENSIONS: dict[str, Any] = {
    "L": 14, "beam": 3,
    "bert": {"hidden_size": 48, "intermediate_size": 80, "max_position_embeddings": 40, "num_attention_heads": 3, "vocab_size": 150},
    "bio": {"ff": 40, "h": 24, "l": 3, "n": 3}, "bio_num": 7, "cls_id": 101, "corr": {"heads": [2, 1], "hid": 10, "inp": 18, "thr": 0.4},
    "dec": {"depth": 2, "dim": 24, "heads": 3}, "depth": 3, "embed": 72, "fus": {"ff": 30, "h": 20, "l": 1, "n": 2}, "fusion_ff": 64,
    "fusion_heads": 8, "fusion_layers": 2, "heads": 6, "image": 96, "mask_ratio": 0.3, "max_steps": 11, "mlp_ratio": 2, "momentum": 0.9,
    "n_cls": 4, "n_med": 17, "pad_id": 0, "patch": 16, "q_scan": 7, "q_slice": 50, "sep_id": 102, "slices": 12,
    "text_layers": 2, "unk_id": 100,
}
# fmt: on


def _fixture_of_another_shape(folder: Path) -> None:
    """A fixture folder of other dimensions, whose outputs are our own: what is checked is that nothing depends on fixture a's shapes."""
    c, random = DIMENSIONS, np.random.default_rng(0)
    (folder / "config.json").write_text(json.dumps({"config": c}), encoding="utf-8")
    torch.manual_seed(0)
    placeholder = Fixture.__new__(Fixture)
    placeholder.c = c
    placeholder.state = {
        "model.vision_fusion.pos_embed.weight": torch.zeros(30, 72),
        "model.vision_proj_scan.2.weight": torch.zeros(40, 72),
    }
    model = PretrainModel(placeholder.config())
    state = model.state_dict()
    parts = {k: v for k, v in state.items() if ".heads." not in k and ".labs." not in k and ".medication." not in k}
    torch.save({"model": _names(parts), "epoch": 1}, folder / "pretrain_checkpoint.pth")
    groups = {"multiclass": "model.heads.screening.", "multiclass_linear_probe": "model.heads.probe."}
    heads = {
        group: {k[7:]: v for k, v in _names({n: t for n, t in state.items() if n.startswith(p)}).items()} for group, p in groups.items()
    }
    kept = {k: v for k, v in state.items() if (".labs." in k or ".medication." in k) and (".graph." not in k or k.endswith("nodes"))}
    torch.save({**heads, "medication": _names(kept)}, folder / "downstream_heads.pth")
    mask = np.ones((2, 14), np.int64)
    mask[1, 9:] = 0
    # fmt: off
    io: dict[str, Any] = {
        "image_u8": random.integers(0, 255, (2, 12, 3, 96, 96)).astype(np.uint8),
        "input_ids": np.where(mask == 1, random.integers(1, 99, (2, 14)), 0), "attention_mask": mask,
        "mim_noise": random.random((24, 36)).astype(np.float32), "prefix_ids": np.array([[101, 5, 6], [101, 9, 8]]),
        "class_target": np.array([3, 1]), "adj": random.integers(0, 60, (17, 17)).astype(np.float64), "nums": random.integers(60, 99, 17),
        "biomarker": random.normal(size=(2, 7)).astype(np.float32), "biomarker_missing_mask": np.eye(2, 7, dtype=np.float32),
        "med_label": random.integers(0, 2, (2, 17)).astype(np.float32), "im_k_is": np.array("flip(-1)"), "eosbias_add": np.array(2.0),
        "hu_values": np.linspace(-2000, 2000, 31), "nii_volume": random.integers(-1000, 500, (5, 4, 9)).astype(np.int16),
        "nii2_volume": random.integers(-1000, 500, (5, 5, 20)).astype(np.int16), "nii_windows_resampled": np.zeros((3, 4, 4, 5), np.uint8),
        "nii2_windows_resampled": np.zeros((3, 5, 5, 5), np.uint8), "nii2_resampled_hu": np.zeros((5, 5, 5)),
        "resize_in": random.integers(0, 255, (2, 3, 20, 26)).astype(np.uint8), "resize_out": np.zeros((2, 3, 9, 9), np.uint8),
        "mae_tokens_2slices": np.zeros((2, 37, 72), np.float32), "mim_latent_2slices": np.zeros((2, 26, 72), np.float32),
        "mim_pred_2slices": np.zeros((2, 36, 768), np.float32), "resize_77_to_12": np.zeros(12, np.int64),
    }
    # fmt: on
    np.savez(folder / "io.npz", **io)
    fixture = Fixture(folder)
    loaded = fixture.model()
    with torch.inference_mode():
        found = {name: value for group in GROUPS for name, value in group(fixture, loaded)}
    np.savez(folder / "io.npz", **{**io, **found})


def test_nothing_depends_on_the_shapes_of_one_fixture(tmp_path: Path) -> None:
    _fixture_of_another_shape(tmp_path)
    checks = check_fixture(tmp_path)
    assert [c for c in checks if not c.ok] == []
    shapes = {c.name: c.shape for c in checks}
    assert (shapes["slice_cls"], shapes["beam_ids"], shapes["class_logits"]) == ((2, 12, 72), (2, 3, 11), (2, 4))
    assert (shapes["caption_memory"], shapes["med_patient_logits"], shapes["pretrain_sim_iic_scan"]) == ((2, 12, 48), (2, 17), (2, 9))
