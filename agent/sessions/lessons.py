"""Teaching cases as the page and the command line use them: the desk with its cases, the model, the truth and the progress."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from agent.sessions.handles import Cases, HeldCase
from agent.sessions.teaching import Revealed, TeachingDesk
from agent.sessions.viewer import Viewer
from agent.sessions.views import TeachingView
from tools.teaching.cases import truth_of
from tools.teaching.commit import Reading
from tools.teaching.machine import machine_read
from tools.teaching.progress import Progress, next_case, progress
from tools.teaching.sheet import as_csv, rows_of
from tools.teaching.store import TeachingStore

if TYPE_CHECKING:
    from medmpt_backend.inference.engine import MedMPTEngine

# Who reads on a computer of one's own; a shared server names its users.
ALONE = "local"


class Lessons:
    """Door to everything about teaching cases."""

    def __init__(
        self, cases: Cases, desk: TeachingDesk, store: TeachingStore, viewer: Viewer, engine: "Callable[[], MedMPTEngine | None]"
    ) -> None:
        """Assembled by the assistant."""
        self._cases, self._desk, self._store, self._viewer, self._engine = cases, desk, store, viewer, engine

    def view(self, case: str, session: str) -> TeachingView | None:
        """The form of the open case at its stage; None for any other case."""
        held = self._cases.get(case, session)
        return self._desk.view(held, self._revealing(held))

    def keep(self, case: str, reading: Reading, session: str) -> None:
        """Keep an unfinished reading; see `TeachingDesk.keep`."""
        self._desk.keep(self._cases.get(case, session), reading)

    def hint(self, case: str, reading: Reading, session: str) -> TeachingView | None:
        """Take the next hint; see `TeachingDesk.hint`."""
        held = self._cases.get(case, session)
        self._desk.hint(held, reading, self._revealing(held))
        return self.view(case, session)

    def commit(self, case: str, reading: Reading, session: str, *, trainee: str = ALONE, alone: bool = False) -> TeachingView | None:
        """Commit the first reading; see `TeachingDesk.commit`."""
        held = self._cases.get(case, session)
        self._desk.commit(held, reading, self._revealing(held), trainee, alone)
        return self.view(case, session)

    def decide(self, case: str, reading: Reading, session: str, *, trainee: str = ALONE) -> TeachingView | None:
        """Decide after the machine's read; see `TeachingDesk.decide`."""
        held = self._cases.get(case, session)
        self._desk.decide(held, reading, self._revealing(held), trainee)
        return self.view(case, session)

    def progress(self, trainee: str = ALONE) -> Progress:
        """A trainee's finished readings, summed up."""
        return progress(self._store.attempts(trainee))

    def sheet(self, trainee: str = ALONE) -> str:
        """A trainee's finished readings as CSV, a row for each finding."""
        return as_csv(rows_of(self._store.attempts(trainee), trainee))

    def next_case(self, trainee: str = ALONE) -> str:
        """The case to read next."""
        return next_case(self._store.attempts(trainee), date.today())

    def _revealing(self, held: HeldCase) -> Callable[[], Revealed]:
        def reveal() -> Revealed:
            study = next(iter(held.loaded.studies))
            self._viewer.volume(held, study)  # generates the study, and its truth, where it was never looked at
            return truth_of(held.loaded.folder), machine_read(self._engine(), held.loaded.studies[study])

        return reveal
