#!/usr/bin/env python3
"""What `make check` asks of the house: no import circle, no overfull folder, no overlong function, no stray large file.

Run from the root of a checkout; prints each fault and exits with 1 when there is any.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import networkx

ROOMS = ("agent", "tools", "retrieval", "medmpt_backend", "ui")
MOST_MODULES = 14
LONGEST_FUNCTION = 60
LARGEST_FILE = 1_000_000
# Files over the limit that belong here: the shipped weights, the fitted reader.
LARGE = ("medmpt_backend/shipped/", "agent/data/reader/")


def circles() -> Iterator[str]:
    """Modules that import each other, directly or through others; imports for type checking count too."""
    graph = grimp.build_graph(*ROOMS)
    imports = networkx.DiGraph((module, other) for module in graph.modules for other in graph.find_modules_directly_imported_by(module))
    for group in networkx.strongly_connected_components(imports):
        if len(group) > 1:
            yield f"import circle: {', '.join(sorted(group))}"


def overfull() -> Iterator[str]:
    """Folders with more modules than a newcomer can take in."""
    for room in ROOMS:
        for folder in (Path(room), *(p for p in Path(room).rglob("*") if p.is_dir())):
            modules = [m for m in folder.glob("*.py") if m.name != "__init__.py"]
            if len(modules) > MOST_MODULES:
                yield f"{folder}: {len(modules)} modules, at most {MOST_MODULES}"


def overlong() -> Iterator[str]:
    """Functions that are too long to read at once."""
    for room in ROOMS:
        for path in Path(room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                    lines = node.end_lineno - node.lineno + 1
                    if lines > LONGEST_FUNCTION:
                        yield f"{path}:{node.lineno} {node.name}: {lines} lines, at most {LONGEST_FUNCTION}"


def oversized() -> Iterator[str]:
    """Tracked files over 1 MB outside the shipped weights."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True, text=True).stdout.split("\0")
    for name in filter(None, listed):
        path = Path(name)
        if path.is_file() and path.stat().st_size > LARGEST_FILE and not name.startswith(LARGE):
            yield f"{name}: {path.stat().st_size} bytes, at most {LARGEST_FILE}"


def main() -> int:
    """Print every fault."""
    sys.path.insert(0, str(Path.cwd()))
    faults = [*circles(), *overfull(), *overlong(), *oversized()]
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "the house is in order\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
