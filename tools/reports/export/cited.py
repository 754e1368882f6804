"""Where statements come from, as a person reads it: sources by name in the reader's language, and numbered for a printed page."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from tools.evidence import Evidence, Language

_EDGE = re.compile(r"\s-[a-z_]+->\s")
_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_KEY = re.compile(r"[A-Z]+-[0-9a-f]{6}")
_DOI = re.compile(r",? doi:\S+?(?=[,;)\s]|$)")
_VALUE = "laboratory result of the case"


@cache
def _names() -> list[tuple[re.Pattern[str], str]]:
    rows = tomllib.loads((files("tools") / "data" / "reports" / "sources.toml").read_text(encoding="utf-8"))["source"]
    return [(re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(row["en"]))), row["zh"]) for row in rows]


def source_name(source: str, language: Language) -> str:
    """Where a statement comes from; a publication keeps its title."""
    if language == "zh":
        for pattern, chinese in _names():
            if found := pattern.fullmatch(source):
                return chinese.format(**found.groupdict())
    return source


def place_words(locator: str) -> str:
    """A place in a source: edges of the drug graph as plain arrows, times without seconds; a bare key says nothing to a reader."""
    return "" if _KEY.fullmatch(locator) else _CLOCK.sub(r"\1 \2", _EDGE.sub(" → ", locator))


def cited(item: Evidence, language: Language) -> str:
    """Source, year and place of a statement."""
    comma = "，" if language == "zh" else ", "
    return comma.join(filter(None, (_dated(item, source_name(item.source, language), language), place_words(item.locator or ""))))


def numbered(evidence: Iterable[Evidence], language: Language) -> tuple[dict[str, int], tuple[str, ...]]:
    """Sources by number for one printed page: statements of one source share it, laboratory values of one day too.

    Returns:
        The number of each key, and the sources in their order, the first of them number 1.
    """
    sources: dict[str, int] = {}
    numbers = {item.key: sources.setdefault(_short(item, language), len(sources) + 1) for item in evidence}
    return numbers, tuple(sources)


def _short(item: Evidence, language: Language) -> str:
    if item.kind == "lab" and item.source.startswith(_VALUE):
        day = _DAY.search(item.locator or "")
        return source_name(_VALUE, language) + (f" {day[0]}" if day else "")
    return _dated(item, _DOI.sub("", source_name(item.source, language)), language)


def _dated(item: Evidence, source: str, language: Language) -> str:
    if not item.year or str(item.year) in source:
        return source
    return f"{source}（{item.year}）" if language == "zh" else f"{source} ({item.year})"
