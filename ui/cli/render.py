"""A result for people: a status line, then scalars as a list, rows as tables, and three commands in their own layout."""

from collections.abc import Callable, Mapping, Sequence

from pydantic import JsonValue
from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ui.cli.mount import Record

COLORS = {"ok": "green", "answered": "green", "partial": "yellow", "empty": "yellow", "out_of_domain": "yellow", "unavailable": "yellow"}
FLAGS = {"critical_low": "bold red", "critical_high": "bold red", "low": "yellow", "high": "yellow", "normal": "green"}
LONG = 60  # characters; a longer cell does not fit a table
COMMON = {"schema_version", "status", "reason", "warnings", "seconds"}


def show(command: str, record: Record) -> None:
    """Print `record` of `command` on stdout; errors on stderr."""
    status = str(record["status"])
    console = Console(stderr=status == "error", highlight=False)
    if status != "answered":
        color = COLORS.get(status, "red")
        reason = record.get("reason")
        said_below = reason == record.get("answer")
        console.print(f"[{color}]{status}[/{color}]" + (f": {escape(str(reason))}" if reason and not said_below else ""))
    body = {key: value for key, value in record.items() if key not in COMMON}
    if body:
        OWN_LAYOUT.get(command, generic)(console, body)
    warnings = record.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        console.print(f"[yellow]![/yellow] {escape(str(warning))}")
    console.print(f"[dim]{record['seconds']} s[/dim]")


def generic(console: Console, body: Mapping[str, JsonValue]) -> None:
    """Any record: scalars first, then nested objects, then rows."""
    scalars = {key: value for key, value in body.items() if not isinstance(value, dict | list) and not key.endswith("_zh")}
    if scalars:
        console.print(_pairs(scalars))
    for key, value in body.items():
        if isinstance(value, dict) and value:
            console.print(f"[bold]{_title(key)}[/bold]")
            console.print(_pairs(value))
        elif isinstance(value, list) and value:
            console.print(f"[bold]{_title(key)}[/bold]")
            console.print(_rows(value))


def _title(key: str) -> str:
    return escape(key.replace("_", " ").capitalize())


def _plain(value: JsonValue) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_named(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return str(value)


def _named(item: JsonValue) -> str:
    """An object inside a list by its name, where it has one."""
    name = next((item[key] for key in ("name", "key", "id") if item.get(key)), None) if isinstance(item, dict) else None
    return _plain(item if name is None else name)


def _pairs(values: Mapping[str, JsonValue]) -> Table:
    table = Table.grid(padding=(0, 2))
    for key, value in values.items():
        table.add_row(f"  {escape(key)}", escape(_plain(value)))
    return table


def _rows(values: Sequence[JsonValue]) -> Table | Text | Group:
    """Rows of short cells as a table, rows with long text as paragraphs; Chinese doubles are for `--json`."""
    dicts = [value for value in values if isinstance(value, dict)]
    if not dicts:
        return Text("\n".join(f"  {_plain(value)}" for value in values))
    filled = dict.fromkeys(key for row in dicts for key, value in row.items() if value not in (None, [], {}))
    columns = [key for key in filled if not key.endswith("_zh")]
    if any(len(_plain(row.get(column))) > LONG for row in dicts for column in columns):
        return Group(*(_paragraph(row, columns) for row in dicts))
    table = Table(box=None, header_style="dim", padding=(0, 2))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in dicts:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    return table


def _paragraph(row: Mapping[str, JsonValue], columns: Sequence[str]) -> Padding:
    """Short values on one line, each long one on its own."""
    shown = [(column, _plain(row[column])) for column in columns if row.get(column) not in (None, [], {})]
    short = " · ".join(escape(value) for _, value in shown if len(value) <= LONG)
    long = [f"[dim]{escape(column)}[/dim] {escape(value)}" for column, value in shown if len(value) > LONG]
    return Padding("\n".join([f"[cyan]{short}[/cyan]", *long]), (0, 0, 1, 2))


def _cell(column: str, value: JsonValue) -> str:
    text = escape(_plain(value))
    style = FLAGS.get(str(value)) if column == "flag" else None
    return f"[{style}]{text}[/{style}]" if style else text


def _list(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: JsonValue) -> list[str]:
    return [escape(_plain(item)) for item in value] if isinstance(value, list) else []


def _urgent(answer: str, emergency: bool) -> str:
    """The answer with the line that leads it in red where somebody is in danger."""
    first, _, rest = answer.partition("\n")
    return f"[bold red]{first}[/bold red]\n{rest}" if emergency else answer


def ask(console: Console, body: Mapping[str, JsonValue]) -> None:
    """The answer first, then its sources, then what was removed or is missing."""
    console.print("\n" + _urgent(escape(_plain(body.get("answer"))), bool(body.get("emergencies"))) + "\n")
    for number, evidence in enumerate(_list(body.get("evidence")), 1):
        where = " · ".join(_plain(evidence.get(key)) for key in ("source", "year", "locator") if evidence.get(key))
        console.print(f"[cyan]\\[{number}][/cyan] [dim]{escape(where)}[/dim]")
    for removed in _list(body.get("removed")):
        console.print(
            f"[yellow]removed:[/yellow] {escape(_plain(removed.get('text')))} [dim]({escape(_plain(removed.get('because')))})[/dim]"
        )
    for text in _texts(body.get("missing")):
        console.print(f"[yellow]missing:[/yellow] {text}")
    steps = " · ".join(f"{_plain(s.get('name'))} {_plain(s.get('status'))}" for s in _list(body.get("tool_calls")))
    console.print(f"[dim]{escape(steps)} · thread {escape(_plain(body.get('thread')))} · {escape(_plain(body.get('model')))}[/dim]")


def quantify(console: Console, body: Mapping[str, JsonValue]) -> None:
    """Lungs and regions as tables; definitions last and dim."""
    shown = {key: value for key, value in body.items() if key != "definitions"}
    generic(console, shown)
    definitions = body.get("definitions")
    for key, value in definitions.items() if isinstance(definitions, dict) else ():
        console.print(f"[dim]{escape(key)}: {escape(_plain(value))}[/dim]")


def labs(console: Console, body: Mapping[str, JsonValue]) -> None:
    """Out-of-range values first, each with its reference interval."""
    rows = _list(body.get("observations"))
    rows.sort(key=lambda row: str(row.get("flag")) in ("normal", "unknown"))
    wanted = ("analyte", "value", "unit", "flag", "reference", "time")
    console.print(_rows([{key: row.get(key) for key in wanted} for row in rows]))
    generic(console, {key: value for key, value in body.items() if key not in ("observations", "evidence")})


def parity(console: Console, body: Mapping[str, JsonValue]) -> None:
    """One unbroken line per array: verdict, largest difference, name."""
    arrays = body.get("arrays")
    for row in arrays if isinstance(arrays, list) else ():
        if isinstance(row, dict):
            verdict = "ok  " if row["ok"] else "FAIL"
            console.print(f"{verdict} {_plain(row['difference']):>12}  {row['kind']:<11}  {row['name']}", soft_wrap=True, markup=False)
    console.print(f"{body.get('compared')} arrays compared")


OWN_LAYOUT: dict[str, Callable[[Console, Mapping[str, JsonValue]], None]] = {
    "ask": ask,
    "ct quantify": quantify,
    "labs interpret": labs,
    "parity": parity,
}
