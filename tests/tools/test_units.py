"""Units: what people write, exact conversion, nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.labs.analytes import analytes, find_analyte
from tools.labs.units import convert, parse_unit


@pytest.mark.parametrize(
    ("text", "ucum"),
    [
        ("x10^9/L", "10*9/L"),
        ("×10⁹/L", "10*9/L"),
        ("10*3/uL", "10*3/uL"),
        ("K/µL", "10*3/uL"),
        ("G/L", "10*9/L"),
        ("g/L", "g/L"),
        ("μmol/L", "umol/L"),
        ("mEq/L", "meq/L"),
        ("mm[Hg]", "mm[Hg]"),
        ("mg/L FEU", "mg/L"),
        ("IU/mL", "U/mL"),
        ("mL/min/1.73m²", "mL/min/{1.73_m2}"),
    ],
)
def test_units_are_read_as_people_write_them(text: str, ucum: str) -> None:
    unit = parse_unit(text)
    assert unit is not None
    assert unit.ucum == ucum


@pytest.mark.parametrize("text", ["foo/L", "ng/mL DDU", "mg", "mmol", "cows"])
def test_an_unknown_unit_stays_unknown(text: str) -> None:
    assert parse_unit(text) is None


@pytest.mark.parametrize(
    ("analyte", "value", "source", "target", "expected"),
    [
        ("creatinine", 1.0, "mg/dL", "umol/L", 88.4),
        ("glucose", 90.078, "mg/dL", "mmol/L", 5.0),
        ("urea_nitrogen", 28.014, "mg/dL", "mmol/L", 10.0),
        ("calcium", 10.0, "mg/dL", "mmol/L", 2.495),
        ("calcium", 5.0, "mEq/L", "mmol/L", 2.5),
        ("pao2", 8.0, "kPa", "mm[Hg]", 60.005),
        ("bilirubin", 1.0, "mg/dL", "umol/L", 17.1),
        ("wbc", 12000.0, "/uL", "10*9/L", 12.0),
        ("haemoglobin", 12.1, "g/dL", "g/L", 121.0),
        ("hba1c", 48.0, "mmol/mol", "%", 6.54),
    ],
)
def test_known_conversions(analyte: str, value: float, source: str, target: str, expected: float) -> None:
    a = analytes()[analyte]
    unit, wanted = parse_unit(source), parse_unit(target)
    assert unit is not None
    assert wanted is not None
    canonical = a.to_canonical(value, unit)
    assert canonical is not None
    assert a.from_canonical(canonical, wanted) == pytest.approx(expected, rel=2e-3)


@given(st.sampled_from(sorted(analytes())), st.floats(0.001, 1e5))
def test_conversion_there_and_back_is_identity(name: str, value: float) -> None:
    a = analytes()[name]
    for text in ("g/L", "mg/dL", "umol/L", "mmol/L", "10*9/L", "U/L", "kPa", "mmol/mol"):
        unit = parse_unit(text)
        assert unit is not None
        canonical = a.to_canonical(value, unit)
        if canonical is not None:
            assert a.from_canonical(canonical, unit) == pytest.approx(value, rel=1e-9)


def test_mass_does_not_become_amount_without_a_molar_mass() -> None:
    mass, molar = parse_unit("mg/L"), parse_unit("mmol/L")
    assert mass is not None
    assert molar is not None
    assert convert(1.0, mass, molar) is None


def test_every_analyte_is_well_formed() -> None:
    assert len(analytes()) >= 45
    for a in analytes().values():
        assert a.canonical.ucum
        for r in a.reference:
            assert r.low is not None or r.high is not None
            assert a.source, a.id
        for name in (a.id, a.en, a.zh):
            found = find_analyte(name)
            assert found is not None, name
            assert found.id == a.id, name


def test_loinc_codes_are_unique() -> None:
    codes = [c for a in analytes().values() for c in a.loinc]
    assert len(codes) == len(set(codes))
