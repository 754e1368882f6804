#!/usr/bin/env python3
"""The table of rooms in `docs/architecture.md`, written from the first lines of every package's docstring.

`python scripts/house_map.py` writes it, `--check` says whether it is that of today (exit 1 when not).
"""

import ast
import sys
from pathlib import Path

ROOMS = ("ui", "agent", "tools", "retrieval", "medmpt_backend")
PAGE = Path("docs/architecture.md")
START, END = "<!-- rooms: made by scripts/house_map.py -->", "<!-- end of rooms -->"


def rows() -> str:
    """One line per package: path, what lives there, its modules."""
    lines = ["| package | what lives there, and its door | modules |", "|---|---|---|"]
    for room in ROOMS:
        for folder in (Path(room), *sorted(p for p in Path(room).rglob("*") if (p / "__init__.py").is_file())):
            said = (ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or "").split("\n\n")
            door = next((part for part in said[1:] if part.startswith("Door")), "")
            modules = ", ".join(f"`{m.stem}`" for m in sorted(folder.glob("*.py")) if m.stem != "__init__")
            lines.append(f"| `{folder}` | {' '.join(f'{said[0]} {door}'.split())} | {modules} |")
    return "\n".join(lines)


def main() -> int:
    """Write the table, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(START)
    tail = rest.split(END)[1]
    wanted = f"{head}{START}\n{rows()}\n{END}{tail}"
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if wanted != text:
        sys.stdout.write("docs/architecture.md does not show the rooms of today: run scripts/house_map.py\n")
    return int(wanted != text)


if __name__ == "__main__":
    sys.exit(main())
