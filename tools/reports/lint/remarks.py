"""What the linter says: one `Remark` per disagreement, with both places and what it would change."""

from dataclasses import dataclass
from typing import Literal

from tools.reports.lint.reading.vocabulary import table

Kind = Literal[
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date"
]
KINDS: tuple[Kind, ...] = (
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date",
)  # fmt: skip
_ADVICE: dict[Kind, tuple[str, str]] = {
    "side": ("Look at the images and keep one side.", "请核对图像，统一侧别。"),
    "lobe": ("Look at the images and keep one lobe.", "请核对图像，统一肺叶。"),
    "size": ("Measure again and keep one figure.", "请重新测量并统一数值。"),
    "unit": ("Check the unit.", "请核对单位。"),
    "count": ("Count again and keep one number.", "请核对数目。"),
    "change": ("Compare with the prior study and keep one.", "请与既往检查对比后统一。"),
}


@dataclass(frozen=True)
class Remark:
    """One thing to look at before signing.

    Attributes:
        kind: What kind of disagreement.
        text: English sentence.
        text_zh: The same in Chinese.
        places: The sentences it is about, as written.
        suggestion: What would settle it, English.
        suggestion_zh: The same in Chinese.
    """

    kind: Kind
    text: str
    text_zh: str
    places: tuple[str, ...]
    suggestion: str
    suggestion_zh: str


def label(word: str) -> tuple[str, str]:
    """English and Chinese name of a topic, side, lobe, amount or change."""
    row = table("labels").get(word)
    plain = word.removeprefix("~").replace("_", " ")
    return (row[0], row[1]) if row else (plain, plain)


def differ(kind: Kind, topic: str, said: str, seen: str, finding: str, impression: str) -> Remark:
    """A remark on an impression that says `said` where the findings say `seen`."""
    en, zh = _ADVICE[kind]
    what, own, other = label(topic), label(said), label(seen)
    about = ("", "") if topic.startswith("~") else (f" ({what[0]})", f"（{what[1]}）")
    return Remark(
        kind,
        f"Impression and findings differ{about[0]}: {own[0]} against {other[0]}.",
        f"印象与所见不一致{about[1]}：{own[1]} 与 {other[1]}。",
        (finding, impression),
        en,
        zh,
    )
