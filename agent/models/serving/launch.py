"""The command line and environment of one vLLM server."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from agent.models.serving.family import family_of


@dataclass(frozen=True)
class ServeOptions:
    """How one model is served.

    Attributes:
        model: Name on a hub, or a local folder.
        host: Address to listen on; loopback unless the caller says otherwise.
        port: TCP port.
        context: Longest prompt plus answer, tokens.
        sequences: Requests decoded at once.
        tensor_parallel: GPUs that share each layer.
        pipeline_parallel: Groups of GPUs that share the layers.
        nodes: Machines; more than one runs over a Ray cluster that is up already.
        device: `cuda` or `cpu`.
        offline: Forbid downloads.
        tool_parser: Overrides the family's.
    """

    model: str
    host: str = "127.0.0.1"
    port: int = 8000
    context: int = 16384
    sequences: int = 16
    tensor_parallel: int = 1
    pipeline_parallel: int = 1
    nodes: int = 1
    device: str = "cuda"
    offline: bool = True
    tool_parser: str | None = None

    @property
    def url(self) -> str:
        """Base URL of the OpenAI-compatible API."""
        return f"http://{self.host}:{self.port}/v1"

    @property
    def spec(self) -> str:
        """What to give to `--llm`."""
        return f"vllm:{self.model}@{self.url}"


def arguments(python: Path, options: ServeOptions) -> list[str]:
    """The command line that starts the server.

    Tool arguments are constrained to their schema only with `--tool-strict-level parameter`; prefix caching pays because every
    turn repeats the system prompt and the case card.
    """
    family = family_of(options.model)
    out = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", options.model, "--host", options.host]
    out += ["--port", str(options.port), "--max-model-len", str(options.context), "--max-num-seqs", str(options.sequences)]
    out += ["--generation-config", "vllm", "--enable-prefix-caching"]
    out += ["--enable-auto-tool-choice", "--tool-call-parser", options.tool_parser or family.tool_parser]
    out += ["--tool-strict-level", "parameter"]
    out += ["--structured-outputs-config", json.dumps({"backend": "xgrammar", "disable_any_whitespace": True})]
    if family.reasoning_parser:
        out += ["--reasoning-parser", family.reasoning_parser]
    if options.tensor_parallel > 1:
        out += ["--tensor-parallel-size", str(options.tensor_parallel)]
    if options.pipeline_parallel > 1:
        out += ["--pipeline-parallel-size", str(options.pipeline_parallel)]
    if options.nodes > 1:
        out += ["--distributed-executor-backend", "ray"]
    if options.device == "cpu":
        # Compiling takes minutes on a processor and gains little there.
        out += ["--enforce-eager"]
    return out


def environment(options: ServeOptions, inherited: dict[str, str] | None = None) -> dict[str, str]:
    """Environment of the server: no usage statistics, no downloads when offline, a small key-value cache on a processor."""
    env = dict(os.environ if inherited is None else inherited)
    env["VLLM_NO_USAGE_STATS"] = "1"
    env["DO_NOT_TRACK"] = "1"
    if options.nodes == 1:
        env["VLLM_HOST_IP"] = options.host
    if options.offline:
        env["HF_HUB_OFFLINE"] = "1"
    if options.device == "cpu":
        env.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    return env
