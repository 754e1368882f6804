"""Run one room command: parse with Typer, add the common fields, turn typed errors into statuses and exit codes."""

import functools
import inspect
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Annotated, Any, get_type_hints

import typer
from pydantic import BaseModel, JsonValue

from agent.errors import AgentError
from agent.settings import Settings
from medmpt_backend.errors import BackendError
from retrieval.errors import RetrievalError
from tools.errors import ToolsError
from ui.cli.errors import CliError
from ui.cli.find import Function, find

ROOM_ERRORS = (AgentError, ToolsError, RetrievalError, BackendError, CliError)
Record = dict[str, JsonValue]


@dataclass(frozen=True)
class Outcome:
    """What one command line came to: records to show (several only for a batch, `lines`: one JSON object each) and the exit code."""

    command: str
    records: Iterable[Record]
    exit_code: int
    lines: bool = False


def with_json_option(function: Function) -> Function:
    """The same command with a documented `--json` switch (`main` reads it before parsing, so errors are JSON too)."""

    @functools.wraps(function)
    def command(*args: Any, json_output: bool = False, **kwargs: Any) -> BaseModel:
        return function(*args, **kwargs)

    hints = get_type_hints(function, include_extras=True)
    hints["json_output"] = Annotated[bool, typer.Option("--json", help="Print exactly one JSON object.")]
    signature = inspect.signature(function)
    given = [p.replace(annotation=hints.get(p.name, p.annotation)) for p in signature.parameters.values()]
    switch = inspect.Parameter("json_output", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=hints["json_output"])
    command.__signature__ = signature.replace(parameters=[*given, switch])  # type: ignore[attr-defined]
    command.__annotations__ = hints
    return command


def run(arguments: Sequence[str], settings: Settings) -> Outcome:
    """Run the command that `arguments` name.

    Returns:
        Records with `schema_version`, `status`, `reason`, `warnings` and `seconds`, whatever happened, and the exit code.
    """
    started = time.perf_counter()
    name = " ".join(arguments[:2])
    try:
        _choose_packs(arguments, settings)
        found = find(arguments)
        name = found.name
        app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
        app.command(found.name)(with_json_option(found.function))
        result = typer.main.get_command(app).main(
            list(found.arguments), prog_name=f"medmpt {found.name}", standalone_mode=False, obj=settings
        )
    except ROOM_ERRORS as error:
        return Outcome(name, [failed(error.status, str(error), started)], error.exit_code)
    except typer.TyperException as error:
        return Outcome(name, [failed("error", f"{error.format_message()} See `medmpt {name} --help`.", started)], error.exit_code)
    except typer.Abort:
        return Outcome(name, [failed("error", "interrupted", started)], 130)
    batch = getattr(result, "answers", None) if found.name == "ask" else None
    if isinstance(result, BaseModel) and batch is None:
        return Outcome(name, [complete(result, time.perf_counter() - started)], exit_code(result))
    if result is None or isinstance(result, int):  # `--help` was shown, or the command ended the program itself
        return Outcome(name, [], int(result or 0))
    return Outcome(name, [complete(one, one.seconds) for one in batch or ()], 0, lines=True)  # `ask --batch`: one object per line


def _choose_packs(arguments: Sequence[str], settings: Settings) -> None:
    """Before any room reads its data; the `pack` commands look after packs that are broken too."""
    if arguments and arguments[0] != "pack" and (settings.packs or (settings.data_dir / "packs").is_dir()):
        from retrieval.packs import resolve, use

        use(resolve(settings.packs, settings.data_dir / "packs"))


def complete(result: BaseModel, seconds: float) -> Record:
    """The result as JSON data with the common fields first."""
    data: Record = result.model_dump(mode="json")
    common: Record = {
        "schema_version": data.pop("schema_version", 1),
        "status": data.pop("status", "ok"),
        "reason": data.pop("reason", None),
        "warnings": data.pop("warnings", []),
    }
    data.pop("seconds", None)
    return {**common, **data, "seconds": round(seconds, 3)}


def failed(status: str, reason: str, started: float) -> Record:
    """The object that stands for an error or for a part that is not there."""
    seconds = round(time.perf_counter() - started, 3)
    return {"schema_version": 1, "status": status, "reason": reason, "warnings": [], "seconds": seconds}


def exit_code(result: BaseModel) -> int:
    """0 for every honest outcome, 1 for a result that calls itself an error."""
    return 1 if getattr(result, "status", "ok") == "error" else 0


class BugAsJson:
    """Lets an unexpected exception rise, after one JSON object has said that it happened."""

    def __init__(self, write: Callable[[Record], None]) -> None:
        """`write` is called with the record of the failure."""
        self._write = write
        self._started = time.perf_counter()

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Write the record for anything but a normal end."""
        if error is not None and not isinstance(error, SystemExit):
            self._write(failed("error", f"internal failure, {type(error).__name__}: {error}; details are on stderr", self._started))
