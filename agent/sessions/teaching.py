"""Commit before reveal: which session has committed which teaching case, and what it may see.

Until a reading is committed, nothing leaves this room about a teaching case but its vignette, its pixels and the hints that were asked
for. Where the model has an opinion it is shown next, sometimes with a planted error, and the trainee decides; only then comes the truth.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from agent.answering.answer import Answer
from agent.errors import BadInput, Forbidden
from agent.sessions.handles import HeldCase
from agent.sessions.views import Choice, TeachingView
from medmpt_backend.findings import MIDLINE, finding
from medmpt_backend.messages import Said
from retrieval.messages.catalogue import messages
from tools.evidence import Language
from tools.teaching.cases import level_of
from tools.teaching.commit import CHOICES, FOCAL, LUNG, MachineRead, Reading, TrueFinding, check_reading, compare, summary
from tools.teaching.hints import Hint, next_hint
from tools.teaching.planted import Planted, with_planted_error
from tools.teaching.progress import Attempt
from tools.teaching.socratic import questions
from tools.teaching.store import TeachingStore
from tools.teaching.written import against

each = messages("agent.turn").each
pair = messages("agent.turn").pair

_SEALED = each(
    "This is a teaching case: record your findings and commit them first. Then I show the machine's read "
    "and the truth, and answer every question about it."
)
_NO_MACHINE = Said(*pair("this is a teaching case: measurements and model output are shown after you commit your reading"))
_COMMITTED = Said(*pair("this reading is committed and cannot be changed"))
Revealed = tuple[tuple[TrueFinding, ...], MachineRead]


@dataclass
class _Course:
    """How far one session is with one case.

    Attributes:
        hints: Those taken.
        first: The committed reading; None before.
        shown: The machine's read as shown; None where none was.
        planted: The error in it.
        final: What was decided; None before.
    """

    hints: tuple[Hint, ...] = ()
    first: Reading | None = None
    shown: MachineRead | None = None
    planted: Planted | None = None
    final: Reading | None = None


class TeachingDesk:
    """Readings by session and case."""

    def __init__(self, cases: Callable[[], frozenset[str]], store: TeachingStore) -> None:
        """`cases` names the teaching cases."""
        self._cases = cases
        self._store = store
        self._courses: dict[tuple[str, str], _Course] = {}
        self._lock = threading.RLock()

    def is_teaching(self, held: HeldCase) -> bool:
        """Whether the case is a teaching case."""
        return held.teaching and held.loaded.case.case_id in self._cases()

    def sealed(self, held: HeldCase) -> bool:
        """Whether the session has yet to finish its reading of this case."""
        return self.is_teaching(held) and self._course(held).final is None

    def _course(self, held: HeldCase) -> _Course:
        with self._lock:
            return self._courses.setdefault((held.owner, held.loaded.case.case_id), _Course())

    def open_only(self, held: HeldCase) -> None:
        """Refuse what a machine found while the case is sealed.

        Raises:
            Forbidden: It is sealed.
        """
        if self.sealed(held):
            raise Forbidden(_NO_MACHINE)

    def _unfinished(self, held: HeldCase) -> _Course:
        if not self.is_teaching(held):
            raise BadInput("the open case is not a teaching case")
        return self._course(held)

    def keep(self, held: HeldCase, reading: Reading) -> None:
        """Keep an unfinished reading for a reload; nothing is checked and nothing told.

        Raises:
            BadInput: Not a teaching case.
            Forbidden: Committed before.
        """
        if self._unfinished(held).first is not None:
            raise Forbidden(_COMMITTED)
        self._store.keep_draft(held.owner, held.loaded.case.case_id, reading)

    def hint(self, held: HeldCase, reading: Reading, reveal: Callable[[], Revealed]) -> None:
        """Give the next hint on an unfinished reading.

        Raises:
            BadInput: Not a teaching case.
            Forbidden: Committed before.
        """
        course = self._unfinished(held)
        if course.first is not None:
            raise Forbidden(_COMMITTED)
        given = next_hint(reveal()[0], reading.entries, len(course.hints))
        with self._lock:
            course.hints = (*course.hints, given)

    def commit(self, held: HeldCase, reading: Reading, reveal: Callable[[], Revealed], trainee: str, alone: bool) -> None:
        """Keep the first reading for good; where no machine is shown (`alone`, or it abstains) it is the final one.

        Raises:
            BadInput: Not a teaching case, or a reading that is not complete.
            Forbidden: Committed before.
        """
        course = self._unfinished(held)
        check_reading(reading)
        truth, machine = reveal()
        case_id = held.loaded.case.case_id
        with self._lock:
            if course.first is not None:
                raise Forbidden(_COMMITTED)
            course.first = reading
            if not alone and not machine.abstained:
                attempt = len(self._store.attempts(trainee))
                course.shown, course.planted = with_planted_error(machine, truth, f"{trainee}|{case_id}|{attempt}")
        self._store.drop_drafts(held.owner, case_id)
        if course.shown is None:
            self._finish(held, course, reading, truth, trainee)

    def decide(self, held: HeldCase, reading: Reading, reveal: Callable[[], Revealed], trainee: str) -> None:
        """Keep what was decided after the machine's read, for good.

        Raises:
            BadInput: Not a teaching case, or a reading that is not complete.
            Forbidden: Nothing was committed before, or it is decided.
        """
        course = self._unfinished(held)
        check_reading(reading)
        with self._lock:
            if course.first is None:
                raise Forbidden(Said(*pair("commit a first reading before you decide")))
            if course.final is not None:
                raise Forbidden(_COMMITTED)
        self._finish(held, course, reading.model_copy(update={"report": reading.report or course.first.report}), reveal()[0], trainee)

    def _finish(self, held: HeldCase, course: _Course, final: Reading, truth: tuple[TrueFinding, ...], trainee: str) -> None:
        assert course.first is not None
        rows = compare(final, truth, course.shown or MachineRead())
        attempt = Attempt(
            case_id=held.loaded.case.case_id,
            day=date.today(),
            first=course.first,
            final=final,
            truth=truth,
            feedback=rows,
            machine=course.shown,
            planted=course.planted,
            hints=len(course.hints),
        )
        self._store.add(trainee, attempt)
        course.final = final

    def view(self, held: HeldCase, reveal: Callable[[], Revealed]) -> TeachingView | None:
        """What the page may show; None for another kind of case. `reveal` is called after the commitment only."""
        if not self.is_teaching(held):
            return None
        course, case_id = self._course(held), held.loaded.case.case_id
        base = TeachingView(case_id=case_id, committed=False, level=level_of(case_id), choices=teaching_choices(), hints=course.hints)
        if course.first is None:
            return base.model_copy(update={"draft": self._store.draft(held.owner, case_id)})
        if course.final is None:
            return base.model_copy(update={"stage": "machine", "reading": course.first, "machine": course.shown})
        truth, machine = reveal()
        shown = course.shown or machine
        rows = compare(course.final, truth, shown)
        left_out, extra = against(course.final.report, truth)
        return base.model_copy(
            update={
                "committed": True,
                "stage": "done",
                "reading": course.first,
                "final": course.final,
                "truth": truth,
                "machine": shown,
                "planted": course.planted,
                "feedback": rows,
                "summary": summary(rows),
                "questions": {language: questions(rows, language) for language in ("en", "zh")},
                "report_notes": tuple(c for c in teaching_choices() if c.id in left_out),
                "report_extra": tuple(c for c in teaching_choices() if c.id in extra),
            }
        )

    def forget(self, owner: str) -> None:
        """Drop the readings of a session that ended; its drafts stay for the session's return."""
        with self._lock:
            self._courses = {key: c for key, c in self._courses.items() if key[0] != owner}


def teaching_choices() -> tuple[Choice, ...]:
    """The findings that a trainee chooses from."""
    kinds = {i: {"focal": i in FOCAL, "midline": i in MIDLINE, "lung": i in LUNG} for i in CHOICES}
    return tuple(Choice(id=i, name_en=finding(i).en, name_zh=finding(i).zh, **kinds[i]) for i in CHOICES)


def refusal(question: str, language: Language, model: str, thread: str) -> Answer:
    """The kind answer to a question about a sealed case."""
    text = _SEALED[language]
    return Answer(status="refused", reason=text, question=question, language=language, answer=text, model=model, thread=thread)
