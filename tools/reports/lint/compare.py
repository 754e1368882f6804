"""Findings against impression: side, lobe, size, number, amount and other figures of whatever both speak of."""

import itertools
from collections.abc import Iterator

from tools.reports.lint.reading.listing import listed, numbers_of, thing_of
from tools.reports.lint.reading.subjects import is_place
from tools.reports.lint.reading.topics import Piece
from tools.reports.lint.reading.vocabulary import group
from tools.reports.lint.remarks import Remark, differ

# Two readings of one lesion on one page may differ by rounding.
_ROUND_MM = 0.6
_IMPRESSION = ("impression", "recommendation")
# What may lie in any lobe: where the findings give none, the impression may.
_LUNG = frozenset(
    (
        "lesion",
        "metastasis",
        "airspace",
        "ground_glass",
        "cavity",
        "collapse",
        "bronchiectasis",
        "emphysema",
        "fibrosis",
        "scar",
        "tree_in_bud",
        "cyst",
    )
)
# Parts without a side: one that stands beside them is of a branch or a variant.
_MIDLINE = frozenset(("aorta", "trachea", "heart", "pulmonary_trunk", "oesophagus"))
# Names that readers use for one another.
_GENERIC = frozenset(("lesion", "metastasis", "airspace", "ground_glass", "collapse", "scar", "fibrosis", "tree_in_bud"))


def same_size(a: float, b: float) -> bool:
    """Whether two diameters in mm may be one."""
    return abs(a - b) <= max(_ROUND_MM, 0.04 * max(a, b))


def compared(pieces: list[Piece]) -> list[Remark]:
    """Remarks on impressions that say something else than the findings of the same thing."""
    plain = [p for p in pieces if not group("double")["words"].search(p.sentence.text)]
    if any(group("mirrored")["words"].search(p.sentence.text) for p in pieces):
        return []
    seen = [p for p in plain if p.sentence.section == "findings"]
    out: list[Remark] = []
    for said in (p for p in plain if p.sentence.section in _IMPRESSION):
        near = about(said, seen)
        if near:
            topic, places = near
            named = [p for p in places if p.names(topic) and topic not in p.limited]
            if said.names(topic) and named:
                out += [r for rule in _PLACES for r in rule(said, topic, named, seen)]
            out += _other(said, topic, places, seen)
            stated = [p for p in named if p.states(topic)]
            if said.states(topic) and stated:
                out += [r for rule in _RULES for r in rule(said, topic, stated, seen)]
        out += _spared(said, plain)
        if not any(r.kind in ("side", "lobe") and said.sentence.text in r.places for r in out):
            out += _nowhere(said, seen)
    return out


def _spared(said: Piece, seen: list[Piece]) -> Iterator[Remark]:
    """Disease in lobes of which the findings say that they are spared."""
    topic = next((t for t in said.topics if t in _LUNG and said.states(t)), None)
    if topic is None or not said.lobes:
        return
    for p in seen:
        clear = group("spared")["words"].search(p.text) and not any(p.states(t) for t in p.topics if t in _LUNG)
        if (
            clear
            and p.lobes >= said.lobes
            and p.sentence.section == "findings"
            and (not p.sides or said.sides <= _sides(p.sides) | p.sides)
        ):
            yield differ("lobe", topic, min(said.lobes), "spared", p.sentence.text, said.sentence.text)
            return


def _nowhere(said: Piece, seen: list[Piece]) -> Iterator[Remark]:
    """A place of the impression where the findings describe nothing at all."""
    topics = sorted((t for t in said.topics if said.names(t) and t not in said.limited), key=is_place)
    past = any("historical" in said.status[t] for t in said.topics) or group("resected")["bed"].search(said.text)
    if not topics or topics[0] in _MIDLINE or past or said.change == "resolved" or len(said.sides) != 1 or "both" in said.sides:
        return
    if _well(said) or group("unhurt")["words"].search(said.text):
        return
    (side,) = said.sides
    there = [p for p in seen if any(p.names(t) for t in p.topics) and not _well(p)]
    on_side = [p for p in there if side in p.wide_sides or "both" in p.wide_sides]
    lobes = wide_lobes(said.lobes)
    other = [p for p in there if p.sides and side not in p.wide_sides]
    if not on_side and other and all(p.wide_sides for p in there if set(topics) & p.topics.keys()):
        yield differ("side", topics[0], side, next(iter(other[0].sides)), other[0].sentence.text, said.sentence.text)
    elif lobes and on_side and all(p.wide_lobes for p in on_side if _LUNG & p.topics.keys() or set(topics) & p.topics.keys()):
        placed = [p for p in there if p.wide_lobes]
        if placed and not any(lobes & wide_lobes(p.wide_lobes) and (not p.wide_sides or side in _sides(p.wide_sides)) for p in placed):
            where = next((p for p in on_side if p.lobes), placed[0])
            yield differ("lobe", topics[0], min(said.lobes), min(where.wide_lobes), where.sentence.text, said.sentence.text)


def _well(p: Piece) -> bool:
    """Whether a piece calls its part normal, and states nothing of the lung."""
    return bool(group("well")["words"].search(p.text)) and not any(p.states(t) for t in p.topics if t in _LUNG)


def _unnamed(said: Piece, seen: list[Piece]) -> bool:
    """Whether the findings tell of something without its name in the very place, or of another thing of that size there."""
    for p in seen:
        place = said.sides == p.sides and (not said.lobes or bool(wide_lobes(said.lobes) & wide_lobes(p.lobes)))
        sized = bool(set(said.figures.now) & set(p.figures.now)) and any(p.states(t) for t in p.topics if t in _LUNG)
        nameless = all(is_place(t) for t in p.topics) and (p.figures.now or group("affected")["words"].search(p.text))
        if place and p.sides and (sized or nameless):
            return True
    return False


def about(said: Piece, seen: list[Piece]) -> tuple[str, list[Piece]] | None:
    """The rarest topic that findings share with `said`, and the pieces that have it; pieces that share more of it come first."""
    shared = {t: [p for p in seen if t in p.topics] for t in said.topics}
    known = {t: ps for t, ps in shared.items() if ps}
    if not known:
        return None
    # One word with two topics (an abscess is a cavity) is compared as the wider.
    for narrow, wide in itertools.permutations(list(known), 2):
        if narrow in known and wide in known and said.topics[narrow] == said.topics[wide] and len(known[narrow]) < len(known[wide]):
            del known[narrow]
    topic = min(known, key=lambda t: (is_place(t), len(known[t]), said.topics[t]))
    return topic, sorted(known[topic], key=lambda p: -len(p.topics.keys() & said.topics.keys()))


def meet(a: Piece, b: Piece) -> bool:
    """Whether two pieces may speak of one place."""
    sides = not a.wide_sides or not b.wide_sides or "both" in a.wide_sides | b.wide_sides or bool(a.wide_sides & b.wide_sides)
    lobes = not a.lobes or not b.wide_lobes or bool(wide_lobes(a.lobes) & wide_lobes(b.wide_lobes))
    return sides and lobes


def wide_lobes(names: frozenset[str]) -> frozenset[str]:
    """Lobes, with the upper one where its lingula is named."""
    return names | ({"upper"} if "lingula" in names else frozenset())


def _sides(names: frozenset[str]) -> frozenset[str]:
    return frozenset(("left", "right")) if "both" in names else names


def _same_lesion(said: Piece, stated: list[Piece]) -> list[Piece]:
    """Pieces of the same bone, and of those the ones with a size that `said` gives too; all of them where none has."""
    bones = bones_of(said)
    stated = [p for p in stated if bones & bones_of(p)] or stated
    exact = [
        p
        for p in stated
        if any(abs(a - b) < 0.05 for a in said.figures.now for b in p.figures.now) or set(said.figures.other) & set(p.figures.other)
    ]
    kinds = {name for name, pattern in group("type").items() if pattern.search(said.text)}
    alike = [p for p in stated if any(group("type")[name].search(p.text) for name in kinds)]
    return exact or alike or stated


def _side(said: Piece, topic: str, stated: list[Piece], seen: list[Piece]) -> Iterator[Remark]:
    near = stated if "both" in said.sides else _same_lesion(said, stated)
    if said.change == "resolved":  # what is new on the other side is not what is gone on this one
        near = [p for p in near if p.change != "new"]
    elif said.change == "new":
        near = [p for p in near if p.change != "resolved"]
    named = [p for p in near if p.sides or len(p.wide_sides) == 1]
    wide: frozenset[str] = frozenset().union(*(p.wide_sides for p in near))
    if len(said.sides) != 1 or not named or "both" in wide or topic in _MIDLINE:
        return
    (own,) = said.sides
    if own == "both":
        spared = any(p.denies(topic) and p.sides and not p.sides & wide for p in seen if topic in p.topics)
        if len(wide) != 1 or len(named) != len(near) or not spared:
            return
    elif own in wide or _unnamed(said, seen):
        return
    if topic in _GENERIC and _alike(said, topic, own, stated, seen):
        return
    yield differ("side", topic, own, next(iter(named[0].wide_sides)), named[0].sentence.text, said.sentence.text)


def _alike(said: Piece, topic: str, side: str, stated: list[Piece], seen: list[Piece]) -> bool:
    """Whether the findings describe something else of the lung on that side that the impression may mean; a size that fits settles it."""
    if said.figures.now and len(_same_lesion(said, stated)) < len(stated):
        return False
    other = _LUNG - {topic}
    return any(
        side in p.sides
        and (not said.lobes or not p.lobes or bool(wide_lobes(said.lobes) & wide_lobes(p.lobes)))
        and any(t in other and p.states(t) and p.topics[t] != p.topics.get(topic) for t in p.topics)
        for p in seen
    )


def _lobe(said: Piece, topic: str, stated: list[Piece], seen: list[Piece]) -> Iterator[Remark]:
    near = _same_lesion(said, stated)
    named = [p for p in near if p.lobes]
    own = wide_lobes(said.lobes)
    if not own or not named or _unnamed(said, seen) or (topic == "disease" and _diseased(said, seen)):
        return
    if said.change == "resolved" and any(topic in p.topics and own & wide_lobes(p.lobes) for p in seen):  # told of as gone there too
        return
    wide: frozenset[str] = frozenset().union(*(wide_lobes(p.wide_lobes) for p in near))
    if not own & wide:
        yield differ("lobe", topic, min(said.lobes), min(named[0].lobes), named[0].sentence.text, said.sentence.text)
        return
    pairs = {(s, lobe) for p in near for s in _sides(p.sides) for lobe in wide_lobes(p.lobes)}
    exact = all(
        len(p.sides) == 1 and "both" not in p.sides and p.lobes and p.wide_lobes == p.lobes and p.wide_sides == p.sides for p in near
    )
    if (
        exact
        and len(said.sides) == 1
        and "both" not in said.sides
        and len(said.lobes) == 1
        and not pairs & set(itertools.product(said.sides, own))
    ):
        yield differ("lobe", topic, min(said.lobes), min(named[0].lobes), named[0].sentence.text, said.sentence.text)


def _diseased(said: Piece, seen: list[Piece]) -> bool:
    """Whether the findings describe anything of the lung where the impression only says disease."""
    own = wide_lobes(said.lobes)
    there = [p for p in seen if own & wide_lobes(p.lobes) and (not said.sides or _sides(said.sides) & _sides(p.wide_sides))]
    return any(p.states(t) for p in there for t in p.topics if t in _LUNG)


def _size(said: Piece, topic: str, stated: list[Piece], seen: list[Piece]) -> Iterator[Remark]:
    if is_place(topic):  # the size of a node beside a gullet is not that of the gullet
        stated = [p for p in stated if _things(p) <= _things(said)]
    here = [p for p in stated if meet(said, p)] or stated
    known = [s for p in here for s in _readings(p)]
    elsewhere = [s for p in seen if meet(said, p) and (p.topics.keys() & said.topics.keys() or p.wide_sides) for s in _readings(p)]
    odd = [a for a in said.figures.now if not any(same_size(a, b) for b in (*known, *elsewhere))]
    if odd and known:
        closest = min(known, key=lambda b: abs(b - odd[0]))
        where = next(p for p in here if closest in _readings(p))
        slip = any(0.9 <= max(odd[0], b) / max(min(odd[0], b), 0.01) / 10 <= 1.1 for b in known)
        yield differ(
            "unit" if slip else "size", topic, f"{odd[0]:g} mm", f"{closest:g} mm", where.sentence.text, said.sentence.text
        )  # fmt: skip


def _things(p: Piece) -> set[str]:
    return {t for t in p.topics if not is_place(t)}


def _readings(p: Piece) -> list[float]:
    """The sizes of a piece, and their mean: an impression may give either."""
    now = list(p.figures.now)
    return now + ([sum(now) / len(now), sum(now[:2]) / len(now[:2])] if len(now) > 1 else [])


def _other(said: Piece, topic: str, stated: list[Piece], _seen: list[Piece]) -> Iterator[Remark]:
    """Ratios, percentages, millilitres, HU and scores of the same thing."""
    for unit, value in said.figures.other:
        known = [(v, p) for p in stated if meet(said, p) for u, v in p.figures.other if u == unit]
        if known and all(abs(v - value) > max(0.05 * abs(value), 0.04 if unit == "ratio" else 1.0) for v, _ in known):
            where = known[0][1]
            yield differ("size", topic, f"{value:g} {unit}", f"{known[0][0]:g} {unit}", where.sentence.text, said.sentence.text)


def _count(said: Piece, topic: str, stated: list[Piece], _seen: list[Piece]) -> Iterator[Remark]:
    thing = thing_of(said.text) or topic
    own = max(listed(said.text).get(thing, 0), said.counts.get(topic, 0))
    bones = bones_of(said)
    stated = [p for p in stated if not bones or not bones_of(p) or bones & bones_of(p)]
    stated_here = [p for p in stated if meet(said, p) or any(group("side")[s].search(p.sentence.text) for s in said.sides)]
    told = [p.counts[topic] for p in stated_here if topic in p.counts]
    lists = {p.sentence.start: n for p in stated_here if (n := listed(p.sentence.text).get(thing))}
    pairs = [2 for p in stated_here if own == 1 and "both" in p.sides and topic not in p.counts]
    numbers = told + list(lists.values()) + pairs
    each = _enumerated(said, stated_here) if topic == "lesion" else 0
    if not numbers and 1 < own < each:
        numbers = [each]
    if not own or not numbers or (own == 1 and not _alone(said, topic)):
        return
    numbers += [n for p in stated_here for n in numbers_of(p.sentence.text)]
    if own in numbers or own in _sums(told) or own in _sums(list(lists.values())):
        return
    counted = {p.sentence.start for p in stated_here if topic in p.counts}
    single = sum(1 for p in stated_here if p.sentence.start not in counted and (p.figures.now or p.lobes))
    if max(numbers) < own <= sum(told) + single or _part(said, topic, stated_here):
        return
    if (own == 99 and max(numbers) > 1) or (99 in numbers and own != 1):
        return
    shown = ["multiple" if n == 99 else str(n) for n in (own, max(numbers))]
    yield differ("count", topic, shown[0], shown[1], stated_here[0].sentence.text, said.sentence.text)


def bones_of(p: Piece) -> set[str]:
    """Bones that a piece names."""
    return {name for name, pattern in group("bone").items() if pattern.search(p.text)}


def _part(said: Piece, topic: str, stated: list[Piece]) -> bool:
    """Whether the impression counts only some of them, by a word that the findings do not have ("two suspicious nodules")."""
    behind = said.text.find(",", said.topics[topic])  # "multiple nodules, the largest 11 mm" picks none out
    m = group("subset")["words"].search(said.text if behind < 0 else said.text[:behind])
    return m is not None and not any(m.group().lower() in p.sentence.text.lower() for p in stated)


def _enumerated(said: Piece, stated: list[Piece]) -> int:
    """Lesions that the findings describe one by one, each with its own size; 0 where they do not, or mix kinds."""
    alike = group("nodule")["words"].search(said.text)
    stated = [p for p in stated if p.figures.now or p.lobes or p.sides]
    single = [p for p in stated if p.figures.now and not p.counts]
    mixed = any(bool(group("nodule")["words"].search(p.text)) != bool(alike) for p in stated)
    places = {(tuple(sorted(p.wide_sides)), tuple(sorted(p.lobes)), p.figures.now) for p in single}
    return len(places) if alike and not mixed and len(single) == len(stated) > 1 else 0


def _alone(said: Piece, topic: str) -> bool:
    """Whether "one" means that there is no other: a single lesion, or one without a place or size that picks it out."""
    return bool(group("count")["single"].search(said.text)) or not (said.figures.now or said.lobes or said.sides)


def _sums(numbers: list[int]) -> set[int]:
    return {sum(c) for n in range(2, min(len(numbers), 6) + 1) for c in itertools.combinations(numbers[:8], n)}


def _amount(said: Piece, topic: str, stated: list[Piece], _seen: list[Piece]) -> Iterator[Remark]:
    if topic not in ("effusion", "pericardial_effusion", "pneumothorax"):
        return
    words = group("amount")
    own = {name for name, pattern in words.items() if pattern.search(said.text)}
    known = {name: p for p in stated if meet(said, p) for name, pattern in words.items() if pattern.search(p.text)}
    trace = group("trace")["words"]
    near = "moderate" in own | known.keys() and not (trace.search(said.text) or all(trace.search(p.text) for p in known.values()))
    if len(own) == 1 and known and not own & known.keys() and not near:
        value, where = next(iter(known.items()))
        yield differ("size", topic, min(own), value, where.sentence.text, said.sentence.text)


def _degree(said: Piece, topic: str, stated: list[Piece], _seen: list[Piece]) -> Iterator[Remark]:
    """Mild in one place, severe in the other."""
    words = group("degree")
    own = {name for name, pattern in words.items() if pattern.search(said.text)}
    known = {name: p for p in stated if meet(said, p) for name, pattern in words.items() if pattern.search(p.text)}
    if len(own) == 1 and len(known) == 1 and not own & known.keys() and not is_place(topic):
        value, where = next(iter(known.items()))
        yield differ("size", topic, min(own), value, where.sentence.text, said.sentence.text)


_PLACES = (_side, _lobe)
_RULES = (_size, _count, _amount, _degree)
