"""The factory of chat models: a specification becomes a LangChain chat model.

`planner` (built in) · `openai:MODEL@URL` (any OpenAI-compatible server). Keys come from the environment variable that the provider's own
package reads (`OPENAI_API_KEY`) and are never logged.
"""

import os
import re
from collections.abc import Mapping

from langchain_core.language_models import BaseChatModel

from agent.errors import BadInput

_SERVER = re.compile(r"^(openai|vllm):(?P<model>[^@\s]+)@(?P<url>https?://\S+)$")
# Seconds until a server that accepts no connection counts as dead, and until one that sends nothing does.
CONNECT_SECONDS = 2.0
READ_SECONDS = 60.0


def make_model(spec: str, environ: Mapping[str, str] | None = None) -> BaseChatModel:
    """Make the chat model of `spec`.

    Raises:
        BadInput: The specification is not understood.
    """
    from agent.planner import Planner

    if spec == "planner":
        return Planner()
    server = _SERVER.match(spec)
    if server:
        return _server(server["model"], server["url"], os.environ if environ is None else environ)
    raise BadInput(f"unknown language model {spec!r}: use planner, openai:MODEL@URL or vllm:MODEL@URL")


def _server(model: str, url: str, environ: Mapping[str, str]) -> BaseChatModel:
    import httpx
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    base = url.rstrip("/")
    base = base if re.search(r"/v\d+$", base) else f"{base}/v1"
    return ChatOpenAI(
        model=model,
        base_url=base,
        # Servers on this machine ask for no key, but the client insists on one.
        api_key=SecretStr(environ.get("OPENAI_API_KEY") or "none"),
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        max_retries=0,
        temperature=0.0,
        seed=0,
        max_completion_tokens=None,
        stream_usage=True,
    )
