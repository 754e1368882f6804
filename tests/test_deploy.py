"""The container files name what is there: commands, settings, endpoints, extras; nothing but loopback is published."""

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from agent.settings import _Environment
from ui.cli.table import DECLARED

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
SETTINGS = {f.alias or f"MEDMPT_{name.upper()}" for name, f in _Environment.model_fields.items()}


def test_every_setting_is_one_that_is_read() -> None:
    named = set(COMPOSE["services"]["app"]["environment"]) | set(re.findall(r"MEDMPT_[A-Z_]+", DOCKERFILE))
    assert named
    for name in named:
        assert name in SETTINGS, name


def test_extras_and_commands_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = re.search(r'EXTRAS="([^"]+)"', DOCKERFILE)
    assert wanted is not None
    assert set(wanted[1].split(",")) <= set(extras)
    for command in re.findall(r"medmpt (index build)", DOCKERFILE) + re.findall(r'"medmpt", "(\w+)"', DOCKERFILE):
        assert command in DECLARED


def test_nothing_but_loopback_is_published_and_the_app_is_bounded() -> None:
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), (name, port)
    app = COMPOSE["services"]["app"]
    assert app["read_only"]
    assert app["cap_drop"] == ["ALL"]
    assert {"mem_limit", "cpus", "pids_limit"} <= set(app)
    assert "USER medmpt" in DOCKERFILE
