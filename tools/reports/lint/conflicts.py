"""Statements that cannot both stand: how the examination was done, what was taken out or is not there, against what is described.

The pairs are data (`conflicts.toml`); here is only how a pair is looked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import Pair, messages
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_NOT_SEEN = ("history", "comparison", "recommendation")
_NOT_SO = frozenset(("negated", "hypothetical", "family", "uncertain"))


@dataclass(frozen=True)
class _Words:
    """What is looked for: patterns that count where they are stated, and those that count anyhow."""

    stated: re.Pattern[str] | None
    anyhow: re.Pattern[str] | None

    def found(self, sentence: Sentence) -> Iterator[re.Match[str]]:
        """Places in a sentence, without advice and what is only planned."""
        if self.anyhow is not None:
            yield from self.anyhow.finditer(sentence.text)
        for m in self.stated.finditer(sentence.text) if self.stated is not None else ():
            if not _NOT_SO & statuses(sentence.text, m.start(), m.end()) and not _advised(sentence.text, m.end()):
                yield m


@dataclass(frozen=True)
class _Row:
    premise: _Words
    against: _Words
    unless: re.Pattern[str] | None
    side: bool
    lobe: bool
    said: Pair


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(
        _Row(
            _Words(_pattern(row, "premise"), _pattern(row, "premise_any")),
            _Words(_pattern(row, "against"), _pattern(row, "against_any")),
            _pattern(row, "unless"),
            bool(row.get("side")),
            bool(row.get("lobe")),
            (row["en"], row["zh"]),
        )
        for row in table("conflicts").values()
    )


def _pattern(row: dict[str, list[str]], key: str) -> re.Pattern[str] | None:
    return union(row[key]) if key in row else None


def _advised(text: str, place: int) -> bool:
    """Whether what ends at `place` is only advised."""
    return bool(group("advised")["words"].match(text[place : place + 24]))


def conflicts(report: str, sentences: list[Sentence]) -> Iterator[Remark]:
    """One remark for every row whose two statements the report makes."""
    whole = [Sentence(line, 0, "technique") for line in report.splitlines()[:1] if line.strip()]
    for row in _rows():
        if row.unless is not None and row.unless.search(report):
            continue
        found = next(_met(row, [*whole, *sentences]), None)
        if found is not None:
            yield Remark(
                "presence",
                *pair("Two statements exclude each other: {what}.", what=row.said),
                found,
                *pair("Correct the one that is wrong."),
            )


def _met(row: _Row, sentences: list[Sentence]) -> Iterator[tuple[str, str]]:
    for a in sentences:
        for m in row.premise.found(a):
            for b in sentences:
                for n in row.against.found(b):
                    if b.section not in _NOT_SEEN and _collide(row, a.text, m, b.text, n):
                        yield a.text, b.text


def _collide(row: _Row, a: str, m: re.Match[str], b: str, n: re.Match[str]) -> bool:
    """Whether two matches stand in different clauses, and speak of one place where the row asks for it."""
    first, second = _near(a, m), _near(b, n)
    lobes = _named("lobe", m.group()) & _named("lobe", n.group())
    return first != second and (not row.lobe or bool(lobes)) and (not row.side or _one_side(first, second))


def _one_side(a: str, b: str) -> bool:
    sides, other = _named("side", a), _named("side", b)
    return bool(sides & other) or (bool(sides and other) and "both" in sides | other)


def _near(text: str, m: re.Match[str]) -> str:
    """The clause around a match."""
    marks = table("words")["clause_marks"]["words"]
    low = max((text.rfind(c, 0, m.start()) for c in marks), default=-1) + 1
    after = [i for c in marks if (i := text.find(c, m.end())) >= 0]
    return text[low : min(after, default=len(text))]


def _named(name: str, text: str) -> frozenset[str]:
    return frozenset(key for key, pattern in group(name).items() if pattern.search(text))
