"""What the parts of an evaluation share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medmpt_backend.evaluation.data import StudySet
from medmpt_backend.evaluation.features import Features, Progress, features, open_model
from medmpt_backend.evaluation.figures import Resampler
from medmpt_backend.inference.tokens import ReportTokenizer
from medmpt_backend.model.network import MedMPT
from medmpt_backend.weights.checkpoint import TOKENIZER_FILES, LoadedWeights


@dataclass(frozen=True)
class Edge:
    """Two drugs of the vocabulary that should not be given together, as the knowledge graph says."""

    one: str
    other: str


@dataclass(frozen=True, eq=False)
class Context:
    """Weights, data and options of one evaluation.

    Attributes:
        weights: The weights that are measured.
        compare: Name to other weights, measured on the same studies.
        test: Test studies.
        train: Training studies for baselines; None: what needs them is left out.
        counted: Training studies for baselines that need no encoding: all of them, where `train` is limited.
        val: Validation studies for the temperature; None: folds of the test studies.
        cache: Folder for features.
        seed: Of the bootstrap and of every random choice.
        times: Bootstrap samples.
        interactions: Pairs of drugs with a serious interaction.
        scans: Folder of real studies for the domain check; None: said.
        progress: Told about long steps.
    """

    weights: LoadedWeights
    compare: Mapping[str, LoadedWeights]
    test: StudySet
    train: StudySet | None
    val: StudySet | None
    cache: Path
    seed: int = 0
    times: int = 500
    counted: StudySet | None = None
    interactions: tuple[Edge, ...] | None = None
    scans: Path | None = None
    progress: Progress | None = field(default=None)

    @cached_property
    def model(self) -> MedMPT:
        """The measured model, loaded once."""
        return open_model(self.weights)

    @cached_property
    def tokenizer(self) -> ReportTokenizer | None:
        """Tokenizer of the weights."""
        text, folder = self.weights.config.text, self.weights.folder
        if text is None or not any((folder / name).is_file() for name in TOKENIZER_FILES):
            return None
        return ReportTokenizer.load(folder, text.pad, text.cls, text.sep)

    @cached_property
    def found(self) -> Features:
        """Test studies through the measured weights."""
        return features(self.weights, self.test, self.cache, model=self.model, progress=self.progress)

    @cached_property
    def learned(self) -> Features | None:
        """Training studies through the measured weights: embeddings only."""
        if self.train is None:
            return None
        return features(self.weights, self.train, self.cache, whole=False, model=self.model, progress=self.progress)

    @cached_property
    def checked(self) -> Features | None:
        """Validation studies through the measured weights: logits."""
        if self.val is None:
            return None
        return features(self.weights, self.val, self.cache, whole=False, model=self.model, progress=self.progress)

    def others(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Scan embeddings of training and test studies by each of the compared weights."""
        if self.train is None:
            return {}
        out = {}
        for name, weights in self.compare.items():
            model = open_model(weights)
            sets = [features(weights, s, self.cache, whole=False, model=model, progress=self.progress) for s in (self.train, self.test)]
            out[name] = (sets[0].scan, sets[1].scan)
        return out

    @cached_property
    def resampler(self) -> Resampler:
        """The bootstrap over test studies."""
        return Resampler(len(self.test), self.seed, self.times)

    def serves(self, task: str) -> bool:
        """Whether the weights serve a task."""
        return task in self.weights.provenance.tasks
