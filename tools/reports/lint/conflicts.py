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
    said: Pair


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(
        _Row(
            _Words(_pattern(row, "premise"), _pattern(row, "premise_any")),
            _Words(_pattern(row, "against"), _pattern(row, "against_any")),
            _pattern(row, "unless"),
            bool(row.get("side")),
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
            sides = _sides(a.text, m) if row.side else frozenset()
            for b in sentences:
                for n in row.against.found(b):
                    apart = a != b or n.start() >= m.end() or n.end() <= m.start()
                    if apart and _same_side(row, sides, b, n) and b.section not in ("history", "comparison", "recommendation"):
                        yield a.text, b.text


def _same_side(row: _Row, sides: frozenset[str], sentence: Sentence, m: re.Match[str]) -> bool:
    if not row.side:
        return True
    other = _sides(sentence.text, m)
    both = "both" in sides | other
    return bool(sides) and bool(other) and (both or bool(sides & other))


def _sides(text: str, m: re.Match[str]) -> frozenset[str]:
    """Sides in the clause around a match."""
    low = max((text.rfind(c, 0, m.start()) for c in ".;,。；，、:："), default=-1) + 1
    after = [i for c in ".;,。；，、" if (i := text.find(c, m.end())) >= 0]
    near = text[low : min(after, default=len(text))]
    return frozenset(name for name, pattern in group("side").items() if pattern.search(near))
