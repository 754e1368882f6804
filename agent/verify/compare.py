"""What the parts of a claim say against what the evidence says at the same place: fields, contrasts, denial, belonging, roles."""

import re

from agent.reading.lexicon import DRUG_KINDS, ids, language_of, mentions
from agent.verify.align import Place, content, pieces, place, texts_for
from agent.verify.binding import exchanged, reordered, turned_number
from agent.verify.contrast import as_strong_across, contrasts, otherwise, otherwise_with_value
from agent.verify.facts.bands import in_its_band, outside_band
from agent.verify.facts.crossed import crossed
from agent.verify.facts.dated import other_day
from agent.verify.facts.imaging import compared_wrong, other_level, other_side, remarked
from agent.verify.facts.order import turned_round
from agent.verify.facts.rhythm import rhythms, unheard, written
from agent.verify.facts.segments import misbound
from agent.verify.facts.subjects import other_subject
from agent.verify.groups import misplaced
from agent.verify.numbers import numbers_of, opposed, same
from agent.verify.polarity import cues, denial, soft, turned
from agent.verify.record import RECORDS, differs_from_record, is_pattern, total_of
from agent.verify.roles import reversed_roles
from agent.verify.states import opposite_state
from agent.verify.text import tokens
from agent.verify.typed.judge import objection
from retrieval.concepts.context import statuses
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence

_TEXT = patterns("agent.verify")

# Contrasts that a record with its bands holds all at once.
_BANDED = frozenset({"risk", "severity"})
# A history that never was.
_NEVER = _TEXT.regex("compare_never")
# Contrasts of which a list gives each thing its own value.
_BOUND = frozenset({"test_result", "strength", "certainty"})
_PARTS = _TEXT.regex("compare_parts")
_AND = _TEXT.regex("compare_and")
_FLAGGED = re.compile(
    r"(?:\)|mmol/L|mg/L|g/L|%):?\s*(?:critically )?(?:low|normal|high)\b|\b(?:is|are) (?:critically )?(?:low|normal|high)\b", re.IGNORECASE
)
_BEYOND = _TEXT.regex("compare_beyond")
_FOUND = frozenset({"finding", "disease", "symptom", "comorbidity", "history", "organism"})
# A part of a claim that holds less than this is read together with the whole.
_PART_WEIGHT = 3.0
_PLACED = 0.5
# Share from which a claim is close enough to the wording of its place that a weaker or stronger word is meant.
_CLOSELY = 0.65
# Share of what its best place holds from which another place is as good.
_AS_MUCH = 0.85
_ACROSS = 0.7
# Sentences of an evidence that speaks of one thing only.
_FEW = 2


def compared(claim: str, cited: list[Evidence]) -> str | None:
    """Why the claim says something else than its evidence; None when they agree."""
    reason = differs_from_record(claim, cited)
    if reason:
        return reason
    texts = texts_for(claim, cited)
    if reason := objection(claim, cited, texts):
        return reason
    pool = " \n ".join([*texts, *(e.source for e in cited)])
    structured = all(e.kind in RECORDS for e in cited)
    listed = structured and not any(e.kind == "score" and not ids(e.text, "score") for e in cited)
    whole = place(claim, texts)
    return (
        contrast_differs(claim, whole, pool, cited)
        or opposite_state(claim, texts)
        or limits(claim, whole)
        or presence(claim, texts, listed)
        or only_absent(claim, texts)
        or denied(claim, whole, texts)
        or reversed_roles(claim, texts)
        or (None if _one_value(cited) else exchanged(claim, texts))
        or turned_number(claim, texts)
        or facts_differ(claim, cited, texts)
        or (None if structured else reordered(claim, whole.sentence) or misplaced(claim, texts) or elsewhere(claim, whole, texts))
    )


def _with_total(claim: str, cited: list[Evidence]) -> str:
    """A sentence on a score without its total, with the total of the record: its band is told."""
    if len(cited) != 1 or cited[0].kind != "score" or numbers_of(claim):
        return claim
    total = total_of(cited[0])
    return claim if total is None else f"{claim} {total:g}"


def facts_differ(claim: str, cited: list[Evidence], texts: list[str]) -> str | None:
    """A band, a rhythm, an order of events, a side or a finding of an image that the claim gives otherwise."""
    if other_subject(claim, texts):
        return "the evidence says this of another drug"
    if outside_band(_with_total(claim, cited), texts):
        return "the value lies in another band of the evidence"
    if misbound(claim, texts, rhythms, written()):
        return "the evidence gives this another rhythm"
    if unheard(claim, " \n ".join(f"{e.text} \n {e.text_zh or ''}" for e in cited)):
        return "the evidence has nothing in this rhythm"
    if crossing := crossed(claim, texts):
        return f"the evidence pairs these the other way round ({' and '.join(crossing)})"
    if turned_round(claim, texts):
        return "the evidence has the other order of events"
    if compared_wrong(claim, texts) or other_side(claim, texts) or other_level(claim, texts):
        return "the evidence says this of the other side"
    if other_day(claim, texts):
        return "the evidence gives this to another day"
    if any(misbound(claim, texts, c.of, c.written()) for c in contrasts() if c.name in _BOUND):
        return "the evidence says this of something else"
    seen = remarked(claim, cited, texts)
    return f"the record of the images says otherwise ({', '.join(seen)})" if seen else None


def _one_value(cited: list[Evidence]) -> bool:
    """One laboratory value: its numbers are told apart by their fields."""
    return (
        len(cited) == 1
        and cited[0].kind == "lab"
        and (
            len({re.sub(r"_(reference|previous).*", "", q.name) for q in cited[0].quantities}) == 1
            or len(ids(cited[0].text, "analyte")) == 1
        )
    )


def limits(claim: str, whole: Place) -> str | None:
    """A limit that the claim has the other way round than the place where it stands."""
    there, said = numbers_of(whole.run), numbers_of(claim)
    if _BEYOND.search(whole.sentence):
        return None  # "up to 50 years ..., above that ...": the evidence speaks of both sides
    for number in said:
        if any(n.value == number.value and opposed(n, number) for n in said):
            continue
        equal = [n for n in there if n.direction is not None and same(number, n)]
        if number.direction is not None and equal and all(opposed(number, n) for n in equal):
            return f"the evidence says this of the other side of {number.value:g}"
    return None


def only_absent(claim: str, texts: list[str]) -> str | None:
    """Content that the claim states and the evidence has only as absent (`and not actual weight`)."""
    told = [p.text for t in texts for p in pieces(t)]
    mine = denial(claim)
    if mine.statement or cues(claim) or soft(claim):
        return None
    gone = frozenset().union(*(denial(p).absent for p in told))
    stated = frozenset().union(*(tokens(p) - denial(p).absent for p in told))
    kept = {t for t in (tokens(claim) - mine.absent) & (gone - stated) if t[0] == "@" or t >= "\u4e00"}
    return "it states what the evidence says is absent" if any(t[0] == "@" for t in kept) or len(kept) > 1 else None


def presence(claim: str, texts: list[str], structured: bool) -> str | None:
    """A finding that a record denies and the claim states, or the other way round."""
    if not structured:
        return None
    for mention in mentions(claim):
        if mention.term.kind not in _FOUND:
            continue
        mine = _negated(claim, mention.start, mention.end)
        there = [_negated(t, m.start, m.end) for t in texts for m in mentions(t) if m.term.id == mention.term.id]
        if there and all(n != mine for n in there):
            return f"the record {'has' if mine else 'denies'} {mention.term.name('en')}"
    return None


def _negated(text: str, start: int, end: int) -> bool:
    return "negated" in statuses(text, start, end) or bool(_NEVER.search(text[max(0, start - 24) : start]))


def parts(claim: str) -> list[str]:
    """Parts of a claim that say something each."""
    found = [p for p in _PARTS.split(claim) if p and sum(content(p).values()) >= _PART_WEIGHT]
    return found if len(found) > 1 else [claim]


def contrast_differs(claim: str, whole: Place, pool: str, cited: list[Evidence]) -> str | None:
    """The first contrast of wording in which the claim says otherwise than the place where it stands."""
    if cited and all(e.kind == "lab" and not is_pattern(e) and _FLAGGED.search(e.text) for e in cited):
        return None  # compared as fields
    plain = all(e.kind in ("lab", "score", "case") and not is_pattern(e) for e in cited)
    for name, value in otherwise_with_value(claim, whole, pool):
        if name == "modality" and value != "strong" and whole.share < _CLOSELY:
            continue  # in other words a plain sentence is no stronger than its evidence
        if name == "modality" and value != "strong" and as_strong_across(value, whole, cited):
            continue
        if plain and ((name == "modality" and value != "strong") or name in _BANDED):
            continue  # a record does not recommend, and its bands are compared as bands
        if name in _BANDED and any(in_its_band(claim, [pool], n) for n in numbers_of(claim)):
            continue
        if _agrees_apart(name, claim, whole, pool) or (name != "modality" and _agrees_elsewhere(name, claim, whole, pool)):
            continue
        return f"the evidence says otherwise ({name.replace('_', ' ')}: {value})"
    return None


def _agrees_elsewhere(name: str, claim: str, whole: Place, pool: str) -> bool:
    """Whether another sentence of the evidence holds as much of the claim and agrees with it."""
    contrast = next(c for c in contrasts() if c.name == name)
    said = contrast.of(claim) if not contrast.strict else frozenset()
    others = (place(claim, [p.text]) for p in pieces(pool) if p.text != whole.sentence and said & contrast.of(p.text))
    return any(o.share >= _AS_MUCH * whole.share and name not in otherwise(claim, o, pool) for o in others)


def _agrees_apart(name: str, claim: str, whole: Place, pool: str) -> bool:
    """Whether the parts of a claim, each at its own place in the evidence, all agree in what the claim as a whole does not."""
    split = _AND.split(claim)
    if len(split) < 2 or any(sum(content(p).values()) < _PART_WEIGHT for p in split):
        return False
    texts = [pool]
    return not any(name in otherwise(p, place(p, texts), pool) for p in split)


def denied(claim: str, whole: Place, texts: list[str]) -> str | None:
    if whole.share < _PLACED:
        return None  # too little of it stands in one place to compare a denial
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


def elsewhere(claim: str, whole: Place, texts: list[str]) -> str | None:
    """A drug of the claim that the evidence names only where it says something else."""
    if all(len(pieces(t)) <= _FEW for t in texts):
        return None  # a sentence or two say one thing
    if language_of(claim) == "zh" and not any(language_of(t) == "zh" for t in texts):
        return None
    places = [whole, *(place(p, texts) for p in parts(claim))]
    there = ids(" ; ".join(f"{p.sentence} ; {p.before}" for p in places), *DRUG_KINDS)
    after = ids(" ; ".join(texts), *DRUG_KINDS) - there
    strayed = ids(claim, *DRUG_KINDS) & after
    return f"the evidence says something else of {', '.join(sorted(strayed))}" if strayed else None
