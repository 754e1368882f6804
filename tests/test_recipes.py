"""The recipes of CONTRIBUTING.md, each followed on a copy: the files it names, and nothing else, make the new thing work.

The recipe of a tool is in `tests/tools/test_registry.py`, that of a passage's corpus lint here; a model provider is a setting.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("agent", "tools", "retrieval", "medmpt_backend", "ui")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree whose rooms are links; `own` makes one of them a copy that may be changed."""
    for room in ROOMS:
        (tmp_path / room).symlink_to(ROOT / room)
    return tmp_path


def own(tree: Path, room: str) -> Path:
    (tree / room).unlink()
    shutil.copytree(ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__", "shipped"))
    return tree / room


def medmpt(tree: Path, *words: str) -> dict[str, object]:
    place = {"MEDMPT_DATA_DIR": str(tree / "data"), "MEDMPT_CACHE_DIR": str(tree / "cache"), "MEDMPT_EMBEDDER": "hashing"}
    env = {**os.environ, "PYTHONPATH": str(tree), **place}
    run = subprocess.run([sys.executable, "-m", "ui.cli", *words, "--json"], cwd=tree, env=env, capture_output=True, text=True)
    assert run.stdout, run.stderr
    told: dict[str, object] = json.loads(run.stdout)
    return told


SCORE = """
[teapot_index]
en = "Teapot index"
zh = "茶壶指数"
aliases = ["teapot"]
unit = ""
population_en = "teapots"
population_zh = "茶壶"
formula_en = "the grade of breathlessness"
formula_zh = "呼吸困难分级"
source = { title = "Made for a test", year = 2026 }
inputs = ["mmrc"]
compute = "mmrc"
bands = [{ to = 1, en = "cold", zh = "凉" }, { from = 2, en = "hot", zh = "热" }]
"""


def test_a_score_is_one_table(copy: Path) -> None:
    (own(copy, "tools") / "data" / "calculators" / "specs" / "teapot.toml").write_text(SCORE, encoding="utf-8")
    told = medmpt(copy, "calc", "teapot_index", "--set", "mmrc=3")
    assert (told["status"], told["value"], told["band"]) == ("ok", 3.0, "hot")
    assert medmpt(copy, "calc", "explain", "teapot")["formula"] == "the grade of breathlessness"


PASSAGE = '''
[[guideline]]
id = "teapot-2026"
issuer = "Teapot Society"
title = "Care of the teapot"
year = 2026
topic = "acid_base"
status = "current"
superseded_by = ""
doi = ""
pmid = ""
url = ""

[[passage]]
id = "teapot-2026/descaling"
guideline = "teapot-2026"
section = "Descaling"
kind = "practice"
strength = "not graded"
certainty = "not graded"
population = "teapots"
tags = ["teapot", "茶壶"]
text = """A teapot is descaled once a month with citric acid, because limescale holds heat back."""
text_zh = """茶壶每月用柠檬酸除垢一次，因为水垢影响传热。"""
'''


def test_a_passage_is_one_file(copy: Path) -> None:
    (own(copy, "retrieval") / "data" / "guidelines" / "teapot.toml").write_text(PASSAGE, encoding="utf-8")
    assert medmpt(copy, "corpus", "lint")["status"] == "ok"
    run = subprocess.run(
        [sys.executable, "-c", _FIND], cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


_FIND = """
from retrieval.guidelines.corpus import load_corpus
found = [p for p in load_corpus().passages if p.id == "teapot-2026/descaling"]
assert len(found) == 1 and "Teapot Society" in found[0].source
"""


FINDING = """
[teapot_sign]
name = ["Teapot sign", "茶壶征"]
ct_rate = "Lung nodule"
section = "lungs"
focal = true
choice = 999
read = { order = 5, words = 'teapot signs?|茶壶征' }
detector = { order = 5, words = 'teapot sign|茶壶征', labels = ["teapot_sign", "lung_nodule"] }
lint = { finding = "granuloma", topic = "lesion", benign = true, en = ['teapots?'], zh = ['茶壶征'] }

[teapot_sign.painted]
means = ["lung_nodule"]
single = 2
nodule = ["teapot", "茶壶征"]

[teapot_sign.painted.report]
rank = 8
organ = "lung"
en = ["{mm} mm teapot sign in {loc}."]
zh = ["{loc}茶壶征，约{mm}mm。"]
"""
_EVERY_ROOM = """
import numpy as np
from medmpt_backend.cohort.reports.compose import Item, fill
from medmpt_backend.cohort.reports.phrases import phrases
from medmpt_backend.cohort.reports.read import read_report
from medmpt_backend.cohort.screening import NODULES
from medmpt_backend.cohort.truth import MASK_LABELS
from medmpt_backend.findings import finding
from tools.reports.document.template import template_of
from tools.reports.draft_words import named
from tools.reports.lint.reading.mentions import mentions_of
from tools.reports.lint.reading.parts import sentences_of
from tools.teaching.commit import CHOICES, FOCAL
text = fill(phrases()["teapot_sign"].en[0], Item("teapot_sign", ("RUL",), "right", 9, 1.0), False)
assert text == "9 mm teapot sign in the right upper lobe.", text
assert [m.labels for m in read_report(text)] == [("lung_nodule", "teapot_sign")]
assert "teapot_sign" in NODULES and "teapot_sign" not in MASK_LABELS
assert finding("teapot_sign").zh == "茶壶征"
assert template_of(None, "zh").section_for(frozenset({"teapot_sign"})) == "lungs"
assert named(text)[0] == ("teapot_sign", "lung_nodule")
assert [m.finding.id for m in mentions_of(sentences_of("A teapot in the left lower lobe."))] == ["granuloma"]
assert CHOICES[-1] == "teapot_sign" and "teapot_sign" in FOCAL
"""


def test_a_finding_is_one_record(copy: Path) -> None:
    """Cohort, reports, linter, templates, draft and teaching know it; its painter, where it has one, is the second file."""
    with (own(copy, "medmpt_backend") / "findings.toml").open("a", encoding="utf-8") as table:
        table.write(FINDING)
    env = {**os.environ, "PYTHONPATH": str(copy)}
    run = subprocess.run([sys.executable, "-c", _EVERY_ROOM], cwd=copy, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_a_model_provider_is_a_setting(copy: Path) -> None:
    """Any server that speaks the OpenAI interface; one that does not answer is named, and nothing is asked of it silently."""
    told = medmpt(copy, "llm", "check", "openai:some-model@http://127.0.0.1:9/v1")
    assert told["status"] in ("unavailable", "error")
    assert "127.0.0.1:9" in json.dumps(told)


def test_a_page_string_is_one_row_in_both_languages(copy: Path) -> None:
    words = own(copy, "ui") / "words" / "teapot.toml"
    words.write_text('[text]\nteapot = { en = "Teapot", zh = "茶壶" }\n', encoding="utf-8")
    look = "from ui.i18n import text; print(text('teapot', 'zh'), text('teapot', 'en'))"
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run([sys.executable, "-c", look], cwd=copy, env=env, capture_output=True, text=True)
    assert run.stdout.split() == ["茶壶", "Teapot"], run.stderr
    words.write_text('[text]\ntitle = { en = "Twice", zh = "两次" }\n', encoding="utf-8")
    twice = subprocess.run([sys.executable, "-c", look], cwd=copy, env=env, capture_output=True, text=True)
    assert "repeats title" in twice.stderr
