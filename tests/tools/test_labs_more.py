"""More of the laboratory: counts, other specimens, columns of the sheet, limits that hold together, levels."""

from pathlib import Path

import pytest

from tools.case.record import Case, Observation, Patient
from tools.deps import Deps
from tools.evidence import Language, ToolResult
from tools.labs.analytes import analytes, find_analyte, source_of
from tools.labs.interpret import interpret_labs
from tools.labs.payload import LabsData
from tools.labs.sheet import parse_labs
from tools.labs.value import read

MAN = Patient(age_years=67, sex="male")


def interpret(text: str, language: Language = "en") -> ToolResult:
    return interpret_labs(Deps(cache_dir=Path(), case=Case(case_id="t", patient=MAN, labs=parse_labs(text)), language=language))


def flags(text: str) -> dict[str, str]:
    data = interpret(text).payload(LabsData)
    assert data is not None
    return {r.analyte: r.flag for r in data.observations}


def test_counts_names_and_sources() -> None:
    assert len(analytes()) >= 150
    seen: dict[str, str] = {}
    for a in analytes().values():
        assert a.canonical
        assert a.zh
        assert not a.reference or source_of(a.source) is not None, a.id
        for code in a.loinc:
            assert seen.setdefault(code, a.id) == a.id, code


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("COHb", "carboxyhaemoglobin"), ("碳氧血红蛋白", "carboxyhaemoglobin"), ("GM试验", "galactomannan"), ("G试验", "beta_d_glucan"),
        ("BALF galactomannan", "bal_galactomannan"), ("QuantiFERON", "igra"), ("抗MDA5抗体", "anti_mda5"), ("MPO-ANCA", "anca_mpo"),
        ("PR3-ANCA", "anca_pr3"), ("vancomycin trough", "vancomycin_level"), ("伏立康唑浓度", "voriconazole_level"),
        ("胸水ADA", "pleural_ada"),
        ("pleural fluid pH", "pleural_ph"), ("BAL lymphocytes", "bal_lymphocytes_pct"), ("尿渗透压", "urine_osmolality"), ("IgG4", "igg4"),
        ("烟曲霉特异性IgE", "aspergillus_ige"), ("presepsin", "presepsin"), ("地高辛浓度", "digoxin_level"), ("amikacin", "amikacin_level"),
    ],
)  # fmt: skip
def test_names_in_both_languages(name: str, expected: str) -> None:
    found = find_analyte(name)
    assert found is not None
    assert found.id == expected


def test_pleural_fluid_is_not_blood() -> None:
    assert flags("Pleural fluid: pH 7.10, glucose 2.0 mmol/L, ADA 55 U/L") == {
        "pleural_ph": "critical_low", "pleural_glucose": "low", "pleural_ada": "high",
    }  # fmt: skip
    assert flags("胸水\nLDH 900 U/L\n葡萄糖 2.0 mmol/L\n\n血生化\nLDH 180 U/L") == {
        "pleural_ldh": "unknown", "pleural_glucose": "low", "ldh": "normal",
    }  # fmt: skip
    serum_only = Observation(analyte="potassium", value=8.0, unit="mmol/L", specimen="pleural fluid")
    assert read(serum_only, MAN).analyte is None
    assert flags("urine sodium 20 mmol/L") == {"urine_sodium": "unknown"}


def test_differential_of_lavage() -> None:
    assert flags("BALF: lymphocytes 45 %, neutrophils 2 %, eosinophils 30 %") == {
        "bal_lymphocytes_pct": "high", "bal_neutrophils_pct": "normal", "bal_eosinophils_pct": "high",
    }  # fmt: skip


@pytest.mark.parametrize(
    "sheet",
    [
        "analyte,value,unit,reference range\nsodium,133,mmol/L,130-140",
        "analyte,value,unit,ref low,ref high\nsodium,133,mmol/L,130,140",
        "项目名称\t结果\t单位\t生物参考区间\n钠\t133\tmmol/L\t130-140",
        "Na 133 mmol/L 130-140",
    ],
)
def test_the_reference_columns_of_the_sheet_are_used_and_named(sheet: str) -> None:
    result = interpret(sheet)
    assert "reference of the sheet 130–140 mmol/L" in result.evidence[0].text
    assert "检验单参考区间" in str(result.evidence[0].text_zh)
    assert result.evidence[0].source.endswith("reference: reference of the sheet")
    data = result.payload(LabsData)
    assert data is not None
    assert data.observations[0].flag == "normal"


def test_blood_gas_is_critical_where_niv_is_decided() -> None:
    assert flags("pH 7.31\nPaCO2 58 mmHg") == {"ph": "critical_low", "paco2": "critical_high"}
    assert flags("pH 7.31\nPaCO2 7.7 kPa")["ph"] == "critical_low"
    assert flags("pH 7.38\nPaCO2 58 mmHg") == {"ph": "normal", "paco2": "high"}
    assert flags("pH 7.31\nPaCO2 30 mmHg") == {"ph": "low", "paco2": "low"}
    assert flags("2025-03-01 08:00\npH 7.31\n2025-03-02 08:00\nPaCO2 58 mmHg")["ph"] == "low"
    result = interpret("pH 7.31\nPaCO2 58 mmHg")
    assert any("acute hypercapnic respiratory failure" in line for line in result.emergencies)
    assert any("急性高碳酸血症型呼吸衰竭" in line for line in interpret("pH 7.31\nPaCO2 58 mmHg", "zh").emergencies)


@pytest.mark.parametrize(
    ("line", "flag"),
    [
        ("vancomycin 25 mg/L", "high"), ("vancomycin 10.35 umol/L", "normal"), ("voriconazole 0.4 mg/L", "low"),
        ("digoxin 2.4 ug/L", "critical_high"),
        ("digoxin 1.0 nmol/L", "normal"), ("gentamicin 1.4 mg/L", "high"), ("tacrolimus 9 ug/L", "unknown"), ("galactomannan 1.2", "high"),
        ("beta-D-glucan 40 pg/mL", "normal"), ("QuantiFERON 1.2 IU/mL", "high"), ("COHb 18 %", "high"), ("IgG 3.2 g/L", "low"),
        ("cystatin C 1.8 mg/L", "high"), ("Aspergillus IgE 4.2 kU/L", "high"),
    ],
)  # fmt: skip
def test_levels_and_markers(line: str, flag: str) -> None:
    assert list(flags(line).values()) == [flag]


def test_what_cannot_be_judged_is_said_in_the_language_of_the_question() -> None:
    case = Case(case_id="t", labs=(Observation(analyte="sodium", value=140.0, unit="furlong"), Observation(analyte="moonstone", value=1.0)))
    asked = Deps(cache_dir=Path("unused"), case=case, language="zh")
    result = interpret_labs(asked)
    said = (*result.warnings, result.reason or "")
    assert any("furlong" in w and "无法识别单位" in w for w in said)
    assert any("moonstone" in w and "参考数据中没有该项目" in w for w in said)
    assert not any("None" in w or "unit" in w for w in said)
    assert interpret_labs(asked, ["ferritin"]).reason == "病例中没有以下项目的结果：ferritin"
