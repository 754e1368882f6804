"""A specialty as a folder without code: with the Parkinson pack its questions are answered, without it the house says so.

Packs are chosen once for a process, so each choice runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import BadInput
from retrieval.packs import SHIPPED, card_of, resolve, shipped
from ui.cli import main

CASE = {
    "schema_version": 1,
    "case_id": "pk-1",
    "synthetic": True,
    "patient": {"age_years": 71, "sex": "female", "conditions": [{"name": "Parkinson's disease"}]},
    "presentation": {"symptoms": ["nausea"]},
    "medications": [{"name": "levodopa"}, {"name": "apomorphine"}],
}
SCRIPT = "import sys, json\nfrom ui.cli import main\nfor line in json.loads(sys.argv[1]):\n    main([*line, '--json'])\n"


def told(tmp_path: Path, packs: str, *commands: list[str]) -> list[dict[str, Any]]:
    places = {"MEDMPT_DATA_DIR": str(tmp_path / "data"), "MEDMPT_CACHE_DIR": str(tmp_path / "cache"), "MEDMPT_EMBEDDER": "hashing"}
    env = {**os.environ, **places, "MEDMPT_PACKS": packs}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)], env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def commands(tmp_path: Path) -> list[list[str]]:
    case = tmp_path / "case.json"
    case.write_text(json.dumps(CASE), encoding="utf-8")
    medicines = ("levodopa=600", "entacapone=yes", "pramipexole=1.5", "rasagiline=1")
    return [
        ["ask", "Which antiemetics should be avoided in Parkinson's disease?"],
        ["ask", "帕金森病流涎可以用什么药？"],
        ["ask", "Can I give her metoclopramide or ondansetron?", "--case", str(case)],
        ["calc", "levodopa_equivalent_dose", *(word for m in medicines for word in ("--set", m))],
        ["calc", "explain", "hoehn_yahr"],
        ["drugs", "query", "metoclopramide in Parkinson's disease"],
    ]


def test_with_the_pack_questions_are_answered_scores_explained_drugs_warned_of(tmp_path: Path) -> None:
    antiemetics, drooling, case, led, stages, graph = told(tmp_path, "parkinson", *commands(tmp_path))
    assert antiemetics["status"] == "answered"
    assert {"metoclopramide", "prochlorperazine"} <= set(antiemetics["answer"].lower().replace(",", " ").split())
    assert "格隆溴铵" in drooling["answer"]
    warned = case["answer"].lower()
    assert "metoclopramide is contraindicated in parkinson's disease" in warned
    assert "ondansetron with apomorphine is contraindicated" in warned
    # 600 + 600 × 0.33 + 1.5 × 100 + 1 × 100, by hand.
    assert led["value"] == pytest.approx(1048)
    assert any("postural instability" in b["label"] for b in stages["bands"])
    assert "Tomlinson" in led["source"]
    assert any(f["source"] and f["severity"] == "contraindicated" for f in graph["facts"])


def test_without_the_pack_the_house_says_that_it_does_not_know(tmp_path: Path) -> None:
    antiemetics, _, _, score, _, drug = commands(tmp_path)
    answer, led, graph = told(tmp_path, "", antiemetics, score, drug)
    assert answer["status"] == "refused"
    assert led["status"] == "error"
    assert "no calculator" in led["reason"]
    assert not any("parkinson" in json.dumps(f).lower() for f in graph["facts"])


def test_every_shipped_pack_has_a_card_and_bad_ones_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    assert [card_of(f).name for f in shipped()] == ["parkinson"]
    with pytest.raises(BadInput, match="no pack"):
        resolve(["nothing-here"], tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "pack.toml").write_text('name = "Broken Name"\n')
    with pytest.raises(BadInput, match="name"):
        card_of(tmp_path / "broken")
    assert not list(SHIPPED.rglob("*.py")), "a pack is data"
    monkeypatch.setenv("MEDMPT_DATA_DIR", str(tmp_path / "data"))
    assert main(["pack", "add", str(tmp_path / "broken"), "--json"]) == 2
    assert main(["pack", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["packs"][0]["in_use"] is False


def test_an_installed_pack_is_in_use_until_it_is_removed(tmp_path: Path) -> None:
    (added,) = told(tmp_path, "", ["pack", "add", "parkinson"])
    assert added["name"] == "parkinson"
    listed, calculated = told(tmp_path, "", ["pack", "list"], ["calc", "mds_updrs_3", "--set", "part_3=40"])
    assert listed["packs"][0]["in_use"] is True
    assert calculated["band"] == "moderate"
    removed, _ = told(tmp_path, "", ["pack", "remove", "parkinson"], ["pack", "list"])
    assert removed["status"] == "ok"
    assert not (tmp_path / "data" / "packs" / "parkinson").exists()


@pytest.mark.slow
def test_the_pack_serves_its_own_questions(tmp_path: Path) -> None:
    (checked,) = told(tmp_path, "", ["pack", "check", "parkinson"])
    figures = {name: (f["value"], f["n"]) for name, f in checked["metrics"].items()}
    assert figures["asks_find_their_passage"] == (10, 10)
    assert figures["questions_hold_their_facts"] == (6, 6)
    assert figures["messages_reach_their_tools"][0] >= 4
