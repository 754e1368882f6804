"""Macro-F1 of the 18 CT-RATE labels read from real reports, beside bare keyword matching.

Run from the repository root: `python benchmarks/report_labels.py [--part dev|kept|all] [--show LABEL]`. Needs `../shared/data/reports`;
says so and ends where it is absent. A fixed random 300 reports are for development, the other 500 for the figure.
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

from tools.reports.labels import keywords, labels, names

DATA = Path(__file__).resolve().parents[1] / "../shared/data/reports/chest_ct_reports_dev.csv"
DEVELOPMENT = 300
SEED = 20251129


def reports(part: str) -> list[dict[str, str]]:
    """Rows of one part."""
    with DATA.open(encoding="utf-8", newline="") as file:
        every = list(csv.DictReader(file))
    chosen = set(random.Random(SEED).sample(range(len(every)), DEVELOPMENT))
    return [r for i, r in enumerate(every) if part == "all" or (i in chosen) == (part == "dev")]


def f1(rows: list[dict[str, str]], read: Callable[[str], frozenset[str]]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each label."""
    said = [read(r["report_text"]) for r in rows]
    out: dict[str, dict[str, float]] = {}
    for name in names():
        truth = [r[name] == "1" for r in rows]
        hit = sum(t and name in s for t, s in zip(truth, said, strict=True))
        told, real = sum(name in s for s in said), sum(truth)
        precision, recall = (hit / told if told else 0.0), (hit / real if real else 0.0)
        out[name] = {
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "f1": round(2 * hit / (told + real) if told + real else 0.0, 3),
            "n": real,
        }
    return out


def show(label: str) -> None:
    """Disagreements of one label on the development part."""
    for row in reports("dev"):
        said = label in labels(row["report_text"])
        if said != (row[label] == "1"):
            sys.stdout.write(f"{'EXTRA' if said else 'MISSED'} {row['report_text']}\n\n")


def main() -> None:
    """Print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("dev", "kept", "all"), default="all")
    parser.add_argument("--show", metavar="LABEL")
    given = parser.parse_args()
    if not DATA.is_file():
        sys.stdout.write(json.dumps({"skipped": f"{DATA} is not there"}) + "\n")
        return
    if given.show:
        show(given.show)
        return
    out = {}
    for part in ("dev", "kept") if given.part == "all" else (given.part,):
        rows = reports(part)
        ours, bare = f1(rows, labels), f1(rows, keywords)
        macro = {name: round(sum(v["f1"] for v in each.values()) / len(each), 3) for name, each in (("labels", ours), ("keywords", bare))}
        out[part] = {"reports": len(rows), "macro_f1": macro, "labels": ours}
    sys.stdout.write(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
