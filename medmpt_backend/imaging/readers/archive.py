"""A zip of a study, unpacked into a private temporary folder within bounds."""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from threading import Lock

from medmpt_backend.errors import BadInput
from medmpt_backend.messages import messages

message = messages("medmpt_backend.imaging").said

MAX_ENTRIES = 10_000
MAX_UNPACKED_BYTES = 4 * 1024**3
# Stored CT slices deflate by 2 to 4, padded ones by 20; a bomb reaches 1000.
MAX_RATIO = 200
RATIO_APPLIES_ABOVE_BYTES = 16 * 1024**2
_CHUNK = 1 << 20
_THREADS = 4


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a zip for the time of the `with` block.

    No name from the zip is used as a path: entries are written as `000001.dcm` and so on.

    Args:
        path: The zip file.

    Yields:
        A private folder with the entries.

    Raises:
        BadInput: A name that leaves the folder, a link, encryption, too many entries, too much data, a ratio bomb, damage.
    """
    with tempfile.TemporaryDirectory(prefix="medmpt-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(path) as bundle:
                entries = _checked(bundle.infolist(), path.name)
                _extract(bundle, entries, folder, path.name)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise BadInput(
                message(
                    "{file!r} cannot be unpacked: {kind}; pack the DICOM folder again without a password",
                    file=path.name,
                    kind=type(error).__name__,
                )
            ) from error
        yield folder


def _checked(entries: list[zipfile.ZipInfo], name: str) -> list[zipfile.ZipInfo]:
    """The file entries, after the bounds are checked on the directory of the zip."""
    files = [entry for entry in entries if not entry.is_dir()]
    if len(files) > MAX_ENTRIES:
        raise BadInput(
            message("{name!r} holds {files} files, more than {most}; pack one series only", name=name, files=len(files), most=MAX_ENTRIES)
        )
    for entry in files:
        inside = PurePosixPath(entry.filename.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]:
            raise BadInput(
                message("{name!r} holds an entry whose path leaves the archive; refuse it and pack the DICOM folder again", name=name)
            )
        if (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise BadInput(message("{name!r} holds a symbolic link; pack the files themselves", name=name))
        if entry.flag_bits & 1:
            raise BadInput(message("{name!r} is encrypted; pack it without a password", name=name))
    total = sum(entry.file_size for entry in files)
    packed = sum(entry.compress_size for entry in files)
    if total > MAX_UNPACKED_BYTES:
        raise BadInput(
            message(
                "{name!r} unpacks to {total:.1f} GiB, more than {most:.0f} GiB; pack one series only",
                name=name,
                total=total / 1024**3,
                most=MAX_UNPACKED_BYTES / 1024**3,
            )
        )
    if total > RATIO_APPLIES_ABOVE_BYTES and total > MAX_RATIO * max(packed, 1):
        raise BadInput(
            message(
                "{name!r} unpacks to {times} times its size (at most {most}): it looks like a decompression bomb",
                name=name,
                times=total // max(packed, 1),
                most=MAX_RATIO,
            )
        )
    return [entry for entry in files if not _is_clutter(entry.filename)]


def _is_clutter(name: str) -> bool:
    """Whether an entry is written by a desktop, not by a scanner."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1].startswith(".")


def _extract(bundle: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path, name: str) -> None:
    """Write the entries under new names by several threads, counting the bytes that come out; inflating lets go of the interpreter."""
    bytes_left = _BytesLeft(name)

    def write(number: int, entry: zipfile.ZipInfo) -> None:
        suffix = ".nii.gz" if entry.filename.lower().endswith(".nii.gz") else PurePosixPath(entry.filename).suffix.lower()
        target = folder / f"{number:06d}{suffix if suffix in {'.nii', '.nii.gz', '.nrrd', '.mha'} else '.dcm'}"
        with bundle.open(entry) as source, target.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                bytes_left.take(len(chunk))
                sink.write(chunk)

    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        written = [pool.submit(write, number, entry) for number, entry in enumerate(entries, start=1)]
        try:
            for one in written:
                one.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            shutil.rmtree(folder, ignore_errors=True)
            raise


class _BytesLeft:
    """What may still come out of a zip, counted by all threads."""

    def __init__(self, name: str) -> None:
        self._name, self._left, self._lock = name, MAX_UNPACKED_BYTES, Lock()

    def take(self, count: int) -> None:
        """Count bytes that were unpacked.

        Raises:
            BadInput: More than may be.
        """
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise BadInput(
                    message(
                        "{name!r} unpacks to more than {most:.0f} GiB; pack one series only",
                        name=self._name,
                        most=MAX_UNPACKED_BYTES / 1024**3,
                    )
                )
