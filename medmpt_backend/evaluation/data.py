"""Test (and training) data of an evaluation: shards, the cohort's `truth.jsonl` and `histograms.npz` beside them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from medmpt_backend.errors import BadInput
from medmpt_backend.train.data.shards import ShardDataset, Split, StudyRecord

Array = NDArray[np.float64]
TRUTH_FILE, HISTOGRAM_FILE = "truth.jsonl", "histograms.npz"


class FindingTruth(BaseModel):
    """One painted finding, as far as the evaluation reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    labels: tuple[str, ...] = ()
    side: Literal["left", "right", "both"] | None = None
    size_mm: float | None = None
    visible: bool = True


class _Patient(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    disease: str = ""
    severity: float | None = None


class _Painted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    findings: tuple[FindingTruth, ...] = ()


class StudyTruth(BaseModel):
    """One line of `truth.jsonl`, as far as the evaluation reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    reports: dict[str, str] = Field(default_factory=dict)
    patient: _Patient = _Patient()
    truth: _Painted = _Painted()

    @property
    def findings(self) -> tuple[FindingTruth, ...]:
        """What was painted."""
        return self.truth.findings


@dataclass(frozen=True, eq=False)
class StudySet:
    """Some studies of a data set.

    Attributes:
        data: The data set; `rows` index it.
        rows: Chosen studies.
        records: Their lines of `index.jsonl`.
        truths: Their lines of `truth.jsonl`; empty where the data set has none.
        histograms: `(N, bins)` counts in the volume and in the lungs; None where the data set has none.
        digest: Identifies data set and choice.
    """

    data: ShardDataset
    rows: tuple[int, ...]
    records: tuple[StudyRecord, ...]
    truths: tuple[StudyTruth, ...]
    histograms: Array | None
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    def labels(self, label: str) -> Array:
        """`(N,)` of 0, 1 or NaN."""
        return np.array([np.nan if (v := r.labels.get(label)) is None else float(v) for r in self.records])

    def classes(self, task: str) -> Array:
        """`(N,)` class numbers or NaN."""
        return np.array([np.nan if (v := r.classes.get(task)) is None else float(v) for r in self.records])

    def where(self, chosen: NDArray[np.bool_]) -> tuple[int, ...]:
        """Positions inside this set."""
        return tuple(np.flatnonzero(chosen).tolist())


def open_studies(folder: Path, split: Split | None = None, limit: int | None = None) -> StudySet:
    """Open a data set for evaluation.

    Args:
        folder: Data set folder.
        split: One split, None for all studies.
        limit: At most this many, spread evenly over the data set.

    Raises:
        BadInput: The data set or a file beside it is damaged.
    """
    data = ShardDataset(folder, None)
    chosen = [i for i, r in enumerate(data.records) if split is None or r.split == split]
    if limit is not None and len(chosen) > limit:
        chosen = [chosen[i] for i in np.unique(np.linspace(0, len(chosen) - 1, limit).round().astype(int))]
    if not chosen:
        raise BadInput(f"{folder.name!r} has no study in split {split!r}")
    records = tuple(data.records[i] for i in chosen)
    truths = _truths(folder, data)
    histograms = _histograms(folder, data)
    described = json.dumps([data.info.model_dump(mode="json"), [r.model_dump(mode="json") for r in records]], sort_keys=True)
    return StudySet(
        data,
        tuple(chosen),
        records,
        tuple(truths[i] for i in chosen) if truths else (),
        histograms[chosen] if histograms is not None else None,
        hashlib.sha256(described.encode()).hexdigest()[:16],
    )


def _truths(folder: Path, data: ShardDataset) -> list[StudyTruth]:
    path = folder / TRUTH_FILE
    if not path.is_file():
        return []
    try:
        found = [StudyTruth.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        raise BadInput(f"{TRUTH_FILE} of {folder.name!r} cannot be read: {str(error)[:200]}") from error
    if [t.id for t in found] != [r.id for r in data.records]:
        raise BadInput(f"{TRUTH_FILE} of {folder.name!r} does not list the studies of its index in the same order")
    return found


def _histograms(folder: Path, data: ShardDataset) -> Array | None:
    path = folder / HISTOGRAM_FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = np.concatenate([archive["volume"], archive["lungs"]], 1).astype(np.float64)
    except (OSError, ValueError, KeyError) as error:
        raise BadInput(f"{HISTOGRAM_FILE} of {folder.name!r} cannot be read: {error}") from error
    if len(found) != len(data.records):
        raise BadInput(f"{HISTOGRAM_FILE} of {folder.name!r} has {len(found)} rows, the index {len(data.records)}")
    return found
