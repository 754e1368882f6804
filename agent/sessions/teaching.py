"""Commit before reveal: which session has committed which teaching case, and what it may see.

Until a reading is committed, nothing leaves this room about a teaching case but its vignette and its pixels; a committed reading cannot
be changed.
"""

import threading
from collections.abc import Callable

from agent.answering.answer import Answer
from agent.errors import BadInput, Forbidden
from agent.sessions.handles import HeldCase
from agent.sessions.views import Choice, TeachingView
from medmpt_backend.findings import MIDLINE, finding
from tools.evidence import Language
from tools.teaching.commit import CHOICES, FOCAL, MachineRead, Reading, TrueFinding, check_reading, compare, summary

_SEALED = {
    "en": "This is a teaching case: record your findings and commit them first. Then I show the machine's read and the truth, and answer "
    "every question about it.",
    "zh": "这是教学病例：请先记录并提交您的读片结果，之后我会给出机器读片与标准答案，并回答相关问题。",
}
_NO_MACHINE = "this is a teaching case: measurements and model output are shown after you commit your reading"


class TeachingDesk:
    """Readings by session and case."""

    def __init__(self, cases: Callable[[], frozenset[str]]) -> None:
        """`cases` names the teaching cases."""
        self._cases = cases
        self._readings: dict[tuple[str, str], Reading] = {}
        self._lock = threading.Lock()

    def is_teaching(self, held: HeldCase) -> bool:
        """Whether the case is a teaching case."""
        return held.teaching and held.loaded.case.case_id in self._cases()

    def sealed(self, held: HeldCase) -> bool:
        """Whether the session has yet to commit its reading of this case."""
        return self.is_teaching(held) and self._reading(held) is None

    def _reading(self, held: HeldCase) -> Reading | None:
        with self._lock:
            return self._readings.get((held.owner, held.loaded.case.case_id))

    def open_only(self, held: HeldCase) -> None:
        """Refuse what a machine found while the case is sealed.

        Raises:
            Forbidden: It is sealed.
        """
        if self.sealed(held):
            raise Forbidden(_NO_MACHINE)

    def commit(self, held: HeldCase, reading: Reading) -> None:
        """Keep a reading for good.

        Raises:
            BadInput: Not a teaching case, or a reading that is not complete.
            Forbidden: Committed before.
        """
        if not self.is_teaching(held):
            raise BadInput("the open case is not a teaching case")
        check_reading(reading)
        key = (held.owner, held.loaded.case.case_id)
        with self._lock:
            if key in self._readings:
                raise Forbidden("this reading is committed and cannot be changed")
            self._readings[key] = reading

    def view(self, held: HeldCase, reveal: Callable[[], tuple[tuple[TrueFinding, ...], MachineRead]]) -> TeachingView | None:
        """What the page may show; None for another kind of case. `reveal` is called after the commitment only."""
        if not self.is_teaching(held):
            return None
        reading, case_id = self._reading(held), held.loaded.case.case_id
        if reading is None:
            return TeachingView(case_id=case_id, committed=False, choices=_choices())
        truth, machine = reveal()
        rows = compare(reading, truth, machine)
        return TeachingView(
            case_id=case_id,
            committed=True,
            choices=_choices(),
            reading=reading,
            truth=truth,
            machine=machine,
            feedback=rows,
            summary=summary(rows),
        )

    def forget(self, owner: str) -> None:
        """Drop the readings of a session that ended."""
        with self._lock:
            self._readings = {key: r for key, r in self._readings.items() if key[0] != owner}


def _choices() -> tuple[Choice, ...]:
    return tuple(Choice(id=i, name_en=finding(i).en, name_zh=finding(i).zh, focal=i in FOCAL, midline=i in MIDLINE) for i in CHOICES)


def refusal(question: str, language: Language, model: str, thread: str) -> Answer:
    """The kind answer to a question about a sealed case."""
    text = _SEALED[language]
    return Answer(status="refused", reason=text, question=question, language=language, answer=text, model=model, thread=thread)
