"""Pasted sheets and `interpret_labs`."""

from pathlib import Path

import pytest

from tools.case.record import Case, Medication, Observation, Patient, Presentation
from tools.deps import Deps
from tools.errors import BadInput, EmptyInput
from tools.evidence import Language, ToolResult
from tools.labs.interpret import interpret_labs
from tools.labs.payload import LabsData
from tools.labs.sheet import parse_labs
from tools.labs.value import read

MAN = Patient(age_years=67, sex="male")


def interpret(text: str, patient: Patient = MAN, language: Language = "en", symptoms: tuple[str, ...] = (), **more: object) -> ToolResult:
    case = Case.model_validate(
        {"case_id": "t", "patient": patient, "labs": parse_labs(text), "presentation": Presentation(symptoms=symptoms), **more}
    )
    return interpret_labs(Deps(cache_dir=Path(), case=case, language=language))


def patterns(result: ToolResult) -> set[str]:
    return {e.key.removeprefix("L-pattern-") for e in result.evidence if e.key.startswith("L-pattern-")}


@pytest.mark.parametrize(
    ("line", "analyte", "value", "unit"),
    [
        ("Na 138 mmol/L", "sodium", 138.0, "mmol/L"),
        ("WBC: 14.2 x10^9/L (4-10) H", "wbc", 14.2, "x10^9/L"),
        ("白细胞 14.2 10^9/L", "wbc", 14.2, "10^9/L"),
        ("尿素 11.2 mmol/L", "urea", 11.2, "mmol/L"),
        ("1\t白细胞(WBC)\t14.2\t↑\t10^9/L\t3.5-9.5", "wbc", 14.2, "10^9/L"),
        ("CO2 24 mmol/L", "bicarbonate", 24.0, "mmol/L"),
        ("IL-6 <7.0 pg/mL", "il6", 7.0, "pg/mL"),
        ("D-dimer 1,234 ng/mL FEU", "d_dimer", 1234.0, "ng/mL FEU"),
        ("Neutrophils 85 %", "neutrophils_pct", 85.0, "%"),
        ("血红蛋白121g/L", "haemoglobin", 121.0, "g/L"),
        ("HbA1c 6,5 %", "hba1c", 6.5, "%"),
        ("pH 7.25", "ph", 7.25, None),
        ("WBC14.2×10⁹/L", "wbc", 14.2, "×10⁹/L"),
        ("白细胞计数(WBC) 14.2↑ 10^9/L 3.5--9.5", "wbc", 14.2, "10^9/L"),
        ("血气分析：pH 7.31", "ph", 7.31, None),
        ("Creatinine, serum 1.4 mg/dL High 0.6-1.2", "creatinine", 1.4, "mg/dL"),
        ("| Sodium | 131 | mmol/L | 135-145 |", "sodium", 131.0, "mmol/L"),
        ("NT-proBNP 640 pg/mL (ref <125)", "nt_probnp", 640.0, "pg/mL"),
        ("N 85%", "neutrophils_pct", 85.0, "%"),
    ],
)
def test_lines_of_pasted_sheets(line: str, analyte: str, value: float, unit: str | None) -> None:
    (o,) = parse_labs(line)
    assert (o.analyte, o.value, o.unit) == (analyte, value, unit)


def test_csv_with_times_and_comparators() -> None:
    rows = parse_labs("time,analyte,value,unit\n2025-03-01T08:10,CRP,>300,mg/L\n2025-03-02,尿素,8.1,mmol/L\n2025-03-02,note,n/a,\n")
    assert [(o.time, o.analyte, o.comparator, o.value) for o in rows] == [
        ("2025-03-01T08:10", "crp", ">", 300.0),
        ("2025-03-02", "urea", None, 8.1),
    ]


def test_a_date_line_dates_what_follows_and_one_line_holds_several() -> None:
    rows = parse_labs("2025/3/1 08:10\npO2 58 mmHg, pCO2 62 mmHg; K 5.9 mEq/L")
    assert [(o.analyte, o.value, o.time) for o in rows] == [
        ("pao2", 58.0, "2025-03-01T08:10:00"),
        ("paco2", 62.0, "2025-03-01T08:10:00"),
        ("potassium", 5.9, "2025-03-01T08:10:00"),
    ]


def test_values_in_a_row_without_commas() -> None:
    rows = parse_labs("Na 138 K 4.1 Cl 100 mmol/L HCO3 22 mmol/L H CRP 210 mg/L (0-5)")
    assert [(o.analyte, o.value, o.unit) for o in rows] == [
        ("sodium", 138.0, None),
        ("potassium", 4.1, None),
        ("chloride", 100.0, "mmol/L"),
        ("bicarbonate", 22.0, "mmol/L"),
        ("crp", 210.0, "mg/L"),
    ]


def test_a_text_far_too_long_is_refused_and_odd_lines_cost_nothing() -> None:
    with pytest.raises(BadInput, match="characters"):
        parse_labs("Na 138 mmol/L\n" * 40_000)
    for odd in (" " * 20_000, "a, " * 5_000, "(" * 20_000, "1" * 20_000):
        with pytest.raises(EmptyInput):
            parse_labs(odd)


@pytest.mark.parametrize("text", ["", "   \n\n", "The patient feels well.", "Age 67 years"])
def test_an_empty_sheet_is_named_as_empty(text: str) -> None:
    with pytest.raises(EmptyInput):
        parse_labs(text)


def test_flags_use_the_units_as_reported() -> None:
    result = interpret("creatinine 1.4 mg/dL\nurea 11.2 mmol/L\nK 6.6 mmol/L\nNa 140 mEq/L\nHb 12.1 g/dL")
    data = result.payload(LabsData)
    assert data is not None
    assert {r.analyte: r.flag for r in data.observations} == {
        "creatinine": "high",
        "urea": "high",
        "potassium": "critical_high",
        "sodium": "normal",
        "haemoglobin": "low",
    }
    assert len(result.emergencies) == 1
    assert "6.6 mmol/L" in result.emergencies[0]


def test_an_unknown_unit_is_flagged_unknown_with_a_warning_and_never_guessed() -> None:
    result = interpret("Troponin T 22 foo/L\nurea 11.2\nCA-125 33 U/mL")
    assert result.status == "partial"
    data = result.payload(LabsData)
    assert data is not None
    assert all(r.flag == "unknown" for r in data.observations)
    assert any("'foo/L' is not understood" in w for w in result.warnings)
    assert any("no unit is given" in w for w in result.warnings)


def test_the_interval_on_the_sheet_takes_precedence() -> None:
    (o,) = parse_labs("WBC 9.8 x10^9/L (4-10)")
    assert read(o, MAN).flag == "normal"
    assert read(o.model_copy(update={"reference_low": None, "reference_high": None}), MAN).flag == "high"


def test_unknown_sex_gives_a_flag_only_where_both_sexes_agree() -> None:
    nobody = Patient()
    assert read(Observation(analyte="haemoglobin", value=120, unit="g/L"), nobody).flag == "unknown"
    assert read(Observation(analyte="haemoglobin", value=90, unit="g/L"), nobody).flag == "low"
    assert read(Observation(analyte="haemoglobin", value=90, unit="g/L"), Patient(age_years=9)).flag == "unknown"


@pytest.mark.parametrize(("text", "flag"), [("CRP <5 mg/L", "normal"), ("CRP >300 mg/L", "high"), ("Na <140 mmol/L", "unknown")])
def test_comparators(text: str, flag: str) -> None:
    (o,) = parse_labs(text)
    assert read(o, MAN).flag == flag


def test_the_latest_value_counts_and_the_previous_one_is_the_trend() -> None:
    result = interpret("2025-03-02\nCRP 90 mg/L\n2025-03-01\nCRP 210 mg/L")
    (crp,) = [e for e in result.evidence if e.key.startswith("L-crp")]
    assert crp.key == "L-crp@2025-03-02"
    assert crp.text == "C-reactive protein is 90 mg/L (reference ≤ 5 mg/L): high; the previous value was 210 mg/L."
    assert {q.name: q.value for q in crp.quantities} == {"crp": 90, "crp_reference_high": 5, "crp_previous": 210}


def test_another_value_changes_only_its_own_evidence() -> None:
    sheet = "2025-03-01\nurea {} mmol/L\nNa 138 mmol/L\nK 4.4 mmol/L"
    before = {e.key: e for e in interpret(sheet.format(11.2)).evidence}
    after = {e.key: e for e in interpret(sheet.format(5.0)).evidence}
    assert before.keys() == after.keys()
    assert {k for k in before if before[k] != after[k]} == {"L-urea@2025-03-01"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WBC 18 x10^9/L\nneutrophils 16 x10^9/L\nCRP 210 mg/L", "bacterial-infection"),
        ("pO2 52 mmHg\npCO2 62 mmHg\npH 7.28", "type-2-respiratory-failure"),
        ("pO2 52 mmHg\npCO2 34 mmHg", "type-1-respiratory-failure"),
        ("Hb 90 g/L\nMCV 70 fL\nferritin 8 ug/L", "anaemia"),
        ("ALT 900 U/L\nALP 120 U/L", "liver"),
        ("creatinine 180 umol/L", "creatinine-no-baseline"),
        ("D-dimer 0.9 mg/L", "d-dimer"),
        ("Na 138 mmol/L\nCl 100 mmol/L\nHCO3 12 mmol/L", "high-anion-gap"),
        ("eosinophils 0.9 10^9/L\nIgE 900 kU/L", "eosinophilia-ige"),
        ("Ca 2.8 mmol/L\nACE 120 U/L", "calcium-ace"),
    ],
)
def test_patterns_fire(text: str, expected: str) -> None:
    result = interpret(text)
    assert expected in patterns(result)
    (evidence,) = [e for e in result.evidence if e.key == f"L-pattern-{expected}"]
    assert evidence.inferred
    assert evidence.premises
    assert set(evidence.premises) <= {e.key for e in result.evidence}
    assert evidence.source
    assert evidence.text_zh


def test_patterns_that_need_context() -> None:
    assert "hyponatraemia-pneumonia" in patterns(interpret("Na 128 mmol/L", symptoms=("suspected pneumonia",)))
    assert "hyponatraemia-pneumonia" not in patterns(interpret("Na 128 mmol/L"))
    assert "inr-warfarin" in patterns(interpret("INR 4.1", medications=(Medication(name="Warfarin"),)))
    assert "inr-warfarin" not in patterns(interpret("INR 4.1"))


@pytest.mark.parametrize(
    ("gas", "name", "judged"),
    [
        ("pH 7.20\npCO2 26 mmHg\nHCO3 12 mmol/L", "metabolic acidosis", "within"),
        ("pH 7.10\npCO2 45 mmHg\nHCO3 12 mmol/L", "metabolic acidosis", "additional respiratory acidosis"),
        ("pH 7.25\npCO2 60 mmHg\nHCO3 26 mmol/L", "respiratory acidosis", "within"),
        ("pH 7.15\npCO2 60 mmHg\nHCO3 20 mmol/L", "respiratory acidosis", "additional metabolic acidosis"),
        ("pH 7.50\npCO2 48 mmHg\nHCO3 36 mmol/L", "metabolic alkalosis", "within"),
        ("pH 7.55\npCO2 25 mmHg\nHCO3 21 mmol/L", "respiratory alkalosis", "within"),
    ],
)
def test_acid_base_with_compensation(gas: str, name: str, judged: str) -> None:
    (evidence,) = [e for e in interpret(gas).evidence if e.key == "L-pattern-acid-base"]
    assert name in evidence.text
    assert judged in evidence.text


def test_gases_of_different_hours_are_not_read_together() -> None:
    assert "acid-base" not in patterns(interpret("2025-03-01 08:00\npH 7.20\n2025-03-01 12:00\npCO2 26 mmHg"))


def test_choosing_analytes_names_what_is_absent() -> None:
    case = Case(case_id="t", patient=MAN, labs=parse_labs("尿素 11.2 mmol/L\nNa 138 mmol/L"))
    result = interpret_labs(Deps(cache_dir=Path(), case=case), ["BUN", "钾"])
    assert [e.key for e in result.evidence] == ["L-urea"]
    assert result.missing == ("钾",)
    assert result.status == "partial"
    nothing = interpret_labs(Deps(cache_dir=Path(), case=case), ["potassium"])
    assert nothing.status == "empty"


def test_no_labs_is_empty_not_normal() -> None:
    assert interpret_labs(Deps(cache_dir=Path(), case=Case(case_id="t"))).status == "empty"
    assert interpret_labs(Deps(cache_dir=Path())).status == "empty"
