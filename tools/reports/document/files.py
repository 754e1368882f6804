"""A document as a file of its own: read with its checks, written whole or not at all, readable by its owner only."""

import errno
import os
from pathlib import Path

from pydantic import ValidationError

from tools.errors import BadInput, ToolsError
from tools.reports.document.record import ReportDocument


class WriteFailure(ToolsError):
    """A file could not be written: full disk, read-only folder; says what to do (exit 1)."""


def read_document(path: Path) -> ReportDocument:
    """Read a report.

    Raises:
        BadInput: No such file, no report, or a signed one whose text was changed afterwards.
    """
    if not path.is_file():
        raise BadInput(f"no such file: {str(path)!r}; `medmpt report draft CASE --out FILE` writes one")
    try:
        return ReportDocument.model_validate_json(path.read_bytes())
    except (ValidationError, UnicodeDecodeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error), "loc": ()}
        place = ".".join(str(p) for p in first["loc"])
        raise BadInput(f"{path.name} is not a report of `medmpt report draft`: {place + ': ' if place else ''}{first['msg']}") from error


def write_document(path: Path, document: ReportDocument) -> None:
    """Write a report as JSON, 0600."""
    write_whole(path, document.model_dump_json(indent=1).encode())


def write_whole(path: Path, body: bytes) -> None:
    """Write a file at once: a reader sees the old one or the new one, and a failure leaves the old one.

    Raises:
        WriteFailure: Why not, and what to do.
        BadInput: The folder does not exist, or the target is a folder.
    """
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(f"cannot write {str(path)!r}: {'it is a folder' if path.is_dir() else 'its folder does not exist'}")
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as failure:
        draft.unlink(missing_ok=True)
        raise write_failure(failure, path) from failure


def write_failure(failure: OSError, path: Path) -> WriteFailure:
    """What went wrong with a file, and what to do."""
    if failure.errno in (errno.ENOSPC, errno.EDQUOT):
        return WriteFailure(f"{path.name} was not written: the disk is full; free some space and try again")
    if failure.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return WriteFailure(f"{path.name} was not written: {str(path.parent)!r} cannot be written; choose another folder")
    return WriteFailure(f"{path.name} was not written: {failure}")
