"""Errors of the command line itself.

CliError
├── Usage          the command line cannot be understood (exit 2)
├── Unavailable        a part is not installed; the text names the command that installs it (exit 0)
└── NotInThisVersion   a command of the contract that no room serves yet (exit 0)
"""

from typing import ClassVar, Literal


class CliError(Exception):
    """Base: a failure of the command line."""

    status: ClassVar[Literal["error", "unavailable"]] = "error"
    exit_code: ClassVar[int] = 1


class Usage(CliError):
    """The command line cannot be understood."""

    exit_code = 2


class Unavailable(CliError):
    """A part is not installed."""

    status = "unavailable"
    exit_code = 0


class NotInThisVersion(CliError):
    """A command of the contract that no room serves yet."""

    status = "unavailable"
    exit_code = 0
