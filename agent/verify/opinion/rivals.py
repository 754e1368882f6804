"""Fields of a claim against those of the place where the rest of it stands: which value the evidence has there instead.

One extractor reads both sides (`fields`: terms by kind, numbers by dimension, contrasts, sides, labels, words of the contrary). For each
kind of which a claim has a value, the windows of clauses that hold most of the *rest* of the claim are sought: a rival is a window with
other values of that kind only. What the evidence leaves unsaid is no disagreement.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from agent.verify.opinion.bonds import bag, things
from agent.verify.opinion.wording import opposite_words
from agent.verify.polarity import cues
from retrieval.messages.patterns import patterns

_CUT = patterns("agent.verify").regex("rivals_cut")
_SENTENCE = re.compile(r"[;；。！？!?\n]|\.(?=\s|$)")
# Clauses that one statement may run over, and what each further one costs.
_RUN = 4
_STEP = 0.03
# Weight of the rest of a claim below which it does not tell where the claim stands.
_REST = 2.0
Fields = dict[str, frozenset[str]]


@lru_cache(maxsize=16384)
def fields(text: str) -> Fields:
    """Values of a text by kind."""
    return dict(things(text)) | {f"contrary {name}": values for name, values in opposite_words(text).items()}


@lru_cache(maxsize=4096)
def _windows(text: str) -> tuple[tuple[int, frozenset[str], Fields], ...]:
    out = []
    for sentence in _SENTENCE.split(text):
        clauses = [c for c in _CUT.split(sentence) if c and re.search(r"\w", c)]
        for i in range(len(clauses)):
            seen: set[str] = set()
            held: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
            for j in range(i, min(len(clauses), i + _RUN)):
                seen |= set(bag(clauses[j]))
                for kind, values in fields(clauses[j]).items():
                    held[kind] |= values
                out.append((j - i, frozenset(seen), dict(held)))
    return tuple(out)


def rivals(claim: str, texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """By kind: how much of the rest of the claim stands beside another value, and how much beside its own or none."""
    windows = [w for t in texts for w in _windows(t)]
    words = bag(claim)
    out: dict[str, tuple[float, float]] = {}
    for kind, values in fields(claim).items():
        if kind == "year" or (kind.startswith("contrary") and len(values) > 1):
            continue
        own = {f"{mark}{v}" for v in values for mark in "@#!"} | values
        rest = {t: w for t, w in words.items() if t not in own and t[0] not in "<>"}
        total = sum(rest.values())
        if total < _REST:
            continue
        there = here = 0.0
        for length, seen, held in windows:
            share = sum(w for t, w in rest.items() if t in seen) / total - _STEP * length
            found = held.get(kind, frozenset())
            if found and not found & values:
                there = max(there, share)
            else:
                here = max(here, share)
        out[kind] = (there, here)
    return out


# Kinds that a rival tells of too loosely: numbers and codes stand in lists, strength and order have rules of their own, the rest is wide.
_LOOSE = ("number", "code", "analyte", "contrast modality", "contrast order", "contrast amount", "vital", "action", "finding", "score")
_WIDE = patterns("agent.verify").regex("rivals_wide")
# Share of the rest of a claim that must stand beside the rival, and by how much more than beside its own value.
_SURE = 0.45
_APART = 0.2


def rival(claim: str, texts: Iterable[str]) -> str | None:
    """The kind of which the evidence has another value where all else of the claim stands; None where denials may turn it."""
    texts = list(texts)
    found = {
        kind: there - here
        for kind, (there, here) in rivals(claim, texts).items()
        if there >= _SURE and there - here >= _APART and not kind.startswith(_LOOSE) and not _WIDE.fullmatch(kind)
    }
    if not found or cues(claim) % 2 != cues(_nearest(claim, texts)) % 2:
        return None
    return max(found, key=found.__getitem__)


def _nearest(claim: str, texts: Iterable[str]) -> str:
    words = bag(claim)
    sentences = [s for t in texts for s in _SENTENCE.split(t) if re.search(r"\w", s)]
    return max(sentences, key=lambda s: sum(w for t, w in words.items() if t in bag(s)), default="")


_PART = patterns("agent.verify").regex("rivals_part")
_TOLD = re.compile(r"[@!a-z]")


def polarities(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Content that the parts of a sentence state, and content that they deny ("in severe and not in critical disease")."""
    stated: set[str] = set()
    denied: set[str] = set()
    for part in _PART.split(text):
        if part and part.strip():
            (denied if cues(part) % 2 else stated).update(bag(part))
    return frozenset(stated - denied), frozenset(denied - stated)


def turned_over(claim: str, texts: Iterable[str]) -> bool:
    """Whether a claim states what a sentence of its evidence denies and denies what it states: two things exchanged around "not"."""
    stated, denied = polarities(claim)
    if not stated or not denied:
        return False
    there, gone = polarities(_nearest(claim, texts))
    return bool(_weighty(stated & gone) and _weighty(denied & there) and not _weighty(denied & gone))


def _weighty(tokens: frozenset[str]) -> bool:
    return sum(1.0 if _TOLD.match(t) else 0.5 for t in tokens) >= 1.0
