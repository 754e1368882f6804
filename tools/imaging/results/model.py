"""What the tools of the MedMPT model hold beside their evidence; each with what the statement rests on."""

from pydantic import Field

from tools.evidence import Payload, Side, Validity


class CardRow(Payload):
    """What the model's statements rest on, and why the study is outside its domain where it is."""

    weights: str
    trained_on: str
    licence: str
    domain: Validity
    distance: float | None
    limit: float | None
    reason: str | None


class Encoded(Payload):
    """Sizes of an encoding; the arrays stay on this machine."""

    scan: tuple[int, ...]
    slices: tuple[int, ...]
    config_hash: str
    validity: CardRow


class DetectedRow(Payload):
    """One finding as the model scores it."""

    id: str
    name: str
    name_zh: str
    probability: float
    calibrated: bool
    threshold: float | None
    present: bool | None
    side: Side | None
    slices: tuple[int, ...]


class ClassRow(Payload):
    """The most probable class of one head."""

    task: str
    label: str = Field(alias="class")
    index: int
    probabilities: tuple[float, ...]


class Classified(Payload):
    """Every finding and class of one study, as `ct classify` prints them."""

    findings: tuple[DetectedRow, ...]
    classes: tuple[ClassRow, ...] = ()
    validity: CardRow


class SimilarRow(Payload):
    """One similar case: a virtual reference patient with its truth, or an own study with its note."""

    id: str
    score: float
    synthetic: bool
    note: str | None = Field(default=None, exclude_if=lambda note: note is None)
    text: str | None = Field(default=None, exclude_if=lambda text: text is None)
    text_zh: str | None = Field(default=None, exclude_if=lambda text: text is None)
    findings: dict[str, str] | None = Field(default=None, exclude_if=lambda found: found is None)
    disease: str | None = Field(default=None, exclude_if=lambda name: name is None)


class SimilarCases(Payload):
    """Similar cases, the nearest first; none outside the domain."""

    cases: tuple[SimilarRow, ...] | None = Field(default=None, exclude_if=lambda rows: rows is None)
    validity: CardRow
