"""Words: normalisation, light stemming, and the bilingual lexicon of medical terms, abbreviations and synonyms (`data/lexicon.csv`).

A lexicon row is one concept with its English and Chinese names. The same concept found in an English question and in a Chinese
passage is the same token for the lexical index; a Chinese question is rendered in English, concept by concept, for an embedder that
reads English only.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from retrieval import packs
from retrieval.errors import BadInput

DATA = Path(__file__).parents[1] / "data"
LEXICON = DATA / "lexicon.csv"
Kind = Literal["disease", "drug", "test", "organism", "score", "population", "action", "anatomy", "issuer", "question"]


def _word_list(name: str) -> list[str]:
    """Words of a data file; lines that start with `#` are comments."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


HAN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+(?:[-/+.'][^\W_\u3400-\u9fff]+)*")
_SPLIT = re.compile(r"[-/+.']")
_GREEK = str.maketrans(
    {"α": "alpha", "β": "beta", "γ": "gamma", "μ": "u", "’": "'", "‐": "-", "‑": "-", "–": "-", "≥": " ", "≤": " ", "₂": "2"}
)
_SPELLING = (("aem", "em"), ("oed", "ed"), ("paed", "ped"), ("pnoea", "pnea"), ("rrhoe", "rrhe"), ("oesoph", "esoph"), ("tumour", "tumor"),
             ("isation", "ization"), ("fibre", "fiber"), ("sulph", "sulf"), ("aetiol", "etiol"), ("catheteris", "catheteriz"))  # fmt: skip
# Abbreviations that are also ordinary words count only in capitals, in questions too.
_ORDINARY = frozenset(["years", "act", "cop", "als", "mart", "smart", "news", "sob", "cip", "ra", "mac", "pet", "all", "ph"])
STOPWORDS = frozenset(_word_list("stopwords_en.txt"))
# Characters that only glue words together; safe to cut at everywhere.
GLUE_HAN = re.compile("[的了吗呢吧么和与及或是你您我他她这那]")
# Words that carry no topic in a Chinese question; longest first when they are removed from what the lexicon left over.
STOP_HAN = sorted(_word_list("stopwords_zh.txt"), key=len, reverse=True)


@dataclass(frozen=True)
class Concept:
    """One row of the lexicon; `id` is its preferred English name."""

    id: str
    kind: Kind
    en: tuple[str, ...]
    zh: tuple[str, ...]


@dataclass(frozen=True)
class Word:
    """One word of a text: as written, its parts' stems, and where it stands."""

    text: str
    stems: tuple[str, ...]
    start: int


def normalise(text: str) -> str:
    """NFKC, Greek letters in Latin, one kind of hyphen."""
    return unicodedata.normalize("NFKC", text).translate(_GREEK)


def language_of(text: str) -> Literal["en", "zh"]:
    """Chinese when at least a tenth of the letters are Han characters."""
    han = sum(map(len, HAN.findall(text)))
    letters = sum(char.isalpha() for char in text)
    return "zh" if han and han * 10 >= letters else "en"


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Light stem of a lower-case English word: British spellings, plurals and the commonest endings."""
    for british, american in _SPELLING:
        word = word.replace(british, american)
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, least in (("ment", 8), ("ing", 6), ("ion", 7), ("ed", 6), ("al", 9)):
        if word.endswith(ending) and len(word) >= least and (ending != "ion" or word[-4] in "ts"):
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def words(text: str) -> Iterator[Word]:
    """Words of normalised text; compounds such as `CURB-65`, `PaO2/FiO2` and `mg/kg` are one word with several stems."""
    for match in _WORD.finditer(text):
        parts = [part for part in _SPLIT.split(match.group().lower()) if part]
        yield Word(match.group(), tuple(stem(part) for part in parts), match.start())


def han_runs(text: str) -> list[str]:
    """Runs of Han characters."""
    return HAN.findall(text)


def bigrams(run: str) -> Iterable[str]:
    """Character pairs of a run of Han characters; a lone character stands for itself."""
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]


class Lexicon:
    """Finds concepts in English and Chinese text, longest name first."""

    def __init__(self, concepts: Sequence[Concept]) -> None:
        """Index the names of `concepts`."""
        self.concepts = {concept.id: concept for concept in concepts}
        self._english: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        self._chinese: dict[str, str] = {}
        for concept in concepts:
            for name in concept.en:
                stems = tuple(s for word in words(normalise(name)) for s in word.stems)
                self._english.setdefault(stems, []).append((normalise(name), concept.id))
            for name in concept.zh:
                self._chinese.setdefault(normalise(name).lower(), concept.id)
        self._longest_en = max(map(len, self._english), default=0)
        self._longest_zh = max(map(len, self._chinese), default=0)
        self.stems = {s for key in self._english for s in key}
        self._wider = {concept.id: self._inside(concept) for concept in concepts}

    @classmethod
    def load(cls, path: Path = LEXICON) -> "Lexicon":
        """Read a lexicon CSV (`concept,kind,en,zh`; names separated by `|`).

        Raises:
            BadInput: a row has another shape or a concept occurs twice.
        """
        more = packs.parts("concepts.csv") if path == LEXICON else iter(())
        concepts: dict[str, Concept] = {}
        for file in (path, *more):
            with file.open(encoding="utf-8", newline="") as stream:
                for number, row in enumerate(csv.DictReader(stream), 2):
                    if None in row or None in row.values() or row["kind"] not in Kind.__args__ or row["concept"] in concepts:  # type: ignore[attr-defined]
                        raise BadInput(
                            f"{file.name} line {number}: {row!r:.120} is not `concept,kind,en,zh` with a known kind and a new concept"
                        )
                    concepts[row["concept"]] = Concept(row["concept"], row["kind"], _names(row["en"]), _names(row["zh"]))  # type: ignore[arg-type]
        return cls(tuple(concepts.values()))

    def find(self, text: str, *, question: bool = False) -> list[tuple[str, int, int]]:
        """Concepts in normalised `text` as `(concept id, start, end)` in order; `end` is in characters.

        In a question short abbreviations count in any case (`pe`, `cap`); in a passage only as written in the lexicon.
        """
        found = [*self._find_english(text, question), *self._find_chinese(text)]
        return sorted(found, key=lambda item: item[1])

    def concepts_in(self, text: str) -> list[str]:
        """Concepts of a passage, and the wider ones that their names contain: community-acquired pneumonia is also pneumonia."""
        return [wide for name, _, _ in self.find(text) for wide in (name, *self._wider[name])]

    def _inside(self, concept: Concept) -> tuple[str, ...]:
        """Concepts whose name is a part of the preferred name of `concept`."""
        stems = [s for word in words(normalise(concept.en[0])) for s in word.stems]
        parts = [tuple(stems[i:j]) for i in range(len(stems)) for j in range(i + 1, len(stems) + 1)]
        found = {name for part in parts for _, name in self._english.get(part, ())}
        return tuple(sorted(found - {concept.id}))

    def render(self, text: str, concepts: Iterable[tuple[str, int, int]]) -> str:
        """English rendering of a Chinese question: its concepts and its Latin words and numbers, in order."""
        spans = list(concepts)
        pieces = [(start, self.concepts[name].en[0]) for name, start, _ in spans]
        pieces += [(w.start, w.text) for w in words(text) if not any(start <= w.start < end for _, start, end in spans)]
        return " ".join(piece for _, piece in sorted(pieces))

    def _find_english(self, text: str, question: bool) -> Iterator[tuple[str, int, int]]:
        flat = [(s, word) for word in words(text) for s in word.stems]
        i = 0
        while i < len(flat):
            for size in range(min(self._longest_en, len(flat) - i), 0, -1):
                names = self._english.get(tuple(s for s, _ in flat[i : i + size]))
                concept = names and _choose(names, flat[i][1].text if size == 1 else None, question)
                if concept:
                    last = flat[i + size - 1][1]
                    yield concept, flat[i][1].start, last.start + len(last.text)
                    i += size - 1
                    break
            i += 1

    def _find_chinese(self, text: str) -> Iterator[tuple[str, int, int]]:
        lower = text.lower()
        i = 0
        while i < len(lower):
            for size in range(min(self._longest_zh, len(lower) - i), 0, -1):
                part = lower[i : i + size]
                if part in self._chinese and HAN.search(part):
                    yield self._chinese[part], i, i + size
                    i += size - 1
                    break
            i += 1


def _names(cell: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in cell.split("|") if name.strip())


def _choose(names: list[tuple[str, str]], written: str | None, question: bool) -> str | None:
    """The concept of a matched name, or None where a short abbreviation is written like an ordinary word."""
    for name, concept in names:
        if name == written:
            return concept
    for name, concept in names:
        short = name.isupper() and name.isalpha() and len(name) <= 5
        if written is None or not short or written.rstrip("s") == name:
            return concept
        if question and name.lower() not in _ORDINARY and written.lower() in (name.lower(), name.lower() + "s"):
            return concept
    return None
