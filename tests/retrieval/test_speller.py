import pytest

from retrieval.concepts.severity import grades, severities
from retrieval.concepts.speller import nearest, one_slip


@pytest.mark.parametrize("slip", ["amoxicilin", "amoxiicillin", "amoxicilliN".lower()[:-1] + "m", "amxoicillin"])
def test_one_slip_is_corrected(slip: str) -> None:
    assert one_slip(slip, {"amoxicillin", "ampicillin", "amoxapine"}) == "amoxicillin"


@pytest.mark.parametrize(("word", "known"), [("asthna", {"asthma", "asthsa"}), ("zorbifloxacin", {"ciprofloxacin"}), ("b12", {"b1"})])
def test_what_could_be_two_words_or_none_is_left(word: str, known: set[str]) -> None:
    assert one_slip(word, known) is None


def test_a_close_name_is_suggested_and_a_far_one_not() -> None:
    assert nearest("clarithromicin", ["clarithromycin", "erythromycin"]) == "clarithromycin"
    assert nearest("zorbicillin", ["clarithromycin"]) is None


def test_high_alone_is_a_band_and_no_grade_of_a_sentence() -> None:
    assert severities("high") == ["high"]
    assert grades("a high fever") == frozenset()
    assert grades("非重症但高危") >= {"high"}
    assert grades("non-severe pneumonia") == {"low"}
