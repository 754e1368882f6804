import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import typer

from agent.settings import Settings
from retrieval.commands import COMMANDS, corpus_lint, index_add, index_build, index_list, index_remove, index_status, search
from retrieval.errors import BadInput

ROOT = Path(__file__).parents[2]


def context(cache: Path, data: Path) -> typer.Context:
    return cast(typer.Context, SimpleNamespace(obj=Settings(data_dir=data, cache_dir=cache, embedder="hashing")))


def test_search_has_the_contract_s_shape(tmp_path: Path) -> None:
    out = search(context(tmp_path / "cache", tmp_path / "data"), "CURB-65 score items", k=3, issuer="BTS")
    data = json.loads(out.model_dump_json())
    assert data["status"] == "ok"
    assert 0 < len(data["hits"]) <= 3
    assert {"key", "text", "text_zh", "score", "source", "year", "locator", "superseded_by", "conflicts"} <= set(data["hits"][0])
    assert all("BTS" in hit["source"] for hit in data["hits"])
    with pytest.raises(BadInput, match="fr"):
        search(context(tmp_path / "cache", tmp_path / "data"), "pneumonia", lang="fr")


def test_index_life(tmp_path: Path) -> None:
    ctx = context(tmp_path / "cache", tmp_path / "data")
    assert index_status(ctx).status == "unavailable"
    assert "medmpt index build" in str(index_status(ctx).reason)
    built = index_build(ctx)
    assert (built.status, built.documents) == ("ok", 0)
    assert built.passages > built.guidelines > 0
    note = tmp_path / "note.md"
    note.write_text("# Ward note\n\nTelephone the outreach nurse before moving the ventilator.", encoding="utf-8")
    (tmp_path / "bad.pdf").write_bytes(b"not a pdf")
    added = index_add(ctx, [note, tmp_path / "bad.pdf"])
    assert (added.status, added.added, list(added.skipped)) == ("partial", [str(note)], [str(tmp_path / "bad.pdf")])
    assert [(d.title, d.pieces) for d in index_list(ctx).documents] == [("Ward note", 1)]
    assert index_status(ctx).documents == 1
    assert index_remove(ctx, note).removed == [str(note)]
    assert index_list(ctx).status == "empty"


def test_lint_reports_totals_and_fails_on_a_bad_folder(tmp_path: Path) -> None:
    good = corpus_lint()
    assert good.status == "ok"
    assert sum(good.topics.values()) == good.passages
    (tmp_path / "x.toml").write_text("[[guideline]]\nid = 'a'\n", encoding="utf-8")
    bad = corpus_lint(tmp_path)
    assert bad.status == "error"
    assert any("issuer" in p.what for p in bad.problems)


def test_all_commands_are_mounted() -> None:
    assert set(COMMANDS) >= {
        "search",
        "index build",
        "index add",
        "index list",
        "index remove",
        "index status",
        "corpus lint",
        "eval retrieval",
    }


def test_importing_the_room_loads_nothing_heavy() -> None:
    heavy = ("torch", "transformers", "chromadb", "faiss", "bm25s")
    code = f"import sys, retrieval.commands, retrieval.index.guideline_index; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_two_processes_may_build_at_once(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from retrieval.index.guideline_index import GuidelineIndex; "
        f"i = GuidelineIndex.open(Path({str(tmp_path)!r}), embedder='hashing'); print(i.search('CURB-65 items').hits[0].passage.id)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert answers[0] == answers[1] != ""
    folders = [p for p in (tmp_path / "index" / "guidelines").iterdir() if p.is_dir()]
    assert len(folders) == 1
