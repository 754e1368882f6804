"""Places that do not exist or no longer exist, and sides that cannot belong together."""

import re
from collections.abc import Iterator

from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.remarks import Kind, Remark

pair = messages("tools.report_lint").pair

_WORDS = patterns("tools.report_lint")
_MIRRORED = _WORDS.regex("anatomy_mirrored")
_WHOLE_LUNG = _WORDS.regex("anatomy_whole_lung")

_LUNG = (
    "lesion",
    "airspace",
    "ground_glass",
    "cavity",
    "collapse",
    "bronchiectasis",
    "emphysema",
    "fibrosis",
    "honeycombing",
    "bulla",
    "cyst",
    "scar",
    "tree_in_bud",
    "reticulation",
    "metastasis",
    "bronchiolitis",
)


def misplaced(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A lobe or segment that this side or lobe does not have, disease in a lobe that was removed, a collapse away from its obstruction."""
    if not _MIRRORED.search(" ".join(s.text for s in sentences)):
        yield from _impossible(sentences)
    yield from _removed(pieces, sentences)
    yield from _obstructed(pieces)
    yield from _pushed(pieces, sentences)


def _impossible(sentences: list[Sentence]) -> Iterator[Remark]:
    for sentence in sentences:
        for pattern, en, zh in _no_such_place():
            m = pattern.search(sentence.text)
            if m and sentence.section != "technique":
                yield _remark("lobe", pair("There is no such place: {place} ({why}).", place=m.group().strip(), why=(en, zh)), sentence)
                break


def _no_such_place() -> list[tuple[re.Pattern[str], str, str]]:
    return [(union(row["words"]), row["en"], row["zh"]) for row in table("words")["no_such_place"].values()]


def _removed(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """Disease in a lobe or lung that the report says was taken out."""
    words = group("resected")
    gone: list[tuple[frozenset[str], frozenset[str], Sentence]] = []
    for s in sentences:
        for m in words["lobe"].finditer(s.text):
            near = s.text[max(0, m.start() - 24) : m.end() + (24 if m.group()[0].isascii() else 4)]
            sides, lobes = (frozenset(k for k, p in group(n).items() if p.search(near)) for n in ("side", "lobe"))
            whole = _WHOLE_LUNG.search(m.group())
            if len(sides) == 1 and (len(lobes) == 1 or whole) and not words["planned"].search(s.text):
                gone.append((sides, lobes, s))
    for sides, lobes, where in gone:
        for p in pieces:
            here = (
                p.sides == sides and bool(p.lobes) and (p.lobes == lobes or not lobes) and any(t in p.topics and p.states(t) for t in _LUNG)
            )
            if here and p.sentence != where and not words["bed"].search(p.sentence.text):
                yield _remark("lobe", pair("This lobe is said to have been removed."), where, p.sentence)
                break


def _obstructed(pieces: list[Piece]) -> Iterator[Remark]:
    """A bronchus blocked on one side, and the whole collapse on the other."""
    blocked = [
        p for p in pieces if group("obstruction")["words"].search(p.text) and _one(p) and {"airway", "mucus", "lesion"} & p.topics.keys()
    ]
    whole = [p for p in pieces if "collapse" in p.topics and p.states("collapse") and _one(p) and group("whole")["words"].search(p.text)]
    sides = {s for p in blocked for s in p.sides}
    for p in whole:
        if sides and not sides & p.sides:
            yield _remark("side", pair("The collapse is not on the side of the obstruction."), blocked[0].sentence, p.sentence)
            return


def _pushed(pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """A large effusion or tension pneumothorax pushes the mediastinum away from it."""
    text = " ".join(s.text for s in sentences)
    if group("pulling")["words"].search(text):
        return
    for s in sentences:
        shift = group("shift")["words"].search(s.text)
        if not shift:
            continue
        to = next((side for side in ("left", "right") if group("side")[side].search(shift.group())), None)
        big = [p for p in pieces if {"effusion", "pneumothorax"} & p.topics.keys() and group("pushing")["words"].search(p.text) and _one(p)]
        if to and big and all(p.sides == {to} for p in big):
            yield _remark("side", pair("The mediastinum is shifted towards what should push it away."), big[0].sentence, s)
            return


def _one(p: Piece) -> bool:
    return len(p.sides) == 1 and "both" not in p.sides and not any(p.denies(t) for t in p.topics if not is_place(t))


def _remark(kind: Kind, said: Pair, *where: Sentence) -> Remark:
    return Remark(kind, *said, tuple(s.text for s in where), *pair("Check side and lobe."))
