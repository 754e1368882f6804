"""Training: determinism, resume, interruption, two processes, freezing, queues, data, metrics. Tiny model, seconds."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from medmpt_backend.errors import BadInput
from medmpt_backend.imaging.volume import SeriesInfo, Volume
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.train.data.augment import Augmentation, augment, generator_for
from medmpt_backend.train.data.convert import parse_row
from medmpt_backend.train.data.shards import DatasetInfo, ShardDataset, ShardWriter, StudyRecord
from medmpt_backend.train.loop import learning_rate
from medmpt_backend.train.metrics import caption_metrics, cider, clean, multiclass_metrics, multilabel_metrics, recall_at
from medmpt_backend.train.objectives import PretrainModel
from medmpt_backend.train.run import RunPlan, build, evaluate, export, train
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.weights.checkpoint import load_model, read_weights

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, tiny_config: MedMPTConfig) -> Path:
    folder = tmp_path_factory.mktemp("data")
    vision = tiny_config.vision
    info = DatasetInfo(
        preprocess=tiny_config.preprocess,
        slices=vision.slices,
        image=vision.image,
        synthetic=True,
        mask_labels=("lung_nodule", "emphysema"),
    )
    random = np.random.default_rng(0)
    with ShardWriter(folder / "set", info, per_shard=5) as writer:
        for i in range(12):
            sick = i % 2
            image = torch.from_numpy(random.integers(0, 120, (4, 3, 32, 32)).astype(np.uint8))
            mask = torch.zeros((4, 2, 2, 2), dtype=torch.uint8)
            if sick:
                image[:, :, :16, :16] += 120
                mask[:, 0, 0, 0] = 255
            record = StudyRecord(
                id=f"s{i}",
                split="val" if i >= 8 else "train",
                report="right lung nodule ." if sick else "lung clear . no effusion .",
                labels={"lung_nodule": 1 if sick else 0, "emphysema": None},
                classes={"severity": i % 4},
                labs={"crp": 50.0 * sick, "urea": None},
                drugs=("a", "c") if sick else ("b",),
            )
            writer.add(record, image, mask)
    return folder / "set"


def _plan(data: Path, out: Path, config: MedMPTConfig, tokenizer: Path, **settings: object) -> RunPlan:
    values = {"steps": 5, "batch": 2, "lr": 1e-3, "checkpoint_every": 3, **settings}
    return RunPlan(data, out, TrainSettings.model_validate(values), config=config, tokenizer=tokenizer)


def _losses(out: Path) -> list[float]:
    return [json.loads(line)["total"] for line in (out / "losses.jsonl").read_text().splitlines()]


def test_interrupted_and_resumed_training_equals_uninterrupted(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path
) -> None:
    config = tiny_config.model_copy(update={"dropout": 0.1})
    whole = _plan(data, tmp_path / "whole", config, tokenizer_dir, accumulate=2)
    trainer, _ = train(whole)
    parts = RunPlan(**{**vars(whole), "out": tmp_path / "parts"})

    def interrupt(step: int, loss: float) -> None:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    _, outcome = train(parts, interrupt)
    assert (outcome.step, outcome.interrupted) == (2, True)
    assert [p.name for p in (tmp_path / "parts").glob("checkpoint-*")] == ["checkpoint-00000002.pt"]
    resumed, outcome = train(parts)
    assert (outcome.step, outcome.interrupted) == (5, False)
    assert _losses(tmp_path / "parts") == _losses(tmp_path / "whole")
    for a, b in zip(trainer.task.state_dict().values(), resumed.task.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert list((tmp_path / "whole/tensorboard").glob("events*"))
    with pytest.raises(BadInput, match="another 'lr'"):
        train(_plan(data, tmp_path / "whole", config, tokenizer_dir, accumulate=2, lr=2e-3))


def test_a_killed_run_continues_from_its_checkpoint(data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path) -> None:
    plan = _plan(data, tmp_path / "whole", tiny_config, tokenizer_dir, task="findings")
    train(plan)
    killed = RunPlan(**{**vars(plan), "out": tmp_path / "killed"})

    class _Killed(BaseException):
        pass

    def kill(step: int, loss: float) -> None:
        if step == 5:
            raise _Killed

    with pytest.raises(_Killed):
        train(killed, kill)
    assert len(_losses(tmp_path / "killed")) == 5
    assert train(killed)[1].step == 5
    assert _losses(tmp_path / "killed") == _losses(tmp_path / "whole")


_SCRIPT = """
import sys, json, pathlib, torch
torch.set_num_threads(1)
from medmpt_backend.model.config import HeadConfig, MedMPTConfig
from medmpt_backend.inference.engine import MedMPTEngine
from medmpt_backend.train.run import RunPlan, train
from medmpt_backend.train.settings import TrainSettings
data, out, tokenizer, config, settings = sys.argv[1:]
train(RunPlan(pathlib.Path(data), pathlib.Path(out), TrainSettings.model_validate_json(settings),
      config=MedMPTConfig.model_validate_json(config), tokenizer=pathlib.Path(tokenizer)))
torch.distributed.destroy_process_group()
"""


@pytest.mark.parametrize("task", ["pretrain", pytest.param("medication", marks=pytest.mark.slow)])
def test_two_processes_equal_one_with_twice_the_batch(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path, task: str
) -> None:
    one = _plan(data, tmp_path / "one", tiny_config, tokenizer_dir, task=task, batch=4)
    train(one)
    two = _plan(data, tmp_path / "two", tiny_config, tokenizer_dir, task=task, batch=2)
    (tmp_path / "script.py").write_text(_SCRIPT, encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(tmp_path / "script.py")]
    arguments = [str(data), str(two.out), str(tokenizer_dir), tiny_config.model_dump_json(), two.settings.model_dump_json()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *arguments], env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert np.allclose(_losses(tmp_path / "one"), _losses(tmp_path / "two"), atol=1e-4)


def test_frozen_parts_do_not_move(data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path) -> None:
    plan = _plan(data, tmp_path, tiny_config, tokenizer_dir, task="findings", freeze=["vision_encoder."], steps=2)
    trainer, _ = build(plan)
    before = {k: v.clone() for k, v in trainer.task.state_dict().items()}
    trainer.run()
    moved = {k for k, v in trainer.task.state_dict().items() if not torch.equal(v, before[k])}
    assert not any("vision_encoder" in k for k in moved)
    assert any("vision_fusion" in k for k in moved)
    assert any("heads.findings" in k for k in moved)
    with pytest.raises(BadInput, match="no parameter starts with 'vison'"):
        build(_plan(data, tmp_path / "x", tiny_config, tokenizer_dir, freeze=["vison"]))


@pytest.mark.parametrize("task", ["findings", "severity", "caption", "medication"])
def test_every_task_trains_evaluates_and_exports(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path, task: str
) -> None:
    plan = _plan(
        data,
        tmp_path / "run",
        tiny_config,
        tokenizer_dir,
        task=task,
        steps=20,
        batch=4,
        augment=False,
        recompute=task == "caption",
        lr=3e-3,
    )
    trainer, _ = train(plan)
    losses = _losses(plan.out)
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    metrics = evaluate(trainer, plan)
    expected = {"severity": "accuracy", "caption": "bleu1"}.get(task, "auc")
    assert np.isfinite(metrics[expected])
    folder = export(trainer, plan, tmp_path / "weights", "mine", "test")
    weights = read_weights(folder)
    assert weights.provenance.synthetic_training
    served = {"caption": ("encode", "report"), "medication": ("encode", "medication")}.get(task, ("encode", task))
    assert weights.provenance.tasks == served  # what stayed random is not served
    assert (folder / "domain.npz").is_file()
    assert torch.equal(load_model(weights).vision_encoder.norm.bias, trainer.task.model.vision_encoder.norm.bias)  # type: ignore[union-attr]


def test_lesion_masks_teach_place_and_side(data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path) -> None:
    head = HeadConfig(kind="multilabel", labels=("lung_nodule", "emphysema"), patches=True)
    config = tiny_config.model_copy(update={"heads": {"findings": head}})
    plan = _plan(
        data, tmp_path / "run", config, tokenizer_dir, task="findings", steps=60, batch=8, augment=False, lr=3e-3, checkpoint_every=99
    )
    trainer, outcome = train(plan)
    assert set(outcome.losses) == {"findings", "patches"}
    assert evaluate(trainer, plan)["auc"] == 1
    folder = export(trainer, plan, tmp_path / "weights", "mine", "test")
    engine = MedMPTEngine.open(folder, tmp_path)
    hu = np.full((8, 32, 32), -1000, np.int16)
    hu[:, :16, :16] = 300  # the image's upper left is the patient's right, in front
    volume = Volume(hu, (5.0, 1.0, 1.0), SeriesInfo("0" * 16, synthetic=True))
    found = engine.explain(volume, "lung_nodule", method="patch").heatmaps
    assert found.sum(0).argmax() == 0
    assert engine.encode(volume).patches["findings"].shape == (4, 2, 2, 2)
    again = MedMPTEngine.open(folder, tmp_path)
    assert np.array_equal(again.encode(volume).patches["findings"], engine.encode(volume).patches["findings"])
    nodule = next(f for f in engine.classify(volume).findings if f.id == "lung_nodule")
    assert nodule.side in ("right", None)
    assert (nodule.side is None) == (not nodule.present)


def test_pretraining_lowers_all_five_losses_and_measures_recall(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path
) -> None:
    plan = _plan(data, tmp_path, tiny_config, tokenizer_dir, steps=20, batch=4, augment=False, checkpoint_every=50)
    trainer, outcome = train(plan)
    assert set(outcome.losses) == {"iic_slice", "iic_scan", "mim", "itc", "lm"}
    first = json.loads((tmp_path / "losses.jsonl").read_text().splitlines()[0])
    assert outcome.losses["lm"] < first["lm"]
    assert outcome.losses["mim"] < first["mim"]
    assert set(evaluate(trainer, plan)) == {"recall@1", "recall@5", "recall@10"}


@pytest.mark.parametrize("precision", ["bf16"])
def test_mixed_precision_follows_full_precision(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path, precision: str
) -> None:
    for name in ("fp32", precision):
        train(_plan(data, tmp_path / name, tiny_config, tokenizer_dir, task="findings", steps=3, precision=name))
    assert np.allclose(_losses(tmp_path / "fp32"), _losses(tmp_path / precision), rtol=0.05)


def test_queue_wraps_when_its_size_is_no_multiple_of_the_batch() -> None:
    model = PretrainModel(MedMPTConfig.tiny())  # 24 slice places, 10 scan places
    before = model.image_queue_scan.clone()
    for step in range(4):
        rows = torch.full((3, 32), float(step))
        model._enqueue("scan", rows)
    assert int(model.queue_ptr_scan) == 2
    assert [float(c) for c in model.image_queue_scan[0]] == [3, 3, 0, 1, 1, 1, 2, 2, 2, 3]
    model._enqueue("scan", torch.arange(13.0)[:, None].expand(13, 32))
    assert sorted(float(c) for c in model.image_queue_scan[0]) == [float(i) for i in range(3, 13)]
    assert before.shape == model.image_queue_scan.shape


def test_momentum_moves_a_share_of_the_way() -> None:
    model = PretrainModel(MedMPTConfig.tiny())
    with torch.no_grad():
        model.model.vision_encoder.norm.bias.fill_(1.0)
    model.update_momentum()
    slow = model.get_submodule("vision_encoder_k").get_parameter("norm.bias")
    assert torch.allclose(slow, torch.full_like(slow, 1 - model.config.pretrain.momentum))


def test_learning_rate_warms_up_and_falls_to_its_end() -> None:
    settings = TrainSettings(steps=100, warmup=10, lr=1.0, min_lr=0.1)
    rates = [learning_rate(s, settings, 1.0) for s in (0, 9, 10, 55, 100)]
    assert rates == pytest.approx([0.1, 1.0, 1.0, 0.55, 0.1])


def test_views_repeat_for_a_study_and_keep_their_side_unless_asked() -> None:
    image = -torch.ones(2, 3, 32, 32)
    image[..., :10] = 1.0  # a bright left edge of the picture
    style = Augmentation(crop=(1.0, 1.0), degrees=0, shift=0, zoom=(1, 1), blur=0)
    views = [augment(image, style, generator_for(0, e, 1))[0] for e in range(8)]
    assert all(torch.allclose(v, image, atol=1e-5) for v in views)
    flipping = Augmentation(crop=(1.0, 1.0), degrees=0, shift=0, zoom=(1, 1), blur=0, flip=True)
    sides = {bool(augment(image, flipping, generator_for(0, e, 1))[0][0, 0, 16, 2] > 0) for e in range(20)}
    assert sides == {True, False}
    one, two = (augment(image, Augmentation(), generator_for(0, 1, 1))[0] for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, augment(image, Augmentation(), generator_for(0, 2, 1))[0])


def test_data_of_another_model_or_without_targets_is_refused(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path
) -> None:
    other = tiny_config.model_copy(update={"preprocess": tiny_config.preprocess.model_copy(update={"slab": "max"})})
    with pytest.raises(BadInput, match="another model"):
        build(_plan(data, tmp_path, other, tokenizer_dir))
    without = _plan(data, tmp_path, tiny_config, tokenizer_dir, task="caption")
    with pytest.raises(BadInput, match="needs a tokenizer"):
        build(RunPlan(**{**vars(without), "tokenizer": None}))


def test_unfinished_data_sets_are_refused(tmp_path: Path, tiny_config: MedMPTConfig) -> None:
    info = DatasetInfo(preprocess=tiny_config.preprocess, slices=4, image=32)
    with pytest.raises(RuntimeError), ShardWriter(tmp_path / "d", info):
        raise RuntimeError
    with pytest.raises(BadInput, match="not a finished data set"):
        ShardDataset(tmp_path / "d")


def test_table_lines_become_records_and_unknown_stays_unknown() -> None:
    row = {
        "id": "p1",
        "split": "val",
        "label:emphysema": "1",
        "label:lung_nodule": "",
        "class:severity": "2",
        "lab:crp": "3.5",
        "drugs": "a; b",
    }
    record = parse_row(row)
    assert record.labels == {"emphysema": 1, "lung_nodule": None}
    assert (record.classes, record.labs, record.drugs, record.report) == ({"severity": 2}, {"crp": 3.5}, ("a", "b"), None)
    with pytest.raises(BadInput, match="p2"):
        parse_row({"id": "p2", "label:emphysema": "yes"})


def test_metrics_agree_with_hand_counts() -> None:
    assert clean("[CLS] right  lung [SEP]") == "right lung"
    same = caption_metrics(["右肺结节。", "no nodule ."], ["[CLS]右肺结节。[SEP]", "no nodule ."])
    assert (same["bleu1"], same["rouge_l"]) == (pytest.approx(1), pytest.approx(1))
    assert same["meteor"] > 0.9
    half = caption_metrics(["right lung", "left lung"], ["right heart", "left lung"])
    assert half["bleu1"] == pytest.approx(0.75)
    assert cider(["a b c d", "e f g h"], ["a b c d", "e f g h"]) == pytest.approx(10)
    assert cider(["x y z w", "x y z w"], ["a b c d", "e f g h"]) == 0
    probabilities = np.array([[0.9, 0.2], [0.1, 0.8], [0.8, 0.9]])
    found = multilabel_metrics(probabilities, np.array([[1, 0], [0, np.nan], [1, 1]], float))
    assert found["auc"] == 1
    assert multilabel_metrics(probabilities[:, :1], np.array([[1.0], [0.0], [0.0]]))["sample_f1"] == pytest.approx(2 / 3)
    assert multiclass_metrics(np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]]), np.array([0, 1, 1]))["accuracy"] == pytest.approx(2 / 3)
    assert recall_at(np.array([[1.0, 2.0], [0.0, 1.0]]), (1, 2)) == {"recall@1": 0.5, "recall@2": 1.0}
