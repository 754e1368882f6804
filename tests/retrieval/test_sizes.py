import math

import pytest

from retrieval.guidelines.corpus import load_corpus
from retrieval.guidelines.sizes import HOLDS, MISSES, ranges_of, shift, size_of


@pytest.mark.parametrize(
    ("question", "size"),
    [
        ("How is a 7 mm solid nodule followed up?", 7),
        ("7毫米实性结节", 7),
        ("a 12-mm nodule", 12),
        ("nodule follow-up", None),
        ("6 mm or 8 mm?", None),
        ("PaO2 60 mmHg", None),
        ("100 mm3", None),
    ],
)
def test_the_size_a_question_names(question: str, size: float | None) -> None:
    assert size_of(question) == size


def test_ranges_of_a_text() -> None:
    assert ranges_of("Single solid nodule of 6 to 8 mm") == ((6, 8),)
    assert ranges_of("8 mm to under 15 mm at baseline") == ((8, 15),)
    ((low, high),) = ranges_of("smaller than 6 mm")
    assert low == 0
    assert 5.9 < high < 6
    assert ranges_of("a nodule of 15 mm or more") == ((15, math.inf),)
    assert ranges_of("no size here") == ()


def test_the_passage_that_holds_the_size_rises() -> None:
    passages = {p.id: p for p in load_corpus().passages}
    assert shift(7, passages["fleischner-nodules-2017/solid-6-8"]) == HOLDS
    assert shift(7, passages["fleischner-nodules-2017/solid-under-6"]) == MISSES
    assert shift(7, passages["fleischner-nodules-2017/solid-over-8"]) == MISSES
    assert shift(12, passages["fleischner-nodules-2017/solid-over-8"]) == HOLDS
    assert shift(12, passages["acr-lung-rads-2022/category-4a"]) == HOLDS
    assert shift(None, passages["fleischner-nodules-2017/solid-6-8"]) == 0
