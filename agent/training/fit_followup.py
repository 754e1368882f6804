"""Fit the model of follow-ups: `data/followups/*.tsv` against messages that stand alone."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from agent.errors import BadInput
from agent.reading.features import VECTOR, WIDTH, Message, row, sentence_vectors
from agent.reading.followup import KINDS, FollowUp, Kind, with_cues
from agent.training.logistic import Design, fit_labels
from agent.training.utterances import Utterance

PENALTY = 4.0
_EVEN = 1.0
FOLDS = 5
# Messages that stand alone, taken from the utterances of all authors.
_ALONE = 1400


@dataclass(frozen=True)
class Labelled:
    """One message in a thread with its kind and the file it stands in."""

    kind: Kind
    before: str
    text: str
    author: str


def folder() -> Path:
    """Where the labelled follow-ups of this package lie."""
    return Path(str(files("agent").joinpath("data/followups")))


def read_followups(place: Path) -> list[Labelled]:
    """All rows of all files.

    Raises:
        BadInput: A row that is none; says which.
    """
    rows: list[Labelled] = []
    for path in sorted(place.glob("*.tsv")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if not line or line.startswith("#"):
                continue
            parts = line.split("\t")
            if len(parts) != 3 or parts[0] not in KINDS:
                raise BadInput(f"{path.name}, line {number}: not a kind, the message before and the message")
            rows.append(Labelled(parts[0], parts[1], parts[2], path.stem))
    return rows


def standing_alone(rows: Sequence[Utterance], seed: int = 1) -> list[Labelled]:
    """Messages that continue nothing."""
    usable = [r for r in rows if not r.before and len(r.q) < 160 and r.kind not in ("follow_up", "about_answer", "why", "what_if")]
    return [Labelled("new", "", r.q, "alone") for r in random.Random(seed).sample(usable, min(_ALONE, len(usable)))]


def fit_followup(rows: Sequence[Labelled]) -> tuple[FollowUp, dict[str, float]]:
    """The model, and how often its likeliest kind is the kind on messages that it was not fitted on."""
    x, kind = _design(rows), np.array([KINDS.index(r.kind) for r in rows])
    fold = np.random.default_rng(3).integers(0, FOLDS, len(rows))
    told = np.zeros(len(rows), np.int64)
    for k in range(FOLDS):
        coef, bias = _fit(x.of(fold != k), kind[fold != k])
        told[fold == k] = x.of(fold == k).score(coef, bias).argmax(axis=1)
    figures = {f"followup_{name}": float((told[kind == i] == i).mean()) for i, name in enumerate(KINDS) if (kind == i).any()}
    figures["followup"] = float((told == kind).mean())
    return FollowUp(*_fit(x, kind)), {name: round(value, 3) for name, value in figures.items()}


def _fit(x: Design, kind: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    y = np.eye(len(KINDS), dtype=bool)[kind]
    count = np.maximum(y.sum(axis=0), 1)
    # In a thread most messages go on: a rare kind weighs more than its share, standing alone less.
    weight = ((len(y) / len(KINDS) / count) ** _EVEN).astype(np.float32)[kind]
    return fit_labels(x, y, np.repeat(weight[:, None], len(KINDS), axis=1), PENALTY)


def _design(rows: Sequence[Labelled]) -> Design:
    vectors = sentence_vectors([r.text for r in rows])
    made = [with_cues(row(Message(r.text), v, None), r.text) for r, v in zip(rows, vectors, strict=True)]
    ends = np.cumsum([0, *(len(m.index) for m in made)])
    values, columns = np.concatenate([m.value for m in made]), np.concatenate([m.index for m in made])
    every = sparse.csr_matrix((values, columns, ends), shape=(len(rows), WIDTH))
    return Design(every[:, : 2 * VECTOR].toarray(), every[:, 2 * VECTOR :].tocsr())
