"""What stands below a bedside answer: the next likeliest topics of this record, each under its title."""

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.bedside.attach import attach
from tools.bedside.judging import stands_beside
from tools.bedside.topics import topics
from tools.case.demo import open_demo
from tools.deps import Deps
from tools.evidence import Evidence, ToolResult


def _said(question: str, tmp_path: object, tool: str = "search_guidelines") -> tuple[Evidence, ...]:
    from pathlib import Path

    case = open_demo("demo-copd-01", Path(str(tmp_path)), lazy=True).case
    deps = Deps(cache_dir=Path(str(tmp_path)), case=case, drugs=DrugGraph.load(), question=question)
    return attach(ToolResult(tool=tool, status="empty"), deps).evidence  # type: ignore[arg-type]


@pytest.mark.parametrize("question", ["Prednisolone: how much and for how long?", "What oxygen saturation should we aim for?"])
def test_the_answer_leads_and_another_topic_follows_under_its_title(question: str, tmp_path: object) -> None:
    found = [e for e in _said(question, tmp_path) if e.key.startswith("B-")]
    assert not stands_beside(found[0].key)
    beside = [e for e in found if stands_beside(e.key)]
    assert beside
    titles = {topics()[e.key.removeprefix("B-").rpartition("-")[0]].title for e in beside}
    for title in titles:
        assert any(f"“{title[0]}”" in e.text and f"“{title[1]}”" in (e.text_zh or "") for e in beside)
    told = {e.key.rpartition("-")[0] for e in found if not stands_beside(e.key)}
    assert not told & {e.key.rpartition("-")[0] for e in beside}


def test_nothing_stands_beside_where_nothing_was_answered(tmp_path: object) -> None:
    assert not [e for e in _said("thank you, that is all", tmp_path) if e.key.startswith("B-")]


def test_another_lesion_and_a_bare_reassurance_never_stand_aside() -> None:
    assert not topics()["nodule_second"].aside
    assert not topics()["own_cancer"].aside
