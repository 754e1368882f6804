"""The case on one page: danger first, contradictions found, every line with a source, nothing invented for an empty case."""

import re
from pathlib import Path

import pytest

from retrieval.drugs.graph import DrugGraph
from tools.case.demo import open_demo
from tools.case.record import Allergy, Case, LungFunction, Medication, Note, Observation, Patient, Presentation, StudyRef, Vitals
from tools.deps import Deps
from tools.reports.export.formats import render
from tools.summary import contradictions as against
from tools.summary.gather import Gathered
from tools.summary.page import sheet_of, summarise
from tools.summary.record import AUDIENCES, LEVELS, CaseSummary, SummaryLine

GRAPH = DrugGraph.load()
DAY = "2025-03-01T08:00:00"


def deps(case: Case) -> Deps:
    return Deps(cache_dir=Path("/nonexistent"), case=case, drugs=GRAPH)


def lines(summary: CaseSummary, section: str) -> tuple[SummaryLine, ...]:
    return next((s.lines for s in summary.sections if s.name == section), ())


def _lab(analyte: str, value: float, unit: str, time: str = DAY) -> Observation:
    return Observation(time=time, analyte=analyte, value=value, unit=unit)


SICK = Case(
    case_id="t",
    patient=Patient(
        age_years=71, sex="male", weight_kg=70, height_cm=175, allergies=(Allergy(substance="penicillin", reaction="anaphylaxis"),)
    ),
    presentation=Presentation(question="Is the nodule a cancer?", symptoms=("fever", "cough"), duration_days=3),
    vitals=(
        Vitals(time="2025-02-28T08:00:00", respiratory_rate=18, spo2_pct=96, heart_rate=90, sbp_mmhg=120, temperature_c=37.0, gcs=15),
        Vitals(time=DAY, respiratory_rate=32, spo2_pct=96, heart_rate=134, sbp_mmhg=88, temperature_c=39.2, gcs=14),
    ),
    labs=(
        _lab("creatinine", 90, "umol/L", "2025-02-01"),
        _lab("creatinine", 280, "umol/L"),
        _lab("potassium", 6.8, "mmol/L"),
        _lab("sao2", 88, "%"),
    ),
    lung_function=(LungFunction(time="2024-01-01", fvc_pct=80, dlco_pct=60), LungFunction(time="2025-01-01", fvc_pct=66, dlco_pct=48)),
    medications=(Medication(name="amoxicillin"), Medication(name="metformin"), Medication(name="warfarin")),
    notes=(Note(time=DAY, kind="ward", text="Blood cultures pending. Sputum not yet taken. Histology adenocarcinoma."),),
)


def test_dangers_come_first_and_each_line_opens_its_source() -> None:
    for audience in AUDIENCES:
        summary = summarise(deps(SICK), audience)
        found = lines(summary, "problems")
        order = [LEVELS.index(x.level) for x in found]
        assert order == sorted(order)
        keys = {e.key for e in summary.evidence}
        said = [x for s in summary.sections for x in s.lines]
        assert all(x.evidence and set(x.evidence) <= keys for x in said)
        assert all(x.text_zh and x.text for x in said)
    urgent = [x.text for x in lines(summarise(deps(SICK), "ward"), "problems") if x.level == "act_now"]
    assert any(x.startswith("NEWS2 is at least") for x in urgent)
    assert any("Potassium 6.8 mmol/L: critical value" in x for x in urgent)
    assert any("amoxicillin is contraindicated" in x for x in urgent)


def test_medicines_are_held_against_kidney_and_allergy_and_probe_against_gas() -> None:
    found = [x.text for x in lines(summarise(deps(SICK), "ward"), "contradictions")]
    assert any(x.startswith("Prescribed: amoxicillin; recorded allergy: penicillin.") for x in found)
    assert any(x.startswith("Metformin is contraindicated with an eGFR below 30") and "Here: Estimated GFR" in x for x in found)
    assert any("96% by probe and 88% in arterial blood" in x for x in found)
    well = SICK.model_copy(update={"medications": (Medication(name="salbutamol"),), "labs": (), "presentation": Presentation()})
    assert not lines(summarise(deps(well), "ward"), "contradictions")


def test_what_changed_and_what_is_open_is_told() -> None:
    ward = summarise(deps(SICK), "ward")
    changed = [x.text for x in lines(ward, "changed")]
    assert "Creatinine 280 µmol/L, before 90 µmol/L: up." in changed
    assert "Respiratory rate 32 /min, before 18 /min." in changed
    assert any(x.startswith("FVC 66% of predicted (2025-01-01), 80% on 2024-01-01") for x in changed)
    written = [x.text for x in lines(summarise(deps(SICK), "handover"), "pending")]
    assert written == ["Written: Blood cultures pending.", "Written: Sputum not yet taken."]
    needed = [x.text for x in lines(summarise(deps(SICK), "tumour_board"), "needed")]
    assert "Performance status." in needed
    assert "Histology or cytology." not in needed
    fit = [x.text for x in lines(summarise(deps(SICK), "tumour_board"), "fitness")]
    assert any("Bleeding risk for a biopsy: warfarin" in x for x in fit)


def test_words_that_deny_what_was_measured_are_a_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    from medmpt_backend.imaging.findings.groups import ConsolidationGroup, PleuraGroup
    from tools.evidence import Evidence, ToolResult
    from tools.imaging.results.measured import Measured

    study = StudyRef(id="ct-1", path="ct", date="2025-03-01", report="No pleural effusion. No pneumothorax. No consolidation.")
    fluid = Evidence(key="CT-ct-1-effusion", kind="ct", text="Fluid.", source="measured", validity="in")
    # Only the groups that the summary compares.
    figures = Measured.model_construct(
        effusion=PleuraGroup("in", None, 3.0, 40.0),
        pneumothorax=PleuraGroup("in", None, 0.0, 0.0),
        consolidation=ConsolidationGroup("in", None, None, None),
    )
    measured = ToolResult(tool="quantify_ct", status="ok", evidence=(fluid,), data=figures)
    g = Gathered(deps(SICK.model_copy(update={"studies": (study,)})))
    g.__dict__ |= {"study": study, "ct": measured, "model": None}
    g.keep(fluid)
    found = [x for x in against.contradictions(g) if "denies" in x.text]
    assert [x.text for x in found] == ["The CT report denies pleural effusion; measured on the CT is right 40 mL."]
    assert found[0].evidence == ("C-report", "CT-ct-1-effusion")
    assert found[0].text_zh == "CT 报告称无胸腔积液；CT 测得 右侧 40 mL。"


def test_sides_and_allergies_that_a_text_has_otherwise_are_contradictions() -> None:
    from tools.evidence import Evidence, ToolResult

    study = StudyRef(id="ct-1", path="ct", report="Consolidation in the left lower lobe. Emphysema in both lungs.")
    notes = (
        Note(time=DAY, text="No known drug allergies."),
        Note(time=DAY, text="否认药物过敏史。"),
        Note(time=DAY, text="No other allergies."),
    )
    rows = [("consolidation", "right"), ("emphysema", "right")]
    seen = tuple(
        Evidence.model_validate(
            {"key": f"M-ct-1-{n}", "kind": "model", "text": "x", "source": "m", "present": True, "validity": "in", "side": side}
        )
        for n, side in rows
    )
    g = Gathered(deps(SICK.model_copy(update={"studies": (study,), "notes": notes})))
    g.__dict__ |= {"study": study, "ct": None, "model": ToolResult(tool="classify_ct", status="ok", evidence=seen)}
    found = [x.text for x in against.contradictions(g)]
    assert "The CT report places consolidation on the left; the model finds it on the right (to be checked by a reader)." in found
    assert not any("emphysema" in x for x in found)
    assert found.count("The note denies allergies; recorded is penicillin.") == 2


def test_an_empty_case_says_what_is_missing_and_nothing_else() -> None:
    summary = summarise(deps(Case(case_id="empty")), "ward")
    assert not lines(summary, "problems")
    assert not lines(summary, "contradictions")
    assert any(x.text.startswith("Not recorded:") for x in lines(summary, "questions"))


def test_a_full_demo_case_fits_on_one_page(tmp_path: Path) -> None:
    pytest.importorskip("weasyprint")
    import pypdfium2

    for case_id, language in (("demo-copd-01", "en"), ("demo-cap-01", "zh")):
        summary = summarise(deps(open_demo(case_id, tmp_path, lazy=True).case), "ward")
        sheet = sheet_of(summary, "zh" if language == "zh" else "en")
        with pypdfium2.PdfDocument(render(sheet, "pdf")) as pdf:
            assert len(pdf) == 1, case_id


def test_a_printed_summary_numbers_its_sources_and_shows_no_key() -> None:
    summary = summarise(deps(SICK), "ward")
    for language in ("en", "zh"):
        printed = render(sheet_of(summary, language), "md").decode().replace("\\", "")  # type: ignore[arg-type]
        assert not [e.key for e in summary.evidence if f"{e.key} " in printed or f"{e.key}*" in printed]
        listed = printed.rsplit("[1] ", 1)[1]
        used = {int(n) for n in re.findall(r"\[(\d+)\]", printed)}
        assert used == set(range(1, max(used) + 1))
        assert f"[{max(used)}] " in listed
        assert ("病例记录" if language == "zh" else "case record") in printed
