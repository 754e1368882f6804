"""What the report tools hold beside their evidence: the sections of a draft, the remarks of a check."""

from typing import Literal

from pydantic import Field

from tools.evidence import Payload
from tools.imaging.results.model import CardRow
from tools.reports.lint.remarks import Kind

Origin = Literal["measured", "model", "metadata", "template"]


class SentenceRow(Payload):
    """One sentence with where it comes from."""

    text: str
    text_zh: str | None = None
    origin: Origin
    evidence: str


class SectionRow(Payload):
    """One section of a draft."""

    name: str
    sentences: tuple[SentenceRow, ...]


class WithheldRow(Payload):
    """A sentence of the decoder that a detector contradicts."""

    text: str
    because: str


class DraftData(Payload):
    """A preliminary report, as `ct report` prints it; without a card where no model was asked."""

    validity: CardRow | None = Field(default=None, exclude_if=lambda card: card is None)
    sections: tuple[SectionRow, ...] = ()
    withheld: tuple[WithheldRow, ...] = ()


class RemarkRow(Payload):
    """One thing to look at before signing."""

    kind: Kind
    text: str
    places: tuple[str, ...]
    suggestion: str
    chance: float = 1.0


class CheckData(Payload):
    """A checked report, as `report check` prints it."""

    remarks: tuple[RemarkRow, ...] = ()
    look: tuple[RemarkRow, ...] = ()
    checked: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()
