"""Errors of the medmpt_backend room.

BackendError
├── BadInput       the caller's input cannot be used (exit 2)
├── OutOfDomain    readable, but not what this can judge (exit 0)
├── NothingFound   looked, found nothing (exit 0)
└── Unavailable    a part is not installed; the text names the command that installs it (exit 0)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Literal


class BackendError(Exception):
    """Base of this room; a failure that is nobody's input (exit 1)."""

    status: ClassVar[Literal["error", "unavailable", "out_of_domain", "empty"]] = "error"
    exit_code: ClassVar[int] = 1


class BadInput(BackendError):
    """Input that cannot be used: says what, the value, and what to do."""

    exit_code = 2


class OutOfDomain(BackendError):
    """Readable input that this cannot judge."""

    status = "out_of_domain"
    exit_code = 0


class NothingFound(BackendError):
    """Looked, found nothing."""

    status = "empty"
    exit_code = 0


class Unavailable(BackendError):
    """A part is not installed."""

    status = "unavailable"
    exit_code = 0


@contextmanager
def of_extra(extra: str) -> Iterator[None]:
    """Around the import of an extra's package.

    Raises:
        Unavailable: The package is not installed; names the extra.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise Unavailable(f"{missing.name} is not installed: pip install 'medmpt-assistant[{extra}]'") from missing
