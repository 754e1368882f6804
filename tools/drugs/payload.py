"""What the drug tools hold beside their evidence: facts of the graph, candidates with what speaks against them, the model's opinion."""

from retrieval.drugs.facts import DrugFact, Relation, Severity
from tools.evidence import Payload
from tools.imaging.results.model import CardRow


class FactsData(Payload):
    """Facts, as `drugs check` and `drugs query` print them."""

    facts: tuple[DrugFact, ...] = ()


class AgainstRow(Payload):
    """One fact that speaks against a candidate."""

    key: str
    severity: Severity
    relation: Relation
    text: str
    text_zh: str


class CandidateRow(Payload):
    """One candidate, or one rejected drug with the reason."""

    drug: str
    drug_zh: str
    atc: str | None
    score: float
    parts: dict[str, float]
    line: str
    setting: str | None
    dose: str | None
    because: str | None
    already_taken: bool
    warnings: tuple[AgainstRow, ...]
    model_score: float | None
    model_rank: int | None
    model_key: str | None
    evidence: tuple[str, ...]


class ModelDrugRow(Payload):
    """A drug as the medication head scores it."""

    drug: str
    probability: float
    rank: int


class OpinionRow(Payload):
    """What the medication head says of the case, or why it says nothing."""

    drugs: tuple[ModelDrugRow, ...]
    used: tuple[str, ...]
    reason: str | None
    threshold: float | None
    validity: CardRow | None


class RankingData(Payload):
    """The ranking, as `drugs rank` prints it."""

    ranked: tuple[CandidateRow, ...] = ()
    rejected: tuple[CandidateRow, ...] = ()
    facts: tuple[DrugFact, ...] = ()
    model: OpinionRow | None = None
