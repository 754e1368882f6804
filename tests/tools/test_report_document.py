"""A report as a document: drafted, changed, kept by version, signed once, never changed after."""

import json
import os
import stat
from pathlib import Path

import pytest

from medmpt_backend.findings import FINDINGS
from tools.case.record import Case, Patient, Presentation, StudyRef
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Evidence, Quantity, ToolResult
from tools.imaging.marks.mark import Mark
from tools.reports.document.compose import compose
from tools.reports.document.edit import Edit, Signed, accept, addendum_to, apply, insert
from tools.reports.document.files import WriteFailure, read_document, write_document
from tools.reports.document.marks import mark_words
from tools.reports.document.prior import compare
from tools.reports.document.record import ReportDocument, frozen_text, text_digest
from tools.reports.document.signing import obstacles, seal
from tools.reports.document.store import ReportStore, ReportStoreFailure, Stale
from tools.reports.document.template import shipped, template_of

PRIOR = "FINDINGS: Solid nodule in the right upper lobe, 6 mm. Small left pleural effusion. Emphysema."


def _said(key: str, text: str, text_zh: str, **more: object) -> Evidence:
    kind = "ct" if key.startswith("CT") else "model" if key.startswith("M") else "report"
    return Evidence.model_validate({"key": key, "kind": kind, "text": text, "text_zh": text_zh, "source": "test"} | more)


VOLUME = Quantity(name="lungs_total_l", value=4.9, unit="L", decimals=2)
EVIDENCE = (
    _said("R-ct-1-technique", "Chest CT without contrast.", "胸部 CT 平扫。"),
    _said("CT-ct-1-volume", "The lungs measure 4.90 L in total.", "双肺总容积 4.90 L。", quantities=(VOLUME,)),
    _said("M-ct-1-draft-1", "Consolidation in the right lower lobe.", "右肺下叶实变。"),
    _said("M-ct-1-draft-2", "Right pleural effusion, depth __ mm.", "右侧胸腔积液，深约__ mm。"),
    _said("M-ct-1-draft-3", "No pneumothorax or lymphadenopathy.", "无气胸、肿大淋巴结。"),
    _said("M-ct-1-consolidation", "The model finds consolidation (score 0.99).", "模型判断存在肺实变。", side="right", present=True),
    _said("M-ct-1-lung_nodule", "The model finds lung nodule (score 0.80).", "模型判断存在肺结节。", side="left", present=True),
    _said("M-ct-1-absent", "The model finds none of these: mass.", "以下各项均低于阈值：肿块。", present=False),
    _said("M-ct-1-draft-4", "Lobar pneumonia.", "大叶性肺炎。"),
    _said("R-ct-1-limits", "Not assessed: abdomen.", "未评估：腹部。"),
)  # fmt: skip
SECTIONS = {"technique": [0], "measurements": [1], "findings": [2, 3, 4, 5, 6, 7], "impression": [8], "limits": [9]}


MARK = Mark.model_validate({
    "number": 1, "at": (20, 30, 84), "made": "2025-03-01T08:00:00+00:00",
    "lesion": {
        "long_mm": 12.4, "short_mm": 8.1, "mean_mm": 10.2, "volume_mm3": 500.0, "type": "solid", "solid_mm": 12.4, "mean_hu": 30.0,
        "box": {"x": (18, 24), "y": (28, 34), "z": (82, 86)}, "lobe_or_third": "upper", "side": "right", "slice": 84,
        "axis_ends": ((18.0, 30.0), (24.0, 30.0)),
    },
})  # fmt: skip


def drafted() -> ToolResult:
    rows = [
        {"name": n, "sentences": [{"text": EVIDENCE[i].text, "origin": "model", "evidence": EVIDENCE[i].key} for i in at]}
        for n, at in SECTIONS.items()
    ]
    data = {"sections": rows, "withheld": [{"text": "A nodule.", "because": "the detector finds no lung nodule"}]}
    return ToolResult.model_validate({"tool": "draft_report", "status": "ok", "evidence": EVIDENCE, "data": data})


def deps(prior: bool = False) -> Deps:
    studies = (StudyRef(id="ct-1", path="ct", date="2025-03-01"),)
    if prior:
        studies += (StudyRef(id="ct-0", path="old", date="2024-09-01", prior=True, report=PRIOR),)
    case = Case(
        case_id="t",
        synthetic=True,
        patient=Patient(age_years=67, sex="male"),
        presentation=Presentation(symptoms=("fever",)),
        studies=studies,
    )
    return Deps(cache_dir=Path("/nonexistent"), case=case)


@pytest.fixture
def document() -> ReportDocument:
    return compose(deps(), "ct-1", drafted(), template_of(None, "en"), "tester")


def _ready(document: ReportDocument) -> ReportDocument:
    blank = next(s.id for section in document.sections for s in section.sentences if "__" in s.text)
    document = apply(document, Edit(do="edit", sentence=blank, text="Right pleural effusion, 20 mm deep."), "tester")
    return accept(document, "tester")


def test_each_drafted_sentence_finds_its_section(document: ReportDocument) -> None:
    placed = {s.text: section.name for section in document.sections for s in section.sentences}
    assert placed["Consolidation in the right lower lobe."] == "lungs"
    assert placed["Right pleural effusion, depth __ mm."] == "pleura"
    assert placed["No pneumothorax or lymphadenopathy."] == "general"
    assert placed["Lobar pneumonia."] == "impression"
    assert placed["Symptoms: fever."] == "clinical"
    # A detector backs the sentence that names its finding; one that no sentence names is proposed in a report's words, without a score.
    backed = next(s for x in document.sections for s in x.sentences if s.text.startswith("Consolidation"))
    assert backed.evidence == ("M-ct-1-draft-1", "M-ct-1-consolidation")
    assert placed["Lung nodule, left."] == "lungs"
    assert "score" not in frozen_text(document)
    assert document.withheld == (("A nodule.", "the detector finds no lung nodule"),)
    chinese = compose(deps(), "ct-1", drafted(), template_of(None, "zh"))
    assert "右肺下叶实变。" in frozen_text(chinese)
    assert not [s.text for x in chinese.sections if x.printed for s in x.sentences if s.text.isascii()][1:]


def test_templates_name_known_findings_once() -> None:
    assert {t.language for t in shipped().values()} == {"en", "zh"}
    for template in shipped().values():
        ids = [f for s in template.section for f in s.findings]
        assert set(ids) <= set(FINDINGS)
        assert len(ids) == len(set(ids))
    english, chinese = (template_of(None, "en"), template_of(None, "zh"))
    assert [(s.name, s.findings, s.printed) for s in english.section] == [(s.name, s.findings, s.printed) for s in chinese.section]
    with pytest.raises(BadInput, match="chest_ct_en"):
        template_of("brain_mr", "en")


def test_every_change_is_a_version_and_stays_in_the_history(document: ReportDocument) -> None:
    first = document.sections[3].sentences[0]
    edited = apply(document, Edit(do="edit", sentence=first.id, text=" Consolidation of\n the right lower lobe. "), "Dr A")
    row = edited.sentence(first.id)
    assert row is not None
    assert (row.text, row.state, row.drafted, row.by) == ("Consolidation of the right lower lobe.", "edited", first.text, "Dr A")
    assert edited.version == document.version + 1
    struck = apply(edited, Edit(do="strike", sentence=first.id), "Dr B")
    assert "right lower lobe" not in frozen_text(struck)
    back = apply(struck, Edit(do="restore", sentence=first.id), "Dr B")
    assert back.sentence(first.id) == first
    assert [(c.kind, c.by) for c in back.changes] == [("drafted", "tester"), ("edited", "Dr A"), ("struck", "Dr B"), ("restored", "Dr B")]
    assert back.changes[1].before == first.text
    for wrong in (
        Edit(do="strike", sentence="s99"),
        Edit(do="edit", sentence=first.id, text="  "),
        Edit(do="insert", section="x", text="A."),
    ):
        with pytest.raises(BadInput):
            apply(document, wrong, "Dr A")


def test_a_mark_is_dropped_in_with_its_numbers(document: ReportDocument) -> None:
    text, item = mark_words(MARK, "ct-1", template_of(None, "en"))
    assert text == "Solid nodule in the upper third of the right lung, 12 × 8 mm (slice 84)."
    assert mark_words(MARK, "ct-1", template_of(None, "zh"))[0] == "右肺上三分之一实性结节，12 × 8 mm（第 84 层）。"
    document = insert(document, "lungs", text, "mark", "Dr A", evidence=(item,))
    assert ("mark_1_long_mm", 12.4) in [(q.name, q.value) for _, q in document.measured()]
    row = document.sections[3].sentences[-1]
    # An edited sentence does not carry the old number on.
    assert not [1 for _, q in apply(document, Edit(do="strike", sentence=row.id), "A").measured() if q.name == "mark_1_long_mm"]


def test_nothing_is_signed_that_was_not_decided_on(document: ReportDocument) -> None:
    assert "__" in (obstacles(document).told() or ("",))[0]
    with pytest.raises(BadInput, match="left open"):
        seal(document, "Dr A", text_digest(document))
    blank = next(s.id for section in document.sections for s in section.sentences if "__" in s.text)
    struck = apply(document, Edit(do="strike", sentence=blank), "Dr A")
    with pytest.raises(BadInput, match="not decided on"):
        seal(struck, "Dr A", text_digest(struck))
    ready = _ready(document)
    with pytest.raises(BadInput, match="name"):
        seal(ready, " ", text_digest(ready))
    with pytest.raises(BadInput, match="changed after it was shown"):
        seal(ready, "Dr A", text_digest(document))


def test_a_signed_report_is_frozen_and_gets_an_addendum(document: ReportDocument, tmp_path: Path) -> None:
    ready = _ready(document)
    signed = seal(ready, "Dr A", text_digest(ready))
    assert signed.signature is not None
    assert frozen_text(signed) == frozen_text(ready)
    assert ReportDocument.model_validate_json(signed.model_dump_json()).signature == signed.signature
    with pytest.raises(Signed, match="addendum"):
        apply(signed, Edit(do="strike", sentence="s3"), "Dr B")
    with pytest.raises(Signed):
        insert(signed, "lungs", "More.", "person", "Dr B")
    with pytest.raises(BadInput, match="already"):
        seal(signed, "Dr B", text_digest(signed))
    file = tmp_path / "r.json"
    write_document(file, signed)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_document(file) == signed
    data = json.loads(file.read_text(encoding="utf-8"))
    lungs = next(s for s in data["sections"] if s["name"] == "lungs")
    lungs["sentences"][0]["text"] = "No consolidation."
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BadInput, match="changed after it was signed"):
        read_document(file)
    extra = addendum_to(signed, template_of(None, "en"), "Dr A")
    assert extra.amends is not None
    assert extra.amends.sha256 == signed.signature.sha256
    extra = insert(extra, "addendum", "The clinician was told at 10:40.", "person", "Dr A")
    assert seal(extra, "Dr A", text_digest(extra)).signed
    with pytest.raises(BadInput, match="change it instead"):
        addendum_to(ready, template_of(None, "en"), "Dr A")


def test_the_store_keeps_versions_and_knows_its_own_signatures(document: ReportDocument, tmp_path: Path) -> None:
    store = ReportStore(tmp_path / "data" / "reports.sqlite")
    assert stat.S_IMODE((tmp_path / "data" / "reports.sqlite").stat().st_mode) == 0o600
    store.keep(document, "me", "case")
    later = accept(document, "Dr A")
    store.keep(later, "me", "case")
    assert [d.version for d in store.versions(document.id)] == [1, later.version]
    assert store.load(document.id, "me") == later
    with pytest.raises(Stale):
        store.keep(apply(document, Edit(do="strike", sentence="s1"), "Dr B"), "me", "case")
    with pytest.raises(BadInput):
        store.load(document.id, "somebody else")
    assert store.of_case("me", "case", "ct-1") == (later,)
    assert not store.of_case("me", "another case")
    ready = _ready(document)
    signed = seal(ready, "Dr A", text_digest(ready))
    assert not store.registered(signed)
    store.register(signed)
    assert store.registered(signed)
    assert store.erase(document.id) == 2
    with pytest.raises(BadInput):
        store.load(document.id)


def test_a_full_disk_and_a_wrong_folder_say_so(document: ReportDocument, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="folder does not exist"):
        write_document(tmp_path / "no" / "r.json", document)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ReportStoreFailure):
        ReportStore(tmp_path / "file" / "reports.sqlite")
    if os.geteuid() != 0:
        (tmp_path / "locked").mkdir(mode=0o500)
        with pytest.raises(WriteFailure, match="another folder"):
            write_document(tmp_path / "locked" / "r.json", document)


def test_the_prior_report_is_compared_finding_by_finding() -> None:
    now = "Solid nodule in the right upper lobe, 9 mm. No pleural effusion. Consolidation in the left lower lobe."
    rows = {r.finding: r.status for r in compare(PRIOR, now)}
    assert rows == {"nodule": "larger", "pleural effusion": "denied_now", "emphysema": "not_mentioned", "consolidation": "new"}
    assert {r.finding: r.status for r in compare("左肺上叶结节，6 mm。", "左肺上叶结节，7 mm。")} == {"nodule": "unchanged"}
    document = compose(deps(prior=True), "ct-1", drafted(), template_of(None, "en"))
    assert document.comparison is not None
    assert document.comparison.date == "2024-09-01"
    assert "Compared with CT of 2024-09-01." in frozen_text(document)
