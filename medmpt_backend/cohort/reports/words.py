"""Where a finding lies, in words."""

from collections.abc import Iterable

from medmpt_backend.cohort.findings import Side

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


def region(lobes: Iterable[str]) -> tuple[str, str, str]:
    """A set of lobes in English with article, in English before a noun, and in Chinese; `both lungs` where there is no shorter name."""
    return _REGIONS.get(frozenset(lobes), BOTH)


def side_words(side: Side) -> tuple[str, str]:
    """English and Chinese adjective of a side."""
    return _SIDE[side]


def joined(sides: Iterable[Side]) -> Side:
    """The side of several findings together."""
    chosen = set(sides)
    return "both" if len(chosen) != 1 else next(iter(chosen))
