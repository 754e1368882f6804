"""The same question file at low, medium and high effort, in one process: facts held, forbidden text, sources against, seconds.

Run from the checkout: `python benchmarks/effort.py FILE [FILE ...] [--llm SPEC] [--limit N]`. The files have the format of
`../shared/questions` (knowledge questions). Prints one JSON object with a row for each file and level; the levels are asked one after
another, each question in a thread of its own.
"""

import argparse
import json
import re
import statistics
import time
import tomllib
from dataclasses import replace
from pathlib import Path

from agent.answering.answer import Answer
from agent.assistant import Assistant
from agent.settings import Effort, Settings
from agent.turn.prompts import FINISHED_BY_PLANNER

LEVELS: tuple[Effort, ...] = ("low", "medium", "high")
READ = 1500
WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def ask(assistant: Assistant, question: str, effort: Effort) -> Answer:
    """The answer in a thread of its own."""
    *_, last = assistant.ask(question, thread=assistant.new_thread("effort"), case=None, session="effort", effort=effort)
    assert last.type == "done"
    return last.answer


def right(row: dict[str, list[str]], answer: Answer) -> bool:
    """Whether the first characters hold every fact."""
    text = answer.answer.replace("*", "")[:READ]
    return all(re.search(p, text, re.I) for p in row["facts"])


def level(assistant: Assistant, rows: list[dict[str, list[str]]], effort: Effort) -> dict[str, object]:
    """Figures of one level."""
    hits, forbidden, against, searched, finished, seconds = 0, 0, 0, 0, 0, []
    for row in rows:
        start = time.perf_counter()
        answer = ask(assistant, str(row["q"]), effort)
        seconds.append(time.perf_counter() - start)
        hits += right(row, answer)
        forbidden += any(re.search(p, answer.answer, re.I) for p in row.get("forbidden", []))
        against += sum("says otherwise" in w or WORDS["disagrees"] in w for w in answer.warnings)
        finished += any(note in w for w in answer.warnings for note in FINISHED_BY_PLANNER.values())
        searched += sum(c.name == "search_guidelines" for c in answer.tool_calls) > 1
    return {
        "effort": effort,
        "facts": hits,
        "of": len(rows),
        "forbidden": forbidden,
        "sources_against": against,
        "second_searches": searched,
        "finished_by_planner": finished,
        "median_seconds": round(statistics.median(seconds), 3),
    }


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--llm", default="planner")
    parser.add_argument("--limit", type=int, default=None)
    args = parser.parse_args()
    assistant = Assistant.open(replace(Settings.from_environment(), llm=args.llm))
    out: dict[str, object] = {}
    try:
        for path in args.files:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()][: args.limit]
            ask(assistant, str(rows[0]["q"]), "medium")
            out[path.name] = [level(assistant, rows, effort) for effort in LEVELS]
    finally:
        assistant.close()
    print(json.dumps(out, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
