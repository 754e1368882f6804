"""`House`: the real parts, opened once each when first needed."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from langchain_core.tools import BaseTool

from agent.errors import Unavailable
from agent.parts import OpenedCase
from agent.settings import Settings
from agent.views import DemoCase

if TYPE_CHECKING:
    from medmpt_backend.engine import MedMPTEngine
    from retrieval.drugs import DrugGraph
    from retrieval.search import GuidelineIndex


class House:
    """Opens index, drug graph, engine and cases of this installation."""

    def __init__(self, settings: Settings) -> None:
        """Remember where things live; open nothing yet."""
        self._settings = settings
        self._lock = RLock()
        self._open: dict[str, Any] = {}

    def tools(self) -> Sequence[BaseTool]:
        """The thirteen tools."""
        return tuple(_room("tools.registry").TOOLS)

    def index(self) -> "GuidelineIndex | None":
        """The guideline index; built on first use where it is missing."""
        return self._once("index", self._open_index)

    def _open_index(self) -> Any:
        s = self._settings
        return _room("retrieval.search").GuidelineIndex.open(s.cache_dir, embedder=s.embedder, chroma_url=s.chroma_url, data_dir=s.data_dir)

    def drugs(self) -> "DrugGraph | None":
        """The drug knowledge graph."""
        return self._once("drugs", lambda: _room("retrieval.drugs").DrugGraph.load())

    def engine(self) -> "MedMPTEngine | None":
        """MedMPT with the installed weights; None without any."""
        return None

    def demo_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases that ship."""
        found = _room("tools.demo").demo_cases()
        return tuple(DemoCase(id=d.id, title_en=d.title_en, title_zh=d.title_zh) for d in found)

    def load_case(self, source: str | Path) -> OpenedCase:
        """A demo case by id, or a case by path."""
        if isinstance(source, str) and source in {d.id for d in self.demo_cases()}:
            demo: OpenedCase = _room("tools.demo").open_demo(source, self._settings.cache_dir)
            return demo
        loaded: OpenedCase = _room("tools.case_files").load_case(Path(source))
        return loaded

    def _once(self, name: str, make: Any) -> Any:
        with self._lock:
            if name not in self._open:
                self._open[name] = make()
            return self._open[name]


def _room(module: str) -> Any:
    if find_spec(module) is None:
        raise Unavailable(f"{module} is not part of this installation")
    return import_module(module)
