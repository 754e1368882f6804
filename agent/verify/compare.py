"""What the parts of a claim say against what the evidence says at the same place: fields, contrasts, denial, belonging, roles."""

import re

from agent.reading.lexicon import DRUG_KINDS, ids, language_of, mentions
from agent.verify.align import Place, content, pieces, place, texts_for
from agent.verify.binding import exchanged, reordered, turned_number
from agent.verify.contrast import differs
from agent.verify.groups import misplaced
from agent.verify.numbers import numbers_of, opposed, same
from agent.verify.polarity import denial, turned
from agent.verify.record import RECORDS, differs_from_record, is_pattern
from agent.verify.roles import reversed_roles
from agent.verify.states import opposite_state
from agent.verify.text import tokens
from retrieval.concepts.context import statuses
from tools.evidence import Evidence

_PARTS = re.compile(r"[;；，]|,\s(?!\d{3}\b)|(?<=[\u4e00-\u9fff]),|\b(?:but|which|so)\b|但|而(?!非|且)", re.IGNORECASE)
_FLAGGED = re.compile(
    r"(?:\)|mmol/L|mg/L|g/L|%):?\s*(?:critically )?(?:low|normal|high)\b|\b(?:is|are) (?:critically )?(?:low|normal|high)\b", re.IGNORECASE
)
_FOUND = frozenset({"finding", "disease", "symptom", "comorbidity", "history", "organism"})
# A part of a claim that holds less than this is read together with the whole.
_PART_WEIGHT = 3.0
_PLACED = 0.5
_ACROSS = 0.7


def compared(claim: str, cited: list[Evidence]) -> str | None:
    """Why the claim says something else than its evidence; None when they agree."""
    reason = differs_from_record(claim, cited)
    if reason:
        return reason
    texts = texts_for(claim, cited)
    pool = " \n ".join([*texts, *(e.source for e in cited)])
    structured = all(e.kind in RECORDS for e in cited)
    whole = place(claim, texts)
    return (
        _contrast(claim, whole, pool, cited)
        or opposite_state(claim, texts)
        or _limits(claim, whole)
        or _presence(claim, texts, structured)
        or _only_absent(claim, texts)
        or _denial(claim, whole, texts)
        or reversed_roles(claim, texts)
        or (None if _one_value(cited) else exchanged(claim, texts))
        or turned_number(claim, texts)
        or (None if structured else reordered(claim, whole.sentence) or misplaced(claim, texts) or _elsewhere(claim, whole, texts))
    )


def _one_value(cited: list[Evidence]) -> bool:
    """One laboratory value: its numbers are told apart by their fields."""
    return (
        len(cited) == 1
        and cited[0].kind == "lab"
        and len({re.sub(r"_(reference|previous).*", "", q.name) for q in cited[0].quantities}) == 1
    )


def _limits(claim: str, whole: Place) -> str | None:
    """A limit that the claim has the other way round than the place where it stands."""
    there, said = numbers_of(whole.run), numbers_of(claim)
    for number in said:
        if any(n.value == number.value and opposed(n, number) for n in said):
            continue
        equal = [n for n in there if n.direction is not None and same(number, n)]
        if number.direction is not None and equal and all(opposed(number, n) for n in equal):
            return f"the evidence says this of the other side of {number.value:g}"
    return None


def _only_absent(claim: str, texts: list[str]) -> str | None:
    """Content that the claim states and the evidence has only as absent (`and not actual weight`)."""
    told = [p.text for t in texts for p in pieces(t)]
    mine = denial(claim)
    if mine.statement:
        return None
    gone = frozenset().union(*(denial(p).absent for p in told))
    stated = frozenset().union(*(tokens(p) - denial(p).absent for p in told))
    kept = {t for t in (tokens(claim) - mine.absent) & (gone - stated) if t[0] == "@" or t >= "\u4e00"}
    return "it states what the evidence says is absent" if any(t[0] == "@" for t in kept) or len(kept) > 1 else None


def _presence(claim: str, texts: list[str], structured: bool) -> str | None:
    """A finding that a record denies and the claim states, or the other way round."""
    if not structured:
        return None
    for mention in mentions(claim):
        if mention.term.kind not in _FOUND:
            continue
        mine = "negated" in statuses(claim, mention.start, mention.end)
        there = ["negated" in statuses(t, m.start, m.end) for t in texts for m in mentions(t) if m.term.id == mention.term.id]
        if there and all(n != mine for n in there):
            return f"the record {'has' if mine else 'denies'} {mention.term.name('en')}"
    return None


def parts(claim: str) -> list[str]:
    """Parts of a claim that say something each."""
    found = [p for p in _PARTS.split(claim) if p and sum(content(p).values()) >= _PART_WEIGHT]
    return found if len(found) > 1 else [claim]


def _contrast(claim: str, whole: Place, pool: str, cited: list[Evidence]) -> str | None:
    if cited and all(e.kind == "lab" and not is_pattern(e) and _FLAGGED.search(e.text) for e in cited):
        return None  # compared as fields
    found = differs(claim, whole, pool)
    return f"the evidence says otherwise ({found[0].replace('_', ' ')}: {found[1]})" if found else None


def _denial(claim: str, whole: Place, texts: list[str]) -> str | None:
    split = parts(claim)
    if language_of(claim) != language_of(" ".join(texts)) and whole.share < _ACROSS:
        return None  # too little in common across languages to compare a denial
    if len(split) == 1:
        how = turned(claim, whole.run, whole.sentence)
        return f"it {how}" if how and not _denied_apart(claim, texts) else None
    for part in split:
        there = place(part, texts)
        how = turned(part, there.run, there.sentence) if there.share >= _PLACED else None
        if how and not _denied_apart(part, texts):
            return f"it {how}"
    return None


def _denied_apart(claim: str, texts: list[str]) -> bool:
    """Whether a sentence of its own denies what the claim denies ("...; avoid the combination")."""
    mine = tokens(claim)
    others = [p.text for t in texts for p in pieces(t) if denial(p.text).statement and len(p.chunks) == 1]
    return denial(claim).statement and any((t := tokens(o)) and len(t & mine) >= _PLACED * len(t) for o in others)


def _elsewhere(claim: str, whole: Place, texts: list[str]) -> str | None:
    """A drug of the claim that the evidence names only where it says something else."""
    if language_of(claim) == "zh" and not any(language_of(t) == "zh" for t in texts):
        return None
    places = [whole, *(place(p, texts) for p in parts(claim))]
    there = ids(" ; ".join(f"{p.sentence} ; {p.before}" for p in places), *DRUG_KINDS)
    after = ids(" ; ".join(texts), *DRUG_KINDS) - there
    strayed = ids(claim, *DRUG_KINDS) & after
    return f"the evidence says something else of {', '.join(sorted(strayed))}" if strayed else None
