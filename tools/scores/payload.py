"""What `calculate_score` holds beside its evidence: the contract's object of `calc NAME`, or a bedside criterion's source.

A calculator that explains itself holds a `tools.scores.explain.Explanation` instead.
"""

from pydantic import Field

from tools.evidence import Payload

Number = int | float


class InputRow(Payload):
    """One input that was known."""

    value: bool | int | float | str
    unit: str | None = None
    origin: str
    time: str | None = None
    reported: str | None = None


class ComponentRow(Payload):
    """One item and its points; `low` and `high` are the least and most it can give."""

    id: str
    text: str
    text_zh: str
    points: Number | None
    low: Number
    high: Number


class ScoreData(Payload):
    """A result, or the range it can have with what is missing."""

    name: str
    value: Number | None = None
    unit: str = ""
    range: tuple[Number | None, Number | None] = (None, None)
    band: str | None = None
    band_zh: str | None = None
    bands_possible: tuple[str, ...] = ()
    inputs: dict[str, InputRow] = Field(default_factory=dict)
    missing: tuple[str, ...] = ()
    components: tuple[ComponentRow, ...] = ()
    extra: dict[str, Number] = Field(default_factory=dict)
    exact: str | None = None
    exact_zh: str | None = None
    source: str = ""


class CriterionData(Payload):
    """Which bedside criterion was applied."""

    name: str
    source: str
    year: int | None
