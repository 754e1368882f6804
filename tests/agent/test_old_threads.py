"""Conversations that an older version stored are read and go on: a database written by the version of 22 November 2026."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.errors import BadInput
from agent.settings import Settings

STORED = Path(__file__).parent / "stored" / "threads-2026-11-22.sqlite.gz"
ASKED = ["What is the urea?", "Compute CURB-65", "用中文解释一下检验结果"]


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "threads.sqlite").write_bytes(gzip.decompress(STORED.read_bytes()))
    opened = Assistant.open(Settings(data_dir=data, cache_dir=tmp_path / "cache", weights="none", embedder="hashing"))
    yield opened
    opened.close()


def test_a_stored_thread_is_read_and_goes_on(assistant: Assistant) -> None:
    thread = assistant.threads("s")[0]
    assert [(a.question, a.status) for a in assistant.history(thread, "s")] == [(q, "answered") for q in ASKED]
    assert assistant.evidence(thread, "S-curb_65", "s") is not None
    case = assistant.open_case("demo-cap-01", session="s").handle
    *_, done = assistant.ask("and the CRP?", thread=thread, case=case, session="s")
    assert done.type == "done"
    assert "214 mg/L" in done.answer.answer, "the thread goes on where the old version left it"
    assert [a.question for a in assistant.history(thread, "s")] == [*ASKED, "and the CRP?"]
    assert assistant.ledger.verify(assistant.answers)[0] == []
    with pytest.raises(BadInput, match="one patient"):
        list(assistant.ask("and the CRP?", thread=thread, case=assistant.open_case("demo-copd-01", session="s").handle, session="s"))
    assistant.erase(assistant.threads("s"))
    assert assistant.threads("s") == []
