"""A question that asks for several things ("dose and duration of X?"), as one whole question for each of them.

A joint parts a question where something is asked on both sides and not the same kind of thing (`retrieval.index.selector.asked_kinds`).
What a part leaves unsaid because the other part says it (the subject) is put back, so that each part can be searched alone.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from agent.reading.lexicon import Mention, mentions
from retrieval.index.selector import asked_kinds, asked_spans
from retrieval.messages.patterns import patterns

_WORDS = patterns("agent.reading")
_JOINT = _WORDS.regex("parts_joint")
_ENDS = _WORDS.regex("parts_ends")
_NAMES = re.compile("[:：]")
_MORE = _WORDS.regex("parts_more")
_QUESTION = _WORDS.regex("parts_question")
_OPENS = re.compile(f"(?:{_WORDS.text('parts_question')})", re.IGNORECASE)
_EDGES = " ,，、;；:：.。?？"
_MOST, _LONGEST = 3, 220
# Kinds of terms that a question can be about; those a medicine is given for; and what is asked of medicines.
_SUBJECTS = frozenset({"disease", "drug", "drug_class", "organism", "score", "finding", "symptom"})
_GENERIC = frozenset({"antibiotic", "bronchodilator", "oxygen"})
_IN_WHOM = frozenset({"disease", "organism", "finding"})
_MEDICINES = frozenset({"drug", "drug_class"})
_OF_MEDICINES = frozenset({"dose", "duration", "harm", "monitor"})


@dataclass(frozen=True)
class Part:
    """One thing that a question asks for: `own` as it stands there, `whole` with the subject that it shares with the other parts."""

    own: str
    whole: str


def several(text: str) -> tuple[Part, ...]:
    """The parts of a question that asks for two or three things; none where it asks for one (or for more than can be told apart)."""
    if len(text) > _LONGEST:
        return ()
    pieces = _pieces(text)
    if not 1 < len(pieces) <= _MOST:
        return ()
    return tuple(Part(own, _whole(own, pieces, i)) for i, own in enumerate(pieces))


def _pieces(text: str) -> list[str]:
    """The text cut at the joints that stand between two different things that are asked for."""
    cuts = [(0, 0), *((m.start(), m.end()) for m in _JOINT.finditer(text) if not _inside(m, text)), (len(text), len(text))]
    groups: list[tuple[int, int]] = []
    for (_, start), (end, _) in pairwise(cuts):
        if not text[start:end].strip(_EDGES):
            continue
        if groups and not _parted(text[slice(*groups[-1])], text[groups[-1][1] : start], text[start:end]):
            groups[-1] = (groups[-1][0], end)
        else:
            groups.append((start, end))
    return [text[a:b].strip(_EDGES) for a, b in groups]


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
    return " ".join("".join(kept).split()).strip(_EDGES).rstrip("的及和")
