"""Severity at presentation by the worst vital signs of a day, beside the latest."""

from pathlib import Path

from tools.case.record import Case, Observation, Patient, Presentation, Vitals
from tools.deps import Deps
from tools.scores.tool import calculate_score


def _case(*vitals: Vitals) -> Case:
    return Case(
        case_id="own",
        patient=Patient(age_years=70, sex="male"),
        presentation=Presentation(findings=("no confusion",)),
        vitals=vitals,
        labs=(Observation(time="2026-01-01T08:00:00", analyte="urea", value=9, unit="mmol/L"),),
    )


def _set(hour: str, rate: float, sbp: float = 120) -> Vitals:
    return Vitals(time=hour, respiratory_rate=rate, sbp_mmhg=sbp, dbp_mmhg=70, gcs=15, heart_rate=90, temperature_c=38, spo2_pct=94)


def test_a_rate_that_has_settled_is_told() -> None:
    found = calculate_score(
        Deps(cache_dir=Path(), case=_case(_set("2026-01-01T08:00:00", 32), _set("2026-01-01T12:00:00", 24))), "curb_65"
    ).evidence
    assert [e.key for e in found] == ["S-curb_65", "S-curb_65-worst"]
    assert "2 points" in found[0].text
    assert "respiratory rate 32 /min" in found[1].text
    assert "3 points" in found[1].text
    assert "呼吸频率 32" in (found[1].text_zh or "")


def test_signs_of_another_day_or_no_worse_say_nothing() -> None:
    for first in (_set("2025-12-30T08:00:00", 32), _set("2026-01-01T08:00:00", 22)):
        found = calculate_score(Deps(cache_dir=Path(), case=_case(first, _set("2026-01-01T12:00:00", 24))), "curb_65").evidence
        assert [e.key for e in found] == ["S-curb_65"]
