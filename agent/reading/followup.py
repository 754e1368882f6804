"""How a message takes up what stands before it in its thread: a small fitted model over the reader's features.

One logistic regression per kind, fitted by `medmpt train reader` on `data/followups/*.tsv` against messages of `data/utterances` that stand
alone; shipped in `data/reader/followup.npz`.
"""

import re
import tomllib
import zlib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from agent.reading.features import GRAM_BINS, MARK_BINS, VECTOR, WIDTH, Message, Sparse, features

Kind = Literal["new", "detail", "next", "among", "correct", "back", "why", "shorter", "translate", "sources", "undo"]
KINDS: tuple[Kind, ...] = get_args(Kind)


# Lists whose words the model sees.
_CUES = ("about", "words")
# Weight of a cue beside the other features.
_CUE = 1.5
_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]")


@cache
def pattern(*path: str) -> re.Pattern[str]:
    """The alternatives of one list of `data/dialogue.toml`."""
    return re.compile("|".join(table()[path[0]][path[1]]), re.IGNORECASE | re.ASCII)


@cache
def table() -> dict[str, dict[str, list[str]]]:
    """`data/dialogue.toml`."""
    return tomllib.loads(files("agent").joinpath("data/dialogue.toml").read_text(encoding="utf-8"))


@cache
def _cue_names() -> tuple[tuple[str, str], ...]:
    return tuple((group, name) for group in _CUES for name in table()[group])


def with_cues(row: Sparse, text: str) -> Sparse:
    """The reader's features and which words of `data/dialogue.toml` the message holds, in the columns of the marks."""
    found = [f"cue:{group}:{name}" for group, name in _cue_names() if pattern(group, name).search(text)]
    found.append(f"words:{min(len(_WORD.findall(text.lower())) // 3, 8)}")
    at = np.array([zlib.crc32(name.encode()) % MARK_BINS for name in found], np.int64) + 2 * VECTOR + GRAM_BINS
    return Sparse(np.concatenate([row.index, at]), np.concatenate([row.value, np.full(len(at), _CUE, np.float32)]))


@dataclass(frozen=True)
class FollowUp:
    """The fitted file: `(kinds, WIDTH)` coefficients and `(kinds,)` biases."""

    coef: NDArray[np.float32]
    bias: NDArray[np.float32]

    def judge(self, row: Sparse) -> dict[Kind, float]:
        """Probability of each kind for a message whose features are known; they sum to 1."""
        score = self.coef[:, row.index] @ row.value + self.bias
        p = np.exp(score - score.max())
        p /= p.sum()
        return dict(zip(KINDS, (float(x) for x in p), strict=True))


def load(path: Path) -> FollowUp:
    """What `save` wrote.

    Raises:
        ValueError: It was fitted with other features or kinds.
    """
    with np.load(path) as data:
        fitted = FollowUp(data["coef"].astype(np.float32), data["bias"].astype(np.float32))
    if fitted.coef.shape != (len(KINDS), WIDTH):
        raise ValueError(f"{path.name} holds {fitted.coef.shape}, not {(len(KINDS), WIDTH)}: run `medmpt train reader`")
    return fitted


def save(fitted: FollowUp, path: Path) -> None:
    """Write it, the coefficients in half precision; those that move nothing are zero."""
    coef = np.where(np.abs(fitted.coef) < 1e-3, 0.0, fitted.coef).astype(np.float16)
    np.savez_compressed(path, coef=coef, bias=fitted.bias.astype(np.float32))


@lru_cache(maxsize=1)
def shipped() -> FollowUp:
    """The model of this package."""
    with as_file(files("agent").joinpath("data/reader/followup.npz")) as path:
        return load(path)


@lru_cache(maxsize=1024)
def kinds_of(text: str) -> dict[Kind, float]:
    """What the shipped model thinks of a message in a thread."""
    return shipped().judge(with_cues(features(Message(text)), text))
