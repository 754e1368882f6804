"""What the tabs of the page show of a case, against the record it is made of."""

from pathlib import Path

import pytest

from agent.chart.bar import bar
from agent.chart.desk import Chart, Supposition
from agent.chart.drugs import drugs
from agent.chart.labs import labs as labs_of
from agent.errors import BadInput
from retrieval.drugs.graph import DrugGraph
from tools.case.demo import open_demo
from tools.case.record import Case, Observation, Patient, Vitals
from tools.case.words import condition_name
from tools.deps import Deps
from ui.chart.drugs import drugs_html
from ui.chart.labs import course_html, labs_html


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Chart:
    return Chart(open_demo("demo-cap-01", tmp_path_factory.mktemp("cache"), lazy=True), DrugGraph.load(), Path("/nonexistent"))


def test_the_bar_holds_what_must_not_be_overlooked(chart: Chart) -> None:
    bar = chart.bar("zh")
    assert (bar.age, bar.sex, bar.weight) == ("67 岁", "男", "72 kg")
    assert bar.allergies == ("青霉素（荨麻疹，中度）",)
    assert "心房颤动" in bar.conditions
    assert [s.value for s in bar.kidney] == ["58", "118 µmol/L"]
    assert bar.clotting is not None
    assert bar.clotting.value == "3.4"
    assert {s.name for s in bar.vitals if s.state == "urgent"} == {"呼吸", "血氧"}
    assert len(bar.emergencies) == 2


@pytest.mark.parametrize(("day", "shown"), [("2026-01-01", "90 mL/min/1.73 m²"), ("2026-03-01", "34")])
def test_a_filtration_rate_older_than_the_creatinine_is_not_shown_beside_it(day: str, shown: str, tmp_path: Path) -> None:
    labs = (
        Observation(analyte="egfr", value=90, unit="mL/min/1.73 m²", time="2026-01-01T08:00:00"),
        Observation(analyte="creatinine", value=180, unit="umol/L", time=f"{day}T08:00:00"),
    )
    case = Case(case_id="kidney", patient=Patient(age_years=70, sex="male"), labs=labs)
    assert bar(Deps(cache_dir=tmp_path, case=case), DrugGraph.load()).kidney[0].value == shown


def test_formulas_for_adults_stay_off_a_child(tmp_path: Path) -> None:
    labs = (Observation(analyte="creatinine", value=180, unit="umol/L", time="2026-01-01T08:00:00"),)
    vitals = (Vitals(time="2025-12-31T08:00:00", heart_rate=90),)
    for age, sex, kidney in ((14, "girl", ["Cr"]), (40, "woman", ["eGFR", "Cr"])):
        case = Case(case_id="child", patient=Patient(age_years=age, sex="female", weight_kg=40), labs=labs, vitals=vitals)
        shown = bar(Deps(cache_dir=tmp_path, case=case), DrugGraph.load())
        assert (shown.sex, [s.name for s in shown.kidney]) == (sex, kidney)
        assert shown.vitals_at == "2025-12-31T08:00:00"
        found = drugs(Deps(cache_dir=tmp_path, case=case), DrugGraph.load())
        assert (found.minor, found.egfr is None) == (age < 18, age < 18)
        said = drugs_html(found, Supposition(), True, "en")
        assert ("paediatric source" in said) == (age < 18)


@pytest.mark.parametrize("name", ["type 2 diabetes", "epilepsy", "hypothyroidism", "a disease of nobody"])
def test_a_diagnosis_is_named_itself_or_as_recorded(name: str) -> None:
    known = {"type 2 diabetes": "2 型糖尿病", "epilepsy": "癫痫", "hypothyroidism": "甲状腺功能减退症"}
    assert condition_name(name, None, DrugGraph.load(), "zh") == known.get(name, name)


def test_a_laboratory_row_has_its_course_in_one_unit(chart: Chart) -> None:
    rows = {r.id: r for s in chart.labs("en").systems for r in s.rows}
    assert [p.value for p in rows["creatinine"].points] == [88.0, 118.0]
    assert (rows["creatinine"].flag, rows["creatinine"].interval) == ("high", "57–111 µmol/L")
    assert {r.id for s in chart.labs("zh").systems for r in s.rows} == rows.keys()


def test_a_course_is_a_drawing_and_a_table_that_says_the_same(chart: Chart) -> None:
    row = next(r for s in chart.labs("en").systems for r in s.rows if r.id == "creatinine")
    shown = course_html(row, "en")
    assert shown.count("<circle") == shown.count('<th scope="row">') == len(row.points) == 2
    assert 'aria-hidden="true"' in shown
    assert "+34%" in shown, "118 after 88"
    assert 'class="high"' in shown
    assert "57–111 µmol/L" in shown
    assert 'data-course="' in labs_html(chart.labs("en"), "en")


def test_what_limits_every_row_alike_is_said_once(tmp_path: Path) -> None:
    labs = tuple(
        Observation(analyte=name, value=value, unit=unit, time="2026-01-01T08:00:00")
        for name, value, unit in (
            ("sodium", 138, "mmol/L"),
            ("potassium", 4.1, "mmol/L"),
            ("creatinine", 50, "umol/L"),
            ("crp", 3, "mg/L"),
            ("haemoglobin", 130, "g/L"),
            ("urea", 4, "mmol/L"),
        )
    )
    case = Case(case_id="child", patient=Patient(age_years=10, sex="female"), labs=labs)
    view = labs_of(Deps(cache_dir=tmp_path, case=case))
    (problem,) = {r.problem for s in view.systems for r in s.rows}
    assert problem
    assert labs_html(view, "en").count('class="note warn"') == 1


def test_a_supposed_filtration_rate_moves_doses_and_clearance_together(chart: Chart) -> None:
    real, supposed = chart.drugs("en"), chart.drugs("en", supposed=Supposition(egfr=20, allergy="cephalosporin"))
    assert real.assumed == ()
    assert supposed.egfr == pytest.approx(20, abs=0.5)
    assert supposed.clearance is not None
    assert real.clearance is not None
    assert supposed.clearance < real.clearance
    assert len(supposed.assumed) == 2
    assert supposed.regimens != real.regimens
    assert chart.opened.case.patient.allergies[0].substance == "penicillin"
    with pytest.raises(BadInput):
        chart.drugs("en", supposed=Supposition(allergy="moonlight"))


def test_a_medicine_carries_what_the_record_says_against_it(chart: Chart) -> None:
    for language, said in (("en", "INR 3.4 is above range"), ("zh", "INR 3.4 超出目标")):
        warfarin, *_ = chart.drugs(language).medicines  # type: ignore[arg-type]
        assert any(r.text.startswith(said) for r in warfarin.remarks)
        assert any(r.text.startswith(said) for r in chart.remarks("warfarin", language))  # type: ignore[arg-type]


def test_a_sealed_case_shows_no_treatment(chart: Chart) -> None:
    sealed = Chart(chart.opened, chart.graph, chart.cache_dir, sealed=True)
    with pytest.raises(BadInput):
        sealed.drugs("en")
    assert sealed.remarks("warfarin", "en") == ()


def test_the_timeline_is_in_order(chart: Chart) -> None:
    times = [m.time for m in chart.timeline("en").moments]
    assert times == sorted(times)
    assert {"studies", "labs", "vitals", "treatments", "notes"} <= {m.lane for m in chart.timeline("zh").moments}
