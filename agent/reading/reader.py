"""The trained reader: which tools a message needs and which kind of question it is, each with a calibrated probability.

One logistic regression per label over `features`; fitted by `medmpt train reader`, shipped in `data/reader/reader.npz` with its card.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.reading.features import WIDTH, Message, Sparse, features
from tools.evidence import ToolName
from tools.spec import specs

TOOLS: tuple[ToolName, ...] = tuple(specs())
# The label of a message that needs no tool: small talk, outside medicine, about the answer before, what must be declined.
NONE = "none"
KINDS = (
    "definition", "criteria", "cutoff", "dose", "duration", "next_step", "comparison", "interaction", "adverse_effect", "monitoring",
    "differential", "sign", "why", "compute", "interpret", "measure", "describe", "draft", "check_report", "similar", "summarise",
    "choose_drug", "check_drug", "what_if", "follow_up", "about_answer", "social", "outside", "emergency", "harm", "procedure", "teach",
)  # fmt: skip
# Columns of the fitted file; a kind may bear the name of a tool.
LABELS: tuple[str, ...] = (*TOOLS, NONE, *(f"kind:{k}" for k in KINDS))
_NEVER = -30.0
# Kinds of question that one tool alone answers: where the reader sees such a one and its tool, no probability of "none" counts.
_TOOL_OF_KIND: Mapping[str, ToolName] = {
    "draft": "draft_report", "check_report": "check_report", "similar": "find_similar_cases", "summarise": "summarize_case",
    "interpret": "interpret_labs", "measure": "quantify_ct", "describe": "classify_ct",
}  # fmt: skip


@dataclass(frozen=True)
class Opinion:
    """What the reader thinks of a message.

    Attributes:
        tools: Probability that each tool is needed.
        none: Probability that no tool is.
        kinds: Probability of each kind of question.
    """

    tools: Mapping[ToolName, float]
    none: float
    kinds: Mapping[str, float]

    @property
    def kind(self) -> str:
        """The likeliest kind."""
        return max(self.kinds, key=lambda k: self.kinds[k])


@dataclass(frozen=True)
class Weights:
    """The fitted file.

    Attributes:
        coef: `(labels, WIDTH)`.
        bias: `(labels,)`.
        slope: Calibration: `p = sigmoid(slope * score + shift)`.
        shift: See `slope`.
        limits: Threshold of each tool, with (row 0) and without (row 1) an open case; last column: of no tool at all.
    """

    coef: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]
    limits: NDArray[np.float32]


class Reader:
    """Reads messages with fitted weights."""

    def __init__(self, weights: Weights) -> None:
        """Use these weights; `shipped` opens those of the package."""
        if weights.coef.shape != (len(LABELS), WIDTH):
            raise ValueError(f"the reader's weights are {weights.coef.shape}, not {(len(LABELS), WIDTH)}: run `medmpt train reader`")
        self._weights = weights

    def read(self, message: Message) -> Opinion:
        """Probabilities of all labels."""
        return self.judge(features(message))

    def judge(self, row: Sparse) -> Opinion:
        """Probabilities for a message whose features are known."""
        w = self._weights
        score = w.coef[:, row.index] @ row.value + w.bias
        p = 1.0 / (1.0 + np.exp(-(w.slope * score + w.shift)))
        told = [float(x) for x in p]
        first = len(TOOLS) + 1
        return Opinion(dict(zip(TOOLS, told, strict=False)), told[len(TOOLS)], dict(zip(KINDS, told[first:], strict=True)))

    def choose(self, opinion: Opinion, case: bool) -> tuple[ToolName, ...]:
        """Tools to ask, surest first: those above their fitted threshold, at least the likeliest unless none is likelier."""
        limits = self._weights.limits[0 if case else 1]
        ranked = sorted(TOOLS, key=lambda t: -opinion.tools[t])
        best = opinion.tools[ranked[0]]
        own = _TOOL_OF_KIND.get(opinion.kind)
        surely = own is not None and opinion.tools[own] >= limits[TOOLS.index(own)]
        if opinion.none >= limits[-1] and opinion.none > best and not surely:
            return ()
        above = tuple(t for t in ranked if opinion.tools[t] >= limits[TOOLS.index(t)])
        return above or ((ranked[0],) if best > opinion.none else ())


def load(path: Path) -> Weights:
    """Weights of a file that `save` wrote, in the order of today's labels.

    A tool that is newer than the file is never proposed until `medmpt train reader` has seen utterances for it.
    """
    with np.load(path) as data:
        kept = Weights(*(data[name].astype(np.float32) for name in ("coef", "bias", "slope", "shift", "limits")))
        labels = [str(x) for x in data["labels"]] if "labels" in data else list(LABELS)
    return kept if tuple(labels) == LABELS else _in_order(kept, labels)


def _in_order(kept: Weights, labels: list[str]) -> Weights:
    """Rows of the file moved to today's labels; a label that it lacks gets probability 0 and a threshold that nothing reaches."""
    row = {label: i for i, label in enumerate(labels)}
    at = np.array([row.get(label, -1) for label in LABELS])
    known = at >= 0
    columns = at[: len(TOOLS) + 1]
    return Weights(
        coef=np.where(known[:, None], kept.coef[at], 0.0).astype(np.float32),
        bias=np.where(known, kept.bias[at], _NEVER).astype(np.float32),
        slope=np.where(known, kept.slope[at], 1.0).astype(np.float32),
        shift=np.where(known, kept.shift[at], 0.0).astype(np.float32),
        limits=np.where(known[: len(TOOLS) + 1], kept.limits[:, columns], 1.1).astype(np.float32),
    )


def save(weights: Weights, path: Path) -> None:
    """Write weights, the coefficients in half precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        coef=weights.coef.astype(np.float16),
        bias=weights.bias,
        slope=weights.slope,
        shift=weights.shift,
        limits=weights.limits,
        labels=np.array(LABELS),
    )


@lru_cache(maxsize=1)
def shipped() -> Reader:
    """The reader of this package."""
    with as_file(files("agent").joinpath("data/reader/reader.npz")) as path:
        return Reader(load(path))


@lru_cache(maxsize=2048)
def opinion_of(message: Message) -> Opinion:
    """What the shipped reader thinks of a message."""
    return shipped().read(message)
