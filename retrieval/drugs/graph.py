"""Drug knowledge graph: drugs, typed edges with source and year, checks against a patient, and answers to questions.

Absence of an edge is "not in the graph", never "safe". Names resolve exactly (any case, brand, synonym, Chinese); a close misspelling is
only ever a suggestion.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from retrieval.drugs.check import PatientContext, check
from retrieval.drugs.edges import FactGraph
from retrieval.drugs.facts import ChildPugh, Drug, DrugFact
from retrieval.drugs.lint import checked_tables
from retrieval.drugs.query import QueryResult, answer
from retrieval.drugs.tables import DATA


class DrugGraph(FactGraph):
    """The graph in memory; make it with `DrugGraph.load()`."""

    @classmethod
    def load(cls, folder: Path = DATA) -> "DrugGraph":
        """The graph of the package data, read and validated once per process.

        Raises:
            BadInput: When a table does not hold, with file, line and value.
        """
        return _load(folder)

    def query(self, question: str) -> QueryResult:
        """Facts that answer a free question in English or Chinese, with the query as understood and the reason when there are none."""
        return answer(self, question)

    def check(
        self,
        drugs: Sequence[Drug],
        *,
        conditions: Sequence[str] = (),
        allergies: Sequence[str] = (),
        egfr_or_crcl: float | None = None,
        egfr: float | None = None,
        hepatic: ChildPugh | None = None,
        pregnant: bool | None = None,
        lactating: bool | None = None,
        age: float | None = None,
        sex: str | None = None,
    ) -> tuple[DrugFact, ...]:
        """Check drugs against each other and a patient; the meaning of the arguments is that of `PatientContext`.

        Args:
            drugs: Drugs of the graph.
            conditions: Condition ids, or free names that are matched.
            allergies: Drug or class names; unknown ones are ignored here, resolve them first with `allergens`.
            egfr_or_crcl: Cockcroft–Gault CrCl in mL/min, or an eGFR where that is all there is.

        Returns:
            Facts, most severe first. An empty tuple means nothing in the graph, not safety.
        """
        known = [i for name in conditions for i in ((name,) if name in self._conditions else self.match_conditions(name))]
        patient = PatientContext(
            conditions=tuple(dict.fromkeys(known)),
            allergies=tuple(dict.fromkeys(i for name in allergies for i in self.allergens(name))),
            crcl=egfr_or_crcl,
            egfr=egfr,
            hepatic=hepatic,
            pregnant=pregnant,
            lactating=lactating,
            age=age,
            sex=sex,
        )
        return check(self, drugs, patient)


@lru_cache(maxsize=2)
def _load(folder: Path) -> DrugGraph:
    return DrugGraph(checked_tables(folder))
