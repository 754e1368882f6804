"""The factory of chat models: a specification becomes a LangChain chat model.

| specification | model |
|---|---|
| `planner` | built in, no LLM |
| `vllm:MODEL@URL` | a vLLM server |
| `openai:MODEL@URL` | any OpenAI-compatible server: Ollama, llama.cpp, LM Studio, a cloud |
| `transformers:PATH` | a folder of weights, in this process (`agent.local_model`) |
| `PROVIDER:MODEL` | what LangChain's `init_chat_model` knows, with its package installed |

Keys come from the environment variables that the providers' own packages read (`OPENAI_API_KEY`) and are never logged.
"""

import os
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import SecretStr

from agent.errors import BadInput, Unavailable

_SERVER = re.compile(r"^(?:openai|vllm):(?P<model>[^@\s]+)@(?P<url>https?://\S+)$")
_LOCAL = "transformers:"
_PROVIDER = re.compile(r"^(?P<provider>[a-z][a-z0-9_]+):(?P<model>[^@\s]+)$")
_USAGE = "use planner, openai:MODEL@URL, vllm:MODEL@URL, transformers:PATH or PROVIDER:MODEL"
# Seconds until a server that accepts no connection counts as dead.
CONNECT_SECONDS = 2.0


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
    from agent.planner import Planner

    if spec == "planner":
        return Planner()
    server = _SERVER.match(spec)
    if server:
        return _server(server["model"], server["url"], seconds, os.environ if environ is None else environ)
    if spec.startswith(_LOCAL):
        from agent.local_model import LocalModel

        return LocalModel.open(spec.removeprefix(_LOCAL))
    provider = _PROVIDER.match(spec)
    if provider and provider["provider"] not in ("openai", "vllm"):
        return _provider(provider["provider"], provider["model"])
    raise BadInput(f"unknown language model {shown_name(spec)!r}: {_USAGE}")


def shown_name(spec: str) -> str:
    """The specification as answers show it: without credentials in the address, without the path of a local folder."""
    if spec.startswith(_LOCAL):
        return f"{_LOCAL}{Path(spec.removeprefix(_LOCAL)).name}"
    return re.sub(r"(https?://)[^/@\s]*@", r"\1", spec)


class ServerModel(BaseChatModel):
    """A model behind an OpenAI-compatible server; its client is imported when the server is known to be there.

    Attributes:
        name_at_server: The model's name there.
        base_url: Address with its version, for example `http://127.0.0.1:8000/v1`.
        seconds: How long the server may be silent.
        key: Sent as bearer token.
    """

    name_at_server: str
    base_url: str
    seconds: float = 60.0
    key: SecretStr = SecretStr("none")

    @property
    def _llm_type(self) -> str:
        return "openai-compatible"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools; definitions in OpenAI form are sent as they are."""
        return self.bind(
            tools=[convert_to_openai_tool(t) for t in tools], **({"tool_choice": tool_choice} if tool_choice else {}), **kwargs
        )

    @cached_property
    def _client(self) -> BaseChatModel:
        import httpx
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model=self.name_at_server,
            base_url=self.base_url,
            api_key=self.key,
            timeout=httpx.Timeout(self.seconds, connect=min(CONNECT_SECONDS, self.seconds)),
            max_retries=0,
            temperature=0.0,
            seed=0,
            stream_usage=True,
        )

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self._reach()
        yield from self._client._stream(messages, stop=stop, run_manager=run_manager, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _reach(self) -> None:
        """Fail at once where nothing listens: importing the client would take longer than the answer without it.

        Raises:
            OSError: No connection.
        """
        place = urlsplit(self.base_url)
        port = place.port or (443 if place.scheme == "https" else 80)
        socket.create_connection((place.hostname or "", port), timeout=min(CONNECT_SECONDS, self.seconds)).close()


def _server(model: str, url: str, seconds: float, environ: Mapping[str, str]) -> BaseChatModel:
    base = url.rstrip("/")
    base = base if re.search(r"/v\d+$", base) else f"{base}/v1"
    # Servers on this machine ask for no key, but the client insists on one.
    key = SecretStr(environ.get("OPENAI_API_KEY") or "none")
    return ServerModel(name_at_server=model, base_url=base, seconds=seconds, key=key)


def _provider(provider: str, model: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    try:
        made: BaseChatModel = init_chat_model(model, model_provider=provider, temperature=0.0)
    except ImportError as missing:
        raise Unavailable(f"the package of provider {provider!r} is not installed: {missing}") from missing
    except ValueError as wrong:
        raise BadInput(f"provider {provider!r} cannot be used: {wrong}; {_USAGE}") from wrong
    return made
