import os
import time
from pathlib import Path
from types import ModuleType

from agent.answering.answer import Answer, ToolCall
from ui.opening.uploads import take
from ui.restore import remember, restore
from ui.session import IDLE_SECONDS, SessionStore


def test_cookies_are_unguessable_and_ids_do_not_reveal_them(scripted: ModuleType, tmp_path: Path) -> None:
    store = SessionStore(scripted.ScriptedAssistant(), tmp_path / "s")
    cookies = {store.new_cookie() for _ in range(50)}
    assert len(cookies) == 50
    assert all(store.well_formed(cookie) for cookie in cookies)
    assert not any(store.well_formed(bad) for bad in (None, "", "a" * 42, "../" * 14 + "a", "ä" * 43))
    cookie = cookies.pop()
    session = store.get(cookie)
    assert store.get(cookie) is session
    assert cookie not in session.id
    assert session.folder.stat().st_mode & 0o777 == 0o700


def test_sessions_do_not_see_each_others_studies(scripted: ModuleType, tmp_path: Path) -> None:
    assistant = scripted.ScriptedAssistant()
    store = SessionStore(assistant, tmp_path / "s")
    mine, other = store.get(store.new_cookie()), store.get(store.new_cookie())
    for session in (mine, other):
        session.case = assistant.open_case("demo-cap-01", session=session.id)
    token = mine.token_of("ct-1")
    assert mine.study(token) is not None
    assert other.study(token) is None
    assert other.token_of("ct-1") != token


def test_an_idle_session_ends_and_its_files_go(scripted: ModuleType, tmp_path: Path) -> None:
    assistant = scripted.ScriptedAssistant()
    store = SessionStore(assistant, tmp_path / "s")
    old = store.get(store.new_cookie())
    (old.folder / "ct.zip").write_bytes(b"x")
    old.used -= IDLE_SECONDS + 1
    store.get(store.new_cookie())
    assert assistant.closed == [old.id]
    assert not old.folder.exists()


def test_only_one_question_at_a_time(scripted: ModuleType, tmp_path: Path) -> None:
    store = SessionStore(scripted.ScriptedAssistant(), tmp_path / "s")
    session = store.get(store.new_cookie())
    with session.turn() as first, session.turn() as second:
        assert (first, second) == (True, False)
    with session.turn() as again:
        assert again


def test_uploads_move_into_the_private_folder(tmp_path: Path) -> None:
    inbox, folder = tmp_path / "inbox", tmp_path / "private"
    folder.mkdir()
    for number, name in enumerate(("1.dcm", ".evil name.dcm")):
        place = inbox / f"hash{number}"
        place.mkdir(parents=True)
        (place / name).write_bytes(b"dicom")
    (inbox / "tmpempty").touch()
    taken = take(sorted(inbox.rglob("*.dcm")), folder)
    assert sorted(p.name for p in taken.iterdir()) == ["00000-1.dcm", "00001-evil_name.dcm"]
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in taken.iterdir())
    assert list(inbox.iterdir()) == []


def test_a_killed_server_finds_the_conversation_again(scripted: ModuleType, tmp_path: Path) -> None:
    answer = Answer(
        status="answered",
        question="Labs?",
        language="en",
        answer="Urea is 11.2 mmol/L. [1]",
        tool_calls=(ToolCall(name="interpret_labs", status="ok", seconds=0.1),),
        model="scripted",
        thread="t-1",
    )

    class Remembering(scripted.ScriptedAssistant):  # type: ignore[name-defined, misc]
        def history(self, thread: str, session: str) -> tuple[Answer, ...]:
            return (answer,) if thread == "t-1" else ()

    cookie = SessionStore.new_cookie()
    first = SessionStore(Remembering(), tmp_path / "s").get(cookie)
    first.source, first.thread, first.language = "demo-cap-01", "t-1", "zh"
    remember(first)
    assistant = Remembering()
    second = SessionStore(assistant, tmp_path / "s").get(cookie)
    assert restore(second, assistant, local=True)
    assert second.case is not None
    assert (second.thread, second.language, [t.question for t in second.turns]) == ("t-1", "zh", ["Labs?"])
    stranger = SessionStore(assistant, tmp_path / "s").get(SessionStore.new_cookie())
    assert not restore(stranger, assistant, local=True)


def test_a_restart_keeps_the_chosen_model_only_where_it_may_still_be_chosen(scripted: ModuleType, tmp_path: Path) -> None:
    def again(models: object, local: bool, choice: str, spec: str) -> str | None:
        assistant, cookie = scripted.ScriptedAssistant(models=models), SessionStore.new_cookie()
        first = SessionStore(assistant, tmp_path / "s").get(cookie)
        first.thread, first.llm, first.llm_choice = "t-1", spec, choice
        remember(first)
        assert "secret" not in (first.folder / "state.json").read_text(), "a listed address is stored as its id"
        second = SessionStore(assistant, tmp_path / "s").get(cookie)
        restore(second, assistant, local)
        return second.llm

    typed = "vllm:m@http://127.0.0.1:8000/v1"
    named = "openai:m@http://me:secret@models.example/v1"
    assert again(scripted.real_models(), True, typed, typed) == typed
    assert again(scripted.real_models(), False, typed, typed) is None
    listed = scripted.real_models(choices=(named,))
    ident = listed.listed()[1].id
    assert again(listed, False, ident, named) == named
    assert again(scripted.real_models(), True, ident, named) is None


def test_what_a_killed_server_left_is_erased_when_old(scripted: ModuleType, tmp_path: Path) -> None:
    left = tmp_path / "s" / "old"
    left.mkdir(parents=True)
    os.utime(left, (time.time() - IDLE_SECONDS - 60,) * 2)
    SessionStore(scripted.ScriptedAssistant(), tmp_path / "s")
    assert not left.exists()
