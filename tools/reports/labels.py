"""The 18 abnormality labels of the CT-RATE vocabulary, read from the text of a report.

A label is set when a finding of its words is stated: not denied, not only of a relative or supposed. `keywords` is the bare baseline.
"""

import re
from collections.abc import Iterator
from functools import cache

from retrieval.concepts.context import statuses
from tools.reports.lint.reading.mentions import Mention, mentions_of
from tools.reports.lint.reading.parts import Sentence, sentences_of
from tools.reports.lint.reading.vocabulary import findings, table, union

_ABSENT = frozenset(("negated", "family", "hypothetical"))
_WALLS = ("coronary_calcification", "arterial_calcification")


@cache
def names() -> tuple[str, ...]:
    """All labels, in the order of the findings table."""
    return tuple(dict.fromkeys(f.ct_rate for f in findings() if f.ct_rate))


def labels(report: str) -> frozenset[str]:
    """Labels that the report states."""
    sentences = sentences_of(report)
    stated = [m for m in mentions_of(sentences) if m.finding.ct_rate and m.finding.id not in _WALLS and _counts(m)]
    return frozenset([*(str(m.finding.ct_rate) for m in stated), *(w for s in sentences for w in _walls(s))])


def keywords(report: str) -> frozenset[str]:
    """Labels whose words occur anywhere in the report, whatever is said of them."""
    return frozenset(f.ct_rate for f in findings() if f.ct_rate and f.pattern.search(report))


def _counts(m: Mention) -> bool:
    unless = _rule(m.finding.id, "unless")
    return not m.status & _ABSENT and not (unless is not None and unless.search(m.sentence.text))


@cache
def _rule(name: str, key: str) -> re.Pattern[str] | None:
    words = table("labels_rules").get(name, {}).get(key)
    return union(words) if words else None


@cache
def _wall(key: str) -> re.Pattern[str]:
    return union(table("labels_rules")["coronary"][key])


def _walls(sentence: Sentence) -> Iterator[str]:
    """Calcified walls: of the coronary arteries, of the others, or of both in one sentence."""
    calcium, coronary, other = _wall("words"), _wall("vessel"), _wall("other")
    words = [m for m in calcium.finditer(sentence.text) if not statuses(sentence.text, m.start(), m.end()) & _ABSENT]
    if not words:
        return
    by_id = {f.id: f.ct_rate for f in findings()}
    if coronary.search(sentence.text):
        yield str(by_id["coronary_calcification"])
    if other.search(coronary.sub(" ", sentence.text)):
        yield str(by_id["arterial_calcification"])
