"""A question that asks for several things ("dose and duration of X?"), as one whole question for each of them.

A clause ends at a mark, or where a new question word begins: there a question is always cut (`clauses`). Any other joint parts it where
something is asked on both sides and not the same kind of thing (`retrieval.index.selector.asked_kinds`). What a part leaves unsaid because
the other part says it (the subject) is put back, so that each part can be searched alone. The search and the bedside both part here.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from retrieval.concepts.terms import Mention, mentions
from retrieval.index.selector import asked_kinds, asked_spans
from retrieval.messages.patterns import patterns

_WORDS = patterns("retrieval.guidelines")
_JOINT = _WORDS.regex("parts_joint")
_CLAUSE = _WORDS.regex("parts_clause")
_ENDS = _WORDS.regex("parts_ends")
_NAMES = re.compile("[:：]")
_MORE = _WORDS.regex("parts_more")
_QUESTION = _WORDS.regex("parts_question")
_OPENS = re.compile(f"(?:{_WORDS.text('parts_question')})", re.IGNORECASE)
_EDGES = " ,，、;；:：.。?？"
_LINKS = _WORDS.text("parts_links")
_MOST, _LONGEST = 3, 220
# Kinds of terms that a question can be about; those a medicine is given for; and what is asked of medicines.
_SUBJECTS = frozenset({"disease", "drug", "drug_class", "organism", "score", "finding", "symptom"})
_GENERIC = frozenset({"antibiotic", "bronchodilator", "oxygen"})
_IN_WHOM = frozenset({"disease", "organism", "finding"})
_MEDICINES = frozenset({"drug", "drug_class"})
_OF_MEDICINES = frozenset({"dose", "duration", "harm", "monitor"})


@dataclass(frozen=True)
class Part:
    """One part of a message.

    Attributes:
        own: As it stands there.
        whole: With the subject that it shares with the other parts.
        clause: It is a clause of its own, not one half of an enumeration.
        asks: It asks for something.
    """

    own: str
    whole: str
    clause: bool = False
    asks: bool = True


def parts(text: str) -> tuple[Part, ...]:
    """What a message says and asks, part by part; one part for a plain question."""
    spans = _spans(text)
    pieces = [text[a:b].strip(_EDGES) for a, b, _ in spans]
    asking = [bool(_asks(p)) or text[b : b + 1] in ("?", "？") for p, (_, b, _) in zip(pieces, spans, strict=True)]
    return tuple(Part(own, _whole(own, pieces, i), spans[i][2], asking[i]) for i, own in enumerate(pieces))


def several(text: str) -> tuple[Part, ...]:
    """The parts of a question that asks for two or three things; none where it asks for one (or for more than can be told apart)."""
    if len(text) > _LONGEST:
        return ()
    pieces: list[str] = []
    told = ""
    for part in parts(text):
        if part.asks:
            pieces.append(f"{told} {part.own}".strip())
            told = ""
        elif pieces:
            pieces[-1] = f"{pieces[-1]} {part.own}"
        else:
            told = f"{told} {part.own}".strip()
    if not 1 < len(pieces) <= _MOST:
        return ()
    return tuple(Part(own, _whole(own, pieces, i)) for i, own in enumerate(pieces))


def _spans(text: str) -> list[tuple[int, int, bool]]:
    """Where the parts of a text stand, each with whether it is a clause of its own."""
    hard = [m for m in _CLAUSE.finditer(text) if not _inside(m, text)]
    soft = [m for m in _JOINT.finditer(text) if not _inside(m, text) and not any(m.start() < h.end() and h.start() < m.end() for h in hard)]
    joints = sorted([*((m.start(), m.end(), True) for m in hard), *((m.start(), m.end(), False) for m in soft)])
    out: list[tuple[int, int, bool]] = []
    for (_, start, clause), (end, _, _) in pairwise([(0, 0, True), *joints, (len(text), len(text), True)]):
        if not text[start:end].strip(_EDGES):
            continue
        if not out:
            out.append((start, end, True))
            continue
        first, last, was = out[-1]
        if clause or _parted(text[first:last], text[last:start], text[start:end]):
            out.append((start, end, clause))
        else:
            out[-1] = (first, end, was)
    return out


def _inside(joint: re.Match[str], text: str) -> bool:
    """Whether a joint is a part of a name."""
    return any(m.start < joint.end() and joint.start() < m.end for m in mentions(text))


def _parted(before: str, joint: str, piece: str) -> bool:
    """Whether the piece asks for something else than what stands before it."""
    here, there = _asks(before), _asks(piece)
    if not here or not there:
        return False
    opens = bool(_OPENS.match(piece.strip()))
    if _NAMES.search(joint):
        return opens  # what stands behind a colon mostly says of whom
    return opens or not there <= here or bool(_ENDS.search(joint))


def _asks(piece: str) -> frozenset[str]:
    return asked_kinds(piece) | frozenset({"more"} if _MORE.search(piece) or _OPENS.match(piece.strip()) else ())


def _whole(own: str, pieces: list[str], i: int) -> str:
    """A part with what it shares with the others: their subject where it names none, else their disease and medicine."""
    mine = {m.term.kind for m in _subjects(own)}
    order = [*range(i - 1, -1, -1), *range(i + 1, len(pieces))]
    if not mine:
        other = next((j for j in order if _subjects(pieces[j])), i - 1)
        if other < 0:
            return own
        rest = _without_asked(pieces[other])
        return (f"{rest} {own}" if other < i else f"{own} {rest}").strip()
    wanted = _IN_WHOM if "disease" not in mine else frozenset()
    if not mine & _MEDICINES and asked_kinds(own) & _OF_MEDICINES:
        wanted |= _MEDICINES
    shared = [pieces[j][m.start : m.end] for j in order for m in _subjects(pieces[j]) if m.term.kind in wanted]
    return " ".join([*(w for w in dict.fromkeys(shared) if w.lower() not in own.lower()), own])


def _subjects(piece: str) -> list[Mention]:
    return [m for m in mentions(piece) if m.term.kind in _SUBJECTS and m.term.id not in _GENERIC]


def _without_asked(piece: str) -> str:
    """What a part is about: its words without those that ask."""
    kept = list(piece)
    named = _subjects(piece)
    for start, end in (*asked_spans(piece), *(m.span() for m in _QUESTION.finditer(piece))):
        while end < len(piece) and piece[end].isascii() and piece[end].isalpha():
            end += 1  # `treat` asks, and so does the rest of `treatment`
        if not any(m.start < end and start < m.end for m in named):
            kept[start:end] = " " * (end - start)
    return " ".join("".join(kept).split()).strip(_EDGES).rstrip(_LINKS)
