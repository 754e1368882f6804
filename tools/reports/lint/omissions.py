"""Findings that the impression may not leave out, and leaves out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import Pair, messages
from tools.reports.lint.reading.figures import figures_in
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import change_in
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_NOT_THERE = frozenset(("negated", "hypothetical", "family", "historical", "uncertain"))
_OLD = "old"


@dataclass(frozen=True)
class _Alert:
    words: re.Pattern[str]
    told: re.Pattern[str]
    least_mm: float
    said: Pair


@cache
def _alerts() -> tuple[_Alert, ...]:
    return tuple(
        _Alert(union(row["words"]), union(row["told"]), float(row.get("least_mm", 0.0)), (row["en"], row["zh"]))
        for name, row in table("alerts").items()
        if name != _OLD
    )


@cache
def _old() -> re.Pattern[str]:
    return union(table("alerts")[_OLD]["words"])


def _settled(text: str) -> bool:
    """Whether a sentence speaks of what is old, harmless, unchanged or on its way out."""
    return bool(_old().search(text)) or change_in(text) in ("down", "resolved", "stable")


def omitted(sentences: list[Sentence]) -> Iterator[Remark]:
    """One remark for every such finding that nothing in the impression or behind it names."""
    behind = [s for s in sentences if s.section in ("impression", "recommendation")]
    if not any(s.section == "impression" for s in behind):
        return
    said = " \n".join(s.text for s in behind)
    for alert in _alerts():
        if alert.told.search(said):
            continue
        where = next((s for s in sentences if s.section == "findings" and _stated(s, alert)), None)
        if where is not None:
            yield Remark(
                "presence",
                *pair("The findings describe what the impression does not name: {what}.", what=alert.said),
                (where.text, behind[0].text),
                *pair("Name it in the impression, with what is to be done."),
            )


def _stated(sentence: Sentence, alert: _Alert) -> bool:
    """Whether a sentence states the finding, large enough and not as old or harmless."""
    for m in alert.words.finditer(sentence.text):
        status = statuses(sentence.text, m.start(), m.end()) | statuses(sentence.text, m.end() - 1, m.end())
        if _NOT_THERE & status or group("absent")["words"].search(m.group()) or _settled(sentence.text):
            continue
        if not alert.least_mm or max(figures_in(sentence.text).now, default=0.0) >= alert.least_mm:
            return True
    return False
