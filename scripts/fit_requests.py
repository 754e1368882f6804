"""Fit the classifier of requests: `python scripts/fit_requests.py UTTERANCES...` writes `agent/data/safety/requests.{npz,json}`.

Training rows: `agent/data/safety/requests.tsv` and utterances labelled by other hands (kind `harm` without a finer label counts as
declined: its finer kind is found by a first fit on the table).
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from agent.safety.requests import KINDS, SPACE, features

HERE = Path(__file__).resolve().parents[1] / "agent" / "data" / "safety"
_STRENGTH = 60.0
# Share of fine messages that may be declined, on held-out folds.
_ALARMS = 0.004


def matrix(texts: list[str]) -> csr_matrix:
    """Feature rows of texts."""
    rows, columns, values = [], [], []
    for i, text in enumerate(texts):
        for index, value in features(text).items():
            rows.append(i)
            columns.append(index)
            values.append(value)
    return csr_matrix((values, (rows, columns)), shape=(len(texts), SPACE), dtype=np.float64)


def read_table() -> list[tuple[str, str]]:
    """Own rows: kind and text."""
    lines = (HERE / "requests.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t", 1) for line in lines if line.strip() and not line.startswith("#"))
    return [(kind, text) for kind, text in pairs]


def fit(rows: list[tuple[str, str]]) -> LogisticRegression:
    """One regression over all kinds; declined kinds weigh more because they are few."""
    kinds = [KINDS.index(k) for k, _ in rows]
    weights = {i: 1.0 if i == 0 else 4.0 for i in range(len(KINDS))}
    return LogisticRegression(C=_STRENGTH, max_iter=500, class_weight=weights).fit(matrix([t for _, t in rows]), kinds)


def held_out(rows: list[tuple[str, str]]) -> np.ndarray:
    """Score of being declined for every row, from a fit that did not see it."""
    kinds = np.array([KINDS.index(k) for k, _ in rows])
    features_ = matrix([t for _, t in rows])
    scores = np.zeros(len(rows))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(features_, kinds):
        model = fit([rows[i] for i in train])
        scores[test] = 1.0 - model.predict_proba(features_[test])[:, list(model.classes_).index(0)]
    return scores


def main(paths: list[str]) -> None:
    """Fit, choose the threshold on held-out folds, write the file and its card."""
    own = read_table()
    others = [json.loads(line) for p in paths for line in Path(p).read_text(encoding="utf-8").splitlines() if line.strip()]
    first = fit(own)
    harm = [r["q"] for r in others if r["kind"] == "harm"]
    finer = first.predict_proba(matrix(harm))[:, 1:].argmax(axis=1) + 1 if harm else []
    rows = own + [(KINDS[k], q) for k, q in zip(finer, harm, strict=True)] + [("fine", r["q"]) for r in others if r["kind"] != "harm"]
    scores, bad = held_out(rows), np.array([k != "fine" for k, _ in rows])
    threshold = float(max(0.3, np.quantile(scores[~bad], 1 - _ALARMS)))
    model = fit(rows)
    weights = np.zeros((len(KINDS), SPACE), dtype=np.float16)
    weights[model.classes_] = model.coef_
    np.savez_compressed(HERE / "requests.npz", weights=weights, bias=model.intercept_.astype(np.float32))
    card = {
        "what": "logistic regression over hashed characters, words and concept kinds",
        "rows": len(rows),
        "declined_rows": int(bad.sum()),
        "threshold": round(threshold, 4),
        "held_out_declined_found": round(float((scores[bad] >= threshold).mean()), 4),
        "held_out_fine_declined": round(float((scores[~bad] >= threshold).mean()), 4),
    }
    (HERE / "requests.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(card) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
