"""Countries that a question names, the issuers that belong to them, and words of issuers that are no names of issuers."""

import pytest

from retrieval.guidelines.corpus import load_corpus
from retrieval.guidelines.countries import countries_in, countries_of, of_country
from retrieval.guidelines.question import issuer_names
from retrieval.index.guideline_index import GuidelineIndex


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("what do the British say about a pleural effusion", "britain"),
        ("英国指南如何处理气胸", "britain"),
        ("国内指南推荐的疗程", "china"),
        ("the Aussie position on home oxygen", "australia"),
        ("US label of sotatercept", "america"),
        ("欧洲指南与美国指南", "europe"),
    ],
)
def test_a_country_is_read(text: str, country: str) -> None:
    assert country in countries_in(text)


@pytest.mark.parametrize("text", ["tell us the dose", "ultrasound of the pleura", "give it to us", "外国文献", "dukes and japonica"])
def test_other_words_are_no_country(text: str) -> None:
    assert countries_in(text) == frozenset()


def test_an_issuer_of_the_country_is_lifted_and_an_international_one_left_alone() -> None:
    asked = countries_in("British guideline on oxygen")
    assert of_country(asked, ["BTS", "ATS", "WHO", "ATS/ERS/BTS"]) == [1.0, -1.0, 0.0, 1.0]
    assert of_country(frozenset(), ["BTS", "ATS"]) == [0.0, 0.0]
    assert countries_of("GINA") == frozenset()


def test_a_word_with_a_meaning_of_its_own_is_no_issuer() -> None:
    names = issuer_names(load_corpus().guidelines)
    assert {"NICE", "CHEST", "GOLD", "BTS", "ATS"} <= set(names)
    assert not {"CAP", "ARDS", "Treatment", "British", "Chinese"} & set(names)


@pytest.mark.parametrize("question", ["community-acquired pneumonia in an unvaccinated adult", "pleural effusion in a cirrhotic patient"])
def test_a_derived_word_is_no_unknown_name(index: GuidelineIndex, question: str) -> None:
    assert index.search(question).hits
