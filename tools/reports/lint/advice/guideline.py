"""Advice for a nodule against what guidelines allow (`advice.toml`): interval, none, examination, category."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from retrieval.concepts.context import statuses
from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns
from tools.reports.lint.advice.follow_up import treated
from tools.reports.lint.changes import change_of
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.subjects import known
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.units import to_mm
from tools.reports.lint.reading.vocabulary import group, table, union
from tools.reports.lint.reading.waits import Wait, waits_in
from tools.reports.lint.remarks import Remark

pair = messages("tools.report_lint").pair

_TOPICS = frozenset(("lesion", "ground_glass", "airspace", "emphysema", "disease", "fibrosis", "scar", "invasion"))
_LARGEST_MM = 30.0
_DECIDE_MM = 6.0
# The next screening after a category that asks for nothing is a year away.
_ROUTINE_MONTHS = 12.0
_PART_SOLID, _GROUND_GLASS, _SOLID = "part_solid", "ground_glass", "solid"
# A solid nodule above this size, and a part-solid one with a solid part from the next, are not left for a year (Fleischner 2017).
_SOLID_MM = 8.05
_CORE_MM = 6.0
_CORE = tuple(patterns("tools.report_lint").regex(name) for name in ("within_solid", "within_solid_behind"))
# What a radiograph follows well.
_SHADOWS = frozenset(("airspace", "effusion", "pneumothorax", "collapse", "oedema", "cavity", "contusion", "fracture", "drain", "tube"))


@dataclass(frozen=True)
class _Nodule:
    """A nodule that may need a decision.

    Attributes:
        size: Largest diameter in mm.
        kind: Part-solid, ground glass or solid.
        place: The sentence that describes it.
        near: That sentence with what the impression and the advice say of it.
        grows: Whether it is larger than before.
        core: Diameter of its solid part in mm; 0 where none is given.
    """

    size: float
    kind: str
    place: str
    near: str
    grows: bool
    core: float


def against_guideline(report: str, pieces: list[Piece], sentences: list[Sentence]) -> Iterator[Remark]:
    """Remarks on the advice for the largest nodule, and on a Lung-RADS category."""
    if treated(sentences):
        return
    nodule = _largest(pieces)
    advice = [s for s in sentences if s.section in ("impression", "recommendation") and _of_nodule(s)]
    category = _words("category").search(" ".join(s.text for s in sentences))
    name = (category["en"] or category["lr"]).upper() if category else None
    if name is not None:
        yield from _categorised(report, name, nodule, advice)
    elif nodule is not None:
        early = [] if _words("followed").search(report) else [*_timed(nodule, advice), *_overdone(nodule, advice)]
        yield from early or _left(nodule, advice)
    if nodule is not None and nodule.size >= _DECIDE_MM:
        yield from _dismissed(nodule, advice)
        yield from _wrong_modality(nodule, advice, pieces)


@cache
def _words(name: str) -> re.Pattern[str]:
    words = table("advice")["words"][name]
    return re.compile("|".join(words), re.IGNORECASE) if name == "category" else union(words)


def _largest(pieces: list[Piece]) -> _Nodule | None:
    """The largest nodule of the lung that is not settled as benign; a growing one before others."""
    lesions = [p for p in pieces if "lesion" in p.topics and p.states("lesion")]
    out = [_nodule(p, lesions) for p in lesions if p.figures.now and not _harmless(p)]
    largest = max(out, key=lambda n: (n.grows and n.size >= _DECIDE_MM, n.size), default=None)
    return largest if largest is not None and largest.size <= _LARGEST_MM else None


def _nodule(p: Piece, lesions: list[Piece]) -> _Nodule:
    """A nodule with what is said of it elsewhere: in the impression beside its size, or beside none."""
    size = max(p.figures.now)
    own = [q for q in lesions if q is p or (q.figures.now and max(q.figures.now) == size)]
    loose = [q for q in lesions if q.sentence.section != "findings" and not q.figures.now]
    near = " ".join(dict.fromkeys(q.sentence.text for q in (*own, *loose)))
    core = max((float(m[1]) * to_mm(m[2]) for pattern in _CORE for m in pattern.finditer(near)), default=0.0)
    return _Nodule(size, _kind(p, lesions), p.sentence.text, near, any(change_of(q) == "up" for q in own), core)


def _harmless(p: Piece) -> bool:
    """Whether a nodule is of another organ, or settled as benign."""
    return _has("settled", p.sentence.text) or any(o.search(p.sentence.text) for o in group("organ").values())


def _has(name: str, text: str) -> bool:
    """Whether a text states something: "no calcification" settles nothing, "no solid component" is of no part-solid nodule."""
    return any("negated" not in statuses(text, m.start(), m.end()) for m in _words(name).finditer(text))


def _kind(p: Piece, lesions: list[Piece]) -> str:
    near = " ".join({p.sentence.text, *(q.sentence.text for q in lesions)})
    if _has(_PART_SOLID, near):
        return _PART_SOLID
    return _GROUND_GLASS if _has(_GROUND_GLASS, near) else _SOLID


def _advises(s: Sentence) -> bool:
    text = _words("smoking_advice").sub(" ", s.text)
    return bool(group("follow_up")["words"].search(text) or group("decided")["words"].search(text) or waits_in(text))


def _of_nodule(s: Sentence) -> bool:
    """Whether a sentence may give advice for a nodule: it speaks of one, or of nothing else."""
    topics = {t for t, _, _ in known(s.text)}
    return "lesion" in topics or topics <= _TOPICS


def _first(advice: list[Sentence]) -> tuple[Wait, str] | None:
    """The earliest control that is advised."""
    found = [(w, s.text) for s in advice if group("follow_up")["words"].search(s.text) for w in waits_in(s.text)]
    return min(found, key=lambda f: f[0].least, default=None)


def _decided(advice: list[Sentence]) -> bool:
    return any(group("decided")["words"].search(s.text) for s in advice)


def _categorised(report: str, name: str, nodule: _Nodule | None, advice: list[Sentence]) -> Iterator[Remark]:
    row = table("advice")["category"].get(name)
    first = _first(advice)
    if row is not None and row["most"] < _ROUTINE_MONTHS and nodule is not None and not any(_advises(s) for s in advice):
        yield _remark(nodule.place, pair("Lung-RADS {name} is given without what is to be done.", name=name))
    if row is None:
        return
    if first is not None and not (row["decided"] and _decided(advice)):
        wait, place = first
        if wait.most < row["least"] or wait.least > row["most"]:
            yield _remark(place, pair("Lung-RADS {name} and the advised interval do not go together.", name=name))
    bounds = row.get(nodule.kind) if nodule is not None else None
    if nodule is not None and bounds and not bounds[0] <= nodule.size < bounds[1] and not _words("followed").search(report):
        yield _remark(nodule.place, pair("A nodule of {size:g} mm is not Lung-RADS {name} at baseline.", size=nodule.size, name=name))


def _timed(nodule: _Nodule, advice: list[Sentence]) -> Iterator[Remark]:
    first = _first(advice)
    row = next((r for r in table("advice")["nodule"] if r["kind"] == nodule.kind and r["from"] <= nodule.size < r["to"]), None)
    if first is None or row is None or _decided(advice):
        return
    wait, place = first
    if wait.least > row["most"]:
        yield _remark(
            place, pair("The first control of a nodule of {size:g} mm is later than guidelines allow.", size=nodule.size), nodule.place
        )
    elif wait.most < row["least"] and not _words("multiple").search(nodule.place):
        yield _remark(
            place, pair("The first control of a nodule of {size:g} mm is earlier than any guideline asks.", size=nodule.size), nodule.place
        )


def _overdone(nodule: _Nodule, advice: list[Sentence]) -> Iterator[Remark]:
    """Sampling or PET for a nodule that no guideline even follows."""
    place = next((s.text for s in advice if _words("invasive").search(s.text) and not _words("conditional").search(s.text)), None)
    if place is not None and nodule.size < _DECIDE_MM and not _words("multiple").search(nodule.place):
        yield _remark(place, pair("Sampling or PET is advised for a nodule of {size:g} mm.", size=nodule.size), nodule.place)


def _left(nodule: _Nodule, advice: list[Sentence]) -> Iterator[Remark]:
    """A nodule that grows, is large or has a large solid part, and is only looked at again after a year or more."""
    first = _first(advice)
    if first is None or _decided(advice) or first[0].least < _ROUTINE_MONTHS or nodule.size < _DECIDE_MM or nodule.kind == _GROUND_GLASS:
        return
    large = nodule.kind == _SOLID and nodule.size > _SOLID_MM and not _words("followed").search(nodule.near)
    said = (
        pair("A growing nodule of {size:g} mm is only controlled after a year or later.", size=nodule.size)
        if nodule.grows
        else pair("A solid part of {core:g} mm is only controlled after a year or later.", core=nodule.core)
        if nodule.kind == _PART_SOLID and nodule.core >= _CORE_MM
        else pair("A solid nodule of {size:g} mm is only controlled after a year or later.", size=nodule.size)
        if large
        else None
    )
    if said is not None:
        yield _remark(first[1], said, nodule.place)


def _dismissed(nodule: _Nodule, advice: list[Sentence]) -> Iterator[Remark]:
    """No follow-up for a nodule that needs a decision; one that was followed and does not grow may be let go."""
    told = _words("nothing").sub(" ", nodule.near)
    if not nodule.grows and (_words("followed").search(told) or _has("settled", told)):
        return
    for s in advice:
        rest = [a for a in advice if a is not s]
        nothing = _words("nothing").search(s.text) and not _words("settled").search(s.text) and not waits_in(s.text)
        if nothing and _first(rest) is None and not _decided(rest):
            yield _remark(s.text, pair("No follow-up is advised for a nodule of {size:g} mm.", size=nodule.size), nodule.place)
            return


def _wrong_modality(nodule: _Nodule, advice: list[Sentence], pieces: list[Piece]) -> Iterator[Remark]:
    """A nodule that is to be followed by an examination that does not show it."""
    said = [s for s in advice if group("follow_up")["words"].search(s.text)]
    if any(_words("right_modality").search(s.text) for s in said):
        return
    other = any(p.sentence.section == "impression" and any(p.states(t) for t in _SHADOWS & p.topics.keys()) for p in pieces)
    for s in (s for s in said if _words("other_modality").search(s.text)):
        topics = {t for t, _, _ in known(s.text)}
        if "lesion" in topics or (not topics and not other and waits_in(s.text)):
            yield _remark(
                s.text, pair("A nodule of {size:g} mm is followed by CT, not by this examination.", size=nodule.size), nodule.place
            )
            return


def _remark(place: str, said: Pair, nodule: str = "") -> Remark:
    """A remark with the advice and, where it stands elsewhere, the nodule that it is for."""
    places = (nodule, place) if nodule and nodule != place else (place,)
    return Remark("follow_up", *said, places, *pair("Give interval and modality (Fleischner 2017, Lung-RADS v2022 or BTS 2015)."))
