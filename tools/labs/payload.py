"""What `interpret_labs` holds beside its evidence: the contract's object of `labs interpret`."""

from tools.evidence import Payload
from tools.labs.value import Flag


class ObservationRow(Payload):
    """One value: as the case has it, what it is measured against, and the value before."""

    analyte: str
    name: str
    loinc: str | None = None
    value: float | None
    comparator: str | None = None
    unit: str | None = None
    flag: Flag
    reference: str | None = None
    reference_source: str | None = None
    time: str | None = None
    previous: float | None = None


class PatternRow(Payload):
    """What several values mean together."""

    name: str
    because: str
    source: str
    text: str
    text_zh: str


class LabsData(Payload):
    """Values and patterns."""

    observations: tuple[ObservationRow, ...] = ()
    patterns: tuple[PatternRow, ...] = ()
