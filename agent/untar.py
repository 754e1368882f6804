"""Unpacks a tar of plain files; `tarfile`'s own filters are not in the Python 3.11.2 of Debian 12."""

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath


def extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Write every file under `folder`, readable by this user only.

    Raises:
        tarfile.TarError: A member is no plain file, or its path leaves the folder.
    """
    for member in archive:
        name = PurePosixPath(member.name)
        if not member.isfile() or name.is_absolute() or ".." in name.parts:
            raise tarfile.ReadError(f"{member.name} is no plain file inside")
        target, body = folder / name, archive.extractfile(member)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            if body is not None:
                shutil.copyfileobj(body, out, 1024 * 1024)
