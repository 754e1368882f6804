import json
from pathlib import Path

import numpy as np
import pytest

from retrieval.evaluation.rankers import (
    EVAL,
    NAMES,
    Judged,
    differences,
    figures,
    fit_ranking,
    no_answer_questions,
    own_questions,
    pooled,
    table,
)
from retrieval.evaluation.strange import fit_subjects
from retrieval.guidelines.corpus import read_corpus
from retrieval.guidelines.strange import SIGNS, Strange
from retrieval.index.guideline_index import GuidelineIndex
from retrieval.index.rerank import FEATURES


def toy(question: str, dense: list[float], lexical: list[float], relevant: list[int]) -> Judged:
    features = np.zeros((len(dense), len(FEATURES)))
    features[:, 0], features[:, 1] = dense, lexical
    hits = np.zeros(len(dense), bool)
    hits[relevant] = True
    return Judged("toy", question, np.asarray(dense), np.asarray(lexical), features, hits, len(relevant))


def test_measures_by_hand() -> None:
    judged = [toy(f"q{i}", [0.9, 0.8, 0.1], [0.1, 0.9, 0.2], [1]) for i in range(20)]
    rows = {f.ranker: f.rows.mean(axis=0) for f in figures(judged)}
    assert rows["bm25"] == pytest.approx([1, 1, 1, 1, 1])
    assert rows["dense"] == pytest.approx([0, 1, 1, 0.5, 1 / np.log2(3)])
    assert rows["fused"] == pytest.approx([1, 1, 1, 1, 1])


def test_pooled_figures_weigh_every_question_alike() -> None:
    easy = [toy(f"a{i}", [0.9, 0.1], [0.9, 0.1], [0]) for i in range(30)]
    hard = [toy(f"b{i}", [0.9, 0.8, 0.1], [0.1, 0.9, 0.2], [1]) for i in range(10)]
    hard = [Judged("hard", *(getattr(j, name) for name in list(j.__dataclass_fields__)[1:])) for j in hard]
    results = figures(easy) + figures(hard)
    results += pooled(results)
    baselines, metrics = table(results)
    assert baselines["pooled/dense/MRR"][0] == pytest.approx((30 * 1 + 10 * 0.5) / 40)
    assert baselines["pooled/dense/MRR"][3] == 40
    assert set(metrics) == {f"{g}/{r}/{m}" for g in ("toy", "hard", "pooled") for r in ("fused", "reranked") for m in NAMES}
    assert set(differences(results)) == {f"{g}/reranked-bm25/MRR" for g in ("toy", "hard", "pooled")}


def test_a_missing_answer_scores_zero() -> None:
    judged = [toy(f"q{i}", [0.9, 0.8], [0.1, 0.9], []) for i in range(3)]
    judged = [Judged(j.group, j.question, j.dense, j.lexical, j.features, j.relevant, 1) for j in judged] + [toy("z", [1, 0], [1, 0], [0])]
    assert {f.ranker: f.rows[:3].sum() for f in figures(judged)}["reranked"] == 0


def test_fitting_learns_which_ranker_to_trust() -> None:
    rng = np.random.default_rng(0)
    judged = []
    for i in range(60):
        truth = int(rng.integers(0, 20))
        lexical = rng.random(20) * 0.5
        lexical[truth] = 0.8
        judged.append(toy(f"q{i}", list(rng.random(20)), list(lexical), [truth]))
    weights = fit_ranking(judged)
    assert weights[1] > 3 * abs(weights[0])
    found = figures(judged)
    baselines, metrics = table(found)
    assert metrics["toy/reranked/R@1"][0] >= 0.95
    assert baselines["toy/dense/R@1"][0] < 0.3
    difference = differences(found)["toy/reranked-bm25/MRR"]
    assert difference[1] <= difference[0] <= difference[2]


def test_own_questions_name_passages_that_exist() -> None:
    corpus, _ = read_corpus()
    known = {p.id for p in corpus.passages}
    asked = own_questions()
    assert [q for _, q, ids in asked if not ids & known] == []
    assert len({q for _, q, _ in asked}) == len(asked) >= 150
    assert sum(group == "own_zh" for group, _, _ in asked) >= 0.4 * len(asked)


def test_own_questions_are_answered(index: GuidelineIndex) -> None:
    rows = [json.loads(line) for line in (EVAL / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    for language in ("en", "zh"):
        asked = [row for row in rows if row["language"] == language]
        found = [bool({h.passage.id for h in index.search(row["question"]).hits} & set(row["passages"])) for row in asked]
        assert np.mean(found) >= 0.95, language


def test_what_has_no_answer_stays_mostly_empty(index: GuidelineIndex) -> None:
    results = [index.search(question) for question in no_answer_questions()]
    assert np.mean([not r.hits for r in results]) >= 0.65
    assert np.mean([r.direct for r in results]) <= 0.15


def test_an_unknown_subject_empties_a_search_and_an_unknown_word_does_not(index: GuidelineIndex) -> None:
    rows = [line.split("\t") for line in (Path(__file__).parent / "made_up.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    silent = {q: not index.search(q).hits for _, _, q in rows}
    assert np.mean([silent[q] for expect, _, q in rows if expect == "empty"]) >= 0.93
    assert np.mean([silent[q] for expect, _, q in rows if expect == "found"]) <= 0.1


def test_fitting_subjects_learns_from_endings() -> None:
    drug = tuple(float(name == "drug_ending") for name in SIGNS)
    plain = tuple(0.0 for _ in SIGNS)
    model = fit_subjects([("a", Strange("x", drug), True), ("b", Strange("y", plain), False)] * 20, keep=0.95)
    assert model.subjects([Strange("zorbifloxacin", drug), Strange("hotel", plain)]) == ("zorbifloxacin",)
