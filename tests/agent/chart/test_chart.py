"""What the tabs of the page show of a case, against the record it is made of."""

from pathlib import Path

import pytest

from agent.chart.bar import bar
from agent.chart.desk import Chart, Supposition
from agent.errors import BadInput
from retrieval.drugs.graph import DrugGraph
from tools.case.demo import open_demo
from tools.case.record import Case, Observation, Patient
from tools.case.words import condition_name
from tools.deps import Deps


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


@pytest.mark.parametrize("name", ["type 2 diabetes", "epilepsy", "hypothyroidism", "a disease of nobody"])
def test_a_diagnosis_is_named_itself_or_as_recorded(name: str) -> None:
    known = {"type 2 diabetes": "2 型糖尿病", "epilepsy": "癫痫", "hypothyroidism": "甲状腺功能减退症"}
    assert condition_name(name, None, DrugGraph.load(), "zh") == known.get(name, name)


def test_a_laboratory_row_has_its_course_in_one_unit(chart: Chart) -> None:
    rows = {r.id: r for s in chart.labs("en").systems for r in s.rows}
    assert [p.value for p in rows["creatinine"].points] == [88.0, 118.0]
    assert (rows["creatinine"].flag, rows["creatinine"].interval) == ("high", "57–111 µmol/L")
    assert {r.id for s in chart.labs("zh").systems for r in s.rows} == rows.keys()


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
