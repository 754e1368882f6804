"""How questions and reports speak of marks; the words stand in `data/imaging/mark_words.toml`."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("tools").joinpath("data/imaging/mark_words.toml").read_text(encoding="utf-8"))


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile("|".join(_table()[name]), re.IGNORECASE)


def names_marks(text: str) -> bool:
    """Whether the words name marks (`the nodule I marked`), in either language."""
    return _pattern("names").search(text) is not None


def asks_of_marks(text: str) -> bool:
    """Whether the words ask what a mark can answer: the size of a nodule, whether it has grown."""
    return names_marks(text) or _pattern("asks").search(text) is not None


def asks_growth(text: str) -> bool:
    """Whether the words ask for growth."""
    return _pattern("growth").search(text) is not None


def asks_verdict(text: str) -> bool:
    """Whether the words ask if a lesion is malignant."""
    return _pattern("verdict").search(text) is not None


def number_named(text: str) -> int | None:
    """The one mark that is named by its number."""
    match = _pattern("number").search(text)
    return int(next(g for g in match.groups() if g)) if match else None


def of_lesion(sentence: str) -> bool:
    """Whether a sentence of a report is about a nodule, a mass or a lesion."""
    return _pattern("lesion").search(sentence) is not None


def score_named(text: str) -> str | None:
    """The nodule score that a question about a mark asks for."""
    scores: dict[str, list[str]] = _table()["scores"]
    return next((name for name, words in scores.items() if re.search("|".join(words), text, re.IGNORECASE)), None)
