"""Every question of `data/asks` names a passage that exists and is answered by sentences that stand there word for word."""

import re
from collections import Counter

import pytest

from retrieval.evaluation.rankers import ASKS, read_asks
from retrieval.guidelines.corpus import load_corpus

FEWEST = 3


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return read_asks(ASKS)


def test_answers_stand_word_for_word_in_their_passage(rows: list[dict[str, object]]) -> None:
    texts = {p.id: {"en": p.text, "zh": p.text_zh} for p in load_corpus().passages}
    strangers = sorted({str(r["id"]) for r in rows if r["id"] not in texts})
    assert not strangers
    wrong = [(r["id"], a) for r in rows for a in r["answers"] if a not in texts[r["id"]][r["lang"]]]  # type: ignore[attr-defined, index]
    assert not wrong
    assert all(r["answers"] for r in rows)


def test_questions_are_in_their_language_and_not_repeated(rows: list[dict[str, object]]) -> None:
    wrong = [r["q"] for r in rows if bool(re.search(r"[\u4e00-\u9fff]", str(r["q"]))) != (r["lang"] == "zh")]
    assert not wrong
    twice = [key for key, times in Counter((r["id"], r["lang"], r["q"]) for r in rows).items() if times > 1]
    assert not twice


def test_a_passage_with_asks_has_at_least_three_in_each_language(rows: list[dict[str, object]]) -> None:
    counts = Counter((str(r["id"]), str(r["lang"])) for r in rows)
    asked = {key for key, _ in counts}
    assert not [(key, lang) for key in asked for lang in ("en", "zh") if counts[key, lang] < FEWEST]
