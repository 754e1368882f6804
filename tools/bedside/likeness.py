"""Which topic a question is like: shared words and concepts with the topic's own words, and the encoder's nearest example.

Every topic is one document (its words and title); a question is compared with all of them by tf-idf over stems, pairs and
triples of Chinese characters and concepts of the one vocabulary. To that comes the cosine to the nearest of the topic's examples
(`data/bedside/likes.toml`), whose vectors ship in `likes.npz`. Both were weighed on the examples, each left out in turn; `LEAST`
and `APART` are where nine of ten questions that are matched are matched right.
"""

import hashlib
import math
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.words import stem
from retrieval.index.sentence import sentence_vector, sentence_vectors
from tools.bedside.topics import Topic, topics

# Share of the encoder beside the words.
OF_ENCODER = 0.2
LEAST = 0.17
APART = 0.04
_CONCEPT, _START = 2.5, 0.4
_LONG = 5
_LARGEST = 127
# A mark in one topic alone weighs as if there were this many times as many topics.
_RARE = 3
_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]+", re.IGNORECASE)
# What stands in a pattern without being a word.
_SIGNS = re.compile(r"\\b|\(\?[^)]*\)|[\\?()|.+*\[\]{}]")
_FOLDER = files("tools") / "data" / "bedside"


@cache
def examples() -> dict[str, tuple[str, ...]]:
    """Examples by topic."""
    table: dict[str, list[str]] = tomllib.loads((_FOLDER / "likes.toml").read_text(encoding="utf-8"))["likes"]
    return {topic: tuple(asked) for topic, asked in table.items()}


def digest() -> str:
    """What the vectors were made of."""
    return hashlib.sha256("\n".join(text for asked in examples().values() for text in asked).encode()).hexdigest()


def make_vectors() -> NDArray[np.int8]:
    """Vectors of all examples in order, their largest coordinate 127: a length is none of their meaning."""
    vectors = sentence_vectors([text for asked in examples().values() for text in asked])
    whole: NDArray[np.int8] = np.rint(vectors / np.abs(vectors).max(axis=1, keepdims=True) * _LARGEST).astype(np.int8)
    return whole


@cache
def _vectors() -> dict[str, NDArray[np.float32]]:
    """Vectors of the examples by topic; computed where the shipped ones are of another text."""
    with (_FOLDER / "likes.npz").open("rb") as file, np.load(file) as shipped:
        table = shipped["vectors"] if str(shipped["digest"]) == digest() else make_vectors()
    out, start = {}, 0
    for topic, asked in examples().items():
        rows = table[start : start + len(asked)].astype(np.float32)
        out[topic] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        start += len(asked)
    return out


def marks(text: str) -> dict[str, float]:
    """What a text is compared by."""
    out: defaultdict[str, float] = defaultdict(float)
    for run in _WORD.findall(text.lower()):
        if run.isascii():
            out[f"w:{stem(run)}"] += 1
            if len(run) >= _LONG:
                out[f"s:{run[:_LONG]}"] += _START
        else:
            for piece in dict.fromkeys(run[i : i + n] for n in (2, 3) for i in range(len(run) - n + 1)):
                out[f"z:{piece}"] += 1
    for concept in sorted(set(Lexicon.load().concepts_in(text))):
        out[f"c:{concept}"] += _CONCEPT
    return out


def _document(topic: Topic) -> dict[str, float]:
    asked = " ".join(_SIGNS.sub(" ", word) for group in topic.ask for word in group)
    return marks(f"{asked} {' '.join(topic.title)}")


@cache
def _documents() -> tuple[dict[str, dict[str, float]], Mapping[str, float]]:
    """Unit tf-idf vectors of the topics, and the weight of each mark."""
    raw = {name: _document(topic) for name, topic in topics().items() if topic.ask}
    often = Counter(mark for counts in raw.values() for mark in counts)
    weight = {mark: math.log(_RARE * len(raw) / n) for mark, n in often.items()}
    return {name: _unit(counts, weight) for name, counts in raw.items()}, weight


def _unit(counts: Mapping[str, float], weight: Mapping[str, float]) -> dict[str, float]:
    most = math.log(_RARE * len(topics()))
    vector = {mark: n * weight.get(mark, most) for mark, n in counts.items()}
    size = math.sqrt(sum(x * x for x in vector.values())) or 1.0
    return {mark: x / size for mark, x in vector.items()}


def likeness(question: str, among: Iterable[str]) -> list[tuple[float, str]]:
    """How much a question is like each of these topics, most first."""
    documents, weight = _documents()
    mine = _unit(marks(question), weight)
    vector = sentence_vector(question)
    scored = []
    for name in among:
        words = sum(x * documents[name].get(mark, 0.0) for mark, x in mine.items()) if name in documents else 0.0
        near = float((_vectors()[name] @ vector).max()) if name in _vectors() else 0.0
        scored.append((words + OF_ENCODER * near, name))
    return sorted(scored, reverse=True)


def like(question: str, among: Iterable[str]) -> str | None:
    """The topic that a question is like, where one stands out."""
    ranked = likeness(question, among)
    if not ranked or ranked[0][0] < LEAST:
        return None
    return ranked[0][1] if len(ranked) == 1 or ranked[0][0] - ranked[1][0] >= APART else None
