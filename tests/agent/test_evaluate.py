"""The question set and its figures, on the planner with the real house."""

from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.evaluate import EVALUATION, figures, questions, run
from agent.figures import mean, share
from agent.lexicon import language_of
from agent.settings import Settings
from tools.registry import TOOLS


def test_the_question_set_is_large_and_half_chinese() -> None:
    found = questions()
    assert len(found) >= 120
    assert abs(sum(language_of(q.question) == "zh" for q in found) * 2 - len(found)) <= 4
    assert len({(q.question, q.case) for q in found}) == len(found)
    assert {t for q in found for t in q.tools} <= {t.name for t in TOOLS}


def test_the_planner_answers_it(tmp_path: Path) -> None:
    assistant = Assistant.open(Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", embedder="hashing"))
    try:
        found = figures(run(assistant, questions()))
        assistant.erase(assistant.threads(EVALUATION))
        assert assistant.threads(EVALUATION) == []
    finally:
        assistant.close()
    assert found["tool_set_f1"].value >= 0.95
    assert found["facts_present"].value >= 0.9
    assert found["unsupported_after_verify"].value == 0
    assert found["tokens"].value == 0


def test_figures_carry_their_uncertainty() -> None:
    assert share([(1, 2), (1, 2)]).value == 0.5
    assert share([(0, 50)]).low == 0
    assert 0 < share([(0, 50)]).high < 0.1
    assert mean([1.0, 0.0]).low < mean([1.0, 0.0]).value < mean([1.0, 0.0]).high
    assert mean([]).n == 0 == share([]).n
    assert mean([2.0] * 5).low == pytest.approx(2.0)
