"""One tab, one session: an unguessable cookie and the tab's own id, a private folder, one case and one conversation.

Nothing of a session is reachable without its cookie: handles, study tokens and evidence are looked up inside the session only. Two tabs
of one browser are two sessions, so that a question is never answered about the patient of another tab.
"""

import base64
import hashlib
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.answering.answer import Answer, StepFinished, StepStarted
from agent.sessions.views import CaseView
from tools.evidence import Evidence, Language
from ui.door import Assistant, Pages

COOKIE = "medmpt_session"
IDLE_SECONDS = 12 * 3600.0
_TITLE = 120  # characters of a question that name a conversation
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")  # what secrets.token_urlsafe(32) gives: 256 bits
_PAGE = re.compile(r"[0-9a-f]{48}")  # what ui/static/js/page.js draws: one tab


@dataclass
class Turn:
    """One question with what is known of its answer so far.

    Attributes:
        question: As typed.
        about: Name of the case that was open, None without one.
        steps: Tool steps by call id, in order of their start.
        sentences: Verified claims as they came, replaced by the answer's own at the end.
        answer: The finished answer; None while running.
        error: Text for the person when the turn failed.
        stopped: True after the stop button.
        started: When it was asked, in seconds of the epoch.
        replaced: True when the same question was asked again or in other words.
    """

    question: str
    about: str | None = None
    steps: dict[str, StepStarted | StepFinished] = field(default_factory=dict)
    sentences: list[tuple[str, tuple[str, ...], str]] = field(default_factory=list)
    answer: Answer | None = None
    error: str | None = None
    stopped: bool = False
    started: float = field(default_factory=time.time)
    replaced: bool = False


@dataclass
class Talk:
    """A conversation of this tab that can be taken up again: its thread, the case it is about, and how it began."""

    thread: str
    case: str | None
    source: str | None
    title: str = ""
    is_path: bool = False


@dataclass
class Session:
    """State of one tab; `id` is derived from the cookie and the tab's id, never either of them.

    `llm` is the chat model that answers here (None: that of the settings), `llm_choice` what was chosen: a listed id, or what was typed.
    `talks` are all conversations that have a question, newest last; `problem` is why the last case could
    not be opened, until it is shown; `staged` are files that wait to be opened, by name. `pages` is where several workers keep what brings
    the tab back, `kept` what this one last wrote there or read.
    """

    id: str
    folder: Path
    pages: Pages | None = None
    kept: str = ""
    language: Language = "en"
    case: CaseView | None = None
    source: str | Path | None = None
    llm: str | None = None
    llm_choice: str | None = None
    thread: str = ""
    turns: list[Turn] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    problem: str | None = None
    staged: dict[str, Path] = field(default_factory=dict)
    studies: dict[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    running: threading.Lock = field(default_factory=threading.Lock)
    used: float = field(default_factory=time.monotonic)

    def begin(self, thread: str) -> None:
        """Start with an empty conversation in `thread`."""
        self.thread = thread
        self.turns.clear()

    def note_talk(self, question: str) -> None:
        """Keep the running conversation among those that can be taken up again."""
        if all(talk.thread != self.thread for talk in self.talks):
            source = str(self.source) if self.source is not None else None
            about = self.case.name if self.case is not None else None
            self.talks.append(Talk(self.thread, about, source, question[:_TITLE], isinstance(self.source, Path)))

    def talks_here(self) -> list[Talk]:
        """Conversations about the open case, newest first."""
        source = str(self.source) if self.source is not None else None
        return [talk for talk in reversed(self.talks) if talk.source == source]

    def sources(self) -> list[Talk]:
        """One conversation per case that this tab has open or had, newest first."""
        return list({talk.source: talk for talk in reversed(self.talks) if talk.source is not None}.values())

    def evidence(self, key: str) -> Evidence | None:
        """A citable statement of this session's answers, newest first."""
        answers = (turn.answer for turn in reversed(self.turns) if turn.answer is not None)
        return next((e for answer in answers for e in answer.evidence if e.key == key), None)

    def study(self, token: str) -> tuple[str, str] | None:
        """(case handle, study handle) behind a pixel token of this session."""
        found = self.studies.get(token)
        return (self.case.handle, found) if self.case is not None and found is not None else None

    def token_of(self, study: str) -> str:
        """The unguessable token under which this session's browser may read a study's pixels."""
        known = next((token for token, handle in self.studies.items() if handle == study), None)
        token = known or secrets.token_urlsafe(24)
        self.studies[token] = study
        return token

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Hold the session for one question; False when another one is still running."""
        if not self.running.acquire(blocking=False):
            yield False
            return
        self.stop.clear()
        try:
            yield True
        finally:
            self.running.release()


class SessionStore:
    """All live sessions of this process; idle ones are closed and their files erased."""

    def __init__(self, assistant: Assistant, root: Path) -> None:
        """`root` is a private folder that this store owns; what a killed process left there is erased when it is old."""
        self._assistant = assistant
        self._root = root
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        root.mkdir(parents=True, mode=0o700, exist_ok=True)
        for left in root.iterdir():
            if time.time() - left.stat().st_mtime > IDLE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)

    @staticmethod
    def new_cookie() -> str:
        """A fresh secret of 256 bits."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def well_formed(cookie: str | None) -> bool:
        """Whether `cookie`, with or without the id of a tab behind it, could be one of ours."""
        token, _, page = (cookie or "").partition(".")
        return _TOKEN.fullmatch(token) is not None and (not page or _PAGE.fullmatch(page) is not None)

    @staticmethod
    def of_page(cookie: str, page: str | None) -> str:
        """The secret of one tab of the browser with `cookie`; without a valid id of a tab the browser's own."""
        return f"{cookie}.{page}" if page is not None and _PAGE.fullmatch(page) else cookie

    @staticmethod
    def of_user(secret: str, user: str) -> str:
        """The secret of a logged-in user's tab: another user of the same browser gets another one."""
        token, _, page = secret.partition(".")
        own = base64.urlsafe_b64encode(hashlib.sha256(f"{user}|{token}".encode()).digest()).decode().rstrip("=")
        return f"{own}.{page}" if page else own

    def get(self, cookie: str) -> Session:
        """The session of `cookie`, made on first use."""
        key = hashlib.sha256(cookie.encode()).hexdigest()[:32]
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                folder = self._root / key
                folder.mkdir(mode=0o700, exist_ok=True)
                session = self._sessions[key] = Session(id=key, folder=folder, pages=self._assistant.pages)
            session.used = time.monotonic()
            idle = [s for s in self._sessions.values() if session.used - s.used > IDLE_SECONDS]
        for old in idle:
            self.close(old)
        return session

    def close(self, session: Session) -> None:
        """End a session: stop its turn, tell the assistant, erase its files."""
        session.stop.set()
        with self._lock:
            self._sessions.pop(session.id, None)
        self._assistant.close_session(session.id)
        shutil.rmtree(session.folder, ignore_errors=True)

    def close_all(self) -> None:
        """End every session and erase the folder, when the server stops."""
        for session in list(self._sessions.values()):
            self.close(session)
        shutil.rmtree(self._root, ignore_errors=True)
