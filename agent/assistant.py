"""`Assistant`: the page's and the command line's only door into the house."""

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import StreamMode

from agent.answering.answer import Answer, Done, Event, Sentence, StepFinished, StepStarted
from agent.audit.ledger import Ledger
from agent.chart.desk import Chart
from agent.errors import BadInput, Stopped, StoreFailure
from agent.keeping.feedback import Feedback, FeedbackLog
from agent.keeping.library import Library
from agent.models.choices import Models
from agent.models.factory import shown_name
from agent.parts import Parts
from agent.reading.dialogue import asked_language
from agent.reading.lexicon import language_of
from agent.reading.plan import make_plan
from agent.reporting.desk import ReportDesk
from agent.sessions.handles import Cases, HeldCase, Threads, digest
from agent.sessions.lessons import Lessons
from agent.sessions.marks import MarkChange, MarkDesk, MarksView
from agent.sessions.model_view import findings_of, heat_of
from agent.sessions.opening import open_store
from agent.sessions.pages import PageStates
from agent.sessions.shared import SharedRows
from agent.sessions.store import Store
from agent.sessions.teaching import TeachingDesk, refusal
from agent.sessions.turns import TurnLog
from agent.sessions.viewer import Viewer
from agent.sessions.views import (
    CaseView,
    DemoCase,
    FindingsView,
    HeatView,
    KeySlice,
    PassageView,
    PlaneView,
    StudyHandle,
    StudyInfo,
    TeachingView,
)
from agent.settings import Effort, Settings
from agent.turn.contexts import in_thread, on_record
from agent.turn.ledger import read_ledger
from agent.turn.state import KEEP_TURNS, TurnContext
from agent.turn.watch import watched
from retrieval.drugs.graph import DrugGraph
from retrieval.messages.catalogue import messages
from tools.case.record import Case
from tools.evidence import Evidence, Language, ToolResult
from tools.imaging.marks.mark import Mark
from tools.imaging.marks.store import FILE as MARKS_FILE
from tools.imaging.marks.store import MarkStore, OwnMarks
from tools.imaging.marks.words import asks_of_marks
from tools.teaching.commit import Reading
from tools.teaching.store import FILE as TEACHING_FILE
from tools.teaching.store import TeachingStore

each = messages("agent.turn").each

say = messages("agent.turn").say

_MAX_QUESTION = 8000
_STOPPED: dict[Language, str] = each("Stopped before the answer was complete.")


class Assistant:
    """Opens cases, keeps threads, answers questions; a session reaches only what is its own."""

    def __init__(self, settings: Settings, parts: Parts, store: Store | None = None) -> None:
        """Assemble from parts; `open` is the usual way. `store`: another place for conversations than that of the settings."""
        self._settings = settings
        self._parts = parts
        self._store = store or open_store(settings)
        self._log = TurnLog(self._store)
        self._feedback = FeedbackLog(self._store)
        self.ledger = Ledger(self._store, settings.weights)
        self._cases = Cases()
        self._threads = Threads(self._store)
        self._states = PageStates(self._store)
        self.pages = self._states if settings.threads_url is not None else None
        self._viewer = Viewer(settings.cache_dir)
        shared = SharedRows(self._store) if settings.threads_url is not None else None
        self._marks = MarkDesk(MarkStore(shared or settings.data_dir / MARKS_FILE))
        self.reports = ReportDesk(settings, parts, self._revealed, self.ledger, self._store, self._marks.store)
        self.models = Models(settings, parts, self._store.saver)
        self.library = Library(settings, parts.reopen_index)
        self._readings = TeachingStore(shared or settings.data_dir / TEACHING_FILE)
        self._desk = TeachingDesk(lambda: frozenset(t.id for t in parts.teaching_cases()), self._readings)
        self.lessons = Lessons(self._cases, self._desk, self._readings, self._viewer, parts.engine)

    @classmethod
    def open(cls, settings: Settings) -> "Assistant":
        """Open the assistant on this machine's data; parts are opened when first needed."""
        from agent.resources import House
        from retrieval.packs import resolve, use

        use(resolve(settings.packs, settings.data_dir / "packs"))
        if settings.otlp_endpoint is not None:
            from agent.audit.tracing import start

            start(settings.otlp_endpoint)
        return cls(settings, House(settings))

    def close(self) -> None:
        """Close the databases."""
        self.reports.close()
        self._store.close()

    def warm(self) -> None:
        """Open the parts and read the models that a first question would wait for; nothing is kept of it."""
        self._parts.index()
        self._parts.drugs()
        self._parts.engine()
        make_plan("Which antibiotic should be started?", None, [])

    def demo_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases that ship."""
        return self._parts.demo_cases()

    def _demos(self) -> set[str]:
        return {c.id for c in self._parts.demo_cases()}

    def teaching_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases whose truth is withheld until a reading is committed."""
        return self._parts.teaching_cases()

    def open_case(self, source: str | Path, *, session: str) -> CaseView:
        """Open a demo case by id, or a case folder, bundle, sheet or study by path.

        Raises:
            agent.errors.BadInput, tools.errors.ToolsError: What cannot be read, and why.
        """
        loaded = self._parts.load_case(source)
        teaching = isinstance(source, str) and source in {t.id for t in self._parts.teaching_cases()}
        handle = self._cases.hold(loaded, session, teaching)
        held = self._cases.get(handle, session)
        studies = tuple(StudyHandle(id=s.id, label=_label(s.id, s.date, s.prior), prior=s.prior) for s in loaded.case.studies)
        return CaseView(
            name=loaded.case.case_id,
            handle=handle,
            card_en=held.card.render("en"),
            card_zh=held.card.render("zh"),
            synthetic=loaded.case.synthetic,
            studies=studies,
            warnings=loaded.warnings,
        )

    def record_of(self, case: str, session: str) -> Case:
        """The data of an open case, for what must know its words to keep them in; never for a view."""
        return self._cases.get(case, session).loaded.case

    def new_thread(self, session: str) -> str:
        """Start a conversation; its id cannot be guessed."""
        return self._threads.new(session)

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
        effort: Effort | None = None,
    ) -> Iterator[Event]:
        """Answer a question in a thread.

        Args:
            question: In English or Chinese.
            thread: From `new_thread` of the same session.
            case: Handle from `open_case`, None without a patient.
            session: Who asks.
            language: Of the answer; None takes the question's.
            stop: Set it to end the turn early.
            llm: Chat model of this turn, as `models.spec_of` gave it; None for that of the settings.
            effort: How hard to try; None for that of the settings.

        Yields:
            Tool steps as they happen, then the verified sentences, then `Done`.

        Raises:
            Forbidden: Thread or case of another session.
            BadInput: Empty or over-long question, or another patient than the thread's.
        """
        asked = question.strip()
        if not asked or len(asked) > _MAX_QUESTION:
            raise BadInput(f"a question has 1 to {_MAX_QUESTION} characters, this one has {len(asked)}: shorten or type it")
        held = self._cases.get(case, session) if case is not None else None
        self._threads.bind(thread, session, held.patient if held else None)
        spoken, model = language or asked_language(asked) or language_of(asked), llm or self._settings.llm
        if held is not None and self._desk.sealed(held):
            return iter((Done(answer=refusal(asked, spoken, shown_name(model), thread)),))
        context, ask = self._context(asked, thread, held, spoken, stop or threading.Event(), OwnMarks(self._marks.store, session))
        if ask is not None:
            return iter((Done(answer=_asks_back(context, ask, shown_name(model))),))
        return self._turn(replace(context, effort=effort or context.effort), model, held)

    def run_tool(
        self, name: str, args: dict[str, Any], *, case: str | None, session: str, language: Language, question: str = ""
    ) -> ToolResult:
        """One tool call outside a conversation, for another agent: the same node, case binding, teaching seal and declined requests.

        Raises:
            Forbidden: The case is another session's, or a teaching case without a committed reading.
            BadInput: A request that is declined, or no such tool.
        """
        from agent.turn.single import run_one

        held = self._cases.get(case, session) if case is not None else None
        if held is not None:
            self._desk.open_only(held)
        result = run_one(self._parts.tools(), name, args, self._record(held, language, question))
        self.ledger.tool(result, args, held.patient if held else None)
        return result

    def _turn(self, context: TurnContext, llm: str, held: HeldCase | None) -> Iterator[Event]:
        start = time.perf_counter()
        answer: Answer | None = None
        unstored: StoreFailure | None = None
        try:
            for piece in watched(lambda: self._pieces(context, llm, held), context.stop):
                if isinstance(piece, Answer):
                    answer = piece
                elif isinstance(piece, StoreFailure):
                    unstored = piece
                else:
                    yield piece
        except Stopped:
            answer = None
        seconds = round(time.perf_counter() - start, 3)
        answer = answer or _stopped(context, shown_name(llm))
        warnings = (*answer.warnings, str(unstored)) if unstored is not None else answer.warnings
        answer = answer.model_copy(update={"seconds": seconds, "warnings": warnings})
        for claim in answer.claims:
            yield Sentence(claim=claim)
        yield Done(answer=answer)

    def _pieces(self, context: TurnContext, llm: str, held: HeldCase | None) -> Iterator[Event | Answer | StoreFailure]:
        """Steps of the graph, the answer, and why it could not be stored; one turn at a time in a thread."""
        answer: Answer | None = None
        with self._store.turn(context.thread):
            try:
                for mode, piece in self._run(context, llm):
                    if mode == "custom":
                        yield _step(piece, context.language)
                    elif "answer" in piece:
                        state = piece["answer"]
                        answer = Answer.model_validate(state["answers"][-1])
                        yield answer
                if answer is not None:
                    self._log.keep(context.thread, state["turns"], state["answers"])
                    demo = held.loaded.case.case_id if held and held.loaded.case.case_id in self._demos() else None
                    self.ledger.turn(answer, state["turns"], held.patient if held else None, demo)
            except self._store.errors as failure:
                if answer is None:
                    raise self._store.failure(failure) from failure
                yield self._store.failure(failure)

    def _run(self, context: TurnContext, llm: str) -> Iterator[tuple[str, Any]]:
        modes: list[StreamMode] = ["custom", "updates"]
        # One write per turn, at its end: a process killed in the middle leaves the earlier turns as they were.
        stream: Iterator[Any] = self.models.graph(llm).stream(
            {}, _config(context.thread), context=context, stream_mode=modes, durability="exit"
        )
        yield from stream

    def _context(
        self, question: str, thread: str, held: HeldCase | None, language: Language, stop: threading.Event, marks: OwnMarks
    ) -> tuple[TurnContext, str | None]:
        """What the turn is given, and the question back where the question supposes a value without its unit."""
        record = replace(self._record(held, language, question), thread=thread, stop=stop, marks=marks)
        return in_thread(record, self._recent(thread), asks_of_marks(question) and bool(marks.any()))

    def _record(self, held: HeldCase | None, language: Language, question: str) -> TurnContext:
        """What a turn or a single tool is given of the case, as it is on record."""
        loaded, card = (held.loaded, held.card) if held else (None, None)
        return on_record(self._settings, self._parts, loaded, card, language, question)

    def _recent(self, thread: str) -> list[dict[str, Any]]:
        """The last answers of a thread, oldest first: what a turn can go on from, however long the thread is."""
        self._catch_up(thread)
        return self._log.newest(thread, KEEP_TURNS)

    def history(self, thread: str, session: str) -> tuple[Answer, ...]:
        """Finished turns of a thread, oldest first."""
        self._threads.admit(thread, session)
        return tuple(Answer.model_validate(a) for a in self.answers(thread))

    def answers(self, thread: str) -> list[dict[str, Any]]:
        """Stored answers of a thread as JSON, whoever owns it: for export on this machine."""
        self._catch_up(thread)
        return self._log.of(thread)

    def _catch_up(self, thread: str) -> None:
        """A process killed between the graph's write and the log's, or a thread of an older version: the log takes what it lacks."""
        state = self._state(thread)
        held = list(state.get("answers", []))
        self._log.keep(thread, state.get("turns", len(held)), held)

    def _state(self, thread: str) -> dict[str, Any]:
        found = self._store.saver.get_tuple(_config(thread))
        return dict(found.checkpoint["channel_values"]) if found else {}

    def evidence(self, thread: str, key: str, session: str) -> Evidence | None:
        """A piece of evidence that a tool returned in this thread's last turns, or that any of its answers cites."""
        self._threads.admit(thread, session)
        found = read_ledger(self._state(thread).get("messages", [])).get(key)
        if found is not None:
            return found
        record = self._log.evidence(thread, key)
        return Evidence.model_validate(record) if record is not None else None

    def passage(self, key: str) -> PassageView | None:
        """The guideline passage behind a citation, in full."""
        index = self._parts.index()
        found = index.passage(key) if index is not None else None
        if found is None:
            return None
        guideline = found.guideline
        return PassageView(
            key=found.key,
            text_en=found.text,
            text_zh=found.text_zh,
            source=found.source,
            year=guideline.year,
            locator=found.locator,
            doi_link=f"https://doi.org/{guideline.doi}" if guideline.doi else guideline.url,
            current=guideline.status == "current",
            superseded_by=guideline.superseded_by,
        )

    def study_info(self, case: str, study: str, session: str) -> StudyInfo:
        """Geometry and key slices of a study, or why it cannot be shown."""
        held = self._cases.get(case, session)
        return self._viewer.info(held, study, self._desk.sealed(held))

    def key_slices(self, case: str, study: str, session: str) -> tuple[KeySlice, ...]:
        """Slices worth opening, as measured; this takes the seconds that measuring takes."""
        return self._viewer.key_slices(self._revealed(case, session), study)

    def pixels(self, case: str, study: str, view: PlaneView, session: str) -> bytes:
        """One plane of a study: little-endian int16 HU, row major."""
        return self._viewer.pixels(self._cases.get(case, session), study, view)

    def overlay(self, case: str, study: str, view: PlaneView, session: str) -> bytes:
        """What was found on one plane: one byte of bits per pixel."""
        return self._viewer.overlay(self._revealed(case, session), study, view, self._marks.store, session)

    def marks(self, case: str, study: str, change: MarkChange, session: str) -> MarksView:
        """Measure and keep, rename, delete, undo or list the session's marks of a study."""
        return self._marks.change(self._revealed(case, session), study, change, session)

    def all_marks(self) -> list[tuple[str, tuple[Mark, ...]]]:
        """Every marked study by the hash of its images, with its marks: for export on this machine."""
        return self._marks.store.everything()

    def erase_readings(self) -> None:
        """Delete every reading of a teaching case."""
        self._readings.erase()

    def erase_marks(self) -> None:
        """Delete everybody's marks for good."""
        self._marks.store.erase()

    def _revealed(self, case: str, session: str) -> HeldCase:
        """The case, unless it is a teaching case that still waits for a reading."""
        held = self._cases.get(case, session)
        self._desk.open_only(held)
        return held

    def teaching(self, case: str, session: str) -> TeachingView | None:
        """The teaching form of the open case at its stage; None for any other case."""
        return self.lessons.view(case, session)

    def commit_reading(self, case: str, reading: Reading, session: str) -> TeachingView | None:
        """Commit a first reading of the open teaching case, for good.

        Raises:
            agent.errors.BadInput, tools.errors.BadInput: Incomplete, not a teaching case, or committed before.
        """
        return self.lessons.commit(case, reading, session)

    def model_findings(self, case: str, study: str, session: str) -> FindingsView:
        """What the model finds on a study, for the viewer."""
        return findings_of(self._parts.engine(), self._viewer.volume(self._revealed(case, session), study))

    def heatmap(self, case: str, study: str, finding: str, session: str) -> HeatView:
        """Where the model's score of one finding comes from."""
        return heat_of(self._parts.engine(), self._viewer.volume(self._revealed(case, session), study), finding)

    def chart(self, case: str, session: str) -> Chart:
        """The open case for the tabs of the page; of a teaching case that waits for its reading, no treatment and no measurement."""
        held = self._cases.get(case, session)
        return Chart(held.loaded, self._parts.drugs() or DrugGraph.load(), self._settings.cache_dir, self._desk.sealed(held))

    def forget_thread(self, thread: str, session: str) -> None:
        """Delete one conversation of the session with everything it holds."""
        self._threads.admit(thread, session)
        self.erase([thread])

    def give_feedback(self, thread: str, session: str, feedback: Feedback) -> None:
        """Keep what a person said of an answer; it goes when the thread is erased."""
        self._threads.admit(thread, session)
        self._feedback.keep(thread, feedback)

    def feedback(self) -> list[Feedback]:
        """Everything that was said of answers, oldest first: for the command line on this machine."""
        return self._feedback.all()

    def close_session(self, session: str) -> None:
        """Forget the session's open cases; its threads stay on record until erased."""
        self._viewer.forget(self._cases.close(session))
        self._desk.forget(digest(session))

    def threads(self, session: str | None = None) -> list[str]:
        """Threads of a session; of everybody for None (export and erase on the command line)."""
        return self._threads.of(session)

    def erase(self, threads: Iterable[str], everything: bool = False) -> None:
        """Delete threads with everything they hold; `everything` also what the ledger recorded outside of threads."""
        chosen = list(threads)
        for thread in chosen:
            self._store.saver.delete_thread(thread)
        self._log.forget(chosen)
        self._feedback.forget(chosen)
        self._states.forget(chosen)
        self.ledger.forget(chosen, everything)
        self._threads.forget(chosen)


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}, "recursion_limit": 60}


def _label(study: str, date: str | None, prior: bool) -> str:
    return " ".join(p for p in (study, date, "prior" if prior else None) if p)


def _step(piece: dict[str, Any], language: Language) -> Event:
    if piece["step"] == "started":
        return StepStarted(call_id=str(piece["call_id"]), name=piece["name"], args=piece["args"])
    result = ToolResult.model_validate(piece["result"])
    return StepFinished(
        call_id=str(piece["call_id"]),
        name=piece["name"],
        status=result.status,
        summary=_summary(result, language),
        seconds=piece["seconds"],
    )


def _summary(result: ToolResult, language: Language) -> str:
    """One line about a finished step."""
    if result.reason and not result.evidence:
        return result.reason
    count = len(result.evidence)
    found = say(language, "{count} statement{plural}", count=count, plural="" if count == 1 else "s")
    return f"{found}; {result.reason}" if result.reason else found


def _asks_back(context: TurnContext, question: str, model: str) -> Answer:
    return Answer(
        status="partial",
        reason=question,
        question=context.message,
        language=context.language,
        answer=question,
        model=model,
        thread=context.thread,
    )


def _stopped(context: TurnContext, model: str) -> Answer:
    text = _STOPPED[context.language]
    return Answer(
        status="partial", reason=text, question=context.message, language=context.language, answer=text, model=model, thread=context.thread
    )
