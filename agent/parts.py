"""The parts of the house that the agent opens when they are first needed: index, drug graph, engine, cases, tools."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from langchain_core.tools import BaseTool

from agent.sessions.views import DemoCase
from tools.case.record import Case

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from retrieval.drugs.graph import DrugGraph
    from retrieval.index.guideline_index import GuidelineIndex


class OpenedCase(Protocol):
    """A case with what stays on this machine."""

    @property
    def case(self) -> Case: ...
    @property
    def folder(self) -> Path: ...
    @property
    def studies(self) -> dict[str, Path]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...


class Parts(Protocol):
    """What the agent needs of the rooms below; each part is opened once and shared."""

    def tools(self) -> Sequence[BaseTool]: ...
    def index(self) -> "GuidelineIndex | None": ...
    def reopen_index(self) -> None: ...
    def drugs(self) -> "DrugGraph | None": ...
    def engine(self) -> "MedMPTEngine | None": ...
    def demo_cases(self) -> tuple[DemoCase, ...]: ...
    def teaching_cases(self) -> tuple[DemoCase, ...]: ...
    def load_case(self, source: str | Path) -> OpenedCase: ...
