"""Scores and formulas: published examples, ranges for missing inputs, inputs from cases, MedCalc-Bench."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.case.record import Case, Medication, Observation, Patient, Presentation, Vitals
from tools.deps import Deps
from tools.errors import BadInput
from tools.scores.payload import ScoreData
from tools.scores.registry import calculators, find, sources
from tools.scores.run import run
from tools.scores.tool import calculate_score, calculated

FULL_CURB = {"confusion": "yes", "urea": "11.2mmol/L", "respiratory_rate": "31", "sbp": "92", "dbp": "58", "age": "67"}


def value(name: str, **given: str) -> float | None:
    return run(find(name), None, given).value


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("curb_65", FULL_CURB, 5),
        ("curb_65", {**FULL_CURB, "urea": "7.0mmol/L", "age": "64"}, 3),
        ("aa_gradient", {"fio2": "0.21", "paco2": "40", "pao2": "80"}, 19.73),
        ("aa_gradient", {"fio2": "21%", "paco2": "5.333kPa", "pao2": "10.666kPa"}, 19.73),
        ("pf_ratio", {"pao2": "60", "fio2": "0.4"}, 150),
        ("cockcroft_gault", {"age": "60", "sex": "male", "weight": "72", "creatinine": "88.4umol/L"}, 80.0),
        ("cockcroft_gault", {"age": "60", "sex": "female", "weight": "72", "creatinine": "1.0mg/dL"}, 68.0),
        ("anion_gap", {"sodium": "140", "chloride": "100", "bicarbonate": "24"}, 16),
        ("corrected_anion_gap", {"sodium": "140", "chloride": "100", "bicarbonate": "24", "albumin": "2.0g/dL"}, 21),
        ("egfr_ckd_epi_2021", {"age": "50", "sex": "female", "creatinine": "0.8mg/dL"}, 89.7),
        ("winters", {"bicarbonate": "12"}, 26),
        ("corrected_calcium", {"calcium": "2.1", "albumin": "30"}, 2.3),
        ("qtc_bazett", {"qt_interval": "400", "heart_rate": "60"}, 400),
        (
            "news2",
            {"respiratory_rate": "26", "spo2": "91", "fio2": "0.28", "sbp": "88", "heart_rate": "132", "gcs": "14", "temperature": "39.2"},
            19,
        ),
        ("qsofa", {"respiratory_rate": "22", "sbp": "100", "gcs": "14"}, 3),
        ("bmi", {"weight": "80", "height": "1.8m"}, 24.69),
    ],
)
def test_worked_examples(name: str, given: dict[str, str], expected: float) -> None:
    assert value(name, **given) == pytest.approx(expected, abs=0.06)


def test_psi_example_with_every_input() -> None:
    given = {
        "age": "72", "sex": "female", "nursing_home": "no", "malignancy": "no", "liver_disease": "no", "heart_failure": "yes",
        "cerebrovascular_disease": "yes",
        "renal_disease": "no", "confusion": "no",
        "respiratory_rate": "20", "sbp": "125", "temperature": "37.6",
        "heart_rate": "85", "ph": "7.2", "bun": "22mg/dL", "sodium": "138", "glucose": "122mg/dL", "haematocrit": "39", "pao2": "75",
        "pleural_effusion": "no",
    }  # fmt: skip
    outcome = run(find("psi"), None, given)
    assert outcome.value == 112
    assert outcome.band is not None
    assert "IV" in outcome.band[0]


def test_psi_class_one_needs_the_first_step() -> None:
    given = {
        "age": "30", "sex": "male", "nursing_home": "no", "malignancy": "no", "liver_disease": "no", "heart_failure": "no",
        "cerebrovascular_disease": "no", "renal_disease": "no", "confusion": "no",
        "respiratory_rate": "18", "sbp": "125", "temperature": "37.6",
        "heart_rate": "85", "ph": "7.4", "bun": "10mg/dL", "sodium": "138", "glucose": "5", "haematocrit": "39", "pao2": "75",
        "pleural_effusion": "no",
    }  # fmt: skip
    assert "class I (" in str(run(find("psi"), None, given).band)


def test_a_missing_input_gives_the_range_and_never_assumes_no() -> None:
    outcome = run(find("curb_65"), None, {"urea": "11.2", "age": "67"})
    assert (outcome.value, outcome.low, outcome.high) == (None, 2, 5)
    assert outcome.missing == ("confusion", "respiratory_rate", "sbp", "dbp")
    assert outcome.band is None
    decided = run(find("curb_65"), None, {"urea": "11.2", "age": "67", "sbp": "80"})
    assert decided.low == 3
    assert "dbp" not in decided.missing


@given(st.sets(st.sampled_from(sorted(FULL_CURB))))
def test_knowing_more_only_narrows_the_range(known: set[str]) -> None:
    part = run(find("curb_65"), None, {k: FULL_CURB[k] for k in known})
    assert part.low is not None
    assert part.high is not None
    assert part.low <= 5 <= part.high
    for key in set(FULL_CURB) - known:
        more = run(find("curb_65"), None, {k: FULL_CURB[k] for k in (*known, key)})
        assert more.low is not None
        assert more.high is not None
        assert part.low <= more.low <= more.high <= part.high


def test_a_formula_without_an_input_has_no_value() -> None:
    outcome = run(find("anion_gap"), None, {"sodium": "140"})
    assert (outcome.value, outcome.low) == (None, None)
    assert outcome.missing == ("chloride", "bicarbonate")


CASE = Case(
    case_id="t",
    patient=Patient(age_years=67, sex="male", weight_kg=72),
    presentation=Presentation(findings=("no haemoptysis", "confusion"), symptoms=("fever",)),
    vitals=(
        Vitals(time="2025-03-01T06:00", respiratory_rate=18),
        Vitals(time="2025-03-01T08:00", respiratory_rate=31, sbp_mmhg=92, dbp_mmhg=58),
    ),
    labs=(
        Observation(time="2025-03-01", analyte="urea_nitrogen", value=31.4, unit="mg/dL"),
        Observation(time="2025-02-01", analyte="urea_nitrogen", value=10, unit="mg/dL"),
    ),
)  # fmt: skip


def test_inputs_come_from_the_case_latest_first_with_units_converted() -> None:
    outcome = run(find("curb_65"), CASE)
    assert outcome.value == 5
    assert outcome.inputs["urea"].value == pytest.approx(11.21, abs=0.01)
    assert outcome.inputs["urea"].key == "L-urea_nitrogen@2025-03-01"
    assert outcome.inputs["respiratory_rate"].value == 31


def test_negated_and_absent_findings() -> None:
    wells = run(find("wells_pe"), CASE)
    assert wells.inputs["haemoptysis"].value is False
    assert "malignancy" in wells.missing
    told = Case(case_id="t", presentation=Presentation(findings=("family history of cancer", "无咯血")), vitals=(Vitals(gcs=15),))
    assert "malignancy" not in run(find("wells_pe"), told).inputs
    assert run(find("wells_pe"), told).inputs["haemoptysis"].value is False
    assert run(find("curb_65"), told).inputs["confusion"].value is False
    pill = Case(case_id="t", medications=(Medication(name="Ethinylestradiol/levonorgestrel"),))
    assert run(find("perc"), pill).inputs["hormone_use"].value is True


def test_set_replaces_the_case() -> None:
    assert run(find("curb_65"), CASE, {"confusion": "no"}).value == 4


def test_a_value_without_unit_and_inputs_of_different_days_are_named() -> None:
    result = calculate_score(Deps(cache_dir=Path(), case=CASE), "curb_65", {"urea": "8"})
    assert any("urea: no unit given, read as mmol/L" in w for w in result.warnings)
    old = CASE.model_copy(update={"labs": (Observation(time="2024-01-01", analyte="urea", value=11, unit="mmol/L"),)})
    assert any("different times" in w for w in calculate_score(Deps(cache_dir=Path(), case=old), "curb_65").warnings)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("curb_65", {"shoe_size": "42"}),
        ("curb_65", {"urea": "11.2 parsecs"}),
        ("curb_65", {"urea": "many"}),
        ("curb_65", {"confusion": "perhaps"}),
        ("cockcroft_gault", {"sex": "robot"}),
        ("no_such_score", {}),
    ],
)
def test_what_cannot_be_used_is_named(name: str, given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        run(find(name), None, given)


def test_the_tool_gives_one_statement_with_its_numbers() -> None:
    result = calculate_score(Deps(cache_dir=Path(), case=CASE), "curb65")
    (evidence,) = result.evidence
    assert evidence.key == "S-curb_65"
    assert evidence.text.startswith("CURB-65 is 5 points: high severity")
    assert evidence.year == 2003
    assert ("curb_65", 5.0, "points") in {(q.name, q.value, q.unit) for q in evidence.quantities}
    assert 22.0 in {q.value for q in evidence.quantities}
    assert set(result.model_dump(mode="json")["data"]) >= {"name", "value", "range", "band", "inputs", "missing", "source"}
    part = calculate_score(Deps(cache_dir=Path(), case=CASE, language="zh"), "psi")
    assert part.status == "partial"
    assert part.evidence[0].quantities[0].high is not None
    assert "糖" in "".join(part.missing)


def test_every_calculator_has_a_source_and_two_languages() -> None:
    required = {"curb_65", "psi", "wells_pe", "perc", "aa_gradient", "pf_ratio", "cockcroft_gault", "anion_gap"}
    assert required <= set(calculators())
    for c in calculators().values():
        assert sources()[c.name].title
        assert c.zh
        for f in c.fields:
            assert f.zh, (c.name, f.key)
        for i in c.items:
            assert i.low <= i.high
            assert set(i.needs) <= {f.key for f in c.fields}, (c.name, i.id)


def test_a_calculator_that_knows_nothing_gives_its_whole_range() -> None:
    """`medmpt calc NAME` without a case and without values once crashed: it was handed the explanation."""
    result = calculated(Deps(cache_dir=Path()), find("curb_65"), {})
    data = result.payload(ScoreData)
    assert data is not None
    assert (result.status, data.value, data.range) == ("partial", None, (0, 5))
    assert len(data.missing) == 6
