"""Sharded training: two processes that hold half of the model each train as one process with twice the batch."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from medmpt_backend.errors import BadInput
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.train.data.shards import DatasetInfo, ShardWriter, StudyRecord
from medmpt_backend.train.run import RunPlan, train
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.weights.checkpoint import load_model, read_weights, unique_tensors

ROOT = Path(__file__).resolve().parents[2]
# Interrupted after step 2, continued from the checkpoint; rank 0 exports.
_SCRIPT = """
import os, sys, json, pathlib, signal, torch
torch.set_num_threads(1)
from torch.distributed.tensor import DTensor
from medmpt_backend.model.config import MedMPTConfig
from medmpt_backend.train.run import RunPlan, build, export, train
from medmpt_backend.train.settings import TrainSettings

data, out, tokenizer, config, settings = sys.argv[1:]
out = pathlib.Path(out)
plan = RunPlan(pathlib.Path(data), out, TrainSettings.model_validate_json(settings),
               config=MedMPTConfig.model_validate_json(config), tokenizer=pathlib.Path(tokenizer))
trainer, _ = build(plan)

def interrupt(step, loss):
    if step == 2:
        os.kill(os.getpid(), signal.SIGINT)

first = trainer.run(interrupt)
parameters = list(trainer.task.parameters())
moments = [m for state in trainer.optimizer.state.values() for m in state.values() if m.ndim]
count = lambda tensors: sum((t.to_local() if isinstance(t, DTensor) else t).numel() for t in tensors)
held = {"step": first.step, "here": count(parameters), "all": sum(p.numel() for p in parameters),
        "moments_here": count(moments), "moments_all": sum(m.numel() for m in moments)}
(out / f"held-{trainer.rank}.json").write_text(json.dumps(held))
torch.distributed.barrier()  # the checkpoint is written
trainer, second = train(plan)
assert second.step == plan.settings.steps
torch.distributed.destroy_process_group()
if trainer.rank == 0:
    export(trainer, plan, out / "weights", "mine", "test")
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, tiny_config: MedMPTConfig) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    vision, random = tiny_config.vision, np.random.default_rng(0)
    info = DatasetInfo(preprocess=tiny_config.preprocess, slices=vision.slices, image=vision.image, synthetic=True)
    with ShardWriter(folder, info, per_shard=5) as writer:
        for i in range(8):
            image = torch.from_numpy(random.integers(0, 240, (4, 3, 32, 32)).astype(np.uint8))
            report = "right lung nodule ." if i % 2 else "lung clear . no effusion ."
            writer.add(StudyRecord(id=f"s{i}", split="train", report=report), image, None)
    return folder


def _losses(out: Path) -> list[float]:
    return [json.loads(line)["total"] for line in (out / "losses.jsonl").read_text().splitlines()]


@pytest.fixture
def launch(tmp_path: Path, data: Path, tokenizer_dir: Path, tiny_config: MedMPTConfig) -> Callable[[TrainSettings], Path]:
    """Runs `_SCRIPT` in two processes; gives its output folder."""

    def run(settings: TrainSettings) -> Path:
        script, out = tmp_path / "script.py", tmp_path / "two"
        script.write_text(_SCRIPT, encoding="utf-8")
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
        arguments = [str(data), str(out), str(tokenizer_dir), tiny_config.model_dump_json(), settings.model_dump_json()]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stderr[-6000:]
        return out

    return run


def test_two_halves_train_as_one_process_with_twice_the_batch(
    data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path, launch: Callable[[TrainSettings], Path]
) -> None:
    common = TrainSettings(task="pretrain", steps=4, batch=4, accumulate=2, lr=1e-3, clip=0.5)
    whole = RunPlan(data, tmp_path / "one", common, config=tiny_config, tokenizer=tokenizer_dir)
    trainer, _ = train(whole)
    out = launch(common.model_copy(update={"batch": 2, "strategy": "fsdp"}))
    assert np.allclose(_losses(out), _losses(whole.out), atol=1e-4)
    held = [json.loads((out / f"held-{rank}.json").read_text()) for rank in range(2)]
    assert [h["step"] for h in held] == [2, 2]
    for kind in ("", "moments_"):
        shares = [h[f"{kind}here"] / h[f"{kind}all"] for h in held]
        assert all(0.45 < share < 0.55 for share in shares)
        assert sum(shares) == pytest.approx(1, abs=1e-3)  # the two temperatures are on both
    saved = unique_tensors(load_model(read_weights(out / "weights/mine")))
    expected = unique_tensors(trainer.task.model)  # type: ignore[arg-type]
    trained = {name for name, p in trainer.task.model.named_parameters() if p.requires_grad}  # type: ignore[union-attr]
    for name in trained:
        assert torch.allclose(saved[name], expected[name], atol=1e-4), name
    checkpoint = torch.load(out / "checkpoint-00000004.pt", weights_only=True)
    for name, tensor in trainer.task.state_dict().items():  # momentum copies and queues among them
        assert torch.allclose(checkpoint["task"][name], tensor, atol=1e-4), name


def test_sharding_one_process_is_refused(data: Path, tmp_path: Path, tiny_config: MedMPTConfig, tokenizer_dir: Path) -> None:
    settings = TrainSettings(steps=1, strategy="fsdp")
    with pytest.raises(BadInput, match="torchrun"):
        train(RunPlan(data, tmp_path, settings, config=tiny_config, tokenizer=tokenizer_dir))
