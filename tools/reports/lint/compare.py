"""Findings against impression: side, lobe, size, number, amount, change. Each rule compares mentions of one family of findings."""

from collections.abc import Iterable, Iterator

from tools.reports.lint.mentions import Mention
from tools.reports.lint.remarks import Remark

_SIDES_ZH = {"left": "左", "right": "右", "both": "双"}
_LOBES_ZH = {"upper": "上叶", "middle": "中叶", "lower": "下叶", "lingula": "舌段"}
_CHANGE = {"stable": ("stable", "稳定"), "up": ("increased", "增大"), "down": ("decreased", "缩小"), "new": ("new", "新发")}
# Two readings of one lesion on one page may differ by rounding.
_ROUND_MM = 1.0
_CLASH = {frozenset(p) for p in (("stable", "up"), ("stable", "down"), ("up", "down"), ("stable", "new"), ("down", "new"))}


def compared(mentions: list[Mention]) -> list[Remark]:
    """Remarks on impressions that say something else than their findings."""
    out: list[Remark] = []
    for said in (m for m in mentions if m.sentence.section in ("impression", "recommendation") and m.stated):
        seen = [m for m in mentions if m.sentence.section == "findings" and m.finding.family == said.finding.family and m.stated]
        if seen:
            out += _first(_side(said, seen), _lobe(said, seen), _size(said, seen), _amount(said, seen))
            out += [*_count(said, seen), *_change(said, seen)]
    return out


def _first(*rules: Iterable[Remark]) -> list[Remark]:
    """The remarks of the first rule that has any: a wrong side explains a wrong lobe."""
    return next((found for rule in rules if (found := list(rule))), [])


def same_size(a: float, b: float) -> bool:
    """Whether two diameters in mm may be one."""
    return abs(a - b) <= max(_ROUND_MM, 0.08 * max(a, b))


def _matches(said: Mention, seen: list[Mention]) -> list[Mention]:
    """Mentions that are the same lesion by size, where both have one; else all of them."""
    sized = [m for m in seen if said.sizes and m.sizes and any(same_size(a, b) for a in said.sizes for b in m.sizes)]
    return sized or seen


def _side(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    if said.side is None or said.finding.kind == "midline":
        return
    near = _matches(said, seen)
    if any(m.side in (None, "both", said.side) for m in near):
        if said.side != "both" or any(m.side in (None, "both") for m in near) or {m.side for m in near} >= {"left", "right"}:
            return
    other = next(m for m in near if m.side not in (None, said.side))
    name = said.finding
    yield Remark(
        "side",
        f"The impression puts the {name.en} on the {said.side if said.side != 'both' else 'both sides'}, the findings on the {other.side}.",
        f"印象将{name.zh}写在{_SIDES_ZH[said.side]}侧，所见为{_SIDES_ZH[str(other.side)]}侧。",
        (other.sentence.text, said.sentence.text),
        "Look at the images and keep one side.",
        "请核对图像，统一侧别。",
    )


def _lobe(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    if not said.lobes:
        return
    near = [m for m in _matches(said, seen) if said.side in (None, "both") or m.side in (None, "both", said.side)]
    placed = [m for m in near if m.lobes]
    known = frozenset().union(*(m.lobes for m in placed)) if placed else frozenset()
    known |= {"upper"} if "lingula" in known else frozenset()
    if not placed or len(placed) < len(near) and not said.sizes or said.lobes & known:
        return
    names = [", ".join(sorted(x)) for x in (said.lobes, placed[0].lobes)]
    names_zh = ["、".join(_LOBES_ZH[v] for v in sorted(x)) for x in (said.lobes, placed[0].lobes)]
    yield Remark(
        "lobe",
        f"The impression puts the {said.finding.en} in the {names[0]} lobe, the findings in the {names[1]} lobe.",
        f"印象中{said.finding.zh}位于{names_zh[0]}，所见位于{names_zh[1]}。",
        (placed[0].sentence.text, said.sentence.text),
        "Look at the images and keep one lobe.",
        "请核对图像，统一肺叶。",
    )


def _size(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    if not said.sizes:
        return
    near = [m for m in seen if m.sizes and (said.side is None or m.side in (None, said.side)) and (not said.lobes or not m.lobes or m.lobes & said.lobes)]
    known = [s for m in near for s in m.sizes]
    if not known or all(any(same_size(a, b) for b in known) for a in said.sizes):
        return
    odd = next(a for a in said.sizes if not any(same_size(a, b) for b in known))
    closest = min(known, key=lambda b: abs(b - odd))
    slip = any(0.9 <= max(odd, b) / max(min(odd, b), 0.01) / 10 <= 1.1 for b in known)
    yield Remark(
        "unit" if slip else "size",
        f"The impression gives {odd:g} mm for the {said.finding.en}, the findings {closest:g} mm" + (": a slip of mm and cm?" if slip else "."),
        f"印象中{said.finding.zh}为 {odd:g} mm，所见为 {closest:g} mm" + ("，疑为 mm 与 cm 混淆。" if slip else "。"),
        (next(m for m in near if closest in m.sizes).sentence.text, said.sentence.text),
        "Measure again and keep one figure.",
        "请重新测量并统一数值。",
    )


def _amount(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    known = {m.amount for m in seen if m.amount and (said.side in (None, "both") or m.side in (None, "both", said.side))}
    if said.finding.kind == "focal" or said.amount is None or not known or {said.amount} & known or "moderate" in known | {said.amount}:
        return
    other = next(m for m in seen if m.amount in known)
    yield Remark(
        "size",
        f"The impression calls the {said.finding.en} {said.amount}, the findings {other.amount}.",
        f"印象与所见对{said.finding.zh}的程度描述不一致。",
        (other.sentence.text, said.sentence.text),
        "Keep one amount.",
        "请统一程度。",
    )


def _count(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    if said.finding.kind != "focal" or said.count is None:
        return
    counts = [m.count for m in seen if m.count is not None]
    listed = len([m for m in seen if m.sizes or m.lobes])
    explicit = [c for c in counts if c != 99]
    total = max(explicit) if explicit and max(explicit) >= listed else None
    if 99 in counts:
        fits = said.count > 1
        told = "multiple"
    elif total is not None and total > 1:
        fits = said.count in (total, 99) or (said.count == 1 and bool(said.sizes))
        told = str(total)
    else:
        fits = said.count == 99 and listed != 1 or said.count == listed or listed == 0 or (said.count == 1 and bool(said.sizes or said.lobes))
        told = str(listed)
    if fits:
        return
    told_zh = "多发" if told == "multiple" else told
    shown = "multiple" if said.count == 99 else str(said.count)
    yield Remark(
        "count",
        f"The impression counts {shown} of the {said.finding.en}, the findings {told}.",
        f"印象中{said.finding.zh}数目为 {'多发' if said.count == 99 else said.count}，所见为 {told_zh}。",
        (seen[0].sentence.text, said.sentence.text),
        "Count again and keep one number.",
        "请核对数目。",
    )


def _change(said: Mention, seen: list[Mention]) -> Iterator[Remark]:
    near = [m for m in _matches(said, seen) if said.side in (None, "both") or m.side in (None, "both", said.side)]
    near = [m for m in near if not said.lobes or not m.lobes or m.lobes & said.lobes]
    known = {m.change for m in near if m.change}
    if said.change is None or not known or said.change in known or "resolved" in known:
        return
    other = next(m for m in near if m.change)
    if frozenset((said.change, other.change)) not in _CLASH:
        return
    a, b = _CHANGE[said.change], _CHANGE[str(other.change)]
    yield Remark(
        "change",
        f"The impression calls the {said.finding.en} {a[0]}, the findings {b[0]}.",
        f"印象称{said.finding.zh}{a[1]}，所见为{b[1]}。",
        (other.sentence.text, said.sentence.text),
        "Compare with the prior study and keep one.",
        "请与既往检查对比后统一。",
    )
