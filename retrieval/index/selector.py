"""Which sentences of a text answer a question: a logistic model over readable features, the same for passages, drug facts and measurements.

It reads words and concepts of both languages and what kind of thing is asked and given (a dose, a duration, a limit, ...); no vectors, so
that it costs a millisecond a sentence. `retrieval.evaluation.sentences` fits it on `data/asks`; the card stands in `data/selector.json`.
"""

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import DATA, Lexicon, normalise
from retrieval.concepts.shorthand import written_out
from retrieval.errors import BadInput
from retrieval.guidelines.question import ENTITY_KINDS
from retrieval.index.lexical import text_tokens

MODEL = DATA / "selector.json"
_KINDS: dict[str, dict[str, str]] = tomllib.loads((DATA / "sentence_kinds.toml").read_text(encoding="utf-8"))
_ASKED = {name: re.compile(kind["asked"], re.IGNORECASE) for name, kind in _KINDS.items()}
_GIVEN = {name: re.compile(kind["given"], re.IGNORECASE) for name, kind in _KINDS.items()}
_POLES: dict[str, dict[str, str]] = tomllib.loads((DATA / "poles.toml").read_text(encoding="utf-8"))
_TWO = [tuple(re.compile(pole[side], re.IGNORECASE) for side in ("one", "other")) for pole in _POLES.values()]
_FIGURE = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
# Letters after which two words of one family may differ (`thrombolysis`, `thrombolytic`).
_FAMILY = 6
FEATURES = (
    "families", "figures", "opposed", "agreed", "words", "entities", "others", "words_for_length", "first", "last", "position", "length",
    "sentences", "digits", "words_below_best", "others_below_best",
    *(f"{name}_given" for name in _KINDS), *(f"{name}_lacking" for name in _KINDS),
)  # fmt: skip


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    return Lexicon.load()


@lru_cache(maxsize=4096)
def tokens_of(sentence: str) -> frozenset[str]:
    """Tokens and concepts of one sentence."""
    return frozenset(text_tokens(sentence, lexicon()))


@dataclass(frozen=True)
class Selector:
    """Mean, scale and weight of each feature, the intercept, and the idf of the corpus it was fitted on."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: float
    idf: Mapping[str, float]

    @classmethod
    def load(cls, path: Path = MODEL) -> "Selector":
        """Read the fitted file.

        Raises:
            BadInput: it names other features than this code computes.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if tuple(data["features"]) != FEATURES:
            raise BadInput(f"{path.name} was fitted with other features; run `medmpt eval retrieval --fit`")
        columns = np.asarray([data["features"][name] for name in FEATURES], np.float64).T
        return cls(columns[0], columns[1], columns[2], float(data["bias"]), data["idf"])

    def score(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Probability that each sentence answers `question`; `sentences` are those of one text, in order."""
        if not sentences:
            return []
        x = (features(question, sentences, self.idf) - self.mean) / self.scale
        return [float(p) for p in 1 / (1 + np.exp(-(x @ self.weights + self.bias)))]

    def shared(self, question: str, sentences: Sequence[str]) -> float:
        """The largest share of a question's words and concepts, weighted by idf, that one of `sentences` holds."""
        return float(features(question, sentences, self.idf)[:, FEATURES.index("words")].max()) if sentences else 0.0


def asked_kinds(question: str) -> frozenset[str]:
    """The kinds of thing that a question asks for (`dose`, `duration`, `cutoff`, ...)."""
    return frozenset(name for name, pattern in _ASKED.items() if pattern.search(question))


def asked_spans(question: str) -> list[tuple[int, int]]:
    """Where the words stand by which a question asks for one of these kinds."""
    return [found.span() for pattern in _ASKED.values() for found in pattern.finditer(question)]


@lru_cache(maxsize=1)
def selector() -> Selector:
    """The fitted selector, read once."""
    return Selector.load()


@lru_cache(maxsize=256)
def _units(question: str) -> tuple[frozenset[str], frozenset[str]]:
    """Tokens of a question, and those of them that are concepts which say what it is about."""
    tokens = frozenset(text_tokens(question, lexicon(), question=True))
    concepts = lexicon().concepts
    return tokens, frozenset(t for t in tokens if t[:2] == "c:" and concepts[t[2:]].kind in ENTITY_KINDS)


def _poles(asked: Sequence[tuple[bool, bool]], sentence: str) -> tuple[int, int]:
    """How often the sentence speaks of the other pole alone than the question, and how often of the same."""
    opposed = agreed = 0
    for (one, other), (of_one, of_other) in zip(asked, _TWO, strict=True):
        if one != other:
            here, there = (of_one, of_other) if one else (of_other, of_one)
            same = bool(here.search(sentence))
            agreed += same
            opposed += not same and bool(there.search(sentence))
    return opposed, agreed


def features(question: str, sentences: Sequence[str], idf: Mapping[str, float]) -> NDArray[np.float64]:
    """Features `(n, len(FEATURES))` of the sentences of one text for a question, in the order of `FEATURES`."""
    question = written_out(question)[0]
    tokens, entities = _units(question)
    families = {t[:_FAMILY] for t in tokens if len(t) >= _FAMILY and t.isascii() and t.isalpha()}
    figures = frozenset(_FIGURE.findall(question))
    poles = [(bool(one.search(question)), bool(other.search(question))) for one, other in _TWO]
    rarest = max(idf.values(), default=1.0)
    weight = {t: idf.get(t, rarest) for t in tokens}
    total = sum(weight.values()) or 1.0
    about = sum(weight[t] for t in entities)
    rest = total - about or 1.0
    asked = {name: bool(pattern.search(question)) for name, pattern in _ASKED.items()}
    rows = []
    for i, sentence in enumerate(sentences):
        have = tokens_of(normalise(sentence))
        shared = sum(weight[t] for t in sorted(tokens & have))
        on_entity = sum(weight[t] for t in sorted(entities & have))
        given = {name: bool(pattern.search(sentence)) for name, pattern in _GIVEN.items()}
        opposed, agreed = _poles(poles, sentence)
        kin = {t[:_FAMILY] for t in have if len(t) >= _FAMILY}
        rows.append(
            [
                len(families & kin) / len(families) if families else 0.0,
                len(figures & frozenset(_FIGURE.findall(sentence))) / len(figures) if figures else 0.0,
                opposed, agreed,
                shared / total, on_entity / about if about else 0.0, (shared - on_entity) / rest, shared / total / math.log(3 + len(have)),
                i == 0, i == len(sentences) - 1, i / len(sentences), math.log(max(len(sentence), 1)), len(sentences),
                sum(c.isdigit() for c in sentence) / max(len(sentence), 1), 0.0, 0.0,
                *(asked[k] and given[k] for k in _KINDS), *(asked[k] and not given[k] for k in _KINDS),
            ]
        )  # fmt: skip
    x = np.asarray(rows, np.float64)
    for column, of in (("words_below_best", "words"), ("others_below_best", "others")):
        values = x[:, FEATURES.index(of)]
        x[:, FEATURES.index(column)] = values - values.max()
    return x
