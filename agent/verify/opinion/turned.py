"""A claim nearly in its evidence's own words in which one word was exchanged for its contrary, or for another of its kind."""

import re
from collections.abc import Iterable
from functools import lru_cache

from agent.verify.contrast import contrasts
from agent.verify.opinion.edits import nearest, words_in_order
from agent.verify.opinion.wording import contrary_pairs
from agent.verify.polarity import cues
from agent.verify.typed.siblings import members_of
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.typed")
_AND, _OR = _WORDS.regex("turned_and"), _WORDS.regex("turned_or")
_SETS = tuple(re.compile(w, re.IGNORECASE) for w in _WORDS.words("turned_sets"))
# Share of a claim's words that must stand in its sentence in order, and the most words on each side of an exchange.
_NEARLY = 0.75
_TIGHT = {True: 4, False: 3}
_SHORT = 4
# Share of the claim that must lie between the first and the last word that it shares with its sentence.
_MOST = 0.5
_STRONG = _WORDS.regex("turned_strong")
_MARKS = " ,;" + _WORDS.text("turned_marks")
_HAN = re.compile("[\u4e00-\u9fff]")
# Kinds of contrast that one word gives away whatever stands around it.
_LOOSE = frozenset({"modality", "amount", "all_or_some", "always", "only", "routine"})


def turned_word(claim: str, texts: Iterable[str]) -> str | None:
    """What the evidence has where a claim nearly in its words has the contrary or another of the kind; None where nothing is turned."""
    mine, starts = words_in_order(claim)
    near = nearest(mine, texts)
    if near is None or not mine:
        return None
    sentence, matcher = near
    if cues(claim) or cues(sentence) % 2:
        return None  # a contrary beside a denial may say the same
    theirs, places = words_in_order(sentence)
    blocks = [b for b in matcher.get_matching_blocks() if b.size]
    # What stands before and behind the shared words is a frame ("according to ...").
    first, last = (blocks[0].a, blocks[-1].a + blocks[-1].size) if blocks else (0, 0)
    if last - first < _SHORT or sum(b.size for b in blocks) < _NEARLY * (last - first) or last - first < _MOST * len(mine):
        return None
    chinese = bool(_HAN.search(claim))
    ends, stops = [*starts[1:], len(claim)], [*places[1:], len(sentence)]
    exchanged: set[tuple[str, str]] = set()
    for name, a, b, c, d in matcher.get_opcodes():
        outside = name != "replace" and (b <= first or a >= last)
        if name == "equal" or outside or max(b - a, d - c) > _TIGHT[chinese]:
            continue
        plain = (claim[starts[a] : ends[b - 1]].strip() if b > a else "", sentence[places[c] : stops[d - 1]].strip() if d > c else "")
        swapped = all(plain) and (plain[1], plain[0]) in exchanged
        if swapped or (_STRONG.fullmatch(plain[0]) and not _STRONG.search(sentence)):
            return plain[1] or plain[0]
        exchanged.add(plain)
        if name != "replace":
            continue
        # Chinese is compared by character: the one beside each makes the word.
        wide = 1 if chinese else 0
        said = claim[starts[max(0, a - wide)] : ends[min(len(mine), b + wide) - 1]]
        there = sentence[places[max(0, c - wide)] : stops[min(len(theirs), d + wide) - 1]]
        if opposed(said.strip(), there.strip()):
            return there.strip(_MARKS)
    return None


@lru_cache(maxsize=16384)
def opposed(one: str, other: str) -> bool:
    """Whether two short wordings are contraries or two of one kind; what denies only one of them is compared as a denial."""
    if (cues(one) + cues(other)) % 2:
        return False
    for contrast in contrasts():
        first, second = contrast.of(one), contrast.of(other)
        if contrast.name not in _LOOSE and first and second and not first & second:
            return True
    kinds = {name for name, _ in members_of(one)} & {name for name, _ in members_of(other)}
    if any({v for n, v in members_of(one) if n == k}.isdisjoint({v for n, v in members_of(other) if n == k}) for k in kinds):
        return True
    joined = (bool(_AND.fullmatch(one)), bool(_OR.fullmatch(one)), bool(_AND.fullmatch(other)), bool(_OR.fullmatch(other)))
    if joined in ((True, False, False, True), (False, True, True, False)):
        return True
    if any((a := p.search(one)) and (b := p.search(other)) and a.lastgroup != b.lastgroup for p in _SETS):
        return True
    return contrary_pairs(one, other) > 0
