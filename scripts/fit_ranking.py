"""Fit the weights of `tools/bedside/ranking.py`: `python scripts/fit_ranking.py RECORDS… --none FILE…`.

RECORDS are folders of cases whose records tell how often a topic applies; each example of a topic is asked of up to three records to
which it applies, without itself among the examples. `--none` names JSONL files of labelled messages (`q`, `kind`): those of `KINDS` mean
no topic. Writes `tools/data/bedside/ranking.json` and prints how often the right topic comes first, and above a half.
"""

import argparse
import json
import random
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from retrieval.drugs.graph import DrugGraph
from tools.bedside.judging import judge
from tools.bedside.likeness import Query, examples, nearest, overlap, worded
from tools.bedside.ranking import SIGNS
from tools.bedside.record.view import Record
from tools.bedside.topics import topics
from tools.case.files import load_case

# Kinds of message that no topic of the bedside answers.
KINDS = frozenset({"measure", "social", "outside", "compute", "draft", "check_report", "similar"})
OUT = Path("tools/data/bedside/ranking.json")
_RECORDS, _NONE, _FOLDS = 3, 600, 5
Sample = tuple[NDArray[np.float64], int]  # signs of the topics that apply, row of the right one (-1: none)


def _able(folders: list[Path]) -> list[list[str]]:
    graph = DrugGraph.load()
    cases = [load_case(path).case for folder in folders for path in sorted(folder.iterdir()) if (path / "case.json").exists()]
    return [[t.id for t in topics().values() if t.ask and judge(t, Record(case, graph, ""))] for case in cases]


def _signs(query: Query, names: list[str], share: dict[str, float], usual: float, skip: str = "") -> NDArray[np.float64]:
    rows = [
        (
            worded(query, n),
            overlap(query, n, skip),
            nearest(query, n, skip),
            float(topics()[n].asked(query.text)),
            -np.log(share.get(n, usual)),
        )
        for n in names
    ]
    return np.array(rows)


def _samples(able: list[list[str]], share: dict[str, float], usual: float, none: list[str]) -> list[Sample]:
    draw = random.Random(1)
    out: list[Sample] = []
    for name, asked in examples().items():
        where = [names for names in able if name in names]
        for text in asked:
            query = Query.of(text)
            out += [
                (_signs(query, names, share, usual, text), names.index(name)) for names in draw.sample(where, min(_RECORDS, len(where)))
            ]
    for text in none:
        out.append((_signs(Query.of(text), draw.choice(able), share, usual), -1))
    return out


def _loss(theta: NDArray[np.float64], samples: list[Sample]) -> tuple[float, NDArray[np.float64]]:
    loss, slope = 0.0, np.zeros_like(theta)
    for x, right in samples:
        full = np.hstack([x, np.ones((len(x), 1))])
        raw = full @ theta
        top = max(0.0, raw.max())
        e = np.exp(raw - top)
        whole = e.sum() + np.exp(-top)
        p = e / whole
        loss -= (raw[right] if right >= 0 else 0.0) - top - np.log(whole)
        slope += p @ full - (full[right] if right >= 0 else 0.0)
    return loss / len(samples) + 1e-4 * float(theta @ theta), slope / len(samples) + 2e-4 * theta


def _fit(samples: list[Sample]) -> NDArray[np.float64]:
    start = np.array([5.0, 5.0, 3.0, 1.0, 0.5, -5.0])
    return np.asarray(minimize(_loss, start, args=(samples,), jac=True, method="L-BFGS-B").x)


def _told(theta: NDArray[np.float64], samples: list[Sample]) -> dict[str, float]:
    first = sure = sure_right = none_kept = 0
    positives = [s for s in samples if s[1] >= 0]
    negatives = [s for s in samples if s[1] < 0]
    for x, right in samples:
        raw = np.hstack([x, np.ones((len(x), 1))]) @ theta
        top = max(0.0, raw.max())
        p = np.exp(raw - top) / (np.exp(raw - top).sum() + np.exp(-top))
        best = int(p.argmax())
        if right >= 0:
            first += best == right
            sure += p[best] >= 0.5
            sure_right += p[best] >= 0.5 and best == right
        else:
            none_kept += p[best] < 0.5
    n, m = max(1, len(positives)), max(1, len(negatives))
    return {"first": first / n, "sure": sure / n, "right where sure": sure_right / max(1, sure), "none kept": none_kept / m}


def main() -> None:
    """Fit, measure by topic folds, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("records", nargs="+", type=Path)
    asked.add_argument("--none", nargs="*", type=Path, default=[])
    given = asked.parse_args()
    able = _able(given.records)
    counts = {name: sum(name in names for names in able) for name in topics()}
    share = {name: round((n + 0.5) / (len(able) + 1), 4) for name, n in counts.items() if n}
    usual = round(0.5 / (len(able) + 1), 4)
    rows = [json.loads(line) for path in given.none for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    none = [r["q"] for r in rows if r.get("kind") in KINDS]
    random.Random(2).shuffle(none)
    samples = _samples(able, share, usual, none[:_NONE])
    random.Random(3).shuffle(samples)
    held = [_told(_fit([s for i, s in enumerate(samples) if i % _FOLDS != k]), samples[k::_FOLDS]) for k in range(_FOLDS)]
    told = {k: round(float(np.mean([h[k] for h in held])), 3) for k in held[0]}
    sys.stdout.write(f"{len(able)} records, {len(samples)} samples; {told}\n")
    theta = _fit(samples)
    weights = {s: round(float(w), 3) for s, w in zip(SIGNS, theta, strict=False)}
    OUT.write_text(json.dumps({"weights": weights, "bias": round(float(theta[-1]), 3), "usual": usual, "share": share}, indent=1) + "\n")
    sys.stdout.write(f"{weights} bias {theta[-1]:.3f}\n")


if __name__ == "__main__":
    main()
