"""What the page uses of the agent: the shape of `agent.assistant.Assistant`.

A protocol, so that the page can be tried with a scripted assistant; mypy checks the real one against it in `ui/cli/serve.py`.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from agent.answer import Answer, Event
from agent.views import CaseView, DemoCase, ModelChoice, ModelTrial, PassageView, StudyInfo
from tools.evidence import Language


class Models(Protocol):
    """Which chat models may be chosen."""

    def listed(self) -> Sequence[ModelChoice]: ...
    def may_type(self, local: bool) -> bool: ...
    def spec_of(self, wanted: str | None, local: bool) -> str: ...
    def trial(self, spec: str) -> ModelTrial: ...


class Assistant(Protocol):
    """The UI's only door into the rest of the house."""

    @property
    def models(self) -> Models: ...
    def demo_cases(self) -> Sequence[DemoCase]: ...
    def open_case(self, source: str | Path, *, session: str) -> CaseView: ...
    def ask(
        self,
        question: str,
        *,
        thread: str,
        case: str | None,
        session: str,
        language: Language | None = None,
        stop: threading.Event | None = None,
        llm: str | None = None,
    ) -> Iterator[Event]: ...
    def history(self, thread: str, session: str) -> Sequence[Answer]: ...
    def new_thread(self, session: str) -> str: ...
    def passage(self, key: str) -> PassageView | None: ...
    def study_info(self, case: str, study: str, session: str) -> StudyInfo: ...
    def slice(self, case: str, study: str, index: int, session: str) -> bytes: ...
    def measure(self, case: str, study: str, at: tuple[int, int, int], session: str) -> BaseModel: ...
    def close_session(self, session: str) -> None: ...
