"""What a foreign agent may do: one case for each of its sessions, tool results that are scrubbed as for a chat model."""

import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.answering.answer import Answer, Event
from agent.answering.draft import Draft, DraftSentence
from agent.assistant import Assistant
from agent.errors import AgentError, BadInput, Forbidden
from agent.reading.lexicon import language_of
from agent.safety.outgoing import FreeText, scrubbed, scrubbed_card, withheld
from agent.sessions.views import CaseView
from agent.verify import Verdict, verify
from tools.case.record import Case
from tools.evidence import Evidence, Language, ToolResult

_BOUND = "this session is about one patient already: start a new session for another case"
# Pieces of evidence that a session can still cite.
_KEPT = 2000


@dataclass
class Desk:
    """One foreign session: its patient, its conversation, and the evidence that it was given.

    Attributes:
        session: Under which the assistant knows it.
        case: The open case, None without one.
        record: Its data, for scrubbing; never handed out.
        thread: The conversation of `ask`, begun with the first question.
        ledger: Evidence by key, as the tools returned it.
    """

    session: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    case: CaseView | None = None
    record: Case | None = None
    thread: str | None = None
    ledger: dict[str, Evidence] = field(default_factory=dict)


class Desks:
    """The sessions of one server; a handle that `open_case` gave reaches its desk from another connection of the same client."""

    def __init__(self, assistant: Assistant, free_text: FreeText = "scrub", case: str | Path | None = None) -> None:
        """`case`: what the operator opens for every session; then no session may open another."""
        self._assistant, self._free_text, self._fixed = assistant, free_text, case
        self._handles: dict[str, Desk] = {}
        self._lock = threading.Lock()

    def new(self) -> Desk:
        """The desk of a new session, with the operator's case where there is one."""
        desk = Desk()
        if self._fixed is not None:
            self._bind(desk, self._fixed)
        return desk

    def open_case(self, desk: Desk, name: str) -> CaseView:
        """Open a demo or teaching case by its id, once for a session.

        Raises:
            BadInput: No such case; a path is never taken from a foreign agent.
            Forbidden: The session has a patient already.
        """
        known = [c.id for c in (*self._assistant.demo_cases(), *self._assistant.teaching_cases())]
        if name not in known:
            raise BadInput(f"no such case: {name!r}; one of {', '.join(known)}. A case of your own is opened by whoever starts the server")
        if desk.case is not None:
            if desk.case.name == name:
                return desk.case
            raise Forbidden(_BOUND)
        return self._bind(desk, name)

    def _bind(self, desk: Desk, source: str | Path) -> CaseView:
        desk.case = self._assistant.open_case(source, session=desk.session)
        desk.record = self._assistant.record_of(desk.case.handle, desk.session)
        with self._lock:
            self._handles[desk.case.handle] = desk
        return desk.case

    def of(self, desk: Desk, handle: str | None) -> Desk:
        """The desk that a call means: its own, or that of `handle` while it has no patient of its own.

        Raises:
            Forbidden: An unknown handle, or a session that is about another patient.
        """
        if handle is None or (desk.case is not None and handle == desk.case.handle):
            return desk
        if desk.case is not None:
            raise Forbidden(_BOUND)
        with self._lock:
            found = self._handles.get(handle)
        if found is None:
            raise Forbidden(f"no such case handle: {handle!r}; call open_case")
        return found

    def tool(self, desk: Desk, name: str, args: dict[str, Any], language: Language | None = None) -> ToolResult:
        """Run a tool on the desk's case; the result as it may leave the house."""
        words = " ".join(str(v) for v in args.values() if isinstance(v, str))
        spoken = language or language_of(words)
        handle = desk.case.handle if desk.case else None
        result = self._assistant.run_tool(name, args, case=handle, session=desk.session, language=spoken, question=words)
        with self._lock:
            desk.ledger.update({e.key: e for e in result.evidence})
            for key in list(desk.ledger)[:-_KEPT]:
                del desk.ledger[key]
        return self.leaving(desk, result)

    def ask(self, desk: Desk, question: str, language: Language | None = None, stop: threading.Event | None = None) -> Iterator[Event]:
        """A whole turn in the desk's conversation; events as the page gets them, not scrubbed: see `answer_leaving`."""
        if desk.thread is None:
            desk.thread = self._assistant.new_thread(desk.session)
        handle = desk.case.handle if desk.case else None
        yield from self._assistant.ask(question, thread=desk.thread, case=handle, session=desk.session, language=language, stop=stop)

    def answer(self, desk: Desk, question: str, language: Language | None = None, stop: threading.Event | None = None) -> Answer:
        """The answer of a whole turn as it may leave the house."""
        last = next((e.answer for e in self.ask(desk, question, language, stop) if e.type == "done"), None)
        if last is None:
            raise AgentError("the turn ended without an answer; run medmpt doctor")
        with self._lock:
            desk.ledger.update({e.key: e for e in last.evidence})
        return Answer.model_validate(self._plain(desk, last.model_dump(mode="json")))

    def check(self, desk: Desk, sentences: list[DraftSentence]) -> tuple[Verdict, ...]:
        """Whether each sentence is carried by the evidence that this session was given."""
        with self._lock:
            held = dict(desk.ledger)
        return tuple(verify(Draft(sentences=tuple(sentences)), held))

    def leaving(self, desk: Desk, result: ToolResult) -> ToolResult:
        """A result with its typed payload, every word of both scrubbed as for a chat model."""
        return ToolResult.model_validate(self._plain(desk, result.model_dump(mode="json")))

    def card(self, desk: Desk, language: Language) -> str:
        """The scrubbed card of the desk's case; empty without one."""
        if desk.case is None:
            return ""
        return scrubbed_card(desk.case.card_zh if language == "zh" else desk.case.card_en, self._swaps(desk))

    def _plain(self, desk: Desk, value: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = scrubbed(value, self._swaps(desk))
        return plain

    def _swaps(self, desk: Desk) -> dict[str, str]:
        return withheld(desk.record, self._free_text) if desk.record is not None else {}

    def forget(self, desk: Desk) -> None:
        """Close a session that ended."""
        with self._lock:
            self._handles = {h: d for h, d in self._handles.items() if d is not desk}
        self._assistant.close_session(desk.session)
