"""How many seeded errors of pasted reports the linter finds, and how many sound reports it bothers; by language and kind.

Run from the repository root: `python benchmarks/report_suite.py [--half dev|kept|all] [--show]`. Even rows (counted over both files) are
for development; `--show` prints what went wrong on those only. Odd rows are kept back: only their figures are read.
"""

import argparse
import json
import sys
from collections import Counter
from datetime import date
from pathlib import Path

from tools.reports.lint import lint

FILES = ("tests/outside/report_check_1.jsonl", "tests/outside/report_check_2.jsonl")
TODAY = date(2026, 11, 29)


def rows(half: str) -> list[dict[str, str]]:
    """Rows of one half of the suite."""
    every = [json.loads(line) for name in FILES for line in Path(name).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [r for i, r in enumerate(every) if half == "all" or (i % 2 == 0) == (half == "dev")]


def measure(half: str, show: bool) -> dict[str, object]:
    """Counts of one half."""
    totals: Counter[str] = Counter()
    by_kind: dict[str, Counter[str]] = {}
    alarms: Counter[str] = Counter()
    for row in rows(half):
        remarks = lint(row["text"], today=TODAY).remarks
        kinds = {r.kind for r in remarks}
        error = row["expect"] == "error"
        for key in ("all", row["lang"]):
            totals[f"{key} {row['expect']}"] += 1
            totals[f"{key} {'found' if error else 'alarm'}"] += bool(remarks)
            totals[f"{key} right kind"] += error and row["kind"] in kinds
        if error:
            by_kind.setdefault(row["kind"], Counter()).update(rows=1, found=int(bool(remarks)), right=int(row["kind"] in kinds))
        elif remarks:
            alarms.update(kinds)
        if show and half == "dev" and error != bool(remarks):
            said = [(r.kind, r.text, r.places) for r in remarks]
            sys.stdout.write(f"{'MISS' if error else 'ALARM'} {row['id']} {row['kind']} {row.get('where')} {said}\n  {row['text']}\n\n")
    return {"totals": dict(totals), "by_kind": {k: dict(v) for k, v in sorted(by_kind.items())}, "alarms": dict(alarms)}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("dev", "kept", "all"), default="all")
    parser.add_argument("--show", action="store_true", help="print misses and false alarms of the development half")
    given = parser.parse_args()
    halves = ("dev", "kept") if given.half == "all" else (given.half,)
    sys.stdout.write(json.dumps({h: measure(h, given.show) for h in halves}, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
