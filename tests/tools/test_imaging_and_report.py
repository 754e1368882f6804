"""`quantify_ct` and `check_report` on a real scan, and how the CT tools answer when something is absent."""

from pathlib import Path

import pytest

from tools.case.record import Case, StudyRef
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import ToolResult
from tools.imaging.model_tools import classify_ct, encode_ct
from tools.imaging.quantify import quantify_ct
from tools.imaging.results.measured import Measured
from tools.imaging.similar_cases import find_similar_cases
from tools.reports.check import check_report
from tools.reports.drafting import draft_report
from tools.reports.payload import CheckData

CT64 = Path(__file__).resolve().parents[2] / "../shared/data/chest_ct/ct64_dicom"
needs_ct = pytest.mark.skipif(not CT64.is_dir(), reason="needs ../shared/data/chest_ct beside the checkout")


@pytest.fixture(scope="module")
def deps(tmp_path_factory: pytest.TempPathFactory) -> Deps:
    case = Case(case_id="t", studies=(StudyRef(id="ct-1", path="ct"),))
    return Deps(cache_dir=tmp_path_factory.mktemp("cache"), case=case, studies={"ct-1": CT64.resolve()})


@pytest.fixture(scope="module")
def measured(deps: Deps) -> ToolResult:
    return quantify_ct(deps)


@needs_ct
def test_a_real_scan_becomes_evidence_with_numbers(measured: ToolResult) -> None:
    assert measured.status in ("ok", "partial")
    volume = next(e for e in measured.evidence if e.key == "CT-ct-1-volume")
    total = next(q for q in volume.quantities if q.name == "lungs_total_l")
    assert total.value == pytest.approx(4.55, rel=0.03)
    assert f"{total.value:.2f} L" in volume.text
    emphysema = next(e for e in measured.evidence if e.key == "CT-ct-1-laa950_pct")
    assert emphysema.quantities[0].value == pytest.approx(19.7, abs=1.5)
    assert len({e.key for e in measured.evidence}) == len(measured.evidence)
    for e in measured.evidence:
        assert e.text_zh
        assert str(CT64) not in e.model_dump_json()


@needs_ct
def test_a_report_with_other_numbers_is_objected_to(deps: Deps, measured: ToolResult) -> None:
    wrong = check_report(deps, "Emphysema index 5%. Total lung volume 6.2 L.")
    assert [e.key for e in wrong.evidence] == ["R-ct-1-1", "R-ct-1-2"]
    assert "5%" in wrong.evidence[0].text
    remarks = wrong.payload(CheckData)
    assert remarks is not None
    assert [r.kind for r in remarks.remarks] == ["measurement", "measurement"]
    figures = measured.payload(Measured)
    assert figures is not None
    right = check_report(deps, f"Emphysema index {figures.lungs.laa950_pct:.0f}%. Total lung volume {figures.lungs.total_l:.1f} L.")
    assert [e.key for e in right.evidence] == ["R-ct-1-0"]
    assert right.warnings


def test_no_report_no_study_and_a_wrong_handle(deps: Deps, tmp_path: Path) -> None:
    assert check_report(deps).status == "empty"
    bare = Deps(cache_dir=tmp_path, case=Case(case_id="t"))
    assert quantify_ct(bare).status == "empty"
    unmeasured = check_report(bare, "The lungs are clear.")
    assert unmeasured.status == "ok"
    data = unmeasured.payload(CheckData)
    assert data is not None
    assert data.remarks == ()
    assert any("measured" in n for n in data.not_checked)
    with pytest.raises(BadInput, match="ct-9"):
        quantify_ct(deps, "ct-9")


def test_a_study_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    study = tmp_path / "broken.nii.gz"
    study.write_bytes(b"not an image")
    result = quantify_ct(Deps(cache_dir=tmp_path, case=Case(case_id="t"), studies={"ct-1": study}))
    assert result.status == "error"
    assert result.reason


@needs_ct
def test_model_tools_without_weights_name_the_command(deps: Deps) -> None:
    for result in (encode_ct(deps), classify_ct(deps), draft_report(deps), find_similar_cases(deps)):
        assert result.status == "unavailable"
        assert "medmpt weights import CHECKPOINT" in (result.reason or "")
        assert not [e for e in result.evidence if e.kind == "model"]
    assert {e.kind for e in draft_report(deps).evidence} == {"ct", "report"}  # what is measured stands without a model
