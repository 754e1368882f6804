"""Exports read back: the PDF's text, the Word file, FHIR by fhir.resources, the SR by pydicom, highdicom and dciodvfy."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tools.case.record import Case, Patient, StudyRef
from tools.case.virtual.dicom_writer import write_series
from tools.deps import Deps
from tools.errors import BadInput, ToolUnavailable
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.marks.mark import Mark
from tools.reports.document.compose import compose
from tools.reports.document.edit import Edit, accept, apply, insert
from tools.reports.document.marks import mark_words
from tools.reports.document.record import ReportDocument, text_digest
from tools.reports.document.signing import recorded, seal
from tools.reports.document.template import template_of
from tools.reports.export.coded import coded, codes
from tools.reports.export.fhir import bundle
from tools.reports.export.formats import render
from tools.reports.export.markdown import escaped
from tools.reports.export.report import sheet_of
from tools.reports.export.source import series_headers
from tools.reports.export.sr import measurement_report
from tools.reports.export.words import case_name

BANNER = "PRELIMINARY — not signed / 初步报告，未签署"


def _measured(name: str, text: str, text_zh: str, validity: str, *numbers: tuple[str, float, str, int]) -> Evidence:
    quantities = [Quantity(name=n, value=v, unit=u, decimals=d) for n, v, u, d in numbers]
    row = {"key": f"CT-ct-1-{name}", "kind": "ct", "text": text, "text_zh": text_zh, "source": "measured", "validity": validity}
    return Evidence.model_validate(row | {"quantities": quantities})


VOLUME = _measured("volume", "The lungs measure 4.90 L.", "双肺总容积 4.90 L。", "in", ("lungs_total_l", 4.9012, "L", 2))
FLUID = _measured("effusion", "Pleural fluid: right 208 mL.", "胸腔积液：右侧 208 mL。", "unknown", ("effusion_right_ml", 208.0, "mL", 0))
AIR = _measured("laa950_pct", "LAA-950: 17.8%.", "LAA-950：17.8%。", "out", ("laa950_pct", 17.8, "%", 1))
NOTE = Evidence(key="M-ct-1-draft-1", kind="model", text="Consolidation <right>.", text_zh="右肺实变 & 渗出。", source="model")


MARK = Mark.model_validate({
    "number": 1, "at": (20, 30, 84), "made": "2025-03-01T08:00:00+00:00",
    "lesion": {
        "long_mm": 12.4, "short_mm": 8.1, "mean_mm": 10.2, "volume_mm3": 500.0, "type": "solid", "solid_mm": 12.4, "mean_hu": 30.0,
        "box": {"x": (18, 24), "y": (28, 34), "z": (82, 86)}, "lobe_or_third": "upper", "side": "right", "slice": 84,
        "axis_ends": ((18.0, 30.0), (24.0, 30.0)),
    },
})  # fmt: skip


def _document(language: str) -> ReportDocument:
    case = Case(
        case_id="t-1",
        synthetic=True,
        patient=Patient(age_years=67, sex="male"),
        studies=(StudyRef(id="ct-1", path="ct", date="2025-03-01"),),
    )
    sections = {"measurements": [VOLUME, FLUID, AIR], "findings": [NOTE], "impression": [NOTE]}
    data = {
        "sections": [
            {"name": n, "sentences": [{"text": e.text, "origin": "measured", "evidence": e.key} for e in rows]}
            for n, rows in sections.items()
        ]
    }
    drafted = ToolResult.model_validate({"tool": "draft_report", "status": "ok", "evidence": (VOLUME, FLUID, AIR, NOTE), "data": data})
    spoken = "zh" if language == "zh" else "en"
    template = template_of(None, spoken)
    document = compose(Deps(cache_dir=Path("/nonexistent"), case=case), "ct-1", drafted, template)
    text, item = mark_words(MARK, "ct-1", template)
    return insert(document, "lungs", text, "mark", "T", evidence=(item,))


def _signed(document: ReportDocument) -> ReportDocument:
    ready = accept(document, "T")
    return seal(ready, "Dr Ada 王医生", text_digest(ready))


@pytest.fixture(params=["en", "zh"])
def document(request: pytest.FixtureRequest) -> ReportDocument:
    return _document(request.param)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom") / "ct"
    hu = np.full((24, 64, 64), -800, np.int16)
    write_series(hu, (3.0, 1.0, 1.0), folder, description="CHEST", study_date="20250301")
    return folder


def _pdf_text(body: bytes) -> str:
    import pypdfium2

    with pypdfium2.PdfDocument(body) as pdf:
        return "\n".join(pdf[i].get_textpage().get_text_bounded() for i in range(len(pdf)))


def test_a_pdf_says_what_the_report_says_and_whether_it_is_signed(document: ReportDocument) -> None:
    pytest.importorskip("weasyprint")
    draft = _pdf_text(render(sheet_of(document, False), "pdf"))
    assert "PRELIMINARY" in draft
    assert "初步报告" in draft
    sentence = "双肺总容积 4.90 L" if document.language == "zh" else "The lungs measure 4.90 L."
    assert sentence in draft
    signed = _signed(document)
    assert signed.signature is not None
    final = _pdf_text(render(sheet_of(signed, True), "pdf"))
    assert "PRELIMINARY" not in final
    assert "Dr Ada 王医生" in final
    assert signed.signature.sha256 in final.replace("\r\n", "").replace("\n", "")


def test_a_word_file_and_markdown_hold_the_same_words(document: ReportDocument) -> None:
    import docx

    file = docx.Document(io.BytesIO(render(sheet_of(document, False), "docx")))
    text = "\n".join(p.text for p in file.paragraphs)
    said = [s.text for _, rows in document.printed() for s in rows]
    assert all(any(line.endswith(words) for line in text.splitlines()) for words in said)
    assert file.sections[0].header.paragraphs[0].text == BANNER
    written = render(sheet_of(document, False), "md").decode()
    assert BANNER in written
    assert all(escaped(words) in written for words in said)
    assert "<right>" not in written
    assert BANNER not in render(sheet_of(_signed(document), True), "md").decode()
    with pytest.raises(BadInput, match="pdf, docx, md"):
        render(sheet_of(document, False), "odt")


def test_only_numbers_that_stand_leave_in_coded_form(document: ReportDocument) -> None:
    assert [(c.code.code, c.value) for c in coded(document)] == [
        ("LONG_AXIS", 12.0),
        ("SHORT_AXIS", 8.0),
        ("LUNG_VOLUME", 4.9),
        ("PL_FLUID_VOL", 208.0),
    ]
    volume = next(s for section in document.sections for s in section.sentences if "4.90" in s.text)
    changed = apply(document, Edit(do="edit", sentence=volume.id, text="The lungs measure 5.10 L."), "T")
    assert "LUNG_VOLUME" not in [c.code.code for c in coded(changed)]
    assert "LUNG_VOLUME" not in [c.code.code for c in coded(apply(document, Edit(do="strike", sentence=volume.id), "T"))]
    assert all(len(c.code) <= 16 for c in codes().values())  # VR SH


def test_fhir_validates_and_changes_its_status_with_the_signature(document: ReportDocument) -> None:
    pytest.importorskip("fhir.resources")
    from fhir.resources.R4B.bundle import Bundle

    draft = Bundle.model_validate_json(bundle(document, False))
    report = draft.entry[0].resource
    assert (report.status, report.code.coding[0].code) == ("preliminary", "24627-2")
    assert [e.resource.get_resource_type() for e in draft.entry] == ["DiagnosticReport", "Patient", *["Observation"] * 4]
    assert {r.reference for r in report.result} == {e.fullUrl for e in draft.entry[2:]}
    assert "PRELIMINARY" in report.text.div
    volume = draft.entry[4].resource
    assert (float(volume.valueQuantity.value), volume.valueQuantity.code, volume.status) == (4.9, "L", "preliminary")
    signed = _signed(document)
    final = json.loads(bundle(signed, True))["entry"][0]["resource"]
    assert final["status"] == "final"
    assert final["resultsInterpreter"] == [{"display": "Dr Ada 王医生"}]
    assert "identifier" not in json.loads(bundle(signed, True))["entry"][1]["resource"]
    assert bundle(signed, True) == bundle(signed, True)


def test_an_sr_of_a_series_whose_identity_was_taken_out(document: ReportDocument, series: Path, tmp_path: Path) -> None:
    """What an archive gave back de-identified may lack whole elements."""
    pytest.importorskip("highdicom")
    import pydicom

    shutil.copytree(series, tmp_path / "bare")
    for file in (tmp_path / "bare").rglob("*"):
        ds = pydicom.dcmread(file)
        for keyword in ("AccessionNumber", "StudyID", "StudyTime", "ReferringPhysicianName", "PatientBirthDate", "PatientName"):
            if keyword in ds:
                delattr(ds, keyword)
        ds.save_as(file)
    written = tmp_path / "sr.dcm"
    written.write_bytes(measurement_report(document, False, series_headers(tmp_path / "bare")))
    assert pydicom.dcmread(written).AccessionNumber == ""


def test_an_sr_is_partial_until_it_is_signed_and_passes_dciodvfy(document: ReportDocument, series: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom")
    import pydicom
    from highdicom.sr import srread

    headers = series_headers(series)
    assert len(headers) == 24
    for signed, expected in ((False, ("PARTIAL", "UNVERIFIED", "PRELIMINARY")), (True, ("COMPLETE", "VERIFIED", "FINAL"))):
        report = recorded(_signed(document), "ab" * 32) if signed else document
        path = tmp_path / f"{signed}.dcm"
        path.write_bytes(measurement_report(report, signed, headers))
        sr = pydicom.dcmread(path)
        assert (sr.CompletionFlag, sr.VerificationFlag, sr.PreliminaryFlag) == expected
        assert (sr.StudyInstanceUID, sr.PatientID) == (headers[0].StudyInstanceUID, headers[0].PatientID)
        groups = srread(path).content.get_image_measurement_groups()
        values = [m.value for g in groups for m in g.get_measurements()]
        assert sorted(values) == [4.9, 8.0, 12.0, 208.0]
        said = [s.text for _, rows in report.printed() for s in rows]
        texts = [str(e.value) for e in sr.iterall() if e.keyword == "TextValue"]
        assert set(said) <= set(texts)
        assert ("ab" * 32 in texts) is signed
        if signed:
            assert report.signature is not None
            assert report.signature.sha256 in texts
            assert str(sr.VerifyingObserverSequence[0].VerifyingObserverName).startswith("Dr Ada 王医生")
        if shutil.which("dciodvfy"):
            checked = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
            assert "Error" not in checked.stderr + checked.stdout


def test_a_study_that_is_not_dicom_and_a_missing_library_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scan.nii.gz").write_bytes(b"\x1f\x8b")
    with pytest.raises(BadInput, match="no DICOM series"):
        series_headers(tmp_path / "scan.nii.gz")
    document = _document("en")
    for module, call in (
        ("weasyprint", lambda: render(sheet_of(document, False), "pdf")),
        ("fhir.resources.R4B.bundle", lambda: bundle(document, False)),
        ("highdicom", lambda: measurement_report(document, False, [])),
    ):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, module, None)
            with pytest.raises(ToolUnavailable, match="pip install 'medmpt-assistant"):
                call()


def test_an_import_without_a_name_says_what_it_is() -> None:
    assert [case_name("study", "en"), case_name("study", "zh"), case_name("demo-cap-01", "zh")] == ["CT study", "CT 检查", "demo-cap-01"]
