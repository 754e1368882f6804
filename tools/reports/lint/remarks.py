"""What the linter says: one `Remark` per disagreement, with both places and what it would change."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from retrieval.messages.catalogue import Pair, messages
from tools.reports.lint.reading.vocabulary import table

pair = messages("tools.report_lint").pair

Kind = Literal[
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date"
]
KINDS: tuple[Kind, ...] = (
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date",
)  # fmt: skip


@cache
def _advice() -> dict[Kind, Pair]:
    return {
        "side": pair("Look at the images and keep one side."),
        "lobe": pair("Look at the images and keep one lobe."),
        "size": pair("Measure again and keep one figure."),
        "unit": pair("Check the unit."),
        "count": pair("Count again and keep one number."),
        "change": pair("Compare with the prior study and keep one."),
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
        chance: How likely it is right, by the fitted model; 1 where nothing was fitted.
    """

    kind: Kind
    text: str
    text_zh: str
    places: tuple[str, ...]
    suggestion: str
    suggestion_zh: str
    chance: float = 1.0


def label(word: str) -> tuple[str, str]:
    """English and Chinese name of a topic, side, lobe, amount or change."""
    row = table("labels").get(word)
    plain = word.removeprefix("~").replace("_", " ")
    return (row[0], row[1]) if row else (plain, plain)


def differ(kind: Kind, topic: str, said: str, seen: str, finding: str, impression: str) -> Remark:
    """A remark on an impression that says `said` where the findings say `seen`."""
    text = (
        pair("Impression and findings differ: {said} against {seen}.", said=label(said), seen=label(seen))
        if topic.startswith("~")
        else pair("Impression and findings differ ({what}): {said} against {seen}.", what=label(topic), said=label(said), seen=label(seen))
    )
    return Remark(kind, *text, (finding, impression), *_advice()[kind])
