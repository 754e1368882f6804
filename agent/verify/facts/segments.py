"""A list that gives each of several things its own value: to which of them a claim gives a value.

"mild from 5 to below 15, moderate from 15 to below 30", "nodular disease three times a week; cavitary disease daily": the text is cut so
that every segment holds one value, and the claim's other words say which segment it speaks of.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from agent.verify.align import content
from agent.verify.numbers import labels_of
from agent.verify.polarity import denial
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

Values = frozenset[Hashable]
Extract = Callable[[str], Values]

SENTENCE = re.compile(r"[。！？!?\n]|\.(?=\s|$)")
_STRONG = re.compile(r"[;；]|:\s|：")
_WEAK = _TEXT.regex("segments_weak", flags=0)
_GRADE = _TEXT.regex("segments_grade")
_GRADES = _TEXT.table("segments_grades")
_CONTRARY = _TEXT.regex("segments_contrary", flags=0)
# How much more of a claim's own words must stand beside another value.
_MARGIN = 0.9
# Letters of a word that count: "cavities" and "cavitary" are one.
_STEM = 5


@dataclass(frozen=True)
class Segment:
    """One segment: its values and its content."""

    values: Values
    words: frozenset[str]


def _grade(word: str) -> str:
    return f"!grade:{_GRADES.get(word, _GRADES.get(word[0], word))}"


def grades_of(text: str) -> frozenset[str]:
    """Grades that a text names."""
    return frozenset(_grade(m.group(0).lower()) for m in _GRADE.finditer(text))


def words_of(text: str) -> frozenset[str]:
    """Content of a text with the labels and grades it names."""
    named = {f"!label:{x}" for x in labels_of(text)} | grades_of(text)
    gone = denial(text).absent
    held = (frozenset(content(text)) - gone) | frozenset(named) | frozenset(f"!not:{g}" for g in gone)
    return frozenset(w[:_STEM] if w.isascii() and w.isalpha() else w for w in held)


def segments(text: str, extract: Extract, first: Extract | None = None) -> list[list[Segment]]:
    """Lists of the text: for each sentence with two values or more its segments.

    Args:
        text: The text.
        extract: Values of a text.
        first: The value that a segment stands for where it may hold several; None where a segment must hold one.
    """
    out = []
    for sentence in SENTENCE.split(text):
        if len(extract(sentence)) > 1:
            found = _cut(sentence, first or extract)
            if len(found) > 1:
                out.append(found)
    return out


def _cut(sentence: str, extract: Extract) -> list[Segment]:
    pieces = [p for p in _STRONG.split(sentence) if p.strip()]
    holding = [p for p in pieces if extract(p)]
    if len(holding) < 2 or any(len(extract(p)) > 1 for p in holding):
        pieces = [q for p in pieces for q in _WEAK.split(p) if q and q.strip()]
    # A piece without a value belongs to the one before it; what stands before the first is the topic of all.
    joined: list[str] = []
    for piece in pieces:
        if extract(piece):
            joined.append(piece)
        elif joined:
            joined[-1] += f" , {piece}"
    return [Segment(extract(j), words_of(j)) for j in joined]


def misbound(claim: str, texts: Iterable[str], extract: Extract, values: re.Pattern[str]) -> float:
    """How much better a claim's words stand beside another value than beside its own; 0.0 where they do not.

    Args:
        claim: The sentence.
        texts: Its evidence.
        extract: Values of a text.
        values: How values are written: their own words do not count.
    """
    worst = 0.0
    lists = [found for t in texts for found in segments(t, extract)]
    own_words = frozenset(w for t in (claim, *texts) for m in values.finditer(t) for w in words_of(m.group(0)))
    for part in _parts(claim, extract):
        mine, words = extract(part), words_of(part) - own_words
        for found in lists:
            own = [s for s in found if s.values & mine]
            rivals = [s for s in found if not s.values & mine]
            if not own or not rivals:
                continue
            shared = frozenset.intersection(*(s.words for s in found))
            here = max(_weight(words & s.words - shared) for s in own)
            there = max(_weight(words & s.words - shared) for s in rivals)
            worst = max(worst, there - here if there - here >= _MARGIN else 0.0)
    return worst


def _parts(claim: str, extract: Extract) -> list[str]:
    parts = [p for p in _CONTRARY.split(claim) if p and extract(p)]
    return parts or []


def _weight(words: frozenset[str]) -> float:
    heavy = ("@", "!label", "!grade", "!not")
    return sum(1.5 if w.startswith(heavy) or w[0] in "<>" else 0.5 if w >= "\u4e00" else 1.0 for w in words)
