"""The question set and its figures, on the planner with the real house."""

from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.evaluation.figures import mean, share, share_in_clusters
from agent.evaluation.question_set import EVALUATION, figures, questions, run
from agent.reading.lexicon import language_of
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
    # The question set was labelled beside the patterns; the reader asks a reasonable tool more now and then.
    # Two tools may be asked where one would do: the reader asks, the evidence decides (0.95 with the patterns of the first batch).
    assert found["tool_set_f1"].value >= 0.9
    assert found["facts_present"].value >= 0.9
    assert found["unsupported_after_verify"].value == 0
    assert found["tokens"].value == 0


def test_figures_carry_their_uncertainty() -> None:
    # Wilson's interval of 10 in 50, by the formula of the paper.
    assert (share([True] * 10 + [False] * 40).low, share([True] * 10 + [False] * 40).high) == (0.1124, 0.3304)
    assert mean([1.0, 0.0]).low < mean([1.0, 0.0]).value < mean([1.0, 0.0]).high
    assert mean([]).n == 0 == share([]).n
    assert mean([2.0] * 5).low == pytest.approx(2.0)


def test_sentences_of_one_question_go_wrong_together() -> None:
    together = share_in_clusters([(10, 10)] * 5 + [(0, 10)] * 45)
    apart = share_in_clusters([(1, 10)] * 50)
    assert together.value == apart.value == 0.1
    assert (together.n, together.interval) == (500, "cluster_bootstrap")
    assert apart.low == apart.high == 0.1, "every question alike"
    assert together.low < 0.05 < 0.17 < together.high, "five bad questions in fifty, not fifty bad sentences in five hundred"
    assert share_in_clusters([(1, 3), (0, 2), (2, 2)]) == share_in_clusters([(1, 3), (0, 2), (2, 2), (0, 0)])


def test_where_nothing_fails_the_questions_bound_the_share() -> None:
    none = share_in_clusters([(0, 10)] * 50)
    assert (none.value, none.low, none.interval, none.n) == (0, 0, "wilson", 500)
    assert 0.05 < none.high < 0.1, "fifty questions, however many sentences"
    assert share_in_clusters([(3, 3)] * 4).high == 1
    assert share_in_clusters([(0, 0)]).n == 0
