"""Where a finding lies, how large it is and how it changed, in words."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.truth import Change
from medmpt_backend.findings import PAINTED

Region = tuple[str, str, str]
_RIGHT, _LEFT = ("RUL", "RML", "RLL"), ("LUL", "LLL")


@cache
def table() -> Mapping[str, Any]:
    """The words of `words.toml`."""
    return tomllib.loads((files("medmpt_backend") / "cohort" / "reports" / "words.toml").read_text(encoding="utf-8"))


# A set of lobes -> English with article, English before a noun, Chinese.
_REGIONS: dict[frozenset[str], Region] = {frozenset(row["lobes"]): tuple(row["words"]) for row in table()["region"]}
BOTH: Region = tuple(table()["both_lungs"]["words"])


def region(lobes: Iterable[str], side: Side = "both") -> Region:
    """A set of lobes in English with article, in English before a noun, and in Chinese.

    `both lungs` where a set has no shorter name; without lobes the lung of the side.
    """
    chosen = frozenset(lobes) or {"right": frozenset(_RIGHT), "left": frozenset(_LEFT)}.get(side, frozenset())
    return _REGIONS.get(chosen, BOTH)


def side_words(side: Side) -> tuple[str, str]:
    """English and Chinese adjective of a side."""
    en, zh = table()["side"][side]
    return en, zh


def joined(sides: Iterable[Side]) -> Side:
    """The side of several findings together."""
    chosen = set(sides)
    return "both" if len(chosen) != 1 else next(iter(chosen))


def degree(key: str, mm: int | None, share: float) -> tuple[str, str]:
    """English and Chinese degree of a finding; empty for kinds without degrees."""
    rows, value = (table()["by_size"], float(mm or 0)) if key in table()["by_size"] else (table()["by_share"], share)
    if key not in rows:
        return "", ""
    at = sum(value >= limit for limit in rows[key]["limits"])
    return rows[key]["en"][at], rows[key]["zh"][at]


_NOUNS = {key: f.painted.nodule for key, f in PAINTED.items() if f.painted is not None and f.painted.nodule}


def compared(change: Change, months: int, chinese: bool) -> str:
    """A sentence that compares a nodule with the prior study."""
    _, adjective, where = region(change.lobes)
    noun = _NOUNS[change.id][chinese]
    before, now = round(change.from_mm), round(change.to_mm)
    text: str = table()["compared"]["unchanged" if before == now else "grown"][chinese]
    return text.format(months=months, adjective=adjective, where=where, noun=noun, before=before, now=now)


_ENGLISH_LOBES = tuple((words[1], lobes) for lobes, words in _REGIONS.items())
_CHINESE_LOBES = tuple((words[2], lobes) for lobes, words in _REGIONS.items())


def lobes_of(text: str) -> tuple[Side | None, frozenset[str]]:
    """Side and lobes that a sentence names: the longest name that it holds; no lobes for `both lungs` and for a mere side."""
    lower = text.lower().replace("lobes", "lobe").replace("both upper", "bilateral upper").replace("both lower", "bilateral lower")
    named = [(name, lobes) for name, lobes in (*_ENGLISH_LOBES, *_CHINESE_LOBES) if name in lower]
    if named:
        lobes = max(named, key=lambda pair: len(pair[0]))[1]
        right, left = bool(lobes & set(_RIGHT)), bool(lobes & set(_LEFT))
        return ("both" if right and left else "right" if right else "left"), lobes
    for side in get_args(Side)[::-1]:
        if re.search(table()["side_read"][side], lower):
            return side, frozenset()
    return None, frozenset()
