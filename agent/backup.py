"""Back up and restore the data folder: threads by SQLite's online backup, everything else file by file, each with its SHA-256.

What is derived (indexes, embeddings, demo studies) is not in it: `medmpt index build` makes it anew.
"""

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agent.errors import BadInput, StoreFailure
from agent.untar import extract

_MANIFEST = "manifest.json"
_FORMAT = 1
_DATABASES = (".sqlite", ".sqlite3", ".db")
_OF_THE_DISK = "lost+found"
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Backup:
    """What a backup holds: number of files and bytes."""

    files: int
    size: int


def back_up(data_dir: Path, target: Path) -> Backup:
    """Write the data folder to `target` (`.tar.gz`, readable by its owner only); conversations may go on meanwhile.

    Raises:
        BadInput: Nothing to back up, `target` is there already or lies inside the data folder.
        StoreFailure: A database is damaged, or the disk is full.
    """
    if target.exists() or target.resolve().is_relative_to(data_dir.resolve()):
        raise BadInput(f"{target} exists or lies in the data folder: give a new file elsewhere")
    sources = [p for p in sorted(data_dir.rglob("*")) if p.is_file() and not p.name.endswith(_BESIDE)] if data_dir.is_dir() else []
    if not sources:
        raise BadInput(f"{data_dir} holds nothing to back up")
    draft = target.with_name(f"{target.name}.part")
    try:
        opened = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(opened, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
            sums = {p.relative_to(data_dir).as_posix(): _add(archive, p, p.relative_to(data_dir).as_posix()) for p in sources}
            _add_bytes(archive, json.dumps({"format": _FORMAT, "sha256": sums}).encode(), _MANIFEST)
        draft.replace(target)
    except (OSError, sqlite3.Error) as failure:
        draft.unlink(missing_ok=True)
        raise StoreFailure(f"the backup could not be written ({failure}); nothing was changed") from failure
    return Backup(len(sums), target.stat().st_size)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        if path.suffix in _DATABASES:
            copy = Path(scratch) / "copy"
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source, closing(sqlite3.connect(copy)) as out:
                source.backup(out)
            path = copy
        info = archive.gettarinfo(path, name)
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mode = 0o600
        with path.open("rb") as file:
            archive.addfile(info, file)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _add_bytes(archive: tarfile.TarFile, content: bytes, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def restore(source: Path, data_dir: Path) -> Backup:
    """Put a backup into an empty data folder; every file is checked before any is put in place.

    Raises:
        BadInput: Not a backup, one that was changed, or the data folder is not empty.
        StoreFailure: The disk is full.
    """
    there = data_dir.exists()
    if there and any(p.name != _OF_THE_DISK for p in data_dir.iterdir()):
        raise BadInput(f"{data_dir} is not empty: move it away, or set MEDMPT_DATA_DIR to a new folder")
    try:
        # Inside the folder, which may be a volume of its own on a file system that nobody may write to.
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restore-") as scratch:
            return _put(source, data_dir, Path(scratch))
    except OSError as failure:
        raise StoreFailure(f"the backup could not be read or unpacked ({failure}); nothing was changed") from failure
    finally:
        if not there and data_dir.is_dir() and not any(data_dir.iterdir()):
            data_dir.rmdir()


def _put(source: Path, data_dir: Path, folder: Path) -> Backup:
    """Unpack into `folder`, check every file there, and move what it holds into the data folder."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            extract(archive, folder)
    except (tarfile.TarError, EOFError, ValueError) as failure:
        raise BadInput(f"{source.name} is not a backup of this program: {failure}") from failure
    except FileNotFoundError as failure:
        raise BadInput(f"{source} does not exist") from failure
    found = _checked(folder, source.name)
    for path in sorted(folder.iterdir()):
        path.replace(data_dir / path.name)
    return found


def _checked(folder: Path, name: str) -> Backup:
    """Compare every file with the manifest, and take the manifest out."""
    manifest = folder / _MANIFEST
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
        sums = dict(told["sha256"])
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise BadInput(f"{name} holds no manifest: not a backup of this program") from failure
    if told.get("format") != _FORMAT:
        raise BadInput(f"{name} was made by another version (format {told.get('format')!r}, this one reads {_FORMAT})")
    manifest.unlink()
    present = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    if set(present) != {PurePosixPath(n).as_posix() for n in sums}:
        raise BadInput(f"{name} is incomplete: its files are not those of its manifest")
    for relative, path in present.items():
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sums[relative]:
                raise BadInput(f"{name} was changed or is damaged: {relative}")
        os.chmod(path, 0o600)
    return Backup(len(present), sum(p.stat().st_size for p in present.values()))
