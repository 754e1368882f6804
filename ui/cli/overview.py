"""`medmpt --help` and `medmpt GROUP --help`: the list of commands, drawn from the declared table."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ui.cli.find import group_commands
from ui.cli.table import DECLARED, MODULES

INTRO = "MedMPT Assistant: questions about respiratory medicine and chest CT, answered with evidence. Not a medical device."


def overview_asked(arguments: Sequence[str]) -> bool:
    """True for no command at all, and for a bare group such as `medmpt ct`."""
    words = [word for word in arguments if not word.startswith("-")]
    if not words:
        return not arguments or arguments[0] in ("--help", "-h")
    return len(words) == 1 and words[0] in MODULES and words[0] not in DECLARED


def show_overview(arguments: Sequence[str]) -> int:
    """Print the commands, all of them or one group's; 0 when help was asked for, 2 when a command was missing."""
    words = [word for word in arguments if not word.startswith("-")]
    console = Console()
    console.print(f"\nUsage: [bold]medmpt {words[0] if words else 'COMMAND'} …[/bold] [--json]   (`medmpt COMMAND --help` explains each)\n")
    console.print(INTRO + "\n")
    panels: dict[str, Table] = {}
    for name, (panel, summary) in _lines(words).items():
        table = panels.setdefault(panel, Table.grid(padding=(0, 2)))
        table.add_row(f"[cyan]{name}[/cyan]", summary)
    for panel, table in panels.items():
        console.print(Panel(table, title=panel, title_align="left", border_style="dim"))
    return 0 if not words or "--help" in arguments or "-h" in arguments else 2


def _lines(words: Sequence[str]) -> dict[str, tuple[str, str]]:
    lines = {name: (entry.panel, entry.summary) for name, entry in DECLARED.items() if not words or name.split()[0] == words[0]}
    if words:
        for name, function in group_commands(words[0]).items():
            doc = (function.__doc__ or "").strip().splitlines()
            lines.setdefault(name, (words[0], doc[0] if doc else ""))
    return lines


def show_version() -> int:
    """Print the version of the installed package, or say that it runs from a checkout."""
    try:
        found = version("medmpt-assistant")
    except PackageNotFoundError:
        found = "not installed (running from a checkout)"
    Console().print(f"medmpt {found}", highlight=False)
    return 0
