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
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from retrieval.concepts.lexicon import Lexicon
from retrieval.concepts.words import stem
from retrieval.index.sentence import sentence_vector, sentence_vectors
from tools.bedside.topics import Topic, topics

# What likeness weighs beside the rank of topics that a question's words raise.
_OVER_RANK = 25
# Share of the encoder beside the words.
OF_ENCODER = 0.2
LEAST = 0.17
APART = 0.04
_CONCEPT, _START = 2.5, 0.4
_LONG = 5
_LARGEST = 127
_KEPT = 104
# A mark in one topic alone weighs as if there were this many times as many topics.
_RARE = 3
_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]+", re.IGNORECASE)
# What stands in a pattern without being a word.
_SIGNS = re.compile(r"\\b|\(\?[^)]*\)|[\\?()|.+*\[\]{}]")
_FOLDER = files("tools") / "data" / "bedside"


@cache
def examples() -> dict[str, tuple[str, ...]]:
    """Examples by topic, of all `likes*.toml`."""
    table: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted((f for f in _FOLDER.iterdir() if f.name.startswith("likes") and f.name.endswith(".toml")), key=lambda f: f.name):
        for topic, asked in tomllib.loads(file.read_text(encoding="utf-8"))["likes"].items():
            table[topic] += [text for text in asked if text not in table[topic]]
    return {topic: tuple(asked) for topic, asked in table.items()}


def digest() -> str:
    """What the vectors were made of."""
    return hashlib.sha256("\n".join(text for asked in examples().values() for text in asked).encode()).hexdigest()


def make_vectors() -> tuple[NDArray[np.float16], NDArray[np.int8]]:
    """The directions in which examples differ most (encoder's length, `_KEPT`), and all examples along them, largest coordinate 127."""
    whole = sentence_vectors([text for asked in examples().values() for text in asked])
    directions = np.linalg.svd(whole, full_matrices=False)[2][:_KEPT].T.astype(np.float16)
    along = whole @ directions.astype(np.float32)
    rows: NDArray[np.int8] = np.rint(along / np.abs(along).max(axis=1, keepdims=True) * _LARGEST).astype(np.int8)
    return directions, rows


@cache
def _shipped() -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Directions, and unit vectors of the examples by topic; computed where the shipped ones are of another text."""
    with (_FOLDER / "likes.npz").open("rb") as file, np.load(file) as shipped:
        directions, table = (shipped["directions"], shipped["vectors"]) if str(shipped["digest"]) == digest() else make_vectors()
    out, start = {}, 0
    for topic, asked in examples().items():
        rows = table[start : start + len(asked)].astype(np.float32)
        out[topic] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        start += len(asked)
    return directions.astype(np.float32), out


def _vectors() -> dict[str, NDArray[np.float32]]:
    return _shipped()[1]


def _vector(text: str) -> NDArray[np.float32]:
    """A text's unit vector along the directions of the examples."""
    along = sentence_vector(text) @ _shipped()[0]
    return along / (float(np.linalg.norm(along)) or 1.0)


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


@dataclass(frozen=True)
class Query:
    """A question as topics are compared with it."""

    text: str
    marks: Mapping[str, float]
    vector: NDArray[np.float32]

    @staticmethod
    def of(text: str) -> "Query":
        """The question read once for all topics."""
        return Query(text, _unit(marks(text), _documents()[1]), _vector(text))


@cache
def _worded_examples() -> dict[str, tuple[Mapping[str, float], ...]]:
    weight = _documents()[1]
    return {name: tuple(_unit(marks(text), weight) for text in asked) for name, asked in examples().items()}


def worded(query: Query, name: str) -> float:
    """Cosine of a question's marks with those of a topic's own words."""
    document = _documents()[0].get(name, {})
    return sum(x * document.get(mark, 0.0) for mark, x in query.marks.items())


def overlap(query: Query, name: str, skip: str = "") -> float:
    """Cosine of a question's marks with those of the topic's nearest example; `skip`: an example that is left out."""
    pairs = zip(examples().get(name, ()), _worded_examples().get(name, ()), strict=True)
    return max((sum(x * other.get(m, 0.0) for m, x in query.marks.items()) for text, other in pairs if text != skip), default=0.0)


def nearest(query: Query, name: str, skip: str = "") -> float:
    """Cosine of the encoder's vectors of a question and the topic's nearest example."""
    table = _vectors().get(name)
    kept = [] if table is None else [row for text, row in zip(examples()[name], table, strict=True) if text != skip]
    return float((np.stack(kept) @ query.vector).max()) if kept else 0.0


def likeness(question: str, among: Iterable[str]) -> list[tuple[float, str]]:
    """How much a question is like each of these topics, most first."""
    documents, weight = _documents()
    mine = _unit(marks(question), weight)
    vector = _vector(question)
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


def by_fit(question: str, raised: Iterable[Topic]) -> list[Topic]:
    """Topics that a question's words raise, the one that it is most like first, a higher rank counting beside it."""
    mine = {t.id: t for t in raised}
    if len(mine) < 2:
        return list(mine.values())
    scored = {name: mine[name].rank + _OVER_RANK * near for near, name in likeness(question, mine)}
    return sorted(mine.values(), key=lambda t: -scored[t.id])
