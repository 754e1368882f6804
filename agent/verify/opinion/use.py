"""Advice turned round: a claim that uses what its evidence only ever avoids, or forbids what the evidence never speaks against."""

import re
from collections.abc import Iterable
from functools import lru_cache

from agent.reading.lexicon import DRUG_KINDS, mentions
from agent.verify.polarity import cues, soft
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")
_PIECE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")
_USED = _TEXT.regex("use_used")
_FORBIDDEN = _TEXT.regex("use_forbidden")
# What is avoided stands behind these, in a list; or before those.
_AVOIDS = _TEXT.regex("use_avoids")
_AVOIDED = _TEXT.regex("use_avoided")
# Any word that limits or speaks against something.
_AGAINST = _TEXT.regex("use_against")
_BETWEEN = _TEXT.regex("use_between")
_HAN = re.compile("[\u4e00-\u9fff]")
# The most words (Chinese: characters) of one member of a list.
_MEMBER = {False: 3, True: 9}
_REACH = 90
_KINDS = frozenset({*DRUG_KINDS, "action", "support", "procedure"})


def advice_turned(claim: str, texts: Iterable[str]) -> bool:
    """Whether all that the evidence says of a treatment's use is the contrary of what the claim says."""
    named = {m.term.id for m in mentions(claim) if m.term.kind in _KINDS}
    if not named:
        return False
    told = [fact for t in texts for piece in _PIECE.split(t) for fact in _said(piece)]
    denied = bool(cues(claim) or soft(claim))
    if not denied and _USED.search(claim):
        return any(_all(told, term, True) for term in named)
    if _FORBIDDEN.search(claim) and cues(claim) == 1 and not any(_AGAINST.search(t) for t in texts):
        return any(_all(told, term, False) for term in named)
    return False


def _all(told: list[tuple[str, bool]], term: str, avoided: bool) -> bool:
    found = [how for name, how in told if name == term]
    return bool(found) and all(how is avoided for how in found)


@lru_cache(maxsize=4096)
def _said(piece: str) -> tuple[tuple[str, bool], ...]:
    """Treatments that a piece names, and whether it is avoided there."""
    return tuple((m.term.id, _avoided(piece, m.start, m.end)) for m in mentions(piece) if m.term.kind in _KINDS)


def _avoided(piece: str, start: int, end: int) -> bool:
    behind = _AVOIDED.search(piece, end, min(len(piece), end + _REACH))
    if behind and _listed(piece[end : behind.start()]):
        return True
    before = list(_AVOIDS.finditer(piece[max(0, start - _REACH) : start]))
    return bool(before) and _listed(piece[max(0, start - _REACH) : start][before[-1].end() :])


def _listed(between: str) -> bool:
    """Whether a stretch is only members of a list."""
    chinese = bool(_HAN.search(between))
    members = [m for m in _BETWEEN.split(between) if m.strip()]
    return all((len(m.strip()) if chinese else len(m.split())) <= _MEMBER[chinese] for m in members)
