"""A claim in its evidence's own words: every word of it stands there in order, and what is left out changes nothing.

Such a claim is carried by construction, whatever the other checks make of its wording. Left out may be what stands before or behind
the claim as a clause of its own, a bracket, and words that say nothing; never a denial, a limit, a condition or a figure between its words.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[a-z]+(?:'[a-z]+)?|[\u4e00-\u9fff]|[<>≤≥=±%/+^×*~°μµ-]", re.IGNORECASE)
_SENTENCE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")
# Words that may be left out or put in between without changing what is said.
_LIGHT = _TEXT.regex("verbatim_light")
# What may not stand in anything that is left out of a sentence: it would bind what is kept.
_BINDS = _TEXT.regex("verbatim_binds")
# A cut between clauses.
_CLAUSE = re.compile(r"[,，:：、()（）;；]|——")
# Fewer words than this are no sentence.
_SHORT = 4


@dataclass(frozen=True)
class _Word:
    text: str
    start: int
    end: int


def carried(claim: str, texts: Iterable[str]) -> bool:
    """Whether the claim is the evidence's own wording, shortened by whole clauses at most."""
    mine = _words(claim)
    if len(mine) < _SHORT:
        return False
    return any(_stands(mine, _plain(sentence)) for text in texts for sentence in _SENTENCE.split(text) if sentence.strip())


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", plain)
    return re.sub(r"[‐‑–—−～]", "-", plain)


def _words(text: str) -> list[_Word]:
    plain = _plain(text)
    return [_Word(m.group(0), m.start(), m.end()) for m in _WORD.finditer(plain)]


def _stands(mine: list[_Word], sentence: str) -> bool:
    theirs = _words(sentence)
    for first in (i for i, w in enumerate(theirs) if w.text == mine[0].text):
        at = _follow(mine, theirs, first, sentence)
        if at is not None and _free(sentence, theirs[first].start, theirs[at].end):
            return True
    return False


def _follow(mine: list[_Word], theirs: list[_Word], first: int, sentence: str) -> int | None:
    """Index of the last word of the claim in the sentence when it follows it from `first`; None when it leaves it."""
    at = first
    for word in mine[1:]:
        if at + 1 < len(theirs) and theirs[at + 1].text == word.text:
            at += 1
            continue
        if _LIGHT.fullmatch(word.text):
            continue
        found = _next(word.text, theirs, at, sentence)
        if found is None:
            return None
        at = found
    return at


def _next(word: str, theirs: list[_Word], at: int, sentence: str) -> int | None:
    """Where the word comes next, past a bracket or words that say nothing."""
    for i in range(at + 2, len(theirs)):
        left_out = sentence[theirs[at].end : theirs[i].start]
        if theirs[i].text != word:
            continue
        bracket = re.fullmatch(r"\s*[,，]?\s*[(（][^()（）]*[)）]\s*", left_out)
        light = all(_LIGHT.fullmatch(w.text) for w in theirs[at + 1 : i])
        return i if light or (bracket and not _BINDS.search(left_out)) else None
    return None


def _free(sentence: str, start: int, end: int) -> bool:
    """Whether what stands before and behind is cut off by a mark and does not bind what is kept."""
    before, after = sentence[:start], sentence[end:]
    for side, mark in ((before.rstrip(), before.rstrip()[-1:]), (after, after.strip(" .。")[:1])):
        if not side.strip(" .。"):
            continue
        if not _CLAUSE.fullmatch(mark) or _BINDS.search(side):
            return False
    return True
