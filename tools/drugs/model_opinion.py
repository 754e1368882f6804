"""The medication head's opinion on a case: a score per drug of its vocabulary from CT, report and laboratory values.

It is an opinion of a network beside the drug graph, never instead of it: the graph alone accepts and rejects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medmpt_backend.messages import Said
from retrieval.drugs.facts import Drug
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.deps import Deps
from tools.drugs.payload import ModelDrugRow, OpinionRow
from tools.evidence import Evidence, ModelCard, Quantity
from tools.imaging.model_card import NO_STUDY, NO_WEIGHTS, OUTSIDE, card_of, card_row
from tools.imaging.studies import study_of
from tools.labs.analytes import find_analyte
from tools.labs.units import parse_unit
from tools.labs.value import read
from tools.quantities import fill

pair = messages("tools.drugs").pair

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from medmpt_backend.inference.results import MedicationRanking
    from medmpt_backend.inference.training_domain import Validity
    from medmpt_backend.model.config import LabTest

_USED = {"ct": ("CT", "CT"), "report": pair("report"), "labs": pair("laboratory values")}
# Names of the cohort's panel that the laboratory tables write otherwise.
_SAME = {"bicarbonate_arterial": "bicarbonate", "bicarbonate_serum": "bicarbonate"}


@dataclass(frozen=True)
class Scored:
    """One entry of the vocabulary with its score and rank; `drugs` are its substances in the graph."""

    entry: str
    drugs: tuple[Drug, ...]
    probability: float
    rank: int


@dataclass(frozen=True)
class Opinion:
    """What the head says of a case, or why it says nothing.

    Attributes:
        scored: All entries, highest first; empty when the model abstains.
        used: What it was given.
        silent: Why there is no opinion.
        validity: Domain verdict; None when the model was not asked.
        threshold: Operating point.
    """

    scored: tuple[Scored, ...] = ()
    used: tuple[str, ...] = ()
    silent: str | None = None
    validity: "Validity | None" = None
    threshold: float = 0.5
    by_drug: Mapping[str, Scored] = field(default_factory=dict)

    def of(self, drug: Drug) -> Scored | None:
        """The best entry that holds a drug."""
        return self.by_drug.get(drug.id)

    @property
    def card(self) -> ModelCard | None:
        """What the opinion rests on."""
        return card_of(self.validity, self.threshold, False) if self.validity is not None else None

    def payload(self) -> OpinionRow:
        """For the tool's payload."""
        drugs = tuple(ModelDrugRow(drug=s.entry, probability=round(s.probability, 4), rank=s.rank) for s in self.scored[:15])
        validity = card_row(self.validity) if self.validity is not None else None
        return OpinionRow(drugs=drugs, used=tuple(self.used), reason=self.silent, threshold=self.threshold, validity=validity)


def opinion(deps: Deps, graph: DrugGraph) -> Opinion:
    """Ask the medication head about the first CT study of the case."""
    if deps.engine is None:
        return Opinion(silent=NO_WEIGHTS)
    if not deps.engine.serves("medication"):
        return Opinion(silent=Said(*pair("the weights {name!r} do not rank drugs", name=deps.engine.provenance.name)))
    if deps.case is None or not deps.studies:
        return Opinion(silent=NO_STUDY)
    from medmpt_backend.errors import BackendError

    opened = study_of(deps, next(iter(deps.studies)))
    report = next((s.report for s in deps.case.studies if s.report and not s.prior), None)
    labs = deps.engine.config.labs
    values = panel_values(deps.case, labs.panel if labs is not None else ())
    try:
        return _asked(deps.engine, deps.engine.rank_medications(opened.volume, report, values), graph)
    except BackendError as error:
        return Opinion(silent=str(error))


def _asked(engine: "MedMPTEngine", ranking: "MedicationRanking", graph: DrugGraph) -> Opinion:
    if ranking.validity.domain == "out":
        return Opinion(silent=ranking.validity.reason or OUTSIDE, validity=ranking.validity, used=ranking.used)
    config = engine.config.medication
    scored = tuple(Scored(d.drug, graph.resolve(d.drug), d.probability, n) for n, d in enumerate(ranking.drugs, 1))
    by_drug: dict[str, Scored] = {}
    for s in scored:
        for drug in s.drugs:
            by_drug.setdefault(drug.id, s)
    threshold = config.threshold if config is not None else 0.5
    return Opinion(scored, ranking.used, None, ranking.validity, threshold, by_drug)


def panel_values(case: Case, panel: "tuple[LabTest, ...]") -> dict[str, float | None]:
    """Latest values of the case in the units of the weights' panel; a unit that does not convert leaves the test out."""
    latest: dict[str, tuple[str, float]] = {}
    for observation in case.labs:
        reading = read(observation, case.patient)
        if reading.analyte is None or reading.canonical is None or observation.comparator:
            continue
        when = observation.time or ""
        if reading.analyte.id not in latest or latest[reading.analyte.id][0] <= when:
            latest[reading.analyte.id] = (when, reading.canonical)
    found: dict[str, float | None] = {}
    for test in panel:
        unit = parse_unit(test.unit)
        analyte = find_analyte(_SAME.get(test.analyte, test.analyte), test.loinc, unit)
        if unit is not None and analyte is not None and analyte.id in latest:
            value = analyte.from_canonical(latest[analyte.id][1], unit)
            if value is not None:
                found[test.analyte] = value
    return found


def statement(scored: Scored, found: Opinion, total: int) -> Evidence:
    """The score of one drug as a statement."""
    assert found.validity is not None
    text, text_zh = pair(
        "The MedMPT medication head scores {name} {score:.2f} (rank {rank} of {total}, operating point {threshold:.2f}; from {used}).",
        name=(" + ".join(d.name for d in scored.drugs) or scored.entry, "＋".join(d.name_zh for d in scored.drugs) or scored.entry),
        score=scored.probability,
        rank=scored.rank,
        total=total,
        threshold=found.threshold,
        used=(", ".join(_USED[u][0] for u in found.used), "、".join(_USED[u][1] for u in found.used)),
    )
    return Evidence(
        key=f"M-drug-{scored.entry}",
        kind="model",
        text=text,
        text_zh=text_zh,
        source=f"MedMPT weights {found.validity.weights}, trained on {found.validity.trained_on}",
        validity=found.validity.domain,
        quantities=fill((Quantity(name="score", value=scored.probability, unit="", decimals=2),), text, text_zh),
        subjects=tuple(d.name.lower() for d in scored.drugs) or (scored.entry,),
        card=found.card,
    )
