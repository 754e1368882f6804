"""`summarize_case`, the case card, and `search_guidelines` on the real index."""

from pathlib import Path

import pytest

from retrieval.index.guideline_index import GuidelineIndex
from tools.case.record import Case, Observation, Patient, Vitals
from tools.case.summary import case_card, summarize_case
from tools.deps import Deps
from tools.guidelines.search import search_guidelines

CASE = Case(
    case_id="secret-identifier-17",
    patient=Patient(age_years=67, sex="male"),
    vitals=(Vitals(time="2025-03-01T08:00", respiratory_rate=31, spo2_pct=88, fio2=0.21),),
    labs=(Observation(time="2025-03-01", analyte="urea", value=11.2, unit="mmol/L"),),
)


def test_the_case_on_one_page_in_two_languages() -> None:
    result = summarize_case(Deps(cache_dir=Path(), case=CASE))
    text = {e.key: e.text for e in result.evidence}
    assert text["C-demographics"] == "The patient is a 67-year-old man."
    assert "respiratory rate 31 /min (high)" in text["C-vitals"]
    assert "not the same as none" in text["C-allergies"]
    assert "Urea is 11.2 mmol/L" in text["C-labs"]
    assert set(result.missing) == {"allergies", "medicines"}
    assert any("88%" in e for e in result.emergencies)
    assert all(e.text_zh for e in result.evidence)


def test_the_card_has_no_identifier() -> None:
    for language in ("en", "zh"):
        card = case_card(CASE, language)  # type: ignore[arg-type]
        assert "secret" not in card
        assert "11.2 mmol/L" in card


def test_every_number_of_a_sentence_is_a_quantity() -> None:
    for e in summarize_case(Deps(cache_dir=Path(), case=CASE)).evidence:
        values = {q.value for q in e.quantities}
        assert {float(n) for n in ("31", "88", "0.21") if f" {n}" in e.text} <= values


def test_a_case_without_anything_is_empty() -> None:
    assert summarize_case(Deps(cache_dir=Path())).status == "empty"


def test_no_index_is_unavailable_with_the_command() -> None:
    result = search_guidelines(Deps(cache_dir=Path()), "pneumonia")
    assert result.status == "unavailable"
    assert "medmpt index build" in (result.reason or "")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> GuidelineIndex:
    return GuidelineIndex.open(tmp_path_factory.mktemp("cache"), embedder="hashing")


def test_passages_become_evidence_and_filters_only_narrow(index: GuidelineIndex) -> None:
    deps = Deps(cache_dir=Path(), index=index)
    found = search_guidelines(deps, "antibiotic duration in community-acquired pneumonia", k=5)
    assert found.status == "ok"
    assert 1 <= len(found.evidence) <= 5
    for e in found.evidence:
        assert e.key.startswith("G-")
        assert e.year
        assert e.text_zh
        assert e.locator
    narrow = search_guidelines(deps, "antibiotic duration in community-acquired pneumonia", k=5, year_from=2100)
    assert narrow.status == "empty"
    assert narrow.reason
    assert search_guidelines(deps, "  ").status == "empty"
