"""Which chat models a page offers to whom: typed ones only on this computer, keys to listed servers only."""

from pathlib import Path
from types import ModuleType

import pytest

from agent.errors import BadInput, Forbidden
from agent.sessions.views import ModelTrial, TrialStep
from ui.app import is_loopback
from ui.page.model_panel import trial_html

TYPED = "vllm:m@http://127.0.0.1:8000/v1"
METADATA = "openai:m@http://169.254.169.254/latest"
CLOUD = "openai:big@https://me:secret@models.example/v1"


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False), ("10.0.0.7", False), ("ward-pc", False)],
)
def test_who_is_local(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def test_a_remote_visitor_cannot_name_an_address(scripted: ModuleType) -> None:
    models = scripted.real_models(llm=CLOUD)
    for wanted in (TYPED, METADATA, CLOUD, "transformers:/etc", "anthropic:model"):
        with pytest.raises(Forbidden, match="only the models that its settings list"):
            models.spec_of(wanted, local=False)
    assert models.spec_of("planner", local=False) == "planner"
    assert [models.spec_of(c.id, local=False) for c in models.listed()] == [CLOUD, "planner"]
    assert models.spec_of(None, local=False) == CLOUD


def test_a_list_of_choices_closes_the_page_on_this_computer_too(scripted: ModuleType) -> None:
    models = scripted.real_models(choices=(CLOUD,))
    assert not models.may_type(local=True)
    with pytest.raises(Forbidden):
        models.spec_of(TYPED, local=True)


@pytest.mark.parametrize(
    "wanted",
    ["", "gpt", "vllm:m", "openai:m@ftp://x/v1", CLOUD, "openai:m@http://x/v1?key=abc", "anthropic:model", f"vllm:m@http://{'x' * 300}/"],
)
def test_what_is_not_taken_from_the_owner_either(scripted: ModuleType, wanted: str) -> None:
    with pytest.raises(BadInput):
        scripted.real_models().spec_of(wanted, local=True)


def test_a_folder_without_a_model_is_refused_at_once(scripted: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"config\.json"):
        scripted.real_models().spec_of(f"transformers:{tmp_path}", local=True)


def test_only_a_listed_server_is_sent_the_key(scripted: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-operator")
    listed = "openai:m@http://127.0.0.1:8000/v1"
    models = scripted.real_models(llm=listed)
    keys = {spec: models._made(spec).key.get_secret_value() for spec in (listed, "openai:m@http://127.0.0.1:9999/v1")}
    assert list(keys.values()) == ["sk-of-the-operator", "none"]


def test_the_browser_is_told_no_secret(scripted: ModuleType) -> None:
    shown = " ".join(f"{c.id} {c.name}" for c in scripted.real_models(llm=CLOUD, choices=("transformers:/srv/private/qwen",)).listed())
    assert "openai:big@https://models.example/v1" in shown
    assert "transformers:qwen" in shown
    assert "secret" not in shown
    assert "/srv/private" not in shown


def test_a_trial_says_what_works_in_both_languages() -> None:
    steps = (TrialStep(name="reachable", ok=True, detail="ready"), TrialStep(name="tool_call", ok=False, detail="got <b>"))
    trial = ModelTrial(name="vllm:m@http://x/v1", ok=False, steps=steps, seconds=1.25)
    english, chinese = trial_html(trial, "en"), trial_html(trial, "zh")
    assert "✓ answers" in english
    assert "✗ calls tools: got &lt;b&gt;" in english
    assert "✗ 能调用工具" in chinese
    dead = ModelTrial(name="m", ok=False, steps=(TrialStep(name="reachable", ok=False, detail="no connection to the server"),))
    assert "无法连接服务器" in trial_html(dead, "zh")
    assert 'role="alert"' in trial_html(dead, "en")


def test_a_dead_server_is_told_after_its_first_probe(scripted: ModuleType) -> None:
    trial = scripted.real_models().trial("vllm:m@http://127.0.0.1:9/v1")
    assert not trial.ok
    assert [(s.name, s.detail) for s in trial.steps] == [("reachable", "no connection to the server")]
    assert scripted.real_models().trial("planner").ok
