"""A chat model behind an OpenAI-compatible server: one connection per call, closed with the call."""

import socket
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
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

from agent.models.disconnect import CURRENT

if TYPE_CHECKING:
    import ssl

    from openai import DefaultHttpxClient

# Seconds until a server that accepts no connection counts as dead.
CONNECT_SECONDS = 2.0


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

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self._reach()
        with self._connection() as connection:
            yield from self._client(connection)._stream(messages, stop=stop, run_manager=run_manager, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _client(self, connection: "DefaultHttpxClient") -> BaseChatModel:
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(
            model=self.name_at_server,
            base_url=self.base_url,
            api_key=self.key,
            http_client=connection,
            timeout=connection.timeout,
            max_retries=0,
            temperature=0.0,
            seed=0,
            stream_usage=True,
        )

    def _connection(self) -> "DefaultHttpxClient":
        """The HTTP client of one call: never shared, so that hanging up cuts this call and no other."""
        from openai import DefaultHttpxClient, Timeout

        return DefaultHttpxClient(
            timeout=Timeout(self.seconds, connect=min(CONNECT_SECONDS, self.seconds)),
            verify=_trusted(),
            event_hooks={"request": [_report_socket]},
        )

    def _reach(self) -> None:
        """Fail at once where nothing listens: importing the client would take longer than the answer without it.

        Raises:
            OSError: No connection.
        """
        place = urlsplit(self.base_url)
        port = place.port or (443 if place.scheme == "https" else 80)
        socket.create_connection((place.hostname or "", port), timeout=min(CONNECT_SECONDS, self.seconds)).close()


def _report_socket(request: Any) -> None:
    """Tell the call that is served here (`agent.models.disconnect.CURRENT`) which socket its request goes through."""
    call = CURRENT.get()
    if call is None:
        return

    def trace(event: str, info: dict[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            opened = info["return_value"].get_extra_info("socket")
            if opened is not None:
                call.watch(opened)

    request.extensions["trace"] = trace


@cache
def _trusted() -> "ssl.SSLContext":
    """Certificates that are trusted: the system's (or `SSL_CERT_FILE`) and certifi's; read once, not with every call."""
    import ssl

    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
