"""A disk that is really full (a small tmpfs): the answer is shown, nothing stored is lost, every failure is a typed one."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.assistant import Assistant
from agent.backup import back_up, restore
from agent.errors import StoreFailure

MakeAssistant = Callable[..., Assistant]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes what is left."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    return ballast


def test_a_turn_on_a_full_disk_is_shown_and_the_earlier_ones_stay(make_assistant: MakeAssistant, small: Path) -> None:
    assistant = make_assistant(folder=small)
    case, thread = assistant.open_case("a", session="s").handle, assistant.new_thread("s")

    def ask(question: str) -> tuple[str, tuple[str, ...]]:
        *_, done = assistant.ask(question, thread=thread, case=case, session="s")
        assert done.type == "done"
        return done.answer.answer, done.answer.warnings

    ask("What is the urea?")
    ballast = fill(small)
    said, warnings = ask("Interpret the labs")
    assert "11.2 mmol/L" in said
    assert any("disk is full" in w and "free some space" in w for w in warnings)
    assert [a.question for a in assistant.history(thread, "s")] == ["What is the urea?"]
    ballast.unlink()
    assert ask("and the CRP?")[1] == ()
    assert [a.question for a in assistant.history(thread, "s")] == ["What is the urea?", "and the CRP?"]
    assert assistant.ledger.verify(assistant.answers)[0] == []


def test_a_start_on_a_full_disk_says_so(make_assistant: MakeAssistant, small: Path) -> None:
    fill(small)
    with pytest.raises(StoreFailure, match="disk is full"):
        make_assistant(folder=small)


def test_backup_and_restore_on_a_full_disk_change_nothing(tmp_path: Path, small: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "weights.bin").write_bytes(os.urandom(2_000_000))
    with pytest.raises(StoreFailure, match="nothing was changed"):
        back_up(data, small / "b.tar.gz")
    assert list(small.iterdir()) == []
    back_up(data, tmp_path / "b.tar.gz")
    with pytest.raises(StoreFailure, match="nothing was changed"):
        restore(tmp_path / "b.tar.gz", small / "data")
    assert list(small.iterdir()) == []
    fill(small)
    with pytest.raises(StoreFailure, match="nothing was changed"):
        restore(tmp_path / "b.tar.gz", small / "deep" / "data")
