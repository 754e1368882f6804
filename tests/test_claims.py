"""Numbers that the README and the pages claim of what ships, counted; those of `docs/architecture.md` by `scripts/house_map.py --check`."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from medmpt_backend.cohort.patients.diseases import DISEASES
from medmpt_backend.cohort.patients.drugs import VOCABULARY
from medmpt_backend.cohort.patients.panel import PANEL
from tools.spec import specs
from tools.teaching.cases import teaching_cases

ROOT = Path(__file__).parents[1]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _lines(path: str) -> int:
    return len([line for line in (ROOT / path).read_text(encoding="utf-8").splitlines() if line.strip()])


# Page, the words around the number, and what it counts.
CLAIMS: tuple[tuple[str, str, Callable[[], int]], ...] = (
    ("README.md", r"(\d+) virtual cases in three levels", lambda: len(teaching_cases())),
    ("docs/teaching.md", r"(\d+) virtual patients in three levels", lambda: len(teaching_cases())),
    ("docs/architecture.md", r"`registry.TOOLS` \((\d+) LangChain tools\)", lambda: len(specs())),
    ("docs/cohort.md", r"(\d+) diseases and the healthy", lambda: len([d for d in DISEASES if d.id not in ("normal", "screening")])),
    ("docs/cohort.md", r"Laboratory panel\*\*: (\d+) tests", lambda: len(PANEL)),
    ("docs/cohort.md", r"from a vocabulary of (\d+)", lambda: len(VOCABULARY)),
    ("docs/agent.md", r"bedside_own.jsonl` holds (\d+) questions", lambda: _lines("tests/outside/bedside_own.jsonl")),
    ("docs/agent.md", r"`data/questions.jsonl` \((\d+) questions", lambda: _lines("agent/data/questions.jsonl")),
)


@pytest.mark.parametrize(("page", "words", "count"), CLAIMS)
def test_a_number_on_a_page_is_the_number_that_ships(page: str, words: str, count: Callable[[], int]) -> None:
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    found = re.findall(words, text)
    assert found, f"{page} no longer says {words!r}: take the row out, or mend the words"
    assert {int(number) for number in found} == {count()}


def test_the_rooms_and_counts_of_the_architecture_page_are_those_of_today() -> None:
    run = subprocess.run([sys.executable, "scripts/house_map.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_walks_through_the_house_name_what_is_there() -> None:
    """Every `path.py:name` of `docs/architecture.md` is a function, method or class of that file."""
    named = re.findall(r"`([\w/]+\.py):(\w+)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert len(named) > 20
    for path, name in named:
        defined = {n.name for n in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))) if isinstance(n, _DEFINITIONS)}
        assert name in defined, f"{path} has no {name}"
