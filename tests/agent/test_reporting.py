"""Signing: no path to a signature but through the interrupt; a session reaches only its own reports."""

import ast
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.answering.answer import Answer, Claim
from agent.audit.ledger import Ledger
from agent.chart.views import Bar
from agent.errors import Forbidden
from agent.reporting.conversation import conversation_sheet
from agent.reporting.desk import FILE, ReportDesk
from agent.reporting.files import export
from agent.sessions.handles import Cases
from agent.sessions.sqlite_store import SqliteStore
from agent.settings import Settings
from tools.case.files import LoadedCase
from tools.case.record import Case, Patient, StudyRef
from tools.deps import Deps
from tools.errors import BadInput
from tools.evidence import Evidence, ToolResult
from tools.reports.document.compose import compose
from tools.reports.document.edit import Edit, Signed
from tools.reports.document.record import ReportDocument
from tools.reports.document.signing import obstacles
from tools.reports.document.store import Stale
from tools.reports.document.template import template_of
from tools.reports.export.formats import render

ROOT = Path(__file__).resolve().parents[2]
CASE = Case(case_id="t", synthetic=True, patient=Patient(age_years=67, sex="male"), studies=(StudyRef(id="ct-1", path="ct"),))


def _document() -> ReportDocument:
    said = Evidence(key="M-ct-1-draft-1", kind="model", text="Consolidation in the right lower lobe.", source="model")
    denied = Evidence(key="M-ct-1-draft-2", kind="model", text="No consolidation.", source="model")
    sections = [
        {"name": "findings", "sentences": [{"text": said.text, "origin": "model", "evidence": said.key}]},
        {"name": "impression", "sentences": [{"text": denied.text, "origin": "model", "evidence": denied.key}]},
    ]
    drafted = ToolResult.model_validate(
        {"tool": "draft_report", "status": "ok", "evidence": (said, denied), "data": {"sections": sections}}
    )
    return compose(Deps(cache_dir=Path("/nonexistent"), case=CASE), "ct-1", drafted, template_of(None, "en"))


class NoParts:
    """A house without weights: nothing here drafts."""

    def engine(self) -> None:
        return None

    def drugs(self) -> None:
        return None


@pytest.fixture
def cases() -> Cases:
    return Cases()


@pytest.fixture
def handle(cases: Cases, tmp_path: Path) -> str:
    return cases.hold(LoadedCase(CASE, tmp_path, {"ct-1": tmp_path / "missing.nii.gz"}), "me")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(SqliteStore(tmp_path / "data" / "threads.sqlite"))


@pytest.fixture
def desk(cases: Cases, ledger: Ledger, tmp_path: Path) -> Iterator[ReportDesk]:
    made = ReportDesk(Settings(tmp_path / "data", tmp_path / "cache"), NoParts(), cases.get, ledger)  # type: ignore[arg-type]
    yield made
    made.close()


@pytest.fixture
def report(desk: ReportDesk, tmp_path: Path) -> ReportDocument:
    document = _document()
    desk.store.keep(document, "me", str(tmp_path / "missing.nii.gz"))
    return document


def _calls(name: str) -> set[str]:
    """Modules of the product that call a function of this name."""
    found = set()
    for room in ("agent", "tools", "ui"):
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)) if f"{name}(" in text else ():
                if isinstance(node, ast.Call) and (getattr(node.func, "id", None) or getattr(node.func, "attr", None)) == name:
                    found.add(str(path.relative_to(ROOT)))
    return found


def test_only_the_graph_behind_the_interrupt_seals_and_registers() -> None:
    assert _calls("seal") == {"agent/reporting/graph.py"}
    assert "agent/reporting/graph.py" in _calls("register")
    assert not _calls("Signature") - {"tools/reports/document/signing.py"}


def test_a_report_waits_for_a_person_and_takes_only_the_text_that_was_shown(desk: ReportDesk, handle: str, report: ReportDocument) -> None:
    with pytest.raises(BadInput, match="not decided on"):
        desk.begin(handle, report.id, "me")
    with pytest.raises(BadInput, match="nobody was shown"):
        desk.sign(handle, report.id, "Dr A", "0" * 64, "me")
    view = desk.change(handle, report.id, Edit(do="accept"), report.version, "me")
    assert view.obstacle is None
    shown = desk.begin(handle, report.id, "me")
    assert "Consolidation in the right lower lobe." in shown.text
    assert shown.remarks  # findings and impression contradict each other
    assert desk.store.load(report.id).signature is None
    with pytest.raises(BadInput, match="name"):
        desk.sign(handle, report.id, "", shown.sha256, "me")
    impression = next(s for x in view.document.sections for s in x.sentences if s.text == "No consolidation.")
    view = desk.change(handle, report.id, Edit(do="strike", sentence=impression.id), view.document.version, "me")
    with pytest.raises(BadInput, match="changed after it was shown"):
        desk.sign(handle, report.id, "Dr A", shown.sha256, "me")
    shown = desk.begin(handle, report.id, "me")
    signed = desk.sign(handle, report.id, "Dr A", shown.sha256, "me")
    assert signed.registered
    assert signed.document.signature is not None
    assert signed.document.signature.name == "Dr A"
    with pytest.raises(Signed):
        desk.change(handle, report.id, Edit(do="strike", sentence="s1"), signed.document.version, "me")
    with pytest.raises(BadInput, match="already"):
        desk.begin(handle, report.id, "me")
    extra = desk.addend(handle, report.id, "me")
    assert extra.document.amends is not None
    assert (
        desk.change(handle, extra.document.id, Edit(do="insert", section="addendum", text="Told the ward."), 1, "me").document.version == 2
    )


def test_a_waiting_signature_survives_the_process(
    desk: ReportDesk, handle: str, report: ReportDocument, cases: Cases, ledger: Ledger, tmp_path: Path
) -> None:
    desk.change(handle, report.id, Edit(do="accept"), report.version, "me")
    shown = desk.begin(handle, report.id, "me")
    later = ReportDesk(Settings(tmp_path / "data", tmp_path / "cache"), NoParts(), cases.get, ledger)  # type: ignore[arg-type]
    assert later.sign(handle, report.id, "Dr A", shown.sha256, "me").registered
    assert desk.current(handle, "ct-1", "me") == later.current(handle, "ct-1", "me")
    later.close()


def test_a_signature_is_in_the_ledger_and_the_files_name_its_entry(
    desk: ReportDesk, handle: str, report: ReportDocument, ledger: Ledger, tmp_path: Path
) -> None:
    desk.change(handle, report.id, Edit(do="accept"), report.version, "me")
    signed = desk.sign(handle, report.id, "Dr A", desk.begin(handle, report.id, "me").sha256, "me").document
    (entry,) = ledger.chain.entries()
    assert signed.signature is not None
    assert (entry.kind, entry.hash) == ("sign", signed.signature.ledger)
    assert entry.body is not None
    assert (entry.body["report"], entry.body["signed"]) == (signed.id, signed.signature.sha256)
    assert "Dr A" not in str(entry.body)
    for form in ("md", "fhir"):
        assert entry.hash in desk.file(handle, report.id, form, "me").body.decode()
    assert ledger.verify(lambda thread: [], desk.signature_of) == ([], 1, entry.hash)
    other = signed.model_copy(update={"signature": signed.signature.model_copy(update={"ledger": "0" * 64})})
    assert not desk.store.registered(other), "a file that names another entry prints as preliminary"
    desk.erase()
    assert "not the one that was made" in ledger.verify(lambda thread: [], desk.signature_of)[0][0].what


def test_a_session_reaches_only_its_own(desk: ReportDesk, handle: str, report: ReportDocument, cases: Cases, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600
    with pytest.raises(Forbidden):
        desk.current(handle, "ct-1", "you")
    yours = cases.hold(LoadedCase(CASE, tmp_path, {"ct-1": tmp_path / "missing.nii.gz"}), "you")
    assert desk.current(yours, "ct-1", "you") is None
    with pytest.raises(BadInput, match="no report"):
        desk.change(yours, report.id, Edit(do="accept"), 1, "you")
    with pytest.raises(Stale):
        desk.change(handle, report.id, Edit(do="accept"), 7, "me")


def test_a_forged_signature_prints_as_preliminary(
    desk: ReportDesk, report: ReportDocument, handle: str, ledger: Ledger, tmp_path: Path
) -> None:
    desk.change(handle, report.id, Edit(do="accept"), report.version, "me")
    elsewhere = ReportDesk(Settings(tmp_path / "else", tmp_path / "cache"), NoParts(), Cases().get, ledger)  # type: ignore[arg-type]
    elsewhere.store.keep(desk.store.load(report.id), "local", "x")
    forged = elsewhere.resume(report.id, "Dr Evil", elsewhere.pend(report.id)["sha256"])
    assert not desk.store.registered(forged)
    made = export(forged, "md", desk.store.registered(forged), None)
    assert "PRELIMINARY" in made.body.decode()
    assert "Dr Evil" not in made.body.decode()
    assert made.warnings
    with pytest.raises(BadInput, match="source images"):
        export(forged, "sr", False, None)
    elsewhere.close()
    assert obstacles(forged).told() is None


def test_everything_can_be_exported_and_erased(desk: ReportDesk, report: ReportDocument, handle: str, tmp_path: Path) -> None:
    desk.change(handle, report.id, Edit(do="accept"), report.version, "me")
    desk.begin(handle, report.id, "me")
    assert [d.id for d in desk.everything()] == [report.id]
    assert desk.erase() == 1
    assert desk.everything() == ()
    assert b"Consolidation" not in b"".join(p.read_bytes() for p in (tmp_path / "data").iterdir())


def test_a_conversation_prints_with_its_sources() -> None:
    item = Evidence(key="L-urea", kind="lab", text="Urea is 11.2 mmol/L.", text_zh="尿素 11.2 mmol/L。", source="Laboratory")
    answer = Answer(
        status="answered", question="Urea? <b>", language="en", answer="Urea is 11.2 mmol/L. [1]", model="planner", thread="t",
        claims=(Claim(text="Urea is 11.2 mmol/L.", evidence=("L-urea",), support="quoted"),), evidence=(item,),
    )  # fmt: skip
    written = render(conversation_sheet([answer, answer], "en"), "md").decode()
    assert written.count("Urea is 11.2 mmol/L. \\[1\\]") == 2
    assert "*Laboratory*" in written
    assert "L-urea" not in written
    about = Bar(name="case-7", synthetic=True, age="67 y", sex="man")
    headed = render(conversation_sheet([answer], "en", about), "md").decode()
    assert "case-7" in headed
    assert "67 y, man, synthetic" in headed
    assert "<b>" not in written
