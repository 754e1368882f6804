"""Findings against impression: side, lobe, size, number, presence, amount and change of whatever both speak of."""

from collections.abc import Iterator

from tools.reports.lint.mentions import Mention
from tools.reports.lint.parts import Sentence
from tools.reports.lint.remarks import Kind, Remark
from tools.reports.lint.topics import Piece, piece, pieces_of
from tools.reports.lint.vocabulary import group

# Two readings of one lesion on one page may differ by rounding.
_ROUND_MM = 1.0
_CLASH = {frozenset(p) for p in (("stable", "up"), ("stable", "down"), ("up", "down"), ("stable", "new"), ("down", "new"))}
_WORDS: dict[str, tuple[str, str]] = {
    "left": ("left", "左侧"), "right": ("right", "右侧"), "both": ("both sides", "双侧"),
    "upper": ("upper lobe", "上叶"), "middle": ("middle lobe", "中叶"), "lower": ("lower lobe", "下叶"), "lingula": ("lingula", "舌段"),
    "stable": ("stable", "稳定"), "up": ("increased", "增大"), "down": ("decreased", "缩小"), "new": ("new", "新发"),
    "small": ("small", "少量"), "large": ("large", "大量"), "moderate": ("moderate", "中量"),
}  # fmt: skip
_ADVICE: dict[Kind, tuple[str, str]] = {
    "side": ("Look at the images and keep one side.", "请核对图像，统一侧别。"),
    "lobe": ("Look at the images and keep one lobe.", "请核对图像，统一肺叶。"),
    "size": ("Measure again and keep one figure.", "请重新测量并统一数值。"),
    "unit": ("Check the unit.", "请核对单位。"),
    "count": ("Count again and keep one number.", "请核对数目。"),
    "presence": ("Look at the images and keep one of the two sentences.", "请核对图像，保留其中一句。"),
    "change": ("Compare with the prior study and keep one.", "请与既往检查对比后统一。"),
}


def same_size(a: float, b: float) -> bool:
    """Whether two diameters in mm may be one."""
    return abs(a - b) <= max(_ROUND_MM, 0.08 * max(a, b))


def compared(sentences: list[Sentence]) -> list[Remark]:
    """Remarks on impressions that say something else than the findings of the same thing."""
    seen = [piece(s.text, s) for s in sentences if s.section == "findings"]
    out: list[Remark] = []
    for sentence in sentences:
        if sentence.section not in ("impression", "recommendation"):
            continue
        for said in pieces_of(sentence):
            near = _about(said, seen)
            if near:
                topic, places = near
                out += next((r for rule in _RULES if (r := list(rule(said, topic, places)))), [])
    return out


def _about(said: Piece, seen: list[Piece]) -> tuple[str, list[Piece]] | None:
    """The rarest topic that findings share with `said`, and the sentences that have it; sentences that share more of it come first."""
    shared = {t: [p for p in seen if t in p.topics] for t in said.topics}
    known = {t: ps for t, ps in shared.items() if ps}
    if not known:
        return None
    topic = min(known, key=lambda t: (len(known[t]), said.topics[t]))
    return topic, sorted(known[topic], key=lambda p: -len(p.topics.keys() & said.topics.keys()))


def _remark(kind: Kind, topic: str, said: str, seen: str, where: Piece, piece_: Piece) -> Remark:
    en, zh = _ADVICE[kind]
    shown = tuple(_WORDS.get(v, (v, v)) for v in (said, seen))
    return Remark(
        kind,
        f"Impression and findings differ ({topic}): {shown[0][0]} against {shown[1][0]}.",
        f"印象与所见不一致：{shown[0][1]} 与 {shown[1][1]}。",
        (where.sentence.text, piece_.sentence.text),
        en,
        zh,
    )


def _presence(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    if topic in said.denied or group("limiting")["words"].search(said.text):
        return
    denied = [p for p in seen if topic in p.denied and not group("limiting")["words"].search(p.text) and _same_place(said, p)]
    if denied and len(denied) == len([p for p in seen if _same_place(said, p)]) and _rests_on(said, topic):
        yield _remark("presence", topic, "present", "denied", denied[0], said)


def _rests_on(said: Piece, topic: str) -> bool:
    """Whether the piece is about its topic and does not only name it in passing."""
    return topic in group("topic") or len(said.topics) <= 3


def _same_place(a: Piece, b: Piece) -> bool:
    return not a.sides or not b.sides or "both" in a.sides | b.sides or bool(a.sides & b.sides)


def _side(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    stated = [p for p in seen if topic not in p.denied]
    sides = frozenset().union(*(p.sides for p in stated)) if stated else frozenset()
    if len(said.sides) != 1 or topic in said.denied or not sides or "both" in sides:
        return
    (own,) = said.sides
    if own in sides or (own == "both" and (len(sides) > 1 or any(not p.sides for p in stated))):
        return
    other = next(p for p in stated if p.sides)
    yield _remark("side", topic, own, next(iter(other.sides)), other, said)


def _lobe(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    stated = [p for p in seen if topic not in p.denied]
    lobes = frozenset().union(*(p.lobes for p in stated)) if stated else frozenset()
    own = said.lobes - ({"upper"} if "lingula" in lobes else frozenset())
    if not own or not lobes or own & lobes or ("upper" in lobes and "lingula" in own):
        return
    other = next(p for p in stated if p.lobes)
    yield _remark("lobe", topic, min(own), min(other.lobes), other, said)


def _size(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    known = [s for p in seen for s in p.sizes]
    odd = [a for a in said.sizes if not any(same_size(a, b) for b in known)]
    if not odd or not known:
        return
    slip = any(0.9 <= max(odd[0], b) / max(min(odd[0], b), 0.01) / 10 <= 1.1 for b in known)
    closest = min(known, key=lambda b: abs(b - odd[0]))
    where = next(p for p in seen if closest in p.sizes)
    yield _remark("unit" if slip else "size", topic, f"{odd[0]:g} mm", f"{closest:g} mm", where, said)


def _count(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    own = said.counts.get(topic)
    known = {p.counts[topic]: p for p in seen if topic in p.counts and topic not in p.denied}
    if own is None or not known or own in known or sum(known) == own or (own == 1 and (said.sizes or said.lobes)):
        return
    if 99 in (own, *known) and 1 not in (own, *known):
        return
    value, where = next(iter(known.items()))
    yield _remark("count", topic, "multiple" if own == 99 else str(own), "multiple" if value == 99 else str(value), where, said)


def _amount(said: Piece, topic: str, seen: list[Piece]) -> Iterator[Remark]:
    words = group("amount")
    own = {name for name, pattern in words.items() if pattern.search(said.text)}
    known = {
        name: p
        for p in seen
        for name, pattern in words.items()
        if topic not in p.denied and _same_place(said, p) and pattern.search(p.text)
    }
    if topic == "effusion" and len(own) == 1 and known and not own & known.keys() and "moderate" not in own | known.keys():
        value, where = next(iter(known.items()))
        yield _remark("size", topic, min(own), value, where, said)


_RULES = (_presence, _side, _lobe, _size, _count, _amount)


def changes(mentions: list[Mention]) -> Iterator[Remark]:
    """The word of change of the impression against that of the findings, for the same finding in the same place."""
    for said in (m for m in mentions if m.sentence.section == "impression" and m.stated and m.change):
        seen = [
            m for m in mentions
            if m.sentence.section == "findings" and m.finding.family == said.finding.family and m.change and m.stated
            and (said.side is None or m.side in (None, said.side)) and (not said.lobes or not m.lobes or m.lobes & said.lobes)
        ]  # fmt: skip
        if seen and all(frozenset((said.change or "", m.change or "")) in _CLASH for m in seen):
            en, zh = _ADVICE["change"]
            a, b = _WORDS[str(said.change)], _WORDS[str(seen[0].change)]
            yield Remark(
                "change",
                f"The impression calls the {said.finding.en} {a[0]}, the findings {b[0]}.",
                f"印象称{said.finding.zh}{a[1]}，所见为{b[1]}。",
                (seen[0].sentence.text, said.sentence.text),
                en,
                zh,
            )
