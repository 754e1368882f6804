"""The `medmpt` command: finds the room's command, runs it, and prints a page for people or one JSON object."""

import atexit
import contextlib
import gc
import json
import math
import sys
from collections.abc import Sequence
from typing import TextIO

from pydantic import JsonValue

from agent.settings import Settings
from ui.cli.mount import BugAsJson, Record, run

# Objects allocated between two collections. Loading allocates millions that stay: Python's 700 cost a command 0.4 s of its 5.
_COLLECT_AFTER = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `medmpt` with `arguments` (default: the process's) and return the exit code."""
    if arguments is None:
        gc.set_threshold(_COLLECT_AFTER)
        atexit.register(gc.freeze)  # the collections of a process that ends took half a second and freed nothing anyone needs
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    rest = [word for word in options if word != "--json"] + given[len(options) :]
    if "--help" in options or "-h" in options or "--json" not in options:
        return _for_people(rest)
    return _as_json(rest, sys.stdout)


def _as_json(arguments: Sequence[str], stdout: TextIO) -> int:
    """Exactly one object per result on `stdout`; whatever else prints goes to stderr."""

    def write(record: Record) -> None:
        _write(record, stdout)

    with contextlib.redirect_stdout(sys.stderr), BugAsJson(write):
        outcome = run(arguments, Settings.from_environment())
        for record in outcome.records:
            write(record)
    return outcome.exit_code


def _write(record: Record, stdout: TextIO) -> None:
    stdout.write(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) + "\n")
    stdout.flush()


def _for_people(arguments: Sequence[str]) -> int:
    from ui.cli.overview import overview_asked, show_overview, show_version
    from ui.cli.render import show

    if "--version" in arguments[:1]:
        return show_version()
    if overview_asked(arguments):
        return show_overview(arguments)
    outcome = run(arguments, Settings.from_environment())
    for record in outcome.records:
        _write(record, sys.stdout) if outcome.lines else show(outcome.command, record)
    return outcome.exit_code


def _finite(value: JsonValue) -> JsonValue:
    """NaN and infinities are not JSON: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value
