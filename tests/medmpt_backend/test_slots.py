"""Models beside MedMPT: cards, what is said when one is missing, and the real packages with small random weights."""

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from medmpt_backend.errors import BadInput, Unavailable
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.slots import commands
from medmpt_backend.slots.contract import absent_packages, card, card_names
from medmpt_backend.slots.geometry import affine, from_ras
from medmpt_backend.slots.masks import lungs_of
from medmpt_backend.slots.registry import slot, slots

FIXTURE = Path(__file__).resolve().parents[2] / "../shared/parity/a"
needs_fixture = pytest.mark.skipif(not FIXTURE.is_dir(), reason="the parity fixture does not stand beside the checkout")

# What other packages warn about is theirs to mend.
theirs = pytest.mark.filterwarnings("ignore")


def needs(name: str) -> pytest.MarkDecorator:
    """Skip where a slot's packages are not installed."""
    absent = absent_packages(card(name, Path()))
    return pytest.mark.skipif(bool(absent), reason=f"{name}: {', '.join(absent)} not installed")


def context(folder: Path) -> SimpleNamespace:
    return SimpleNamespace(obj=SimpleNamespace(data_dir=folder, cache_dir=folder / "cache", weights=None))


@pytest.fixture
def small() -> Volume:
    rng = np.random.default_rng(0)
    return Volume(rng.integers(-1000, 200, (24, 64, 64)).astype(np.int16), (2.5, 1.4, 1.4), SeriesInfo("x"))


def test_the_list_holds_every_slot_with_its_card(tmp_path: Path) -> None:
    found = commands.models_list(context(tmp_path))  # type: ignore[arg-type]
    assert [m.name for m in found.models] == ["medmpt", "colipri", "totalsegmentator", "lungmask", "monai_nodules"]
    for model in found.models:
        assert model.task
        assert model.licence
        assert model.domain
        assert model.domain_zh
        assert model.command
        assert "{folder}" not in model.command
    assert next(m for m in found.models if m.name == "medmpt").installed


@pytest.mark.parametrize("name", [n for n in card_names() if n != "medmpt"])
def test_a_missing_model_names_the_command(name: str, tmp_path: Path, small: Volume, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("TOTALSEG_HOME_DIR", str(tmp_path))
    found = commands.models_check(context(tmp_path), name)  # type: ignore[arg-type]
    assert found.status == "unavailable"
    assert found.models[0].command in (found.reason or "")
    with pytest.raises(Unavailable, match="pip install"):
        slot(name, tmp_path, tmp_path).run(small)


def test_an_unknown_model_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="lungmask"):
        slot("other", tmp_path, tmp_path)


def test_every_label_is_a_finding_of_ours_or_a_mask(tmp_path: Path) -> None:
    from medmpt_backend.findings import FINDINGS

    sides = {"lung_right", "lung_left", "trachea", "heart", "aorta", "pulmonary_vein"}
    lobes = {f"{s}_lobe" for s in ("left_upper", "left_lower", "right_upper", "right_middle", "right_lower")}
    for model in slots(tmp_path, tmp_path):
        for key, value in model.card.labels.items():
            assert (value if isinstance(value, str) else key) in FINDINGS.keys() | sides | lobes


def test_points_go_to_mm_and_back(small: Volume) -> None:
    voxel = np.array([[10.0, 20.0, 3.0]])
    mm = (affine(small) @ np.append(voxel[0], 1.0))[:3]
    assert mm[0] < 0
    assert mm[2] < 0
    np.testing.assert_allclose(from_ras(mm[None], small), voxel)


@needs("monai_nodules")
def test_boxes_of_the_detector_land_where_they_were(small: Volume) -> None:
    from medmpt_backend.slots.monai_nodules import SPACING, _box, prepared

    hu = np.full(small.hu.shape, -900, dtype=np.int16)
    hu[4:7, 10:16, 40:50] = 50
    volume = Volume(hu, small.spacing, small.series)
    x, y, z = np.nonzero(prepared(volume) > 0.6)
    corners = np.array([x.min(), y.min(), z.min(), x.max(), y.max(), z.max()], dtype=np.float32)
    box = _box(corners, volume)
    assert SPACING[2] < 2.5
    for (low, high), (first, last) in zip(box, ((40, 49), (10, 15), (4, 6)), strict=True):
        assert abs(low - first) <= 1
        assert abs(high - last) <= 1


def test_masks_of_a_model_become_the_lungs(study: Volume) -> None:
    x = np.arange(study.hu.shape[2])
    air = study.hu < -400
    masks = {"lung_right": air & (x < len(x) // 2), "lung_left": air & (x >= len(x) // 2)}
    found = lungs_of(study, masks)
    assert found.airway is not None
    assert not found.labels[found.airway.mask].any()
    assert found.millilitres(1) == pytest.approx(found.millilitres(2), rel=0.5)
    with pytest.raises(BadInput, match="no right and left"):
        lungs_of(study, {"lung_right": masks["lung_right"]})
    with pytest.raises(BadInput, match="does not fit"):
        lungs_of(study, {"lung_right": masks["lung_right"][1:]})


@pytest.fixture(scope="module")
def study() -> Volume:
    return commands._study(None)[0]


def test_the_shipped_weights_run_in_the_slot(tmp_path: Path, study: Volume) -> None:
    said = slot("medmpt", tmp_path, tmp_path).run(study)
    assert said.findings[0].score >= said.findings[-1].score
    assert any("domain" in note for note in said.notes)


@needs_fixture
def test_imported_official_weights_run_in_the_same_slot(tmp_path: Path, small: Volume) -> None:
    from medmpt_backend.weights.importing import ImportOptions, import_checkpoint

    import_checkpoint(FIXTURE / "pretrain_checkpoint.pth", tmp_path / "weights", ImportOptions(name="official"))
    said = slot("medmpt", tmp_path, tmp_path, "official").run(small)
    assert said.findings == ()
    assert any("no finding head" in note for note in said.notes)
    assert any("weights official" in note for note in said.notes)


@needs("colipri")
@theirs
def test_colipri_runs_with_small_random_weights_and_no_remote_code(tmp_path: Path, study: Volume) -> None:
    from medmpt_backend.slots.colipri import Colipri, _package

    package = _package()
    assert find_spec("torchvision") is None
    _tiny_colipri(tmp_path, package)
    said = Colipri(tmp_path).run(study)
    assert len(said.findings) == 18
    assert all(0 <= one.score <= 1 for one in said.findings)
    assert all(0 <= (one.slice or 0) < study.hu.shape[0] for one in said.findings)
    assert said.findings[0].score >= said.findings[-1].score
    (tmp_path / "text" / "config.json").write_text('{"hidden_size": 48, "num_attention_heads": 2, "vocab_size": 9}')
    with pytest.raises(BadInput, match="does not fit"):
        Colipri(tmp_path).run(study)


def _tiny_colipri(folder: Path, package: object) -> None:
    from colipri.checkpoint import _load_config
    from omegaconf import OmegaConf
    from transformers import BertConfig

    (folder / "text").mkdir()
    BertConfig(vocab_size=60, hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32).to_json_file(
        folder / "text" / "config.json"
    )
    (folder / "text" / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nno\nlung\nnodule\npleural\neffusion\n")
    backbone = {"_target_": "medmpt_backend.slots.colipri.text_backbone", "folder": str(folder / "text")}
    config = _load_config()
    small = {"input_size": 32, "image_embed_dim": 48, "projection_dim": 24, "spacing": 12}
    heads = {"pooler": {"num_heads": 2}}
    model = {"image_encoder": {"backbone": {"eva_depth": 1, "eva_numheads": 2}, **heads}, "text_encoder": heads}
    config = OmegaConf.merge(config, OmegaConf.create({**small, "model": model}))
    OmegaConf.save(config, folder / "config.yaml")
    OmegaConf.update(config, "model.text_encoder.backbone", backbone, merge=False)
    del config["processor"]
    OmegaConf.resolve(config)
    package.get_model(pretrained=False, config=config.model).save_weights(folder / "model.safetensors")  # type: ignore[attr-defined]


@needs("lungmask")
@theirs
@pytest.mark.slow
def test_lungmask_runs_with_random_weights(tmp_path: Path, small: Volume) -> None:
    import torch
    from lungmask.resunet import UNet

    torch.manual_seed(0)
    net = UNet(n_classes=3, padding=True, depth=5, up_mode="upsample", batch_norm=True, residual=False)
    torch.save(net.state_dict(), tmp_path / "own.pth")
    from medmpt_backend.slots.lungmask import LungMask

    thin = Volume(small.hu[:2], small.spacing, small.series)
    said = LungMask(tmp_path).run(thin)
    assert set(said.masks) == {"lung_right", "lung_left"}
    assert all(mask.shape == thin.hu.shape for mask in said.masks.values())


@needs("lungmask")
@theirs
def test_lungmask_refuses_other_weights(tmp_path: Path, small: Volume) -> None:
    import torch

    from medmpt_backend.slots.lungmask import LungMask

    torch.save({"last.weight": torch.zeros(3, 4)}, tmp_path / "own.pth")
    with pytest.raises(BadInput, match="does not hold weights"):
        LungMask(tmp_path).run(small)


@needs("monai_nodules")
@theirs
@pytest.mark.slow
def test_the_monai_detector_runs_with_random_weights(tmp_path: Path, small: Volume) -> None:
    import torch

    from medmpt_backend.slots.monai_network import detector
    from medmpt_backend.slots.monai_nodules import WEIGHTS, MonaiNodules

    (tmp_path / WEIGHTS).parent.mkdir(parents=True)
    torch.save(detector((64, 64, 32)).network.state_dict(), tmp_path / WEIGHTS)
    said = MonaiNodules(tmp_path, shown=0.0, patch=(64, 64, 32)).run(small)
    assert all(one.id == "lung_nodule" for one in said.findings)
