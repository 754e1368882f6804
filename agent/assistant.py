"""`Assistant`: the page's and the command line's only door into the house."""

import gzip
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import StreamMode

from agent.answering.answer import Answer, Done, Event, Sentence, StepFinished, StepStarted
from agent.errors import BadInput, Stopped, StoreFailure
from agent.models.choices import Models
from agent.models.factory import shown_name
from agent.parts import Parts
from agent.reading.dialogue import asked_language
from agent.reading.lexicon import language_of
from agent.sessions.handles import Cases, HeldCase, Threads, connect, digest, store_failure
from agent.sessions.model_view import findings_of, heat_of
from agent.sessions.teaching import TeachingDesk, refusal
from agent.sessions.turns import TurnLog
from agent.sessions.viewer import Viewer
from agent.sessions.views import CaseView, DemoCase, FindingsView, HeatView, MeasureView, PassageView, StudyHandle, StudyInfo, TeachingView
from agent.settings import Settings
from agent.turn.ledger import read_ledger
from agent.turn.state import TurnContext
from agent.turn.suppose import scene
from agent.turn.watch import watched
from tools.evidence import Evidence, Language, ToolResult
from tools.teaching.commit import MachineRead, Reading, TrueFinding

_MAX_QUESTION = 8000
_STOPPED: dict[Language, str] = {"en": "Stopped before the answer was complete.", "zh": "已停止，回答未完成。"}


class Assistant:
    """Opens cases, keeps threads, answers questions; a session reaches only what is its own."""

    def __init__(self, settings: Settings, parts: Parts) -> None:
        """Assemble from parts; `open` is the usual way."""
        self._settings = settings
        self._parts = parts
        self._connection: sqlite3.Connection = connect(settings.data_dir / "threads.sqlite")
        self._saver = SqliteSaver(self._connection)
        lock: Any = self._saver.lock
        try:
            self._saver.setup()
            self._log = TurnLog(self._connection, lock)
        except sqlite3.Error as failure:
            raise store_failure(failure) from failure
        self._cases = Cases()
        self._threads = Threads(self._connection, lock)
        self._viewer = Viewer(settings.cache_dir)
        self.models = Models(settings, parts, self._saver)
        self._desk = TeachingDesk(lambda: frozenset(t.id for t in parts.teaching_cases()))
        self._lock = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    @classmethod
    def open(cls, settings: Settings) -> "Assistant":
        """Open the assistant on this machine's data; parts are opened when first needed."""
        from agent.resources import House

        return cls(settings, House(settings))

    def close(self) -> None:
        """Close the thread database."""
        self._connection.close()

    def demo_cases(self) -> tuple[DemoCase, ...]:
        """Synthetic cases that ship."""
        return self._parts.demo_cases()

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
        context, ask = self._context(asked, thread, held, spoken, stop or threading.Event())
        if ask is not None:
            return iter((Done(answer=_asks_back(context, ask, shown_name(model))),))
        return self._turn(context, model)

    def _turn(self, context: TurnContext, llm: str) -> Iterator[Event]:
        start = time.perf_counter()
        answer: Answer | None = None
        unstored: StoreFailure | None = None
        try:
            for piece in watched(lambda: self._pieces(context, llm), context.stop):
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

    def _pieces(self, context: TurnContext, llm: str) -> Iterator[Event | Answer | StoreFailure]:
        """Steps of the graph, the answer, and why it could not be stored; one turn at a time in a thread."""
        with self._lock:
            turn = self._turns.setdefault(context.thread, threading.Lock())
        answer: Answer | None = None
        with turn:
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
            except sqlite3.Error as failure:
                if answer is None:
                    raise store_failure(failure) from failure
                yield store_failure(failure)

    def _run(self, context: TurnContext, llm: str) -> Iterator[tuple[str, Any]]:
        modes: list[StreamMode] = ["custom", "updates"]
        # One write per turn, at its end: a process killed in the middle leaves the earlier turns as they were.
        stream: Iterator[Any] = self.models.graph(llm).stream(
            {}, _config(context.thread), context=context, stream_mode=modes, durability="exit"
        )
        yield from stream

    def _context(
        self, question: str, thread: str, held: HeldCase | None, language: Language, stop: threading.Event
    ) -> tuple[TurnContext, str | None]:
        """What the turn is given, and the question back where the question supposes a value without its unit."""
        loaded = held.loaded if held else None
        card = held.card if held else None
        before = self._last_question(thread)
        shown = scene(question, loaded.case if loaded else None, card, before, language)
        context = TurnContext(
            cache_dir=self._settings.cache_dir,
            case=shown.case,
            case_dir=loaded.folder if loaded else None,
            studies=loaded.studies if loaded else {},
            cases_dir=self._settings.data_dir / "cases",
            language=language,
            question=question,
            thread=thread,
            card=shown.card,
            stop=stop,
            parts=self._parts,
            free_text=self._settings.free_text,
            assumptions=shown.assumptions,
        )
        return context, shown.ask

    def _last_question(self, thread: str) -> str:
        self._catch_up(thread)
        newest = self._log.last(thread)
        return str(newest["question"]) if newest else ""

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
        found = self._saver.get_tuple(_config(thread))
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

    def slice(self, case: str, study: str, index: int, session: str) -> bytes:
        """One axial slice: gzip of little-endian int16 HU, `(H, W)`, row major."""
        pixels = self._viewer.slice(self._cases.get(case, session), study, index)
        return gzip.compress(pixels, compresslevel=1, mtime=0)

    def measure(self, case: str, study: str, at: tuple[int, int, int], session: str) -> MeasureView:
        """Measure the lesion at voxel `(x, y, z)`, z from the head."""
        return self._viewer.measure(self._revealed(case, session), study, at)

    def _revealed(self, case: str, session: str) -> HeldCase:
        """The case, unless it is a teaching case that still waits for a reading."""
        held = self._cases.get(case, session)
        self._desk.open_only(held)
        return held

    def teaching(self, case: str, session: str) -> TeachingView | None:
        """The teaching form of the open case, or after the commitment its comparison; None for any other case."""
        from tools.teaching.cases import truth_of
        from tools.teaching.machine import machine_read

        held = self._cases.get(case, session)
        study = next(iter(held.loaded.studies.values()), None)

        def reveal() -> tuple[tuple[TrueFinding, ...], MachineRead]:
            assert study is not None
            return truth_of(held.loaded.folder), machine_read(self._parts.engine(), study)

        return self._desk.view(held, reveal)

    def commit_reading(self, case: str, reading: Reading, session: str) -> TeachingView | None:
        """Commit a reading of the open teaching case, for good; what is then revealed.

        Raises:
            agent.errors.BadInput, tools.errors.BadInput: Incomplete, not a teaching case, or committed before.
        """
        held = self._cases.get(case, session)
        if held.loaded.studies:
            self._viewer.volume(held, next(iter(held.loaded.studies)))
        self._desk.commit(held, reading)
        return self.teaching(case, session)

    def model_findings(self, case: str, study: str, session: str) -> FindingsView:
        """What the model finds on a study, for the viewer."""
        return findings_of(self._parts.engine(), self._viewer.volume(self._revealed(case, session), study))

    def heatmap(self, case: str, study: str, finding: str, session: str) -> HeatView:
        """Where the model's score of one finding comes from."""
        return heat_of(self._parts.engine(), self._viewer.volume(self._revealed(case, session), study), finding)

    def close_session(self, session: str) -> None:
        """Forget the session's open cases; its threads stay on record until erased."""
        self._cases.close(session)
        self._desk.forget(digest(session))
        self._viewer.forget()

    def threads(self, session: str | None = None) -> list[str]:
        """Threads of a session; of everybody for None (export and erase on the command line)."""
        return self._threads.of(session)

    def erase(self, threads: Iterable[str]) -> None:
        """Delete threads with everything they hold."""
        chosen = list(threads)
        for thread in chosen:
            self._saver.delete_thread(thread)
        self._log.forget(chosen)
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
    found = f"{count} 条依据" if language == "zh" else f"{count} statement{'' if count == 1 else 's'}"
    return f"{found}; {result.reason}" if result.reason else found


def _asks_back(context: TurnContext, question: str, model: str) -> Answer:
    return Answer(
        status="partial",
        reason=question,
        question=context.question,
        language=context.language,
        answer=question,
        model=model,
        thread=context.thread,
    )


def _stopped(context: TurnContext, model: str) -> Answer:
    text = _STOPPED[context.language]
    return Answer(
        status="partial", reason=text, question=context.question, language=context.language, answer=text, model=model, thread=context.thread
    )
