"""Conversations on a real Postgres server, which two assistants share."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'medmpt-assistant[postgres]'")

from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden, StoreFailure
from agent.sessions.marks import MarkChange
from agent.sessions.opening import open_store, reachable
from agent.settings import Settings
from agent.turn.state import KEEP_TURNS
from tests.postgres import programs, running
from tools.case.record import Case
from tools.case.virtual.dicom_writer import write_series
from tools.deps import Deps
from tools.evidence import Evidence, ToolResult
from tools.reports.document.compose import compose
from tools.reports.document.record import ReportDocument
from tools.reports.document.store import Stale
from tools.reports.document.template import template_of
from ui.opening.switch import open_source
from ui.restore import moved, remember, restore
from ui.session import Session, SessionStore

MakeAssistant = Callable[..., Assistant]
OLD = Path(__file__).parents[1] / "stored" / "threads-2026-11-30.sql"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module's own."""
    with running(tmp_path_factory.mktemp("pg")) as url:
        yield url


def test_two_workers_share_threads_and_nothing_else(make_assistant: MakeAssistant, postgres: str, tmp_path: Path) -> None:
    one = make_assistant(folder=tmp_path / "one", threads_url=postgres)
    two = make_assistant(folder=tmp_path / "two", threads_url=postgres)
    case, other = one.open_case("a", session="s").handle, two.open_case("a", session="s").handle
    thread = one.new_thread("s")
    for n in range(KEEP_TURNS + 2):
        worker, handle = ((one, case), (two, other))[n % 2]
        list(worker.ask("Interpret the labs" if n else "What is the urea?", thread=thread, case=handle, session="s"))
    assert [a.question for a in two.history(thread, "s")] == [a.question for a in one.history(thread, "s")]
    assert len(one.history(thread, "s")) == KEEP_TURNS + 2
    with pytest.raises(Forbidden):
        two.history(thread, "somebody else")
    with pytest.raises(BadInput):
        list(two.ask("What is the urea?", thread=thread, case=two.open_case("b", session="s").handle, session="s"))
    assert not (tmp_path / "one" / "data" / "threads.sqlite").exists()
    rows = one._store.rows("SELECT COUNT(*) FROM checkpoints WHERE thread_id = ?", (thread,))
    assert rows[0][0] == 1, "only the newest checkpoint is kept"
    assert reachable(postgres), "what /readyz asks"
    one.erase([thread])
    for table, column in (
        ("checkpoints", "thread_id"),
        ("checkpoint_blobs", "thread_id"),
        ("checkpoint_writes", "thread_id"),
        ("turn", "thread"),
    ):
        assert one._store.rows(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (thread,))[0][0] == 0
    assert two.threads("s") == []


def test_the_data_folder_is_there_with_the_database(postgres: str, tmp_path: Path) -> None:
    """`/readyz` asks for it, and a worker that shares a database may write its first file much later."""
    settings = Settings(data_dir=tmp_path / "new" / "data", cache_dir=tmp_path, threads_url=postgres)
    open_store(settings).close()
    assert settings.data_dir.stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreFailure, match="cannot be made"):
        open_store(replace(settings, data_dir=tmp_path / "file" / "data"))


def asked(assistant: Assistant, tab: Session, question: str) -> str:
    assert tab.case is not None
    remember(tab)
    *_, done = assistant.ask(question, thread=tab.thread, case=tab.case.handle, session=tab.id)
    assert done.type == "done"
    return done.answer.answer


def test_a_tab_goes_on_at_the_other_worker_and_comes_back(make_assistant: MakeAssistant, postgres: str, tmp_path: Path) -> None:
    """What the first worker remembered is restored by the second, by nobody else's cookie, and it is not stale on the way back."""
    one, two = (make_assistant(folder=tmp_path / n, threads_url=postgres) for n in ("one", "two"))
    here, there = (SessionStore(w, tmp_path / n) for w, n in ((one, "sessions-1"), (two, "sessions-2")))
    cookie = SessionStore.new_cookie()
    mine = here.get(cookie)
    mine.case, mine.source, mine.thread = one.open_case("a", session=mine.id), "a", one.new_thread(mine.id)
    mine.note_talk("What is the urea?")
    assert "11.2" in asked(one, mine, "What is the urea?")
    assert not moved(mine)
    here.close_all()  # ends in order: its folder is gone, the database is not

    again = there.get(cookie)
    assert restore(again, two, local=True)
    assert (again.thread, [t.title for t in again.talks]) == (mine.thread, ["What is the urea?"])
    assert "182" in asked(two, again, "and the CRP?")
    again.language = "zh"
    remember(again)
    assert not restore(there.get(SessionStore.new_cookie()), two, local=True), "nobody else's"
    assert moved(mine)
    assert restore(mine, one, local=True)
    assert (mine.language, [a.question for a in one.history(mine.thread, mine.id)]) == ("zh", ["What is the urea?", "and the CRP?"])

    two.erase([mine.thread])
    assert one._store.rows("SELECT COUNT(*) FROM page")[0][0] == 0, "a state names how conversations began"
    assert not restore(mine, one, local=True)


def test_a_server_that_is_not_there_is_a_typed_error_without_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.sessions.postgres_store._CONNECT_SECONDS", 0.5)
    url = "postgresql://medmpt:secret@127.0.0.1:1/none"
    with pytest.raises(StoreFailure, match="MEDMPT_THREADS_URL") as told:
        open_store(Settings(data_dir=tmp_path, cache_dir=tmp_path, threads_url=url))
    assert "secret" not in str(told.value)
    assert "secret" not in repr(Settings(data_dir=tmp_path, cache_dir=tmp_path, threads_url=url))


@pytest.fixture
def workers(postgres: str, tmp_path: Path) -> Iterator[list[tuple[Assistant, SessionStore]]]:
    """Two real workers that share the database and nothing else."""
    made = []
    for name in ("one", "two"):
        settings = Settings(tmp_path / name / "data", tmp_path / name / "cache", weights="none", embedder="hashing", threads_url=postgres)
        assistant = Assistant.open(settings)
        made.append((assistant, SessionStore(assistant, tmp_path / name / "sessions")))
    yield made
    for assistant, sessions in made:
        sessions.close_all()
        assistant.close()


def uploaded(worker: Assistant, tab: Session) -> str:
    """A small CT series that the tab was given as files, opened; its study."""
    ball = np.linalg.norm(np.indices((40, 40, 40)) - 20.0, axis=0) < 5
    write_series(np.where(ball, 40, -850).astype(np.int16), (1.0, 1.0, 1.0), tab.folder / "upload-1", description="CHEST TEST")
    assert open_source(worker, tab, tab.folder / "upload-1") is None
    assert tab.case is not None
    return tab.case.studies[0].id


def _drafted(case: Case, study: str) -> ReportDocument:
    """A report as a model would draft it: no weights are at hand here."""
    said = Evidence(key=f"M-{study}-draft-1", kind="model", text="Consolidation in the right lower lobe.", source="model")
    sections = [
        {"name": n, "sentences": [{"text": said.text, "origin": "model", "evidence": said.key}]} for n in ("findings", "impression")
    ]
    drafted = ToolResult.model_validate({"tool": "draft_report", "status": "ok", "evidence": (said,), "data": {"sections": sections}})
    return compose(Deps(cache_dir=Path("/nonexistent"), case=case), study, drafted, template_of(None, "en"))


def test_an_uploaded_case_its_marks_and_its_report_are_there_at_the_other_worker(
    workers: list[tuple[Assistant, SessionStore]], tmp_path: Path
) -> None:
    (one, here), (two, there) = workers
    cookie = SessionStore.new_cookie()
    mine = here.get(cookie)
    study = uploaded(one, mine)
    assert mine.case is not None
    marked = one.marks(mine.case.handle, study, MarkChange(do="add", at=(20, 20, 20)), mine.id)
    assert len(marked.marks) == 1, marked.reason
    held = one._cases.get(mine.case.handle, mine.id)
    report = _drafted(held.loaded.case, study)
    one.reports.store.keep(report, mine.id, one.reports._key(held, study))
    while not one._store.rows("SELECT 1 FROM parcel"):
        time.sleep(0.05)
    here.close_all()
    shutil.rmtree(tmp_path / "one")

    tab = there.get(cookie)
    assert restore(tab, two, local=True)
    assert tab.case is not None
    assert tab.source == tab.folder / "upload-1"
    assert [m.lesion for m in two.marks(tab.case.handle, study, MarkChange(), tab.id).marks] == [m.lesion for m in marked.marks]
    found = two.reports.current(tab.case.handle, study, tab.id)
    assert found is not None
    assert found.document.id == report.id
    with pytest.raises(Stale):
        two.reports.store.append(report.model_copy(update={"template": "another"}))
    assert not restore(there.get(SessionStore.new_cookie()), two, local=True)

    two.erase([mine.thread])
    assert two._store.rows("SELECT COUNT(*) FROM parcel")[0][0] == 0, "files go with the state that names them"
    assert two.reports.erase() == 1
    two.erase_marks()
    assert two.all_marks() == []


def test_a_database_of_an_older_version_is_read_and_goes_on(tmp_path: Path) -> None:
    """Written by the version of 30 November 2026, 02:06, before pages, marks and reports lay there."""
    (tmp_path / "pg").mkdir()
    with running(tmp_path / "pg") as url:
        subprocess.run([programs() / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", OLD, url], check=True, capture_output=True)
        settings = Settings(tmp_path / "data", tmp_path / "cache", weights="none", embedder="hashing", threads_url=url)
        assistant = Assistant.open(settings)
        (thread,) = assistant.threads("s")
        assert [a.question for a in assistant.history(thread, "s")] == ["What is the urea?", "Compute CURB-65", "用中文解释一下检验结果"]
        assert assistant.ledger.verify(assistant.answers)[0] == []
        case = assistant.open_case("demo-cap-01", session="s").handle
        *_, done = assistant.ask("and the CRP?", thread=thread, case=case, session="s")
        assert done.type == "done"
        assert "214 mg/L" in done.answer.answer
        assistant.close()
