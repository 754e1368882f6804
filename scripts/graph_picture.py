#!/usr/bin/env python3
"""The turn graph as a picture in docs/integration.md: `--check` says whether it still is the graph of the code."""

import sys
from pathlib import Path

from agent.turn.graph import build_graph
from agent.turn.planner import Planner
from tools.registry import TOOLS

PAGE = Path("docs/integration.md")
START, END = "<!-- graph: made by scripts/graph_picture.py -->", "<!-- end of graph -->"


def picture() -> str:
    """The graph in mermaid."""
    return f"```mermaid\n{build_graph(Planner(), TOOLS).get_graph().draw_mermaid().strip()}\n```"


def main() -> int:
    """Write the picture, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    wanted = f"{head}{START}\n{picture()}\n{END}{tail}"
    if "--check" in sys.argv:
        if wanted != text:
            sys.stderr.write("docs/integration.md: the picture is not that of the graph; run scripts/graph_picture.py\n")
        return int(wanted != text)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
