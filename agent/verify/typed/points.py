"""A score as a table of items with their points, and what a claim says of one item."""

import re
from dataclasses import dataclass
from functools import lru_cache

from agent.reading.lexicon import mentions
from agent.verify.align import content
from agent.verify.numbers import numbers_of
from agent.verify.polarity import cues
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_HEAD = _WORDS.regex("score_head")
_DEFINED = _WORDS.regex("score_defined")
_LAST = _WORDS.regex("score_points_last")
_SPLIT = _WORDS.regex("score_split")
_POINTS = _WORDS.regex("score_points")
_NONE, _TAKES, _GIVES, _TOTAL = (_WORDS.regex(f"score_{name}") for name in ("none", "takes", "gives", "total"))
_NUMBERS = _WORDS.table("score_words")
# Share of an item's own words that a claim must hold to speak of it.
_NAMED = 0.6
_FEW = 2


@dataclass(frozen=True)
class Item:
    """One item: its words and its points."""

    words: frozenset[str]
    points: float


@lru_cache(maxsize=512)
def items(text: str) -> tuple[Item, ...]:
    """Items of a score with their points; empty where the text lists fewer than two."""
    parts = _HEAD.split(text, maxsplit=1)
    if len(parts) < _FEW:
        return ()
    out = []
    for chunk in _SPLIT.split(re.split(r"\.\s", parts[1], maxsplit=1)[0].rstrip("。. ")):
        found = _LAST.search(chunk.strip())
        name = chunk.strip()[: found.start()] if found else ""
        words = frozenset(w for w in content(_TAKES.sub(" ", name)) if w[0] not in "#<>")
        if found and words:
            sign = -1.0 if found["sign"] in ("-", "−") else 1.0
            out.append(Item(words, sign * float(found["points"])))
    return tuple(out) if len(out) >= _FEW else ()


def defined(text: str) -> bool:
    """Whether the items are those of the score, not those that a patient scored."""
    return bool(_DEFINED.search(text))


def _weight(words: frozenset[str]) -> float:
    return sum(2.0 if w[0] == "@" else 0.5 if w >= "\u4e00" else 1.0 for w in words)


def spoken_of(claim: str, held: tuple[Item, ...]) -> list[Item]:
    """Items that a claim names: most of an item's words, or a term that only this item has."""
    said = frozenset(content(claim))
    terms = [frozenset(w for w in item.words if w[0] == "@") for item in held]
    out = []
    for item, own in zip(held, terms, strict=True):
        alone = {t for t in own & said if sum(t in other for other in terms) == 1}
        if alone or _weight(item.words & said) >= _NAMED * _weight(item.words):
            out.append(item)
    return out


def points_of(claim: str) -> list[float]:
    """Points that a claim names."""
    out = []
    for match in _POINTS.finditer(claim):
        word = match["number"].lower()
        out.append(float(word) if word[0].isdigit() else float(_NUMBERS[word]))
    return out


def judged(claim: str, text: str) -> tuple[bool | None, str]:
    """Whether a claim on one item of a score says what the record has; None where it does not speak of one."""
    held = items(text)
    named = spoken_of(claim, held) if held else []
    if not named or any(m.term.kind == "drug" for m in mentions(claim)):
        return None, ""
    said = points_of(claim)
    none = bool(_NONE.search(claim))
    if len(named) == 1 and len(said) == 1 and not _TOTAL.search(claim) and not _is_total(said[0], text):
        return _same_points(claim, named[0].points, said[0])
    if (said and not none) or defined(text) or _TOTAL.search(claim):
        return None, ""
    denied = none or cues(claim) % 2 == 1
    wrong = [i for i in named if (i.points == 0) != denied]
    if len(wrong) == len(named):
        return False, f"the record gives {wrong[0].points:g} for this item"
    return (True, "") if not wrong else (None, "")


def _is_total(points: float, text: str) -> bool:
    """Whether the number is the patient's total, which stands before the items."""
    return not defined(text) and any(n.value == points for n in numbers_of(_HEAD.split(text, maxsplit=1)[0]))


def _same_points(claim: str, held: float, said: float) -> tuple[bool, str]:
    if said != abs(held):
        return False, f"the record gives {held:g} for this item"
    taken = bool(_TAKES.search(claim))
    if held and (taken or _GIVES.search(claim)) and taken != (held < 0):
        return False, f"the record gives {held:g} for this item"
    return True, ""
