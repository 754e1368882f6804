"""Fits the chance of a remark of the report linter: `python scripts/fit_report_chance.py` writes `tools/data/reports/chance.json`.

Rows (`scripts/report_chance.jsonl`) hold signs and labels, no text: remarks of the linter as it stood before each outside author was read
(`first`), and of today's on what was read, on seeded errors and on sound reports. Prints how the model does on each author left out.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tools.reports.lint.chance.signs import NAMES

ROWS = Path(__file__).with_name("report_chance.jsonl")
OUT = Path(__file__).resolve().parents[1] / "tools" / "data" / "reports" / "chance.json"
AUTHORS = ("blind3", "blind4", "blind5", "blind6")
# First-sight rows tell most; rows that the rules were mended on flatter. Of a rule made since, there are only those.
WEIGHTS = {"first": 1.0, "wrong": 0.5, "right": 0.05}
NEW_RULE = 1.0
# Signs told little on authors left out (area under the curve 0.3 to 0.5), so they are held small; what a rule was worth is what is left.
PENALTY_SIGN, PENALTY_RULE, PENALTY_BIAS = 8.0, 0.5, 0.01
# More likely wrong than right.
LIMIT = 0.5


def weight(row: dict, old: set[str]) -> float:
    """How much a row counts."""
    if row["rule"] not in old and row["origin"] not in ("seeds", "own"):
        return NEW_RULE
    return WEIGHTS["first" if row["first"] else "right" if row["right"] else "wrong"]


def matrix(rows: list[dict], rules: list[str]) -> np.ndarray:
    """Bias, signs and rules of each row."""
    out = np.zeros((len(rows), 1 + len(NAMES) + len(rules)))
    for i, row in enumerate(rows):
        out[i, 0] = 1.0
        for name, value in row["signs"].items():
            out[i, 1 + NAMES.index(name)] = value
        if row["rule"] in rules:
            out[i, 1 + len(NAMES) + rules.index(row["rule"])] = 1.0
    return out


def fit(rows: list[dict], rules: list[str]) -> np.ndarray:
    """Weights of the logistic model, by Newton's method."""
    old = {r["rule"] for r in rows if r["first"]}
    a, y, w = matrix(rows, rules), np.array([r["right"] for r in rows], float), np.array([weight(r, old) for r in rows])
    penalty = np.r_[PENALTY_BIAS, np.full(len(NAMES), PENALTY_SIGN), np.full(len(rules), PENALTY_RULE)]
    b = np.zeros(a.shape[1])
    for _ in range(40):
        p = 1 / (1 + np.exp(-a @ b))
        b -= np.linalg.solve((a * (w * p * (1 - p))[:, None]).T @ a + np.diag(penalty), a.T @ (w * (p - y)) + penalty * b)
    return b


def main() -> None:
    """Fit, report, write."""
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    rules = sorted({r["rule"] for r in rows})
    for author in AUTHORS:
        kept = [r for r in rows if r["origin"] == author and r["first"]]
        p = 1 / (1 + np.exp(-matrix(kept, rules) @ fit([r for r in rows if r["origin"] != author], rules)))
        wrong = [v for v, r in zip(p, kept, strict=True) if not r["right"]]
        right = [v for v, r in zip(p, kept, strict=True) if r["right"]]
        area = float(np.mean([[(a > b) + 0.5 * (a == b) for b in wrong] for a in right]))
        low = [sum(v < LIMIT for v in some) for some in (wrong, right)]
        below = f"{low[0]} of {len(wrong)} wrong, {low[1]} of {len(right)} right"
        sys.stdout.write(f"{author} left out: area under the curve {area:.2f}; below the limit {below}\n")
    b = fit(rows, rules)
    model = {
        "bias": round(float(b[0]), 3),
        "signs": {n: round(float(v), 3) for n, v in zip(NAMES, b[1:], strict=False)},
        "rules": {n: round(float(v), 3) for n, v in zip(rules, b[1 + len(NAMES) :], strict=True)},
        "limit": LIMIT,
    }
    OUT.write_text(json.dumps(model, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
