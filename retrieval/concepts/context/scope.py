"""Which cues of a sentence reach one mention in it."""

import re

from retrieval.concepts.context.cues import Cue, Status, cues_of, rules
from retrieval.concepts.context.spans import Span, sentences

_COMMA = re.compile(r",\s?(?!\d)|，")
# Farther away than this a cue speaks of something else.
_REACH_CHARACTERS = 120


def statuses(text: str, start: int, end: int) -> frozenset[Status]:
    """What the sentence says about `text[start:end]`; empty when it is simply stated.

    Args:
        text: Any text, English or Chinese or mixed.
        start: First character of the mention.
        end: One past its last character.
    """
    home = _home(text, start)
    sentence = text[home.start : home.end]
    low, high = start - home.start, min(end, home.end) - home.start
    found = {c.status for c in cues_of(sentence) if c.status is not None and _reaches(c, sentence, low, high)}
    if "uncertain" in found and "negated" in found and _doubted_denial(sentence, low, high):
        found.discard("negated")
    if "hypothetical" in found and sentence.rstrip().endswith(("?", "？")):
        found.discard("uncertain")  # the question mark only closes a question
    return frozenset(s for s in found if s is not None)


def affirmed(text: str, start: int, end: int) -> bool:
    """Whether the mention is stated of this patient, now, without doubt."""
    return not statuses(text, start, end)


def denies(sentence: str) -> bool:
    """Whether a sentence denies anything at all, whatever it is."""
    return any(cue.status == "negated" for cue in cues_of(sentence))


def _home(text: str, start: int) -> Span:
    return next((s for s in sentences(text) if s.start <= start < s.end), Span(0, len(text)))


def _reaches(cue: Cue, sentence: str, low: int, high: int) -> bool:
    if cue.reach in ("after", "both") and cue.end <= low:
        between = sentence[cue.end : low]
        return _open(cue, between, sentence[low:]) and not _restarted(cue, between, sentence[low:])
    if cue.reach in ("before", "both") and cue.start >= high:
        between = sentence[high : cue.start]
        return _open(cue, between, "") and not _COMMA.search(between)
    return False


def _open(cue: Cue, between: str, rest: str) -> bool:
    if cue.near:
        return not re.search(r"\w", between) and len(between) <= 2
    return (cue.far or len(between) <= _REACH_CHARACTERS) and not rules().ends.search(between) and not _closed(between)


def _closed(between: str) -> bool:
    """Whether a bracket that was open at one end closes before the other: `(no reaction): thrombus` denies no thrombus."""
    depth = 0
    for c in between:
        depth += (c in "([（") - (c in ")]）")
        if depth < 0:
            return True
    return False


def _restarted(cue: Cue, between: str, rest: str) -> bool:
    """Whether a comma between cue and mention begins a new statement."""
    commas = list(_COMMA.finditer(between))
    if not commas:
        return False
    if any(rules().restart.match(between[c.end() :] + rest) for c in commas):
        return True
    if cue.far:
        return False
    # "no A, B or C": a list that is still open; "no A, B": a new statement.
    tail = between[commas[0].end() :] + rest
    return not (rules().lists.search(tail) and not rules().ends.search(tail) and "，" not in between)


def _doubted_denial(sentence: str, low: int, high: int) -> bool:
    """`cannot exclude X`: the doubt swallowed the denial of the same words."""
    doubt = [c for c in cues_of(sentence) if c.status == "uncertain" and _reaches(c, sentence, low, high)]
    denial = [c for c in cues_of(sentence) if c.status == "negated" and _reaches(c, sentence, low, high)]
    return any(d.start <= n.start and n.end <= d.end for d in doubt for n in denial)
