"""Sentences and clauses of a text as spans, English and Chinese."""

import re
from functools import lru_cache
from typing import NamedTuple

from retrieval.concepts.context.cues import rules

_SENTENCE = re.compile(
    r"(?<=[\w)）%])[!?]+(?=\s|$|[\u4e00-\u9fff])|[;；。！？]+|\n+|(?<![A-Z]\.[a-z])(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bdr)\.(?=\s|$)",
    re.IGNORECASE,
)


class Span(NamedTuple):
    """`text[start:end]`."""

    start: int
    end: int


def sentences(text: str) -> tuple[Span, ...]:
    """Sentences of `text` in order, with their closing mark."""
    return _split(text, _SENTENCE, 0, len(text), keep=True)


def clauses(text: str) -> tuple[Span, ...]:
    """Clauses of `text` in order: sentences, cut at commas, colons and words such as `but`."""
    return tuple(c for s in sentences(text) for c in _split(text, _clause_marks(), s.start, s.end, keep=False))


@lru_cache(maxsize=1)
def _clause_marks() -> re.Pattern[str]:
    marks = r",\s(?!\d)|(?<=[\u4e00-\u9fff\uff09)%]),|,(?=[\u4e00-\u9fff])|\uff0c|:\s|\uff1a"
    return re.compile(f"{marks}|{rules().breaks}", re.IGNORECASE)


def _split(text: str, at: re.Pattern[str], start: int, end: int, keep: bool) -> tuple[Span, ...]:
    out: list[Span] = []
    low = start
    for match in at.finditer(text, start, end):
        out.append(Span(low, match.end() if keep else match.start()))
        low = match.end()
    out.append(Span(low, end))
    return tuple(s for s in out if re.search(r"\w", text[s.start : s.end]))
