"""Errors of the tools room.

ToolsError
├── EmptyInput        readable, but there is nothing in it (exit 0)
├── BadInput          the caller's input cannot be used (exit 2)
└── ToolUnavailable   a part is not installed; the text names the command that installs it (exit 0)
"""

from typing import ClassVar, Literal


class ToolsError(Exception):
    """Base of this room; a failure that is nobody's input (exit 1)."""

    status: ClassVar[Literal["error", "unavailable", "out_of_domain", "empty"]] = "error"
    exit_code: ClassVar[int] = 1


class BadInput(ToolsError):
    """Input that cannot be used: says what, the value, and what to do."""

    exit_code = 2


class ToolUnavailable(ToolsError):
    """A part is not installed."""

    status = "unavailable"
    exit_code = 0


class EmptyInput(ToolsError):
    """Looked and found nothing: a sheet without values, a bundle without a patient's data."""

    status = "empty"
    exit_code = 0
