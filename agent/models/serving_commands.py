"""`medmpt llm serve` and `medmpt llm install`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Protocol, cast

import typer
from pydantic import BaseModel

from agent.errors import BadInput
from agent.settings import own_data_dir


class _Dirs(Protocol):
    data_dir: Path
    cache_dir: Path


class Served(BaseModel):
    """How a served model is reached."""

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: list[str] = []
    llm: str
    url: str
    tool_parser: str


class Installed(BaseModel):
    """What `llm install` installed."""

    status: Literal["ok"] = "ok"
    reason: str | None = None
    warnings: list[str] = []
    vllm: str
    device: str


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def serve(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="Model name or folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 8000,
    context: Annotated[int, typer.Option(help="Longest prompt plus answer, tokens.")] = 16384,
    sequences: Annotated[int, typer.Option(help="Requests decoded at once.")] = 16,
    tensor_parallel: Annotated[int, typer.Option(help="GPUs that share each layer.")] = 1,
    pipeline_parallel: Annotated[int, typer.Option(help="Groups of GPUs that share the layers.")] = 1,
    nodes: Annotated[int, typer.Option(help="Machines, over a running Ray cluster.")] = 1,
    device: Annotated[str, typer.Option(help="cuda or cpu.")] = "cuda",
    online: Annotated[bool, typer.Option(help="Allow downloads from a model hub.")] = False,
    tool_parser: Annotated[str | None, typer.Option(help="Another tool-call parser than the family's.")] = None,
) -> Served:
    """Start vLLM with the flags the model family needs, print the `--llm` line when it is healthy, and run until Ctrl-C."""
    from agent.models.serving.family import family_of
    from agent.models.serving.install import known_folder
    from agent.models.serving.launch import ServeOptions
    from agent.models.serving.server import running

    if device not in ("cuda", "cpu"):
        raise BadInput(f"device {device!r} is not known; use cuda or cpu")
    settings = cast(_Dirs, ctx.obj)
    options = ServeOptions(
        model, host, port, context, sequences, tensor_parallel, pipeline_parallel, nodes, device, not online, tool_parser
    )
    with running(known_folder(settings.data_dir, own_data_dir()), options, settings.cache_dir / "logs" / "vllm.log", tell=_tell) as process:
        _tell(f"ready: use --llm {options.spec}")
        try:
            process.wait()
        except KeyboardInterrupt:
            _tell("stopping")
    return Served(llm=options.spec, url=options.url, tool_parser=tool_parser or family_of(model).tool_parser)


def install(
    ctx: typer.Context,
    device: Annotated[str, typer.Option(help="cuda or cpu.")] = "cuda",
    torch_index: Annotated[str | None, typer.Option(help="Another package index for torch.")] = None,
) -> Installed:
    """Set up vLLM in an environment of its own (it cannot share ours); about 2.5 GB."""
    from agent.models.serving.install import Device, folder_of, note_folder
    from agent.models.serving.install import install as run

    if device not in ("cuda", "cpu"):
        raise BadInput(f"device {device!r} is not known; use cuda or cpu")
    settings = cast(_Dirs, ctx.obj)
    version = run(folder_of(settings.data_dir), cast(Device, device), torch_index=torch_index, tell=_tell)
    note_folder(folder_of(settings.data_dir), own_data_dir())
    return Installed(vllm=version, device=device)


COMMANDS: dict[str, Callable[..., BaseModel]] = {"llm serve": serve, "llm install": install}
