"""How many there are: a number of the impression against the least and the most that the findings allow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from retrieval.messages.patterns import patterns
from tools.reports.lint.compare import meet
from tools.reports.lint.reading.figures import SIZE
from tools.reports.lint.reading.listing import MANY, VALUES, listed, numbers_of, times_in
from tools.reports.lint.reading.parts import Sentence
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group, table
from tools.reports.lint.remarks import Remark, differ

_WORDS = patterns("tools.report_lint")
_RESPECTIVELY = _WORDS.regex("counts_respectively")
_AFTER = _WORDS.regex("counts_after")
_RIBS = _WORDS.regex("counts_ribs")
_BOTH_SECTIONS = 2
_PLURAL = _WORDS.regex("counts_plural")


@dataclass(frozen=True)
class _Bounds:
    """What the findings allow.

    Attributes:
        least: So many are told at least.
        most: No more than these; infinite where the findings leave it open.
        told: Numbers that the findings give themselves.
        where: A sentence that tells of them.
        counted: Pieces with a number of their own.
    """

    least: int
    most: float
    told: frozenset[int]
    where: str
    counted: tuple[Piece, ...]


def numbered(pieces: list[Piece]) -> Iterator[Remark]:
    """Numbers of the impression that the findings cannot have."""
    seen = [p for p in pieces if p.sentence.section == "findings" and not group("double")["words"].search(p.sentence.text)]
    for said in (p for p in pieces if p.sentence.section == "impression"):
        topic = next((t for t in said.counts if _countable(t) and said.states(t)), None)
        number = said.counts[topic] if topic else 0
        if topic is None or number in (0, 1, MANY) or _another_time(said):
            continue
        head = _head(said, topic)
        bounds = _bounds(head, topic, seen)
        if bounds is None or number in bounds.told:
            continue
        if number > bounds.most or (number < bounds.least and not _restricted(head, bounds.counted)):
            other = bounds.least if number < bounds.least else int(bounds.most)
            yield differ("count", topic, str(number), str(other), bounds.where, said.sentence.text)


def levels(sentences: list[Sentence]) -> Iterator[Remark]:
    """Ribs by number ("4th to 7th ribs") that the impression gives otherwise for the same side."""
    told = [(s, r) for s in sentences if s.section in ("findings", "impression") if len(r := _ribs(s.text)) == 1]
    for seen, (first,) in ((s, r) for s, r in told if s.section == "findings"):
        for said, (second,) in ((s, r) for s, r in told if s.section == "impression"):
            one, other = (frozenset(k for k, p in group("side").items() if p.search(s.text)) for s in (seen, said))
            if first != second and one == other and len(told) == _BOTH_SECTIONS:
                yield differ("count", "fracture", "{}-{}".format(*second), "{}-{}".format(*first), seen.text, said.text)


def _ribs(text: str) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for m in _RIBS.finditer(text) for a, b in [[g for g in m.groups() if g]]]


def _off(p: Piece) -> bool:
    """Whether a piece tells of what was there before, or was taken out."""
    return p.change == "resolved" or bool(group("resected")["bed"].search(p.text))


def _countable(topic: str) -> bool:
    return topic.split(" ")[-1] in table("words")["countable"]["topics"]


def _another_time(said: Piece) -> bool:
    return bool(group("prior")["words"].search(said.text))


def _restricted(said: Piece, counted: tuple[Piece, ...]) -> bool:
    """Whether the impression may count only some of them: it has a kind, a lobe or a change that what is counted does not have."""
    for p in counted:
        place = not said.lobes or said.lobes >= p.lobes > frozenset()
        changed = said.change in (None, "stable", p.change) or all(q.change in (None, said.change) for q in counted)
        if place and changed and _kinds(said) <= _kinds(p) and not _picked(said, p):
            return False
    return True


def _picked(said: Piece, p: Piece) -> bool:
    """Whether a word picks out some of several, and the findings do not have it."""
    m = group("subset")["words"].search(said.text)
    return m is not None and m.group().lower() not in p.sentence.text.lower()


def _kinds(p: Piece) -> set[str]:
    return {name for name, pattern in group("type").items() if pattern.search(p.text)}


def _head(said: Piece, topic: str) -> Piece:
    """The counted thing with the places that stand beside it, without those of the largest of them."""
    place = said.topics[topic]
    end = next((m.start() for m in _AFTER.finditer(said.text) if m.start() > place), len(said.text))
    head = said.text[:end]
    sides, lobes = (frozenset(k for k, p in group(name).items() if p.search(head)) for name in ("side", "lobe"))
    return replace(said, text=head, sides=sides, lobes=lobes, wide_sides=sides, wide_lobes=lobes)


def _bounds(said: Piece, topic: str, seen: list[Piece]) -> _Bounds | None:
    """The fewest and the most of a topic in the places that `said` names."""
    near = [p for p in seen if p.states(topic) and meet(said, p) and not p.text.rstrip().endswith((":", "：")) and not _off(p)]
    if not near:
        return None
    sentences: dict[int, list[Piece]] = {}
    for p in near:
        sentences.setdefault(p.sentence.start, []).append(p)
    announced: list[int] = []
    counted: list[int] = []
    items: list[tuple[int, int]] = []
    vague = False
    told: set[int] = set()
    for group_ in sentences.values():
        told |= numbers_of(group_[0].sentence.text)
        counts = [(p, p.counts[topic]) for p in group_ if topic in p.counts]
        if any(n == MANY for _, n in counts):
            return None
        if not counts and any(_open(p, topic) for p in group_):
            vague = True
            continue
        if not counts:
            told |= _loose_numbers(group_[0].sentence.text)
        if counts:
            bare = all(not (p.lobes or p.sides or p.figures.now) for p, _ in counts)
            (announced if bare else counted).append(sum(n for _, n in counts))
            if times_in(group_[0].sentence.text):
                items += [_items(p, topic) for p in group_ if topic not in p.counts and p.figures.now]
        else:
            items += [_items(p, topic) for p in group_ if p.figures.now or p.lobes or p.sides]
    told |= set(announced) | set(counted)
    single = len(set(items)) if len(sentences) > 1 else len(items)
    most = max([sum(counted) + sum(n for _, n in items), *announced], default=0)
    least = max([*announced, *counted, sum(counted) + single if not announced else 0, single])
    if (not most and not announced) or (vague and not announced):
        return None
    with_number = tuple(p for p in near if topic in p.counts) or (() if any(_named_else(p) for p in near) else tuple(near))
    where = (with_number or tuple(near))[0].sentence.text
    return _Bounds(least, float(most) if most else math.inf, frozenset(told), where, with_number)


def _loose_numbers(text: str) -> set[int]:
    """Number words of a sentence that stand beside no topic of it."""
    return {VALUES[name] for name, pattern in group("count").items() if pattern.search(text)} - {1, MANY}


def _named_else(p: Piece) -> bool:
    """Whether a lesion is called something else than a nodule."""
    return bool(group("mass")["words"].search(p.text))


def _open(p: Piece, topic: str) -> bool:
    """Whether a piece speaks of several without a number."""
    listed = len(SIZE.findall(p.sentence.text)) > 1
    plural = _PLURAL.match(p.text[p.topics[topic] :]) is not None and not listed
    return plural or bool(group("count")["many"].search(p.text))


def _items(p: Piece, topic: str) -> tuple[int, int]:
    """A lesion that is described: its place, and how many its sizes may be of."""
    sizes = len(p.figures.now) if _RESPECTIVELY.search(p.sentence.text) else 1
    names = ("ribs", "vertebrae") if topic == "fracture" else (topic,)
    by_name = max(listed(p.sentence.text).get(name, 0) for name in names)
    return hash((p.sides, p.lobes, p.figures.now)), max(sizes, by_name, len(p.lobes), len(p.sides), 1)
