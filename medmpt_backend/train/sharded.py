"""Fully sharded training (`strategy=fsdp`): parameters, gradients and optimiser moments lie in parts on the processes.

Units: each transformer block of vision, fusion and masked decoder is gathered on its own while it computes. Everything else, the text
parts among it, is one root unit, gathered for the whole step: text encoder and decoder share embeddings and feed-forward layers, and
tensors shared between two units would come apart.

The momentum copies are cut as their originals are, so that their update needs no communication; it happens before the forward pass, because
what is written to gathered parameters is lost. Queues are buffers, alike on all processes. The two learned temperatures have no dimension
to cut along: they stay whole, and their gradients are averaged here.
"""

import copy
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, Shard, distribute_tensor

from medmpt_backend.errors import BadInput
from medmpt_backend.model.attention import PostNormLayer
from medmpt_backend.model.network import MedMPT
from medmpt_backend.model.vision import Block
from medmpt_backend.train.objectives import PretrainModel, world_rank
from medmpt_backend.train.settings import TrainSettings

# As torch.nn.utils.clip_grad_norm_.
_CLIP_EPS = 1e-6
T = TypeVar("T", bound=nn.Module)


def _outline(task: T) -> T:
    """A copy whose parameters have shapes and sharing, but no storage."""
    memo: dict[int, Any] = {id(p): nn.Parameter(torch.empty_like(p, device="meta"), p.requires_grad) for p in task.parameters()}
    return copy.deepcopy(task, memo)


def _local(x: Tensor) -> Tensor:
    return x.to_local() if isinstance(x, DTensor) else x


class ShardedTask:
    """Holds a task in parts; made before the optimiser, by all processes at once.

    Attributes:
        task: The task, its parameters `DTensor`s from now on.
        mesh: The processes.
    """

    def __init__(self, task: nn.Module, settings: TrainSettings, device: torch.device) -> None:
        """Shard `task`, equal on all processes, onto `device`.

        Raises:
            BadInput: One process only, or fp16.
        """
        world, self.rank = world_rank()
        if world == 1:
            raise BadInput("fsdp needs several processes; start them with torchrun, or use --strategy ddp")
        if settings.precision == "fp16":
            raise BadInput("fsdp trains in bf16 or fp32, not in fp16, whose loss scaling it does not share between processes")
        self._outline = _outline(task)
        self.mesh: DeviceMesh = init_device_mesh(device.type, (world,))
        self.device = device
        ignored = {p for p in task.parameters() if p.ndim == 0}
        half = settings.precision == "bf16"
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32) if half else MixedPrecisionPolicy()

        def place(parameter: nn.Parameter) -> Shard | None:
            """Along the first dimension unless it is too short and another divides evenly."""
            if parameter.shape[0] >= world:
                return None
            even = [d for d in range(parameter.ndim) if parameter.shape[d] % world == 0]
            return Shard(even[0]) if even else None

        for part in [m for m in task.modules() if isinstance(m, Block | PostNormLayer)]:
            fully_shard(part, mesh=self.mesh, mp_policy=policy, shard_placement_fn=place)
        fully_shard(task, mesh=self.mesh, mp_policy=policy, shard_placement_fn=place, ignored_params=ignored)
        for parameter in ignored:
            parameter.data = parameter.data.to(device)
        self.task = task
        self._pretrain = next((m for m in task.modules() if isinstance(m, PretrainModel)), None)
        if self._pretrain is not None:
            self._pretrain.moves_itself = False

    def before_forward(self) -> None:
        """Move the momentum copies, part by part."""
        if self._pretrain is not None:
            self._pretrain.update_momentum()

    def clip(self, parameters: list[nn.Parameter], limit: float) -> Tensor:
        """Average the gradients that are whole, then clip all by their common norm over all processes, which is returned."""
        sharded = [_local(p.grad) for p in parameters if isinstance(p.grad, DTensor)]
        whole = [p.grad for p in parameters if p.grad is not None and not isinstance(p.grad, DTensor)]
        for grad in whole:
            dist.all_reduce(grad)
            grad /= self.mesh.size()
        square = torch.zeros((), device=self.device)
        for grad in sharded:
            square += grad.float().square().sum()
        dist.all_reduce(square)
        for grad in whole:
            square += grad.float().square().sum()
        norm = square.sqrt()
        factor = (limit / (norm + _CLIP_EPS)).clamp(max=1.0)
        for grad in [*sharded, *whole]:
            grad.mul_(factor)
        return norm

    def state(self) -> dict[str, Tensor]:
        """All tensors, whole, on the CPU of the first process; empty on the others. All processes call it."""
        return get_model_state_dict(self.task, options=StateDictOptions(full_state_dict=True, cpu_offload=True))  # type: ignore[return-value]

    def optimizer_state(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """As `optimizer.state_dict()` of an unsharded run on the first process, without moments on the others."""
        content = optimizer.state_dict()
        gathered: dict[int, dict[str, Tensor]] = {}
        for index, moments in content["state"].items():
            full = {name: (m.full_tensor() if isinstance(m, DTensor) else m) for name, m in moments.items()}
            if self.rank == 0:
                gathered[index] = {name: m.cpu() for name, m in full.items()}
        return {**content, "state": gathered}

    def load(self, tensors: dict[str, Tensor], optimizer: torch.optim.Optimizer, moments: dict[str, Any]) -> None:
        """Take up what `state` and `optimizer_state` gave; each process holds all of it and keeps its part."""
        with torch.no_grad():  # by hand: torch's set_model_state_dict does not know tied tensors
            for name, own in self.task.state_dict().items():
                own.copy_(self._part(tensors[name], own) if isinstance(own, DTensor) else tensors[name])
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        parts: dict[int, dict[str, Tensor]] = {}
        for index, whole in moments["state"].items():
            like = parameters[index]
            parts[index] = {n: self._part(m, like) if m.shape == like.shape and isinstance(like, DTensor) else m for n, m in whole.items()}
        optimizer.load_state_dict({**moments, "state": parts})

    def _part(self, whole: Tensor, like: DTensor) -> DTensor:
        return distribute_tensor(whole.to(self.device), like.device_mesh, like.placements, src_data_rank=None)

    def whole(self) -> nn.Module | None:
        """The task in one piece on the CPU of the first process, which needs no other from then on; None on the others."""
        tensors = self.state()
        if self.rank:
            return None
        self._outline.load_state_dict(tensors, assign=True)
        cast(MedMPT, self._outline.model).retie()
        return self._outline
