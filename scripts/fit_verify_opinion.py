"""Fit the second opinion of `verify` and write `agent/data/verify_opinion.json`.

Run: python scripts/fit_verify_opinion.py            (about two minutes on one core)
Rows: the blind files of tests/outside that may be read (kept halves are left out), with less weight for those that rules were tuned on.
Evidence is kept together in the folds; the cross-validated figures are printed before the model is fitted on all rows.
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from agent.evaluation.verification import VerifyRow, read_rows
from agent.verify.check import objections
from agent.verify.opinion.features import features

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "agent/data/verify_opinion.json"
# File, languages that may be read, weight.
SOURCES = (
    ("blind4_verify_train.jsonl", ("en", "zh"), 1.0),
    ("blind3_verify.jsonl", ("en",), 0.3),
    ("verify_blind.jsonl", ("en", "zh"), 0.3),
)
# Objections that are right nearly always or whose error would be a wrong number, name, edition or record.
CERTAIN = (
    "edition", "year", "unit is not", "is not what", "does not say left", "does not say right", "does not speak", "advise", "safe",
    "inference belongs", "record says", "an order", "other side", "rests on", "the comparison with", "belongs", "says is absent what",
    "denies what the evidence states", "does not say this",
)  # fmt: skip
ACQUIT_BELOW = 0.4
PENALTY = 0.3
FEWEST = 5


def main() -> int:
    rows, weights = _rows()
    cited = [[e for e in r.evidence if e.key in r.keys] for r in rows]
    stated = [objections(r.text, c) for r, c in zip(rows, cited, strict=True)]
    found = [min((features(text, c) for text, _ in s), key=_fired) for s, c in zip(stated, cited, strict=True)]
    names = sorted(n for n in {n for f in found for n in f} if sum(n in f for f in found) >= FEWEST)
    x = np.array([[f.get(n, 0.0) for n in names] for f in found])
    y = np.array([r.label == "fault" for r in rows], dtype=float)
    groups = np.array([hash(r.evidence[0].text) for r in rows])
    chance = np.zeros(len(rows))
    for train, test in GroupKFold(8, shuffle=True, random_state=0).split(x, groups=groups):
        fitted = LogisticRegression(C=PENALTY, max_iter=5000).fit(x[train], y[train], sample_weight=weights[train])
        chance[test] = fitted.predict_proba(x[test])[:, 1]
    _report(y, weights, stated, chance)
    model = LogisticRegression(C=PENALTY, max_iter=5000).fit(x, y, sample_weight=weights)
    TARGET.write_text(
        json.dumps(
            {
                "acquit_below": ACQUIT_BELOW,
                "bias": round(float(model.intercept_[0]), 4),
                "certain": CERTAIN,
                "weights": {n: round(float(c), 4) for n, c in zip(names, model.coef_[0], strict=True)},
            },
            indent=1,
        )
        + "\n",
        encoding="utf-8",
    )
    return 0


def _fired(found: dict[str, float]) -> int:
    return sum(":" in name for name in found)


def _rows() -> tuple[list[VerifyRow], np.ndarray]:
    rows: list[VerifyRow] = []
    weights: list[float] = []
    for name, languages, weight in SOURCES:
        here = [r for r in read_rows(ROOT / "tests/outside" / name) if r.lang in languages]
        rows += here
        weights += [weight] * len(here)
    return rows, np.array(weights)


def _report(y: np.ndarray, weights: np.ndarray, stated: list[list[tuple[str, str | None]]], chance: np.ndarray) -> None:
    """Caught and false alarms, cross-validated, on the rows of full weight."""
    for limit in (0.0, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
        refused = np.array(
            [
                all(r is not None for _, r in s) and not (p < limit and any(not any(c in (r or "") for c in CERTAIN) for _, r in s))
                for s, p in zip(stated, chance, strict=True)
            ]
        )
        full = weights == 1.0
        caught, alarms = refused[full & (y == 1)], refused[full & (y == 0)]
        sys.stdout.write(f"acquit below {limit}: caught {caught.sum()}/{len(caught)}, false alarms {alarms.sum()}/{len(alarms)}\n")


if __name__ == "__main__":
    sys.exit(main())
