#!/usr/bin/env python3
"""The table of rooms in `docs/architecture.md`, written from the first lines of every package's docstring, and what ships, counted.

`python scripts/house_map.py` writes it, `--check` says whether it is that of today (exit 1 when not).
"""

import ast
import sys
from pathlib import Path

ROOMS = ("ui", "agent", "tools", "retrieval", "medmpt_backend")
PAGE = Path("docs/architecture.md")
COUNTS, COUNTED = "<!-- counts: made by scripts/house_map.py -->", "<!-- end of counts -->"
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


def counted() -> str:
    """What ships, in figures, each out of the loader that serves it."""
    sys.path.insert(0, ".")
    from medmpt_backend.cohort.patients.diseases import DISEASES
    from medmpt_backend.findings import FINDINGS
    from retrieval.drugs.graph import DrugGraph
    from retrieval.guidelines.corpus import load_corpus
    from tools.bedside.topics import topics
    from tools.labs.analytes import analytes
    from tools.scores.registry import calculators
    from tools.spec import specs
    from tools.teaching.cases import teaching_cases
    from ui.cli.table import DECLARED

    corpus, graph = load_corpus(), DrugGraph.load()
    found = {
        "guideline passages": len(corpus.passages),
        "guidelines": len(corpus.guidelines),
        "drugs": len(graph.drugs()),
        "scores and formulas": len(calculators()),
        "laboratory analytes": len(analytes()),
        "bedside topics": len(topics()),
        "CT findings": len(FINDINGS),
        "diseases of the cohort": len(DISEASES),
        "teaching cases": len(teaching_cases()),
        "tools": len(specs()),
        "commands": len(DECLARED),
    }
    return " · ".join(f"{count:,} {name}" for name, count in found.items())


def written(text: str, start: str, end: str, body: str) -> str:
    """The text with what stands between two marks replaced."""
    head, rest = text.split(start)
    return f"{head}{start}\n{body}\n{end}{rest.split(end)[1]}"


def main() -> int:
    """Write both, or compare them."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = written(written(text, START, END, rows()), COUNTS, COUNTED, counted())
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if wanted != text:
        sys.stdout.write("docs/architecture.md does not show the rooms and counts of today: run scripts/house_map.py\n")
    return int(wanted != text)


if __name__ == "__main__":
    sys.exit(main())
