"""Requests that are declined: a small trained classifier over characters, words and concept pairs; the fitted file has a card.

Harm and deceit are recognised by what is asked for, not by its words alone: a palliative dose, an antidote and an incident report are not.
"""

import json
import re
import tomllib
import unicodedata
import zlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from agent.reading.lexicon import concepts, language_of
from tools.evidence import Language

# Hash space of the features.
SPACE = 1 << 15
# Weight of a concept beside the hashed marks, which share a length of one.
_CONCEPT = 0.3
# How sure the fitted model must be of a message that has words of care, law or reporting.
_CARING = 0.9
KINDS = ("fine", "lethal", "forge", "hide", "data", "inject", "guess", "divert")


@dataclass(frozen=True)
class Request:
    """How a message was read: its kind and how sure that is."""

    kind: str
    certainty: float


def features(text: str) -> dict[int, float]:
    """Hashed features of a message, unit length: character runs, words, word pairs, concepts."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).lower()).strip()
    marks: set[str] = set()
    for size in (2, 3, 4):
        padded = f" {plain} "
        marks |= {f"c{padded[i : i + size]}" for i in range(len(padded) - size + 1)}
    words = re.findall(r"[a-z']+|[\u4e00-\u9fff]", plain)
    marks |= {f"w{w}" for w in words} | {f"p{a}_{b}" for a, b in pairwise(words)}
    marks |= {f"k{a}_{b}" for a, b in zip(words, words[2:], strict=False)}
    marks |= {f"t{t.kind}" for t in concepts(text)} | {f"l{language_of(text)}"}
    found: dict[int, float] = {}
    for mark in marks:
        index = zlib.crc32(mark.encode()) % SPACE
        found[index] = 1.0
    length = float(np.sqrt(len(found))) or 1.0
    shares = {i: v / length for i, v in found.items()}
    for mark in _concept_marks(text):
        shares[zlib.crc32(mark.encode()) % SPACE] = _CONCEPT
    return shares


def _concept_marks(text: str) -> set[str]:
    """Concepts of the message and pairs of them: they say more than any run of characters."""
    known, care, _ = _combinations()
    held = sorted([name for name, words in known.items() if words.search(text)] + (["care"] if care.search(text) else []))
    return {f"q{name}" for name in held} | {f"q{a}+{b}" for i, a in enumerate(held) for b in held[i + 1 :]}


@dataclass(frozen=True)
class _Model:
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    threshold: float


@lru_cache(maxsize=1)
def _model() -> _Model:
    folder = files("agent").joinpath("data/safety")
    card = json.loads(folder.joinpath("requests.json").read_text(encoding="utf-8"))
    with folder.joinpath("requests.npz").open("rb") as file:
        held = np.load(file)
        return _Model(held["weights"].astype(np.float32), held["bias"].astype(np.float32), float(card["threshold"]))


class _Combination(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    all: tuple[str, ...]
    spare: bool = False


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(files("agent").joinpath("data/safety/requests.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _combinations() -> tuple[dict[str, re.Pattern[str]], re.Pattern[str], tuple[_Combination, ...]]:
    data = _data()
    flags = re.IGNORECASE | re.ASCII
    known = {name: re.compile(words, flags) for name, words in data["concept"].items()}
    return known, re.compile(data["care"]["words"], flags), tuple(_Combination.model_validate(row) for row in data["decline"])


def combined(text: str) -> str | None:
    """The kind of the first combination of concepts that a message holds."""
    known, care, combinations = _combinations()
    found = {name for name, words in known.items() if words.search(text)}
    cared = bool(care.search(text))
    return next((c.kind for c in combinations if set(c.all) <= found and not (c.spare and cared)), None)


def _asks_summary(text: str) -> bool:
    """Whether who the patient is is asked together with why the patient is here, and nothing else that identifies is."""
    flags = re.IGNORECASE
    who, why = (re.compile(_data()["summary"][name], flags) for name in ("who", "why"))
    if not (who.search(text) and why.search(text)):
        return False
    rest = who.sub(" ", text)
    known, _, _ = _combinations()
    return combined(rest) is None and not any(known[name].search(rest) for name in ("identity", "others"))


def read_request(text: str) -> Request:
    """Which kind of request a message is: by the concepts it combines, else by the fitted model where that is sure."""
    if _asks_summary(text):
        return Request("fine", 1.0)
    kind = combined(text)
    if kind is not None:
        return Request(kind, 1.0)
    model = _model()
    scores = model.bias.copy()
    for index, value in features(text).items():
        scores += model.weights[:, index] * value
    shares = np.exp(scores - scores.max())
    shares /= shares.sum()
    declined = float(1.0 - shares[0])
    if declined < (_CARING if _combinations()[1].search(text) else model.threshold):
        return Request("fine", 1.0 - declined)
    return Request(KINDS[1 + int(np.argmax(shares[1:]))], declined)


def declined(text: str, language: Language) -> str | None:
    """The sentence with which a harmful or deceiving request is declined; None when it is not one."""
    kind = read_request(text).kind
    return _data()["instead"][kind][language] if kind != "fine" else None
