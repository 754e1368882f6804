"""Where a finding lies, how large it is and how it changed, in words."""

import re
from collections.abc import Iterable

from medmpt_backend.cohort.findings import Side
from medmpt_backend.cohort.truth import Change
from medmpt_backend.findings import PAINTED

_RIGHT, _LEFT = ("RUL", "RML", "RLL"), ("LUL", "LLL")
# A set of lobes -> English with article, English before a noun, Chinese.
_REGIONS = {
    frozenset({"RUL"}): ("the right upper lobe", "right upper lobe", "右肺上叶"),
    frozenset({"RML"}): ("the right middle lobe", "right middle lobe", "右肺中叶"),
    frozenset({"RLL"}): ("the right lower lobe", "right lower lobe", "右肺下叶"),
    frozenset({"LUL"}): ("the left upper lobe", "left upper lobe", "左肺上叶"),
    frozenset({"LLL"}): ("the left lower lobe", "left lower lobe", "左肺下叶"),
    frozenset({"RUL", "LUL"}): ("both upper lobes", "bilateral upper lobe", "双肺上叶"),
    frozenset({"RLL", "LLL"}): ("both lower lobes", "bilateral lower lobe", "双肺下叶"),
    frozenset({"RUL", "RML"}): ("the right upper and middle lobes", "right upper and middle lobe", "右肺上中叶"),
    frozenset({"RML", "RLL"}): ("the right middle and lower lobes", "right middle and lower lobe", "右肺中下叶"),
    frozenset({"RUL", "RLL"}): ("the right upper and lower lobes", "right upper and lower lobe", "右肺上下叶"),
    frozenset(_RIGHT): ("the right lung", "right lung", "右肺"),
    frozenset(_LEFT): ("the left lung", "left lung", "左肺"),
}
BOTH = ("both lungs", "bilateral", "双肺")
_SIDE = {"left": ("left", "左侧"), "right": ("right", "右侧"), "both": ("bilateral", "双侧")}


def region(lobes: Iterable[str], side: Side = "both") -> tuple[str, str, str]:
    """A set of lobes in English with article, in English before a noun, and in Chinese.

    `both lungs` where a set has no shorter name; without lobes the lung of the side.
    """
    chosen = frozenset(lobes) or {"right": frozenset(_RIGHT), "left": frozenset(_LEFT)}.get(side, frozenset())
    return _REGIONS.get(chosen, BOTH)


def side_words(side: Side) -> tuple[str, str]:
    """English and Chinese adjective of a side."""
    return _SIDE[side]


def joined(sides: Iterable[Side]) -> Side:
    """The side of several findings together."""
    chosen = set(sides)
    return "both" if len(chosen) != 1 else next(iter(chosen))


# Key -> limits of size (mm) or share of the lungs, and the three degrees in English and Chinese.
_BY_SIZE = {
    "pleural_effusion": ((15.0, 30.0), ("small", "moderate", "large"), ("少量", "中等量", "大量")),
    "pneumothorax": ((20.0, 35.0), ("small", "moderate", "large"), ("少量", "中等量", "大量")),
}
_BY_SHARE = {
    "emphysema": ((0.06, 0.18), ("mild", "moderate", "severe"), ("轻度", "中度", "重度")),
    "ground_glass": ((0.05, 0.3), ("scattered", "multiple", "extensive"), ("散在", "多发", "弥漫")),
}


def degree(key: str, mm: int | None, share: float) -> tuple[str, str]:
    """English and Chinese degree of a finding; empty for kinds without degrees."""
    table, value = (_BY_SIZE, float(mm or 0)) if key in _BY_SIZE else (_BY_SHARE, share)
    if key not in table:
        return "", ""
    limits, en, zh = table[key]
    at = sum(value >= limit for limit in limits)
    return en[at], zh[at]


_NOUNS = {key: f.painted.nodule for key, f in PAINTED.items() if f.painted is not None and f.painted.nodule}


def compared(change: Change, months: int, chinese: bool) -> str:
    """A sentence that compares a nodule with the prior study."""
    _, adjective, where = region(change.lobes)
    noun = _NOUNS[change.id][chinese]
    before, now = round(change.from_mm), round(change.to_mm)
    if before == now:
        return (
            f"与{months}个月前比较，{where}{noun}无明显变化（{now}mm）。"
            if chinese
            else (f"Compared with {months} months ago, the {adjective} {noun} is unchanged at {now} mm.")
        )
    return (
        f"与{months}个月前比较，{where}{noun}由{before}mm增大至{now}mm。"
        if chinese
        else (f"Compared with {months} months ago, the {adjective} {noun} has grown from {before} to {now} mm.")
    )


_ENGLISH_LOBES = tuple((words[1], lobes) for lobes, words in _REGIONS.items())
_CHINESE_LOBES = tuple((words[2], lobes) for lobes, words in _REGIONS.items())


def lobes_of(text: str) -> tuple[Side | None, frozenset[str]]:
    """Side and lobes that a sentence names: the longest name that it holds; no lobes for `both lungs` and for a mere side."""
    lower = text.lower().replace("lobes", "lobe").replace("both upper", "bilateral upper").replace("both lower", "bilateral lower")
    named = [(name, lobes) for name, lobes in (*_ENGLISH_LOBES, *_CHINESE_LOBES) if name in lower]
    if named:
        lobes = max(named, key=lambda pair: len(pair[0]))[1]
        right, left = bool(lobes & set(_RIGHT)), bool(lobes & set(_LEFT))
        return ("both" if right and left else "right" if right else "left"), lobes
    for side, pattern in (("both", r"\bboth\b|\bbilateral\b|双"), ("right", r"\bright\b|右"), ("left", r"\bleft\b|左")):
        if re.search(pattern, lower):
            return side, frozenset()  # type: ignore[return-value]
    return None, frozenset()
