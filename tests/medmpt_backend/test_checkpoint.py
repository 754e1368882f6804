"""Importing checkpoints of any layout, and refusing hostile ones without a trace."""

import argparse
import hashlib
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import Volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.objectives import PretrainModel
from medmpt_backend.weights.checkpoint import load_model, read_weights, save_weights
from medmpt_backend.weights.importing import ImportOptions, import_checkpoint
from medmpt_backend.weights.safe_load import read_checkpoint
from medmpt_backend.weights.store import WeightsStore

SETTINGS: dict[str, object] = {"vision_num_heads": 4, "slice_num": 4, "text_num_heads": 4, "fusion_heads": 4, "vision_decoder_num_heads": 2}


def official_state(prefix: str = "module.") -> dict[str, Tensor]:
    """Tensors of a tiny official model under the released names."""
    torch.manual_seed(0)
    ours = PretrainModel(MedMPTConfig.tiny(official=True, labs=None, medication=None, heads={})).state_dict()
    renames = {
        "model.vision_encoder.": "vision_encoder_q.",
        "model.vision_fusion.": "vision_fusion_q.",
        "model.text_encoder.": "text_encoder_q.bert.",
        "model.text_decoder.bert.": "text_decoder.bert.bert.",
        "model.text_decoder.cls.": "text_decoder.bert.cls.",
        "model.vision_proj_slice.": "vision_proj_slice_q.",
        "model.vision_proj_scan.": "vision_proj_scan_q.",
        "model.text_proj.": "text_proj_q.",
        "model.": "",
    }
    theirs = {}
    for key, value in ours.items():
        old = next((o for o in renames if key.startswith(o)), "")
        theirs[prefix + renames.get(old, "") + key[len(old) :]] = value
    theirs[prefix + "text_encoder_q.bert.embeddings.position_ids"] = torch.arange(48)[None]
    theirs[prefix + "text_encoder_q.bert.pooler.dense.weight"] = torch.zeros(32, 32)
    theirs[prefix + "text_decoder.bert.cls.predictions.bias"] = theirs[prefix + "text_decoder.bert.cls.predictions.decoder.bias"]
    return theirs


def _import(path: Path, data: Path, **options: object) -> object:
    return import_checkpoint(path, data / "weights", ImportOptions.model_validate({"name": "x", "settings": SETTINGS, **options}))


def _clean(data: Path) -> bool:
    """Nothing was left behind."""
    return not (data / "weights").exists() or list((data / "weights").iterdir()) == []


def _container(state: dict[str, Tensor]) -> object:
    config = argparse.Namespace(**{k: v for k, v in SETTINGS.items() if k.startswith("vision") or k == "slice_num"})
    return {"model": state, "optimizer": {"state": {}, "param_groups": []}, "config": config, "epoch": 3}


@pytest.mark.parametrize("layout", ["container", "bare", "no_module"])
def test_every_official_layout_gives_the_same_weights(tmp_path: Path, layout: str, tokenizer_dir: Path) -> None:
    state = official_state("" if layout == "no_module" else "module.")
    torch.save(_container(state) if layout == "container" else state, tmp_path / "c.pth")
    report = _import(tmp_path / "c.pth", tmp_path, tokenizer=tokenizer_dir)
    assert report.missing == ()  # type: ignore[attr-defined]
    assert report.unexpected == ()  # type: ignore[attr-defined]
    assert report.unused == 3  # type: ignore[attr-defined]
    weights = read_weights(tmp_path / "weights" / "x")
    assert set(weights.provenance.tasks) == {"encode", "report", "embed_text", "similarity"}
    assert (weights.provenance.official, weights.provenance.laterality_verified) == (True, False)
    config = weights.config
    assert (config.preprocess.sampling, config.decode.search, config.decode.end_token) == ("official",) * 3
    loaded = load_model(weights)
    reference = official_state("")
    assert torch.equal(loaded.vision_encoder.norm.bias, reference["vision_encoder_q.norm.bias"])
    assert loaded.text_encoder is not None
    assert loaded.text_decoder is not None
    assert loaded.text_decoder.get_parameter("cls.predictions.decoder.weight") is loaded.text_encoder.embeddings.word_embeddings.weight
    assert not any(p.is_meta for p in loaded.parameters())


def test_missing_parts_are_named_and_their_tasks_not_served(tmp_path: Path, tokenizer_dir: Path) -> None:
    state = official_state()
    torch.save({k: v for k, v in state.items() if "text_proj" not in k} | {"module.banana": torch.zeros(1)}, tmp_path / "c.pth")
    report = _import(tmp_path / "c.pth", tmp_path, tokenizer=tokenizer_dir)
    assert "text_proj.0.weight" in report.missing  # type: ignore[attr-defined]
    assert report.unexpected == ("module.banana",)  # type: ignore[attr-defined]
    assert set(report.tasks) == {"encode", "report"}  # type: ignore[attr-defined]


def test_a_classification_checkpoint_serves_its_head(tmp_path: Path) -> None:
    state = {k.replace("vision_encoder_q", "vision_encoder"): v for k, v in official_state("").items() if "vision_encoder_q" in k}
    state |= {k.replace("vision_fusion_q", "vision_fusion"): v for k, v in official_state("").items() if "vision_fusion_q" in k}
    state |= {
        "head.0.weight": torch.ones(32, 32),
        "head.0.bias": torch.ones(32),
        "head.2.weight": torch.ones(4, 32),
        "head.2.bias": torch.ones(4),
    }
    torch.save(state, tmp_path / "c.pth")
    report = _import(tmp_path / "c.pth", tmp_path, task="severity", labels=("CT-0", "CT-1", "CT-2", "CT-3"))
    assert report.tasks == ("encode", "severity")  # type: ignore[attr-defined]
    assert read_weights(tmp_path / "weights" / "x").config.heads["severity"].labels == ("CT-0", "CT-1", "CT-2", "CT-3")


def test_a_medication_checkpoint_without_its_graph_layer_ranks_with_the_patient_head(
    tmp_path: Path, tokenizer_dir: Path, small_volume: Volume
) -> None:
    torch.manual_seed(0)
    config = MedMPTConfig.tiny(official=True, heads={})
    renames = {"vision_encoder.": "visual_encoder.", "vision_fusion.": "fusion_module.", "text_encoder.": "textual_encoder.bert."}
    renames |= {"labs.": "biomarker_encoder.", "medication.fusion.": "cross_modal_fusion_module.", "medication.patient_head.": "cls_head."}
    renames |= {"medication.medication_head.": "post_cls_head.", "medication.graph.nodes": "med_embedding"}
    state = {}
    for key, value in MedMPT(config).state_dict().items():
        old = next((o for o in renames if key.startswith(o)), None)
        if old is not None:
            state["module." + renames[old] + key[len(old) :]] = value
    state["module.corr_encoder.A_hat_prior"] = torch.eye(5)
    state["module.corr_encoder.attention_0_global_0.W_l.weight"] = torch.ones(3, 3)
    torch.save(state, tmp_path / "m.pth")
    settings = {"bio_nheads": 2, "fusion_nheads": 2, "corr_nheads": [2, 1]}
    report = _import(tmp_path / "m.pth", tmp_path, tokenizer=tokenizer_dir, drugs=tuple("abcde"), settings=SETTINGS | settings)
    assert "medication" in report.tasks  # type: ignore[attr-defined]
    ranking = MedMPTEngine.open(tmp_path / "weights/x", tmp_path).rank_medications(small_volume, "clear .")
    assert (ranking.head, len(ranking.drugs)) == ("patient", 5)


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("vision_fusion_q.layer_norm.weight", (7,)),
        ("vision_encoder_q.blocks.0.mlp.fc1.weight", (96, 32)),
        ("vision_encoder_q.blocks.0.mlp.fc1.bias", (96,)),
        ("vision_encoder_q.patch_embed.proj.weight", (48, 3, 16, 16)),
        ("vision_fusion_q.encoder.layers.0.linear1.weight", (32, 32)),
    ],
)
def test_the_wrong_shape_itself_is_named_with_both_shapes(tmp_path: Path, key: str, shape: tuple[int, ...]) -> None:
    state = official_state()
    right = state["module." + key].shape
    state["module." + key] = torch.ones(shape)
    torch.save(state, tmp_path / "c.pth")
    ours = re.escape(key.replace("_q.", "."))
    with pytest.raises(BadInput, match=rf"{ours}.*{re.escape(str(list(shape)))}.*{re.escape(str(list(right)))}"):
        _import(tmp_path / "c.pth", tmp_path)
    assert _clean(tmp_path)


def test_nan_weights_are_refused(tmp_path: Path) -> None:
    state = official_state()
    state["module.vision_encoder_q.norm.weight"][3] = float("nan")
    torch.save(state, tmp_path / "c.pth")
    with pytest.raises(BadInput, match=r"vision_encoder\.norm\.weight.*not finite"):
        _import(tmp_path / "c.pth", tmp_path)
    assert _clean(tmp_path)


def test_tied_tensors_that_differ_are_refused(tmp_path: Path) -> None:
    state = official_state()
    key = "module.text_decoder.bert.bert.encoder.layer.0.intermediate.dense.bias"
    state[key] = state[key] + 1
    torch.save(state, tmp_path / "c.pth")
    with pytest.raises(BadInput, match="one tensor in MedMPT"):
        _import(tmp_path / "c.pth", tmp_path)


class _Bomb:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path, str], int], tuple[Path, str]]:
        return Path.write_text, (self.marker, "executed")


@pytest.mark.parametrize("how", ["torch", "pickle", "inside"])
def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, how: str) -> None:
    marker, path = tmp_path / "marker", tmp_path / "bomb.pth"
    if how == "pickle":
        path.write_bytes(pickle.dumps({"model": _Bomb(marker)}))
    else:
        torch.save({"model": official_state(), "config": _Bomb(marker)} if how == "inside" else _Bomb(marker), path)
    with pytest.raises(BadInput, match="nothing of it was executed") as refused:
        _import(path, tmp_path)
    assert "weights_only" not in str(refused.value)  # PyTorch's own message advises to load it unsafely
    assert ("it asks for" in str(refused.value)) == (how != "pickle")
    assert not marker.exists()
    assert _clean(tmp_path)


def test_damaged_renamed_and_empty_files_are_named(tmp_path: Path) -> None:
    torch.save(official_state(), tmp_path / "good.pth")
    content = (tmp_path / "good.pth").read_bytes()
    bad = {
        "cut.pth": content[: len(content) // 2],
        "empty.pth": b"",
        "text.pth": b"hello, this is no checkpoint at all",
        "cut.safetensors": content[:1000],
    }
    for name, data in bad.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BadInput, match=name.replace(".", r"\.")):
            _import(tmp_path / name, tmp_path)
    with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"0" * 10_000_000)
    with pytest.raises(BadInput, match="unpacks to"):
        read_checkpoint(tmp_path / "bomb.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(BadInput, match="not a dictionary"):
        _import(tmp_path / "list.pth", tmp_path)
    torch.save({"resnet.conv1.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(BadInput, match=r"resnet\.conv1\.weight"):
        _import(tmp_path / "other.pth", tmp_path)
    with pytest.raises(BadInput, match="no file"):
        _import(tmp_path / "absent.pth", tmp_path)
    assert _clean(tmp_path)


def test_a_failed_import_keeps_the_old_weights(tmp_path: Path) -> None:
    torch.save(official_state(), tmp_path / "c.pth")
    _import(tmp_path / "c.pth", tmp_path)
    before = hashlib.sha256((tmp_path / "weights/x/model.safetensors").read_bytes()).hexdigest()
    (tmp_path / "c.pth").write_bytes(b"nonsense")
    with pytest.raises(BadInput):
        _import(tmp_path / "c.pth", tmp_path)
    assert hashlib.sha256((tmp_path / "weights/x/model.safetensors").read_bytes()).hexdigest() == before
    assert [p.name for p in (tmp_path / "weights").iterdir()] == ["x"]


def test_store_lists_uses_verifies_and_removes(tmp_path: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]) -> None:
    store = WeightsStore(tmp_path, shipped=tmp_path / "none")
    with pytest.raises(Unavailable, match="medmpt weights import"):
        store.active()
    for name in ("one", "two"):
        make_weights(store.root, tiny_config, name)
    assert store.names() == ["one", "two"]
    assert store.active().name == "one"
    store.use("two")
    assert store.active().name == "two"
    assert store.active("one").name == "one"
    with pytest.raises(Unavailable, match="three"):
        store.active("three")
    with pytest.raises(BadInput, match="cannot name"):
        store.remove("../one")
    assert store.verify("two") == []
    file = store.root / "two/model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    assert "digest" in store.verify("two")[0]
    store.remove("two")
    assert store.names() == ["one"]
    assert store.active().name == "one"


def test_shipped_weights_serve_until_the_user_chooses_others(
    tmp_path: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]
) -> None:
    package = make_weights(tmp_path / "package", tiny_config, "compact").parent
    before = {p: p.stat().st_mtime_ns for p in package.rglob("*")}
    store = WeightsStore(tmp_path / "data", shipped=package)
    assert (store.names(), store.shipped(), store.active()) == (["compact"], ["compact"], package / "compact")
    assert store.verify("compact") == []
    MedMPTEngine.open(store.active(), tmp_path / "cache")
    with pytest.raises(BadInput, match="ships with the package"):
        store.remove("compact")
    with pytest.raises(Unavailable, match="switched off"):
        store.active("none")
    make_weights(store.root, tiny_config, "zebra")
    assert store.names() == ["zebra", "compact"]
    assert store.active().name == "zebra"
    store.use("compact")
    assert store.active() == package / "compact"
    make_weights(store.root, tiny_config, "compact")
    assert store.active() == store.root / "compact"
    store.remove("compact")
    assert store.folder("compact") == package / "compact"
    assert {p: p.stat().st_mtime_ns for p in package.rglob("*")} == before


def test_weights_stored_in_half_precision_are_read_as_float32(tmp_path: Path, tiny_config: MedMPTConfig, small_volume: Volume) -> None:
    torch.manual_seed(0)
    model = MedMPT(tiny_config)
    folders = [
        save_weights(tmp_path, model, n, licence="l", trained_on="t", synthetic_training=True, stored=n, extra_bytes={"README.md": b"card"})
        for n in ("float32", "float16")
    ]
    full, half = (read_weights(f) for f in folders)
    assert (full.provenance.stored, half.provenance.stored) == ("float32", "float16")
    sizes = [(f / "model.safetensors").stat().st_size for f in folders]
    assert sizes[1] < 0.6 * sizes[0]
    assert (folders[1] / "README.md").read_bytes() == b"card"
    read = load_model(half)
    assert {p.dtype for p in read.parameters()} == {torch.float32}
    scans = [MedMPTEngine.open(f, tmp_path / f.name, "fp32").encode(small_volume).scan for f in folders]
    assert not np.array_equal(*scans)
    assert np.allclose(*scans, atol=0.02)
    with torch.no_grad():
        model.vision_encoder.pos_embed.fill_(1e6)
    with pytest.raises(BadInput, match="half precision"):
        save_weights(tmp_path, model, "float16", licence="l", trained_on="t", synthetic_training=True, stored="float16")


def test_our_own_weights_round_trip_with_their_options(
    tmp_path: Path, tiny_config: MedMPTConfig, make_weights: Callable[..., Path]
) -> None:
    weights = read_weights(make_weights(tmp_path, tiny_config))
    assert weights.config == tiny_config
    model = load_model(weights)
    again = save_weights(tmp_path, model, "again", licence="l", trained_on="t", synthetic_training=True)
    assert read_weights(again).provenance.model_sha256 == weights.provenance.model_sha256
    assert "report" not in read_weights(again).provenance.tasks  # saved without a tokenizer
