"""Errors of the agent room.

AgentError
├── BadInput       the caller's input cannot be used (exit 2)
├── OutOfDomain    readable, but not what this can judge (exit 0)
├── Unavailable    a part is not installed; the text names the command that installs it (exit 0)
├── Forbidden      a handle or thread of another session, or an unknown one (exit 2)
├── StoreFailure   conversations cannot be read or written: full disk, read-only folder, damaged file (exit 1)
└── Stopped        the person pressed stop (exit 1)
"""

from typing import ClassVar, Literal


class AgentError(Exception):
    """Base of this room; a failure that is nobody's input (exit 1)."""

    status: ClassVar[Literal["error", "unavailable", "out_of_domain", "empty"]] = "error"
    exit_code: ClassVar[int] = 1


class BadInput(AgentError):
    """Input that cannot be used: says what, the value, and what to do."""

    exit_code = 2


class OutOfDomain(AgentError):
    """Readable input that this cannot judge."""

    status = "out_of_domain"
    exit_code = 0


class Unavailable(AgentError):
    """A part is not installed."""

    status = "unavailable"
    exit_code = 0


class StoreFailure(AgentError):
    """The thread database cannot be used: says why and what to do."""


class Stopped(AgentError):
    """The person pressed stop."""


class Forbidden(BadInput, PermissionError):
    """A case or thread that this session does not own; an unknown handle reads the same."""
