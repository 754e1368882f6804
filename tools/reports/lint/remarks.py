"""What the linter says: one `Remark` per disagreement, with both places and what it would change."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date"
]
KINDS: tuple[Kind, ...] = (
    "side", "lobe", "size", "count", "presence", "change", "unit", "follow_up", "identity", "leftover", "hedge", "measurement", "date",
)  # fmt: skip


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
