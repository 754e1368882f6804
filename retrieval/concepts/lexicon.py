"""The search index's view of the concept table: which topics a text is about, and a Chinese question in English words.

The same topic found in an English question and in a Chinese passage is the same token for the lexical index; a Chinese question is
rendered in English, topic by topic, for an embedder that reads English only.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from retrieval.concepts.finder import Finder, key_of
from retrieval.concepts.table import Concept, Topic, vocabulary
from retrieval.concepts.words import (
    DATA,
    GLUE_HAN,
    HAN,
    STOP_HAN,
    STOPWORDS,
    Word,
    bigrams,
    han_runs,
    language_of,
    normalise,
    stem,
    words,
)

__all__ = [
    "DATA", "GLUE_HAN", "HAN", "STOPWORDS", "STOP_HAN", "Lexicon", "Name", "Topic", "Word", "bigrams", "han_runs", "language_of",
    "normalise", "stem", "words",
]  # fmt: skip

# Abbreviations that are also ordinary words count only in capitals, in questions too.
_ORDINARY = frozenset(["years", "act", "cop", "als", "mart", "smart", "news", "sob", "cip", "ra", "mac", "pet", "all", "ph"])


class Name(NamedTuple):
    """A name and the topic it brings up.

    Attributes:
        text: As in the table.
        topic: The topic; empty where the name only keeps its parts from being read on their own (`SMART-COP` is no organizing pneumonia).
        concept: The concept whose name it is; None for a cue, which only brings the topic up.
    """

    text: str
    topic: str
    concept: Concept | None = None


class Lexicon:
    """Finds topics in English and Chinese text, longest name first."""

    def __init__(self, topics: Iterable[Topic], names: Sequence[Name]) -> None:
        """Index `names` of `topics`."""
        self.concepts = {topic.id: topic for topic in topics}
        self.names = tuple(names)
        self._finder: Finder[Name] = Finder((name.text, name) for name in names)
        self.stems = {s for name in names if name.topic for word in words(normalise(name.text)) for s in word.stems}
        self._wider = {topic.id: self._inside(topic) for topic in self.concepts.values()}

    @classmethod
    def load(cls) -> "Lexicon":
        """The view of the whole table."""
        return _loaded()

    def find(self, text: str, *, question: bool = False) -> list[tuple[str, int, int]]:
        """Topics in normalised `text` as `(topic, start, end)` in order; `end` is in characters, compounds count whole.

        In a question short abbreviations count in any case (`pe`, `cap`); in a passage only as written in the table.
        """
        compounds = [(w.start, w.start + len(w.text)) for w in words(text) if len(w.stems) > 1]
        out = []
        for found in self._finder.find(text, lambda name, written, _alone: _counts(name, written, question)):
            name = _choose(found.values, text[found.start : found.end])
            if not name.topic:
                continue
            start = next((a for a, b in compounds if a <= found.start < b), found.start)
            end = next((b for a, b in compounds if a < found.end <= b), found.end)
            out.append((name.topic, start, end))
        return out

    def concepts_in(self, text: str) -> list[str]:
        """Topics of a passage, and the wider ones that their names contain: community-acquired pneumonia is also pneumonia."""
        return [wide for name, _, _ in self.find(text) for wide in (name, *self._wider[name])]

    def _inside(self, topic: Topic) -> tuple[str, ...]:
        """Topics whose name is a part of the name of `topic`."""
        inside = {name.topic for found, _, _ in self._finder.all(normalise(topic.name)) for name in found.values if name.topic}
        return tuple(sorted(inside - {topic.id}))

    def render(self, text: str, concepts: Iterable[tuple[str, int, int]]) -> str:
        """English rendering of a Chinese question: its topics, other concepts of the table, and its Latin words and numbers, in order."""
        spans = list(concepts)
        pieces = [(start, self.concepts[name].name) for name, start, _ in spans]
        taken = [(start, end) for _, start, end in spans]
        for start, end, name in _other_names(text):
            if not any(a < end and start < b for a, b in taken):
                pieces.append((start, name))
                taken.append((start, end))
        pieces += [(w.start, w.text) for w in words(text) if not any(start <= w.start < end for start, end in taken)]
        return " ".join(piece for _, piece in sorted(pieces))


def _other_names(text: str) -> Iterable[tuple[int, int, str]]:
    """Chinese words that are no topic of the index, with their English: names of the whole concept table, then everyday words."""
    table = vocabulary()
    for found in table.finder.find(text):
        ident, _ = found.values[0]
        if found.end - found.start > 1 and HAN.search(text[found.start : found.end]) and table.concepts[ident].en:
            yield found.start, found.end, table.concepts[ident].en[0]
    for everyday in _everyday().find(text):
        yield everyday.start, everyday.end, everyday.values[0]


@lru_cache(maxsize=1)
def _everyday() -> Finder[str]:
    lines = (DATA / "rendering_zh.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return Finder((zh, en) for zh, en in rows)


@lru_cache(maxsize=1)
def _loaded() -> Lexicon:
    table = vocabulary()
    filed = [Name(name, c.topic, c) for c in table.concepts.values() for name in c.names if c.topic]
    filed += [Name(word, topic) for topic, cues in table.cues.items() for word in cues]
    known = {key_of(name.text).text for name in filed}
    # Compounds that bring nothing up still keep their parts from being read on their own.
    plain = [(name, c) for c in table.concepts.values() if not c.topic for name in c.names if "-" in name and " " not in name]
    return Lexicon(table.topics.values(), [*filed, *(Name(name, "", c) for name, c in plain if key_of(name).text not in known)])


def _counts(name: Name, written: str, question: bool) -> bool:
    """Whether a name that occurs counts: a short abbreviation or a brand may be written like an ordinary word."""
    text = name.text
    if name.concept is not None and name.concept.kind in ("drug", "drug_class") and not name.concept.written(text, written, alone=True):
        return False
    short = text.isupper() and text.isalpha() and text.isascii() and len(text) <= 5
    if not short or written.rstrip("s") == text:
        return True
    return question and text.lower() not in _ORDINARY and written.lower() in (text.lower(), text.lower() + "s")


def _choose(names: Sequence[Name], written: str) -> Name:
    """Of names that differ in case or ending the one that is written here."""
    return next((n for n in names if n.text == written), None) or next((n for n in names if n.text.lower() == written.lower()), names[0])
