"""Words of a text: normalisation, the one stemmer, word and character pieces, stop words, and which language a text is in."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from Stemmer import Stemmer

DATA = Path(__file__).parents[1] / "data"
STEMS = DATA / "stems.tsv"


def _word_list(name: str) -> list[str]:
    """Words of a data file; lines that start with `#` are comments."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


HAN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_\u3400-\u9fff]+(?:[-/+.'][^\W_\u3400-\u9fff]+)*")
PART = re.compile(r"[^-/+.']+")
_GREEK = str.maketrans(
    {"α": "alpha", "β": "beta", "γ": "gamma", "μ": "u", "’": "'", "‐": "-", "‑": "-", "–": "-", "≥": " ", "≤": " ", "₂": "2"}
)
_SNOWBALL = Stemmer("english")
_SPELLING = (("aem", "em"), ("oed", "ed"), ("paed", "ped"), ("pnoea", "pnea"), ("rrhoe", "rrhe"), ("oesoph", "esoph"), ("tumour", "tumor"),
             ("isation", "ization"), ("fibre", "fiber"), ("sulph", "sulf"), ("aetiol", "etiol"), ("catheteris", "catheteriz"))  # fmt: skip
STOPWORDS = frozenset(_word_list("stopwords_en.txt"))
# Characters that only glue words together; safe to cut at everywhere.
GLUE_HAN = re.compile(f"[{''.join(_word_list('glue_zh.txt'))}]")
# Words that carry no topic in a Chinese question; longest first when they are removed from what the lexicon left over.
STOP_HAN = sorted(_word_list("stopwords_zh.txt"), key=len, reverse=True)
# Where what a person says ends and what they quote or paste begins.
_QUOTED = re.compile(r"[:：\n\"“「]")


@dataclass(frozen=True)
class Word:
    """One word of a text: as written, its parts' stems, and where it stands."""

    text: str
    stems: tuple[str, ...]
    start: int


def normalise(text: str) -> str:
    """NFKC, Greek letters in Latin, one kind of hyphen."""
    return unicodedata.normalize("NFKC", text).translate(_GREEK)


def _mostly_chinese(text: str) -> bool:
    """Whether at least a tenth of the letters are Han characters."""
    han = sum(map(len, HAN.findall(text)))
    letters = sum(char.isalpha() for char in text)
    return han > 0 and han * 10 >= letters


def language_of(text: str) -> Literal["en", "zh"]:
    """Chinese when at least a tenth of the letters are Han characters, in all of it or in what stands before a quotation or a colon."""
    quoted = _QUOTED.search(text)
    return "zh" if _mostly_chinese(text) or (quoted and _mostly_chinese(text[: quoted.start()])) else "en"


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Stem of a lower-case English word: Snowball's over American spelling, apart from the words of `data/stems.tsv`; short words stay."""
    for british, american in _SPELLING:
        word = word.replace(british, american)
    known, kept = _exceptions()
    if len(word) < 4 or not word.isalpha() or word.endswith(kept):
        return word
    return known.get(word) or str(_SNOWBALL.stemWord(word))


@lru_cache(maxsize=1)
def _exceptions() -> tuple[dict[str, str], tuple[str, ...]]:
    """Words with a stem of their own, and endings that are never cut."""
    lines = STEMS.read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if "\t" in line and not line.startswith("#")][1:]
    own = {word: head for head, forms in rows if head != "*" for word in forms.split()}
    return own, tuple(ending.removeprefix("*") for head, forms in rows if head == "*" for ending in forms.split())


def words(text: str) -> Iterator[Word]:
    """Words of normalised text; compounds such as `CURB-65`, `PaO2/FiO2` and `mg/kg` are one word with several stems."""
    for match in _WORD.finditer(text):
        yield Word(match.group(), tuple(stem(part) for part in PART.findall(match.group().lower())), match.start())


def han_runs(text: str) -> list[str]:
    """Runs of Han characters."""
    return HAN.findall(text)


def bigrams(run: str) -> Iterable[str]:
    """Character pairs of a run of Han characters; a lone character stands for itself."""
    return [run] if len(run) == 1 else [run[i : i + 2] for i in range(len(run) - 1)]
