"""The one finder of names in text: Aho-Corasick over stems and Chinese characters, longest name first.

A text becomes a key: each part of an English word is its stem between blanks, each Chinese character stands for itself, and punctuation
is a mark that no name crosses. Names become keys in the same way, so that
`beta-lactams`, `β-lactam` and `beta lactam` are one name. All names that occur are found in one pass; a caller's `wants` says which count.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from retrieval.concepts.words import DATA, HAN, PART, normalise, stem, words

T = TypeVar("T")
_BREAK = "\x03"
# Marks that no name crosses; a full stop only where a sentence ends.
_ENDS = frozenset(',;!?:|()[]{}"，、。；：！？（）【】「」《》“”\n')


@dataclass(frozen=True)
class Key:
    """A text as names are looked up in it; `starts` and `ends` are offsets in the text, per character of `text`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True)
class Found(Generic[T]):
    """A name that occurs: what it stands for, and where."""

    values: tuple[T, ...]
    start: int
    end: int


class _Writer:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def put(self, chars: str, start: int, end: int) -> None:
        self.text.extend(chars)
        self.starts.extend([start] * len(chars))
        self.ends.extend([end] * len(chars))

    def last(self) -> str:
        return self.text[-1] if self.text else ""


@lru_cache(maxsize=4096)
def key_of(text: str) -> Key:
    """The key of a text; offsets are those of the text as given, whatever its width and case."""
    flat, back = _flat(text)
    out = _Writer()
    at = 0
    for word in words(flat):
        _between(out, flat, at, word.start, back)
        if out.last() != " ":
            out.put(" ", back[word.start], back[word.start])
        for part in PART.finditer(word.text):
            start, end = word.start + part.start(), word.start + part.end()
            out.put(stem(part.group().lower()) + " ", back[start], back[end - 1] + 1)
        at = word.start + len(word.text)
    _between(out, flat, at, len(flat), back)
    return Key("".join(out.text), tuple(out.starts), tuple(out.ends))


def _flat(text: str) -> tuple[str, list[int]]:
    """Normalised text, and for each of its characters where it stood."""
    flat = normalise(text)
    if len(flat) == len(text):
        return flat, list(range(len(text)))
    pieces = [(normalise(char), i) for i, char in enumerate(text)]
    return "".join(p for p, _ in pieces), [i for p, i in pieces for _ in p]


def _between(out: _Writer, flat: str, start: int, end: int, back: list[int]) -> None:
    """What stands between two English words: Chinese characters, and marks that no name crosses."""
    gap = False
    for i in range(start, end):
        char = flat[i]
        if HAN.match(char):
            if gap and out.last() and HAN.match(out.last()):
                out.put(_BREAK, back[i], back[i])
            out.put(char, back[i], back[i] + 1)
            gap = False
        elif char in _ENDS or (char == "." and (i + 1 == len(flat) or flat[i + 1].isspace())):
            out.put(_BREAK, back[i], back[i])
        else:
            gap = True


@lru_cache(maxsize=1)
def _not_names() -> tuple[str, ...]:
    """Phrases inside which a shorter name means something else (`data/concepts/not_names.txt`)."""
    lines = (DATA / "concepts" / "not_names.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class Finder(Generic[T]):
    """Names, and what each stands for; several things may share a name where case or the caller tells them apart."""

    def __init__(self, names: Iterable[tuple[str, T]]) -> None:
        """Index names; the phrases that are none stand among them without a value."""
        self._values: dict[str, list[T]] = {key_of(phrase).text: [] for phrase in _not_names()}
        for name, value in names:
            key = key_of(name).text
            if key.strip(f" {_BREAK}"):
                self._values.setdefault(key, []).append(value)
        self._keys = list(self._values)
        self._machine = AhoCorasick(self._keys, matchkind=MatchKind.Standard)

    def named(self, name: str) -> tuple[T, ...]:
        """What exactly `name` stands for."""
        return tuple(self._values.get(key_of(name).text, ()))

    def all(self, text: str) -> Iterator[tuple[Found[T], int, int]]:
        """Every name that occurs, with its span in the key; overlapping ones too."""
        key = key_of(text)
        for index, start, end in self._machine.find_matches_as_indexes(key.text, overlapping=True):
            name = key.text[start:end]
            low, high = start + (name[0] == " "), end - (name[-1] == " ")
            yield Found(tuple(self._values[self._keys[index]]), key.starts[low], key.ends[high - 1]), low, high

    def find(self, text: str, wants: Callable[[T, str, bool], bool] = lambda _value, _written, _alone: True) -> list[Found[T]]:
        """Names of `text` in order, longest first at each place, without overlaps.

        Args:
            text: Any text.
            wants: Whether what a name stands for counts, given the name as written here, and whether no Chinese character adjoins it.
        """
        key = key_of(text).text
        hits = sorted(self.all(text), key=lambda hit: (hit[1], -hit[2]))
        out: list[Found[T]] = []
        reached = 0
        for found, low, high in hits:
            if low < reached:
                continue
            alone = not (HAN.match(key[low - 1 : low]) or HAN.match(key[high : high + 1]))
            wanted = tuple(v for v in found.values if wants(v, text[found.start : found.end], alone))
            if wanted:
                out.append(Found(wanted, found.start, found.end))
            if wanted or not found.values:
                reached = high
        return out
