"""The training loop: one device or `torchrun`, mixed precision with clipping, accumulation, checkpoints, resume, safe interruption."""

import contextlib
import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from medmpt_backend.errors import BackendError, BadInput, of_extra
from medmpt_backend.model.network import MedMPT
from medmpt_backend.train.data.augment import generator_for
from medmpt_backend.train.data.batches import Batch, BatchSource
from medmpt_backend.train.objectives import world_rank
from medmpt_backend.train.settings import TrainSettings
from medmpt_backend.train.sharded import ShardedTask

_KEPT = 2
# Validation studies looked at, and the file of the best parameters.
_WATCHED = 128
_BEST = "best.pt"


@dataclass(frozen=True)
class TrainOutcome:
    """Where a run stands: steps done, mean loss per part of the last step, and whether it was interrupted."""

    step: int
    losses: dict[str, float]
    interrupted: bool


def learning_rate(step: int, settings: TrainSettings, peak: float) -> float:
    """Linear warm-up, then cosine to `min_lr`; `step` counts from 0."""
    if step < settings.warmup:
        return peak * (step + 1) / settings.warmup
    share = (step - settings.warmup) / max(settings.steps - settings.warmup, 1)
    return settings.min_lr + (peak - settings.min_lr) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))


def freeze(model: nn.Module, prefixes: tuple[str, ...]) -> int:
    """Freeze parameters by prefix; returns how many.

    Raises:
        BadInput: A prefix that matches nothing.
    """
    frozen = 0
    for prefix in prefixes:
        matching = [p for name, p in model.named_parameters(remove_duplicate=False) if name.startswith(prefix)]
        if not matching:
            raise BadInput(f"no parameter starts with {prefix!r}; top-level parts are {', '.join(n for n, _ in model.named_children())}")
        for parameter in matching:
            parameter.requires_grad_(False)
        frozen += len(matching)
    return frozen


def make_optimizer(task: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """AdamW with groups by rate and decay; frozen parameters are in none."""
    new_parts = ("heads.", "patch_heads.", "patch_mix.", "local.", "summary.", "labs.", "medication.")
    groups: dict[tuple[bool, bool, bool], list[nn.Parameter]] = {}
    for name, parameter in task.named_parameters():
        if parameter.requires_grad:
            new = any(f"model.{part}" in name for part in new_parts)
            # sharded and whole tensors cannot be updated in one call
            groups.setdefault((new, parameter.ndim > 1, isinstance(parameter, DTensor)), []).append(parameter)
    rates = {False: settings.lr, True: settings.new_lr if settings.new_lr is not None else settings.lr}
    options = [
        {"params": params, "lr": rates[new], "peak": rates[new], "weight_decay": settings.weight_decay if decays else 0.0}
        for (new, decays, _), params in sorted(groups.items(), key=lambda item: item[0])
    ]
    if not options:
        raise BadInput("everything is frozen; nothing is left to train")
    return torch.optim.AdamW(options)


def setup_distributed() -> torch.device:
    """Join the processes of `torchrun` (NCCL on CUDA, gloo on a CPU); returns this process's device."""
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return device


def leave_distributed() -> None:
    """Leave the processes of `torchrun`, if any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
        if "OMP_NUM_THREADS" in os.environ and hasattr(os, "sched_getaffinity"):
            torch.set_num_threads(len(os.sched_getaffinity(0)))  # `torchrun` gave each process a share; what follows has them all


@contextlib.contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a termination request sets instead of stopping the program."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    kept = {s: signal.signal(s, lambda *_: asked.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


class Trainer:
    """Trains one task; everything that decides its course is in the settings and the data."""

    def __init__(self, task: nn.Module, source: BatchSource, settings: TrainSettings, out: Path, device: torch.device) -> None:
        self.task, self.source, self.settings, self.out, self.device = task, source, settings, out, device
        self.world, self.rank = world_rank()
        model = cast(MedMPT, task.model)
        freeze(model, settings.freeze)
        model.vision_encoder.recompute = settings.recompute
        self.sharded = ShardedTask(task, settings, device) if settings.strategy == "fsdp" else None
        if self.sharded is None:
            task.to(device)
        self.optimizer = make_optimizer(task, settings)
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == "fp16" and device.type == "cuda")
        self.step = 0
        self.best, self.waited = math.inf, 0
        if settings.evaluate_every and self.sharded is not None:
            raise BadInput("validation during training needs the whole model on each process: use --strategy ddp")
        self.running: nn.Module = task
        if self.world > 1 and self.sharded is None:
            self.running = DistributedDataParallel(task, broadcast_buffers=False)
        out.mkdir(parents=True, exist_ok=True)

    def _move(self, batch: Batch) -> Batch:
        def to(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.to(self.device, non_blocking=True)
            if isinstance(value, dict):
                return {k: to(v) for k, v in value.items()}
            return tuple(to(v) for v in value) if isinstance(value, tuple) else value

        return Batch(**{f.name: to(getattr(batch, f.name)) for f in fields(Batch)})

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(self.settings.precision)
        return torch.autocast(self.device.type, dtype) if dtype is not None else contextlib.nullcontext()

    def train_step(self) -> dict[str, float]:
        """One optimiser step; returns the mean loss per part over micro-steps and processes."""
        settings = self.settings
        torch.manual_seed(generator_for(settings.seed, self.step, self.rank).initial_seed())  # dropout depends on the step only
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, settings, group["peak"])
        self.optimizer.zero_grad(set_to_none=True)
        parts: dict[str, Tensor] = {}
        for micro in range(settings.accumulate):
            last = micro == settings.accumulate - 1
            batch = self._move(self.source.batch(self.step * settings.accumulate + micro, self.rank, self.world))
            quiet = contextlib.nullcontext() if last or not isinstance(self.running, DistributedDataParallel) else self.running.no_sync()
            if self.sharded is not None:
                self.sharded.before_forward()
            with quiet:
                with self._autocast():
                    losses: dict[str, Tensor] = self.running(batch)
                total = torch.stack(list(losses.values())).sum() / settings.accumulate
                self.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
            for name, loss in losses.items():
                parts[name] = parts.get(name, torch.zeros((), device=self.device)) + loss.detach().float() / settings.accumulate
        self.scaler.unscale_(self.optimizer)
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        norm = self.sharded.clip(trained, settings.clip) if self.sharded is not None else nn.utils.clip_grad_norm_(trained, settings.clip)
        if not self.scaler.is_enabled() and not bool(torch.isfinite(norm)):
            raise BackendError(f"step {self.step}: the gradient is not finite ({float(norm)}); lower the learning rate or use fp32")
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        return self._average(parts)

    def _average(self, parts: dict[str, Tensor]) -> dict[str, float]:
        values = torch.stack(list(parts.values()))
        if self.world > 1:
            dist.all_reduce(values)
            values /= self.world
        return dict(zip(parts, values.tolist(), strict=True))

    def save(self) -> Path:
        """Write a checkpoint of this step; the last two are kept."""
        path = self.out / f"checkpoint-{self.step:08d}.pt"
        task = self.task.state_dict() if self.sharded is None else self.sharded.state()
        optimizer = self.optimizer.state_dict() if self.sharded is None else self.sharded.optimizer_state(self.optimizer)
        if self.rank == 0:
            content = {
                "task": task,
                "optimizer": optimizer,
                "scaler": self.scaler.state_dict(),
                "step": self.step,
                "settings": self.settings.model_dump_json(),
                "best": self.best,
                "waited": self.waited,
            }
            temporary = path.with_suffix(".part")
            torch.save(content, temporary)
            temporary.replace(path)
            for old in sorted(self.out.glob("checkpoint-*.pt"))[:-_KEPT]:
                old.unlink()
        if self.world > 1:
            dist.barrier()
        return path

    def resume(self) -> bool:
        """Continue from the last checkpoint of the output folder, if there is one.

        Raises:
            BadInput: It was written with other settings.
        """
        found = sorted(self.out.glob("checkpoint-*.pt"))
        if not found:
            return False
        content = torch.load(found[-1], map_location=self.device if self.sharded is None else "cpu", weights_only=True)
        before = TrainSettings.model_validate_json(content["settings"])
        changed = [n for n in TrainSettings.model_fields if getattr(before, n) != getattr(self.settings, n) and n != "checkpoint_every"]
        if changed:
            raise BadInput(
                f"the run in {self.out.name!r} was started with another {changed[0]!r}; choose another --out or the same settings"
            )
        if self.sharded is not None:
            self.sharded.load(content["task"], self.optimizer, content["optimizer"])
        else:
            self.task.load_state_dict(content["task"])
            self.optimizer.load_state_dict(content["optimizer"])
        self.scaler.load_state_dict(content["scaler"])
        self.step, self.best, self.waited = content["step"], content["best"], content["waited"]
        if self.rank == 0:
            self._cut_log()
        return True

    @property
    def _log(self) -> Path:
        return self.out / "losses.jsonl"

    def _cut_log(self) -> None:
        """Forget logged steps after the checkpoint."""
        if self._log.is_file():
            lines = [line for line in self._log.read_text(encoding="utf-8").splitlines() if json.loads(line)["step"] <= self.step]
            self._log.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def unite(self) -> None:
        """End of a sharded run: the first process gets the task in one piece, to evaluate and export."""
        whole = self.sharded.whole() if self.sharded is not None else None
        if whole is not None:
            self.task = self.running = whole.to(self.device)

    def look(self, watched: BatchSource, writer: Any) -> bool:
        """Mean loss over validation studies, split over the processes; True when training should stop."""
        size, share = self.settings.batch, len(watched.usable[:_WATCHED]) // self.world
        own = watched.usable[self.rank * share : (self.rank + 1) * share]
        self.task.eval()
        sums: dict[str, float] = {}
        with torch.no_grad(), self._autocast():
            for start in range(0, share, size):
                part = own[start : start + size]
                collate = watched.collate_parts if self.settings.crop_slices else watched.collate
                losses = self._average(self.task(self._move(collate([(0, i) for i in part], augmented=False))))
                for name, loss in losses.items():
                    sums[name] = sums.get(name, 0.0) + loss * len(part) / share
        self.task.train()
        value = sum(sums.values())
        if writer is not None:
            for name, loss in {**sums, "total": value}.items():
                writer.add_scalar(f"validation/{name}", loss, self.step)
            with (self.out / "validation.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": self.step, "total": value, **sums}) + "\n")
        better = value < self.best
        self.best, self.waited = (value, 0) if better else (self.best, self.waited + 1)
        if better and self.settings.patience and self.rank == 0:
            torch.save(self.task.state_dict(), self.out / _BEST)
        return bool(self.settings.patience) and self.waited >= self.settings.patience

    def _return_to_best(self) -> None:
        """After early stopping was asked for: the parameters of the lowest validation loss."""
        if self.world > 1:
            dist.barrier()
        if self.settings.patience and (self.out / _BEST).is_file():
            self.task.load_state_dict(torch.load(self.out / _BEST, map_location=self.device, weights_only=True))

    def run(self, progress: Callable[[int, float], None] | None = None, watched: BatchSource | None = None) -> TrainOutcome:
        """Train until `settings.steps`, or until validation stops improving; Ctrl-C saves and returns.

        Args:
            progress: Told step and total loss after each step.
            watched: Validation studies.
        """
        with of_extra("train"):
            from torch.utils.tensorboard import SummaryWriter

        self.task.train()
        losses: dict[str, float] = {}
        main = self.rank == 0
        writer = SummaryWriter(str(self.out / "tensorboard"), purge_step=self.step) if main else None
        done = stopped = False
        with _interruptible() as asked:
            while self.step < self.settings.steps and not done and not (stopped := self._stop(asked)):
                losses = self.train_step()
                total = sum(losses.values())
                if writer is not None:
                    for name, value in {**losses, "total": total, "lr": self.optimizer.param_groups[0]["lr"]}.items():
                        writer.add_scalar(name, value, self.step)
                    with self._log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"step": self.step, "total": total, **losses}) + "\n")
                if progress is not None:
                    progress(self.step, total)
                if self.step % self.settings.checkpoint_every == 0 and self.step < self.settings.steps:
                    self.save()
                if watched is not None and self.settings.evaluate_every and self.step % self.settings.evaluate_every == 0:
                    done = self.look(watched, writer)
            self.save()
        if writer is not None:
            writer.close()
        if not stopped:
            self._return_to_best()
        return TrainOutcome(self.step, losses, stopped)

    def _stop(self, asked: threading.Event) -> bool:
        """Whether any process was asked to stop."""
        if self.world == 1:
            return asked.is_set()
        flag = torch.tensor(float(asked.is_set()), device=self.device)
        dist.all_reduce(flag)
        return bool(flag > 0)
