"""The factory of chat models: every form of a specification, what is refused, and where keys may show."""

import pytest
from langchain_openai import AzureChatOpenAI

from agent.errors import BadInput, Unavailable
from agent.models.factory import make_model, shown_name
from agent.models.server_model import ServerModel
from agent.turn.planner import Planner

LOCAL = "http://127.0.0.1:11434"


@pytest.mark.parametrize(
    ("spec", "base"),
    [
        (f"vllm:m@{LOCAL}", f"{LOCAL}/v1"),
        (f"openai:m@{LOCAL}/v1/", f"{LOCAL}/v1"),
        (f"openai:m@{LOCAL}/api/v3", f"{LOCAL}/api/v3"),
    ],
)
def test_a_server_of_any_make(spec: str, base: str) -> None:
    model = make_model(spec, 7.0, {"OPENAI_API_KEY": "sk-secret-0123456789"})
    assert isinstance(model, ServerModel)
    assert (model.name_at_server, model.base_url, model.seconds) == ("m", base, 7.0)
    assert model.key.get_secret_value() == "sk-secret-0123456789"
    assert "secret" not in f"{model!r} {model} {model.model_dump_json()}"


def test_the_planner_is_one_of_them() -> None:
    assert isinstance(make_model("planner"), Planner)


def test_a_provider_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AZURE_OPENAI_API_KEY": "sk-secret-0123456789",
        "AZURE_OPENAI_ENDPOINT": LOCAL,
        "OPENAI_API_VERSION": "2025-01-01",
    }.items():
        monkeypatch.setenv(name, value)
    model = make_model("azure_openai:big")
    assert isinstance(model, AzureChatOpenAI)
    assert model.temperature == 0.0
    assert "secret" not in repr(model)


def test_a_provider_without_its_key_or_package_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match="AZURE_OPENAI_API_KEY"):
        make_model("azure_openai:big")
    with pytest.raises(Unavailable, match="langchain-anthropic"):
        make_model("anthropic:big")


@pytest.mark.parametrize(
    "spec", ["", "gpt", "openai:gpt", "vllm:m", "openai:m@ftp://x", f"vllm:m@{LOCAL}/v1?key=abcdef", "nobody:m", "transformers:"]
)
def test_what_is_not_understood_is_refused(spec: str) -> None:
    with pytest.raises(BadInput) as refused:
        make_model(spec)
    assert "abcdef" not in str(refused.value)


def test_answers_show_no_credentials_and_no_folder() -> None:
    assert shown_name("openai:m@https://me:pw@host.example/v1") == "openai:m@https://host.example/v1"
    assert shown_name("transformers:/srv/private/qwen") == "transformers:qwen"
