"""Who acts on whom: subject and object of a relation (inhibits, clears, before, than), compared between a claim and its evidence."""

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from agent.reading.lexicon import DRUG_KINDS, members, mentions, terms
from retrieval.messages.patterns import patterns

_TEXT = patterns("agent.verify")

_CLAUSE = re.compile(r"[;；。！？!?]|\.(?=\s|$)")
_CODE = re.compile(r"(?<![A-Za-z])[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9]*(?:-[A-Z0-9]+)*(?![A-Za-z])")
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\s+(?:\w+ly\s+)?$", re.IGNORECASE)
_BY = re.compile(r"^\s*by\b", re.IGNORECASE)
# Between a relation and its object: another statement began.
_LOOSE = re.compile(r"[,，。]|\b(?:it|them|this|after|before|when|if|because|over)\b|.{45}", re.IGNORECASE)
_FAR = 60
_DIRECTED = frozenset({"prefer", "inhibit", "induce", "clear"})
_ACTS = frozenset({"inhibit", "induce", "raise", "lower", "clear"})
_BY_CHINESE = _TEXT.regex("roles_passive")
_LEVEL = _TEXT.regex("roles_level")
_LEVEL_OF = re.compile(r"(?:exposure to|exposure of|concentrations? of|levels? of|clearance of|metabolism of)\s*$", re.IGNORECASE)
Triple = tuple[str, str | None, str | None]


@lru_cache(maxsize=1)
def _relations() -> tuple[tuple[str, re.Pattern[str], bool], ...]:
    data = tomllib.loads(files("agent").joinpath("data/wording.toml").read_text(encoding="utf-8"))["relation"]
    return tuple((row["name"], re.compile(row["words"], re.IGNORECASE), row.get("turned", False)) for row in data)


@lru_cache(maxsize=4096)
def triples(text: str) -> tuple[Triple, ...]:
    """Relations of a text with what stands nearest before and after: `(inhibit, clarithromycin, cyp3a4)`."""
    out: list[Triple] = []
    for sentence in (s for s in _CLAUSE.split(text) if s):
        named = _named(sentence)
        for name, pattern, turned in _relations():
            for match in pattern.finditer(sentence):
                left = next((n for s, e, n in reversed(named) if e <= match.start() and match.start() - e <= _FAR), None)
                right = next((n for s, e, n in named if s >= match.end() and not _LOOSE.search(sentence[match.end() : s])), None)
                passive = _PASSIVE.search(sentence[: match.start()]) and _BY.search(sentence[match.end() :])
                if _BY_CHINESE.search(sentence[: match.start()]):
                    # the Chinese passive: object, then subject, then the verb.
                    before = [n for s, e, n in named if e <= match.start()]
                    left, right = (before[-1], before[-2]) if len(before) > 1 else (left, None)
                elif passive or turned:
                    left, right = right, left
                out.append((name, left, right))
    return tuple(out)


def _acts_backwards(claim: str, known: list[Triple]) -> str | None:
    """A drug that acts on another in the claim and is acted on by it in the evidence, however the act is worded."""
    pairs = {(a, b) for n, a, b in known if n in _ACTS}
    for name, left, right in triples(claim):
        drugs = {d for d in (left, right) if d in terms() and terms()[d].kind in DRUG_KINDS}
        if name in _ACTS and len(drugs) == 2 and (right, left) in pairs and (left, right) not in pairs:
            return f"in the evidence {right} acts on {left}"
    return None


def _changed(text: str) -> frozenset[str]:
    """Drugs whose level a text says to change."""
    found = {m.term.id for m in mentions(text) if m.term.kind in DRUG_KINDS and _LEVEL.match(text[m.end : m.end + 40])}
    spoken = (m.term.id for m in mentions(text) if m.term.kind in DRUG_KINDS and _LEVEL_OF.search(text[: m.start]))
    return frozenset(found) | frozenset(spoken)


def _other_drug_changes(claim: str, texts: list[str]) -> str | None:
    mine, theirs = _changed(claim), frozenset().union(*(_changed(t) for t in texts))
    return f"the evidence says that the level of {', '.join(sorted(theirs))} changes" if mine and theirs and not mine & theirs else None


def _named(sentence: str) -> list[tuple[int, int, str]]:
    found = [(m.start, m.end, m.term.id) for m in mentions(sentence) if m.term.kind not in ("respiratory", "population", "enzyme")]
    taken = [(s, e) for s, e, _ in found]
    for match in _CODE.finditer(sentence):
        if all(match.end() <= s or match.start() >= e for s, e in taken):
            found.append((match.start(), match.end(), f"!{match.group(0).lower()}"))
    return sorted(found)


def _meant(mine: str | None, theirs: str | None) -> bool:
    """Whether two names are one drug, or a class and a member of it."""
    if mine is None or theirs is None or mine == theirs:
        return mine == theirs
    return mine in members().get(theirs, ()) or theirs in members().get(mine, ())


def reversed_roles(claim: str, texts: Iterable[str]) -> str | None:
    """The relation whose subject and object the claim has the other way round, or with another partner; None when they agree."""
    texts = list(texts)
    known = [t for text in texts for t in triples(text)]
    backwards = _acts_backwards(claim, known) or _other_drug_changes(claim, texts)
    if backwards:
        return backwards
    for name, left, right in triples(claim):
        same = [(a, b) for n, a, b in known if n == name]
        if left is None or right is None or not same or (left, right) in same:
            continue
        lefts, rights = {a for a, _ in same}, {b for _, b in same}
        if any(_meant(right, a) and _meant(left, b) for a, b in same) or (name in _DIRECTED and left in rights and left not in lefts):
            return f"the evidence has {name} the other way round"
        # Mechanisms name exactly who and what; for other relations a new partner may only be worded otherwise.
        if name in ("inhibit", "induce", "clear") and all(a and b for a, b in same) and any(a == left or b == right for a, b in same):
            return f"the evidence names another partner of {name}"
    return None
