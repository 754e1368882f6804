"""Conversations on a real Postgres server, which two assistants share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("langgraph.checkpoint.postgres", reason="pip install 'medmpt-assistant[postgres]'")

from agent.assistant import Assistant
from agent.errors import BadInput, Forbidden, StoreFailure
from agent.sessions.opening import open_store, reachable
from agent.settings import Settings
from agent.turn.state import KEEP_TURNS
from tests.postgres import running
from ui.restore import moved, remember, restore
from ui.session import Session, SessionStore

MakeAssistant = Callable[..., Assistant]


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
