"""`House`: the real parts, opened once each when first needed."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from langchain_core.tools import BaseTool

from agent.parts import OpenedCase
from agent.sessions.views import DemoCase
from agent.settings import Settings

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine
    from retrieval.drugs.graph import DrugGraph
    from retrieval.index.guideline_index import GuidelineIndex


class House:
    """Opens index, drug graph, engine and cases of this installation."""

    def __init__(self, settings: Settings) -> None:
        """Remember where things live; open nothing yet."""
        self._settings = settings
        # One lock for each part: who needs the drug graph does not wait for an index that is being built.
        self._index_lock, self._drugs_lock, self._engine_lock = RLock(), RLock(), RLock()

    def tools(self) -> Sequence[BaseTool]:
        """The thirteen tools."""
        from tools.registry import TOOLS

        return tuple(TOOLS)

    def index(self) -> "GuidelineIndex | None":
        """The guideline index; built on first use where it is missing."""
        with self._index_lock:
            return self._index

    @cached_property
    def _index(self) -> "GuidelineIndex":
        from retrieval.index.guideline_index import GuidelineIndex

        s = self._settings
        return GuidelineIndex.open(s.cache_dir, embedder=s.embedder, reranker=s.reranker, chroma_url=s.chroma_url, data_dir=s.data_dir)

    def reopen_index(self) -> None:
        """Open the index anew when it is next needed: documents came or went."""
        with self._index_lock:
            self.__dict__.pop("_index", None)

    def drugs(self) -> "DrugGraph | None":
        """The drug knowledge graph."""
        with self._drugs_lock:
            return self._drugs

    @cached_property
    def _drugs(self) -> "DrugGraph":
        from retrieval.drugs.graph import DrugGraph

        return DrugGraph.load()

    def engine(self) -> "MedMPTEngine | None":
        """MedMPT with the weights in use; None without any (the tools then say how to install them)."""
        with self._engine_lock:
            return self._engine

    @cached_property
    def _engine(self) -> "MedMPTEngine | None":
        from medmpt_backend.weights.checkpoint import NO_WEIGHTS
        from medmpt_backend.weights.store import WeightsStore

        store = WeightsStore(self._settings.data_dir)
        if not store.names() or self._settings.weights == NO_WEIGHTS:
            return None
        from medmpt_backend.inference.engine import MedMPTEngine

        return MedMPTEngine.open(store.active(self._settings.weights), self._settings.cache_dir)

    def demo_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases that ship."""
        from tools.case.demo import demo_cases, demo_title

        return tuple(DemoCase(id=d, title_en=demo_title(d, "en"), title_zh=demo_title(d, "zh")) for d in demo_cases())

    def teaching_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases whose truth is withheld until a reading is committed."""
        from tools.teaching.cases import level_of, teaching_cases, teaching_title

        return tuple(
            DemoCase(id=t, title_en=teaching_title(t, "en"), title_zh=teaching_title(t, "zh"), level=level_of(t)) for t in teaching_cases()
        )

    def load_case(self, source: str | Path) -> OpenedCase:
        """A demo or teaching case by id, or a case by path."""
        from tools.case.demo import demo_cases, open_demo
        from tools.case.files import load_case

        if isinstance(source, str) and source in demo_cases():
            return open_demo(source, self._settings.cache_dir, lazy=True)
        from tools.teaching.cases import open_teaching, teaching_cases

        if isinstance(source, str) and source in teaching_cases():
            return open_teaching(source, self._settings.cache_dir)
        return load_case(Path(source))
