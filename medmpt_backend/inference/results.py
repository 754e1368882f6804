"""What the engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from medmpt_backend.inference.encodings import Floats
from medmpt_backend.inference.training_domain import Validity


@dataclass(frozen=True)
class FindingScore:
    """One label of a head.

    Attributes:
        id: Finding id or class name.
        name: English name.
        name_zh: Chinese name.
        probability: Sigmoid or softmax.
        calibrated: Whether probabilities were calibrated on held-out data.
        threshold: Decision threshold, None for classes of a softmax.
        present: Decision; None where the study is out of domain, the label is not reliable, or the head is multiclass.
        side: `left`, `right`, `both`; None where the weights do not say.
        slices: Slices of the volume that speak for it, strongest first.
    """

    id: str
    name: str
    name_zh: str
    probability: float
    calibrated: bool
    threshold: float | None
    present: bool | None
    side: str | None
    slices: tuple[int, ...]


@dataclass(frozen=True)
class Classification:
    """All labels of one task."""

    task: str
    findings: tuple[FindingScore, ...]
    validity: Validity


@dataclass(frozen=True)
class DraftSentence:
    """One sentence of a drafted report.

    Attributes:
        text: The sentence.
        logprob: Mean log-probability per token.
        slices: Slices of the volume that its tokens looked at most.
        start: Row of its first token in `Draft.cross`.
        tokens: Its tokens.
        token_logprobs: Per token.
    """

    text: str
    logprob: float
    slices: tuple[int, ...]
    start: int
    tokens: tuple[str, ...]
    token_logprobs: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Draft:
    """A drafted report: preliminary until a person signs it.

    Attributes:
        sentences: In order.
        cross: `(T, S)` cross-attention of each token to the inputs; what it gave to a finding counts for
            the slices of that finding.
        laterality_verified: False where left and right in the text must not be trusted.
        validity: Domain verdict.
    """

    sentences: tuple[DraftSentence, ...]
    cross: Floats
    laterality_verified: bool
    validity: Validity

    @property
    def text(self) -> str:
        """All sentences."""
        return "".join(s.text for s in self.sentences)


@dataclass(frozen=True)
class DrugScore:
    """One drug of the vocabulary."""

    drug: str
    probability: float


@dataclass(frozen=True)
class MedicationRanking:
    """Drugs by probability.

    Attributes:
        drugs: Highest first.
        head: `medication`, or `patient` where the weights have no drug graph (the released ones).
        used: Modalities that were given.
        validity: Domain verdict.
    """

    drugs: tuple[DrugScore, ...]
    head: str
    used: tuple[str, ...]
    validity: Validity


@dataclass(frozen=True)
class MedicationExplanation:
    """What speaks for (positive) or against a drug.

    Attributes:
        drug: Of the vocabulary.
        modalities: Share of `ct`, `report`, `labs` in the drug's logit, against empty ones.
        labs: Analyte to its share, against the middle of its reference interval; measured ones only.
        validity: Domain verdict.
    """

    drug: str
    modalities: Mapping[str, float]
    labs: Mapping[str, float]
    validity: Validity
