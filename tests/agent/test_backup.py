"""A backup comes back byte for byte, while the database is open; a changed, foreign or hostile file is refused and nothing is written."""

import io
import sqlite3
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.backup import back_up, restore
from agent.backup_commands import data_backup
from agent.errors import BadInput
from agent.sessions.sqlite_store import connect
from agent.settings import Settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "own.txt").write_text("ward protocol")
    return folder


def test_round_trip_with_an_open_database(data: Path, tmp_path: Path) -> None:
    database = connect(data / "threads.sqlite")
    database.execute("INSERT INTO thread_owner (thread, owner) VALUES ('t', 'o')")
    database.commit()  # still in the write-ahead log
    made = back_up(data, tmp_path / "b.tar.gz")
    database.close()
    assert made.files == 2
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600
    restore(tmp_path / "b.tar.gz", tmp_path / "new")
    assert (tmp_path / "new" / "documents" / "own.txt").read_text() == "ward protocol"
    with sqlite3.connect(tmp_path / "new" / "threads.sqlite") as again:
        assert again.execute("SELECT thread FROM thread_owner").fetchall() == [("t",)]
    again.close()


def test_a_changed_backup_is_refused_and_nothing_is_written(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]
    members["documents/own.txt"] = b"other protocol"
    with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(BadInput, match=r"changed or is damaged: documents/own\.txt"):
        restore(tmp_path / "c.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("../../escaped.txt")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"bad"))
    with pytest.raises(BadInput, match="not a backup"):
        restore(tmp_path / "evil.tar.gz", tmp_path / "a" / "new")
    assert not (tmp_path / "escaped.txt").exists()


def test_what_is_there_is_never_overwritten(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "b.tar.gz")
    with pytest.raises(BadInput, match="exists"):
        back_up(data, tmp_path / "b.tar.gz")
    with pytest.raises(BadInput, match="not empty"):
        restore(tmp_path / "b.tar.gz", data)
    with pytest.raises(BadInput, match="does not exist"):
        restore(tmp_path / "none.tar.gz", tmp_path / "new")
    with pytest.raises(BadInput, match="holds nothing"):
        back_up(tmp_path / "empty", tmp_path / "d.tar.gz")


def test_what_lies_on_another_server_is_said_to_be_missing(data: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=data, cache_dir=tmp_path, threads_url="postgresql://medmpt:secret@db/medmpt")
    told = data_backup(SimpleNamespace(obj=settings), tmp_path / "b.tar.gz")  # type: ignore[arg-type]
    assert any("pg_dump" in w and "NOT in this file" in w for w in told.warnings)
    assert "secret" not in str(told)
