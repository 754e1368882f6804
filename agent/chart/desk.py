"""`Chart`: the open case for the page, one view per tab."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.chart.bar import bar
from agent.chart.drugs import creatinine_for, drugs, remarks_on
from agent.chart.labs import labs
from agent.chart.timeline import timeline
from agent.chart.views import Bar, Drugs, Labs, Remark, Timeline
from agent.errors import BadInput
from agent.parts import OpenedCase
from retrieval.drugs.graph import DrugGraph
from tools.case.patches import Patch
from tools.deps import Deps
from tools.evidence import Language

Pregnancy = Literal["record", "yes", "no"]


@dataclass(frozen=True)
class Supposition:
    """What the sliders of the medicines tab suppose; the record itself stays as it is."""

    egfr: float | None = None
    allergy: str = ""
    pregnant: Pregnancy = "record"


@dataclass(frozen=True)
class Chart:
    """Views of one open case; `sealed` while a teaching case waits for its reading."""

    opened: OpenedCase
    graph: DrugGraph
    cache_dir: Path
    sealed: bool = False

    def bar(self, language: Language) -> Bar:
        """The patient in one line."""
        return bar(self._deps(language), self.graph, sealed=self.sealed)

    def labs(self, language: Language) -> Labs:
        """Laboratory values by system, and their patterns."""
        return labs(self._deps(language))

    def timeline(self, language: Language) -> Timeline:
        """What happened when."""
        return timeline(self.opened.case, self.graph, language)

    def drugs(self, language: Language, condition: str | None = None, supposed: Supposition | None = None) -> Drugs:
        """Medicines, regimens and ranking, for the record or for what is supposed.

        Raises:
            BadInput: A condition, an allergen or a filtration rate that cannot be used.
        """
        if self.sealed:
            raise BadInput("commit your reading first: until then this case shows no treatment")
        if condition is not None and condition not in {c.id for c in self.graph.conditions()}:
            raise BadInput(f"condition {condition!r} is not in the drug graph")
        return drugs(self._deps(language), self.graph, condition, self._patches(supposed or Supposition()))

    def remarks(self, drug: str, language: Language) -> tuple[Remark, ...]:
        """What the drug graph says of one drug in this patient, taken or not."""
        return () if self.sealed else remarks_on(drug, self._deps(language), self.graph)

    def _patches(self, supposed: Supposition) -> tuple[Patch, ...]:
        patches: list[Patch] = []
        if supposed.egfr is not None:
            patch = creatinine_for(supposed.egfr, self.opened.case)
            if patch is None:
                raise BadInput("the filtration rate cannot be supposed: age or sex is not recorded")
            patches.append(patch)
        if supposed.allergy:
            if not self.graph.allergens(supposed.allergy):
                raise BadInput(f"allergy {supposed.allergy!r} is not in the drug graph")
            patches.append(Patch("allergy", supposed.allergy, severity="anaphylaxis"))
        if supposed.pregnant != "record":
            patches.append(Patch("pregnant", "pregnant", yes=supposed.pregnant == "yes"))
        return tuple(patches)

    def _deps(self, language: Language) -> Deps:
        return Deps(
            cache_dir=self.cache_dir,
            case=self.opened.case,
            case_dir=self.opened.folder,
            language=language,
            drugs=self.graph,
            studies={} if self.sealed else self.opened.studies,
        )
