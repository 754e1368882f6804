"""Scores of adults are not applied to children."""

from pathlib import Path

import pytest

from tools.case.record import Case, Observation, Patient
from tools.deps import Deps
from tools.scores.ages import youngest
from tools.scores.payload import ScoreData
from tools.scores.registry import calculators
from tools.scores.tool import calculate_score


def _case(years: float) -> Case:
    creatinine = Observation(time="2026-01-01T08:00:00", analyte="creatinine", value=80, unit="umol/L")
    return Case(case_id="own", patient=Patient(age_years=years, sex="female", weight_kg=50), labs=(creatinine,))


@pytest.mark.parametrize("name", ["egfr_ckd_epi_2021", "cockcroft_gault", "curb_65", "spesi"])
def test_a_child_has_no_adult_figure(name: str) -> None:
    found = calculate_score(Deps(cache_dir=Path(), case=_case(14)), name)
    assert found.status == "out_of_domain"
    data = found.payload(ScoreData)
    assert data is not None
    assert data.value is None
    assert data.range == (None, None)
    assert [e.key for e in found.evidence] == [f"S-{name}-age"]
    assert "14 years" in found.evidence[0].text
    assert "14 岁" in (found.evidence[0].text_zh or "")


def test_an_adult_has_one_and_a_typed_age_outranks_the_record() -> None:
    adult = calculate_score(Deps(cache_dir=Path(), case=_case(40)), "egfr_ckd_epi_2021")
    assert adult.status == "ok"
    assert calculate_score(Deps(cache_dir=Path(), case=_case(40)), "egfr_ckd_epi_2021", {"age": "9"}).status == "out_of_domain"
    assert calculate_score(Deps(cache_dir=Path(), case=_case(9)), "egfr_ckd_epi_2021", {"age": "40"}).status == "ok"


def test_every_name_with_an_age_is_a_calculator() -> None:
    from tools.scores.ages import _youngest

    assert _youngest().keys() <= calculators().keys()
    assert youngest(calculators()["news2"]) == 16
    assert youngest(calculators()["bmi"]) == 0
