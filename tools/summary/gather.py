"""Everything the summary is made of, asked once: laboratory values, medicines, CT, model, scores, and what is written."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from medmpt_backend.errors import BackendError
from tools.bedside.record.view import Record
from tools.case.record import Case, StudyRef
from tools.case.summary import summarize_case
from tools.deps import Deps
from tools.errors import BadInput, ToolsError
from tools.evidence import Evidence, ToolResult
from tools.imaging.model_tools import classify_ct
from tools.imaging.quantify import quantify_ct
from tools.labs.interpret import interpret_labs
from tools.labs.value import Reading, latest
from tools.scores.tool import calculate_score

if TYPE_CHECKING:
    from retrieval.drugs.graph import DrugGraph


@dataclass(frozen=True)
class Written:
    """One text of the record with the key of its evidence: a note, or the report of the current CT."""

    key: str
    place: str
    text: str


@dataclass
class Gathered:
    """One case as the summary sees it; each part is asked when it is first needed, and once."""

    deps: Deps
    _evidence: dict[str, Evidence] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """The open case."""
        if self.deps.case is None:
            raise BadInput("no case is open")
        return self.deps.case

    @cached_property
    def record(self) -> Record:
        """What the texts of the case say."""
        return Record(self.case, self.graph)

    @cached_property
    def graph(self) -> "DrugGraph":
        """The drug graph."""
        from retrieval.drugs.graph import DrugGraph

        return self.deps.drugs or DrugGraph.load()

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """Latest laboratory value by analyte."""
        return {r.id: r for r in latest(self.case.labs, self.case.patient)}

    @cached_property
    def labs(self) -> ToolResult:
        """Values and patterns."""
        return self._kept(interpret_labs(self.deps))

    @cached_property
    def drugs(self) -> ToolResult:
        """What speaks against the medicines."""
        from tools.drugs.medications import check_medications

        return self._kept(check_medications(self.deps))

    @cached_property
    def basics(self) -> ToolResult:
        """Demographics, vitals, allergies, medicines and the rest as they are recorded."""
        return self._kept(summarize_case(self.deps))

    @cached_property
    def study(self) -> StudyRef | None:
        """The current CT: the latest that is not a prior and has images."""
        own = [s for s in self.case.studies if s.id in self.deps.studies and not s.prior]
        return max(own, key=lambda s: s.date or "", default=None)

    @cached_property
    def prior(self) -> StudyRef | None:
        """The latest earlier CT with images."""
        now = self.study
        before = [
            s for s in self.case.studies if s.id in self.deps.studies and now and s.id != now.id and (s.date or "") <= (now.date or "9")
        ]
        return max(before, key=lambda s: s.date or "", default=None)

    @cached_property
    def ct(self) -> ToolResult | None:
        """Measurements of the current CT; None without one."""
        return None if self.study is None else self._tried(quantify_ct, self.study.id)

    @cached_property
    def ct_before(self) -> ToolResult | None:
        """Measurements of the prior CT; they are not cited, so that keys of two studies cannot be mixed up."""
        return None if self.prior is None else self._tried(quantify_ct, self.prior.id)

    @cached_property
    def model(self) -> ToolResult | None:
        """What the detectors find on the current CT; None without weights or without a CT."""
        return None if self.study is None or self.deps.engine is None else self._tried(classify_ct, self.study.id)

    @cached_property
    def texts(self) -> tuple[Written, ...]:
        """Notes, and the report of the current CT."""
        found = [Written(f"C-note-{n}", "note", x.text) for n, x in enumerate(self.case.notes, 1)]
        report = self.study.report if self.study else next((s.report for s in self.case.studies if s.report and not s.prior), None)
        if report:
            found.append(Written("C-report", "report", report))
        self._evidence |= {w.key: _as_evidence(w) for w in found}
        return tuple(found)

    def score(self, name: str) -> ToolResult:
        """A score of the case."""
        return self._kept(calculate_score(self.deps, name))

    def score_zh(self, name: str) -> ToolResult:
        """The same in Chinese, for the names of its missing inputs."""
        return calculate_score(replace(self.deps, language="zh"), name)

    def item(self, key: str) -> Evidence | None:
        """Evidence that some part gave."""
        return self._evidence.get(key)

    def keep(self, item: Evidence) -> None:
        """Remember evidence that a section made itself."""
        self._evidence[item.key] = item

    def _tried(self, tool: Callable[[Deps, str], ToolResult], study: str) -> ToolResult | None:
        try:
            return self._kept(tool(self.deps, study))
        except (ToolsError, BackendError):
            return None

    def _kept(self, result: ToolResult) -> ToolResult:
        self._evidence |= {e.key: e for e in result.evidence}
        return result


def _as_evidence(w: Written) -> Evidence:
    text = re.sub(r"\s+", " ", w.text).strip()
    return Evidence(key=w.key, kind="case", text=text, source="case record", locator=w.place, subjects=(w.place,))
