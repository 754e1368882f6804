"""Notions and written numbers that the rows ask for: `data/bedside/notions.toml` and its loader."""

import re
import tomllib
from functools import cache, cached_property
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

_END = re.compile(r"(?<=[\w+)\]?*])()\\b(?!\w)")


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def pattern_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Words as one pattern: Latin ones at a word's start (`thrombolys` also finds `thrombolysis`), Chinese ones anywhere.

    A word's end (`\\b`) is where no Latin letter or digit follows: `ICU` ends before a Chinese character too.
    """
    words = tuple(_END.sub(r"\1(?![A-Za-z0-9_])", w) for w in words)
    parts = [w if not w.isascii() else rf"(?<![A-Za-z]){w.replace(' ', '[ -]?')}" for w in sorted(words, key=len, reverse=True)]
    return re.compile("|".join(parts), re.IGNORECASE)


class Notion(_Row):
    """Something a record may affirm or deny.

    Attributes:
        words: Words in both languages; Latin ones are regular expressions anchored at a word's start.
        conditions: Conditions of the drug graph that mean it.
        acute: A remark on the past does not count.
        silent: Silence of the record means no (a state that would be written down).
        question: The question itself may affirm it.
        kin: A relative has it.
        shown: What the case was brought for does not count: only what was found.
        test: Condition that means it where the texts do not say it.
        field: Field of the patient that answers instead.
    """

    words: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    acute: bool = False
    silent: bool = False
    question: bool = False
    kin: bool = False
    test: str = ""
    shown: bool = False
    field: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The words as one pattern."""
        return pattern_of(self.words) if self.words else re.compile(r"(?!)")


class Number(_Row):
    """A number that stands in notes only; the pattern's first group is the number."""

    find: str
    unit: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled pattern."""
        return re.compile(self.find, re.IGNORECASE)


class _File(_Row):
    notion: dict[str, Notion]
    number: dict[str, Number]


@cache
def _file() -> _File:
    text = (files("tools") / "data" / "bedside" / "notions.toml").read_text(encoding="utf-8")
    return _File.model_validate(tomllib.loads(text))


def notions() -> dict[str, Notion]:
    """Notions by name."""
    return _file().notion


def numbers() -> dict[str, Number]:
    """Written numbers by name."""
    return _file().number


@cache
def words(name: str) -> re.Pattern[str]:
    """A list of words of `data/bedside/words.toml` as one pattern."""
    text = (files("tools") / "data" / "bedside" / "words.toml").read_text(encoding="utf-8")
    return pattern_of(tuple(tomllib.loads(text)[name]))
