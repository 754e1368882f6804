"""The widgets of the page and what happens when they are used."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from agent.answering.answer import Done, Sentence, StepFinished, StepStarted
from tools.evidence import Language
from ui.door import Assistant
from ui.i18n import text
from ui.page.chrome import footer_html, header_html, heading, hint_html, notice, welcome_html
from ui.page.model_panel import ModelPanel
from ui.page.render import card_html, question_html, turn_html
from ui.page.uploads import take
from ui.restore import ROOM_ERRORS, remember, restore
from ui.session import Session, SessionStore, Turn

EXAMPLES = ("example_1", "example_2", "example_3", "example_4", "example_5", "example_6")
CLEAR_VIEWER = "() => window.medmpt && window.medmpt.clear()"
REFRESH_VIEWER = "() => window.medmpt && window.medmpt.refresh()"
SET_LANGUAGE = "(name) => { window.medmpt && window.medmpt.language(name === '中文' ? 'zh' : 'en'); }"
LANGUAGES: dict[str, Language] = {"English": "en", "中文": "zh"}
NO_API: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

ASK: dict[str, Any] = {**NO_API, "concurrency_limit": 4, "concurrency_id": "ask"}


class Page:
    """Layout and handlers; one instance serves all sessions and holds none of their state.

    What changes the session is disabled until the page has loaded its state: two replies in flight would overwrite each other.
    """

    def __init__(
        self,
        assistant: Assistant,
        sessions: SessionStore,
        first_case: str | Path | None,
        local: bool,
        take_ticket: Callable[[str, Path], Path | None] | None = None,
    ) -> None:
        """Builds the blocks at once; see `blocks`. `local`: only this computer reaches the page."""
        self._assistant = assistant
        self._sessions = sessions
        self._first_case = first_case
        self._local = local
        self._take_ticket = take_ticket
        self._demos = tuple(assistant.demo_cases())
        self._lessons = tuple(assistant.teaching_cases())
        with gr.Blocks(title="MedMPT Assistant", analytics_enabled=False, fill_width=True) as self.blocks:
            self._lay_out()
            self._connect()

    # Layout

    def _lay_out(self) -> None:
        with gr.Row(elem_id="top"):
            self.header = gr.HTML(header_html("en"), elem_id="header")
            self.language = gr.Radio(list(LANGUAGES), value="English", label="Language / 语言", elem_id="language", container=False)
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="case-column", min_width=240):
                self._lay_out_case()
            with gr.Column(elem_id="chat-column", min_width=300):
                self._lay_out_chat()
            with gr.Column(elem_id="viewer-column", min_width=300):
                self.viewer_title = gr.HTML(heading("viewer", "en"), elem_id="viewer-title")
                gr.HTML('<div id="viewer"></div>', elem_id="viewer-host")
        self.footer = gr.HTML(footer_html("en"), elem_id="page-footer")

    def _lay_out_case(self) -> None:
        self.case_title = gr.HTML(heading("case", "en"), elem_id="case-title")
        self.demos = gr.Radio(self._demo_choices("en"), label=text("demo_cases", "en"), elem_id="demo-cases", interactive=False)
        self.lessons = gr.Radio(
            self._lesson_choices("en"),
            label=text("teaching_cases", "en"),
            elem_id="teaching-cases",
            interactive=False,
            visible=bool(self._lessons),
        )
        self.upload = gr.UploadButton(text("upload", "en"), file_count="multiple", elem_id="upload", size="sm", interactive=False)
        self.upload_hint = gr.HTML(hint_html("en"), elem_id="upload-hint")
        self.card = gr.HTML(card_html(None, "en"), elem_id="case-card")

    def _lay_out_chat(self) -> None:
        with gr.Row(elem_id="chat-head"):
            self.chat_title = gr.HTML(heading("chat", "en"), elem_id="chat-title")
            self.new = gr.Button(text("new", "en"), size="sm", elem_id="new-conversation")
        self.model = ModelPanel(self._assistant.models, self._session, self._local)
        gr.HTML('<div id="teaching"></div>', elem_id="teaching-host")
        self.chat = gr.Chatbot(
            elem_id="chat",
            label=text("chat", "en"),
            show_label=False,
            height="100%",
            buttons=[],
            sanitize_html=False,  # ui.page.render escapes everything from outside
            latex_delimiters=[],
            placeholder=welcome_html("en"),
            autoscroll=False,  # the script keeps the question in view
            feedback_options=None,
            layout="panel",
        )
        with gr.Row(elem_id="examples"):
            self.examples = [gr.Button(text(key, "en"), size="sm", elem_id=key.replace("_", "-"), interactive=False) for key in EXAMPLES]
        with gr.Row(elem_id="ask-row"):
            self.question = gr.Textbox(
                show_label=False,
                label=text("placeholder", "en"),
                placeholder=text("placeholder", "en"),
                lines=1,
                max_lines=6,
                elem_id="question",
                autofocus=True,
            )
            self.send = gr.Button(text("send", "en"), variant="primary", elem_id="send", min_width=72, scale=0, interactive=False)
            self.stop = gr.Button(text("stop", "en"), variant="stop", elem_id="stop", min_width=72, scale=0, interactive=False)
        self.notice = gr.HTML("", elem_id="notice")

    def _demo_choices(self, language: Language) -> list[tuple[str, str]]:
        return [(demo.title_zh if language == "zh" else demo.title_en, demo.id) for demo in self._demos]

    def _lesson_choices(self, language: Language) -> list[tuple[str, str]]:
        return [(case.title_zh if language == "zh" else case.title_en, case.id) for case in self._lessons]

    def _demo_of(self, session: Session) -> str | None:
        """The demo case that is open, for the picker."""
        return next((demo.id for demo in self._demos if demo.id == session.source), None)

    def _lesson_of(self, session: Session) -> str | None:
        """The teaching case that is open, for its picker."""
        return next((case.id for case in self._lessons if case.id == session.source), None)

    # Events

    def _connect(self) -> None:
        busy = {**NO_API, "show_progress": "full", "show_progress_on": self.card}
        self.blocks.load(
            self._on_load, outputs=[self.language, *self._language_outputs(), self.chat, self.demos, self.lessons], **busy
        ).then(None, self.language, js=SET_LANGUAGE, **NO_API).then(None, js=REFRESH_VIEWER, **NO_API)
        self.language.input(self._on_language, self.language, [*self._language_outputs(), self.chat, self.demos, self.lessons], **NO_API)
        self.language.input(None, self.language, js=SET_LANGUAGE, **NO_API)
        opened = [self.card, self.chat, self.notice]
        for picker, other in ((self.demos, self.lessons), (self.lessons, self.demos)):
            picker.input(None, js=CLEAR_VIEWER, **NO_API)
            picker.input(self._on_demo, picker, [*opened, other], **busy).then(None, js=REFRESH_VIEWER, **NO_API)
        self.upload.upload(None, js=CLEAR_VIEWER, **NO_API)
        uploaded = self.upload.upload(self._on_upload, self.upload, [*opened, self.upload, self.demos, self.lessons], **busy)
        uploaded.then(None, js=REFRESH_VIEWER, **NO_API)
        asked = [self.chat, self.question, self.send, self.stop, self.notice]
        asks = [trigger(self._on_ask, self.question, asked, **ASK) for trigger in (self.question.submit, self.send.click)]
        asks += [
            button.click(_label, button, self.question, queue=False, **NO_API).then(self._on_ask, self.question, asked, **ASK)
            for button in self.examples
        ]
        for ask in asks:
            ask.failure(self._on_failure, outputs=asked, **NO_API)
        self.stop.click(self._on_stop, queue=False, **NO_API)
        self.new.click(self._on_new, outputs=[self.chat, self.notice], **NO_API)
        self.model.connect(NO_API)

    def _session(self, request: gr.Request) -> Session:
        cookie = request.username
        if not SessionStore.well_formed(cookie):
            raise gr.Error(text("expired", "en") + " " + text("expired", "zh"))
        return self._sessions.get(str(cookie))

    def _on_load(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        problem = None
        if not session.thread and not restore(session, self._assistant, self._local):
            session.language = _preferred(request)
            self._new_thread(session)
            problem = self._open(session, self._first_case) if self._first_case else None
        launched = self._launched(session, request)
        name = "中文" if session.language == "zh" else "English"
        return [name, *self._in_language(session, launched or problem)]

    def _launched(self, session: Session, request: gr.Request) -> str | None:
        """Open the case that an electronic record sent this page to; the reason when it cannot be opened."""
        ticket = request.query_params.get("opened")
        if not ticket or self._take_ticket is None:
            return None
        place = self._take_ticket(ticket, session.folder)
        return self._open(session, place) if place is not None else None

    def _on_language(self, name: str, request: gr.Request) -> list[Any]:
        session = self._session(request)
        session.language = LANGUAGES[name]
        remember(session)
        return self._in_language(session)

    def _language_outputs(self) -> list[Any]:
        titles = [self.header, self.footer, self.case_title, self.chat_title, self.viewer_title, self.upload_hint]
        return [*titles, self.upload, self.card, self.question, self.send, self.stop, self.new, *self.examples, *self.model.outputs]

    def _in_language(self, session: Session, problem: str | None = None) -> list[Any]:
        language = session.language
        say = partial(text, language=language)
        titles = [header_html(language), footer_html(language), *(heading(key, language) for key in ("case", "chat", "viewer"))]
        return [
            *titles,
            hint_html(language),
            gr.update(label=say("upload"), interactive=True),
            card_html(session.case, language, problem),
            gr.update(placeholder=say("placeholder"), label=say("placeholder")),
            gr.update(value=say("send"), interactive=not session.running.locked()),
            *(gr.update(value=say(key)) for key in ("stop", "new")),
            *(gr.update(value=say(key), interactive=True) for key in EXAMPLES),
            *self.model.shown(session),
            gr.update(value=messages(session), placeholder=welcome_html(language)),
            gr.update(choices=self._demo_choices(language), value=self._demo_of(session), label=say("demo_cases"), interactive=True),
            gr.update(
                choices=self._lesson_choices(language), value=self._lesson_of(session), label=say("teaching_cases"), interactive=True
            ),
        ]

    def _open(self, session: Session, source: str | Path) -> str | None:
        """Open a case in the session with a fresh conversation; the reason when it cannot be opened (nothing changes then)."""
        with session.turn() as free:
            if not free:
                return text("busy", session.language)
            try:
                case = self._assistant.open_case(source, session=session.id)
            except ROOM_ERRORS as error:
                return str(error)
            session.case, session.source = case, source
            session.studies.clear()
            self._new_thread(session)
        return None

    def _new_thread(self, session: Session) -> None:
        session.thread = self._assistant.new_thread(session.id)
        session.turns.clear()
        remember(session)

    def _on_demo(self, demo: str, request: gr.Request) -> list[Any]:
        session = self._session(request)
        problem = self._open(session, demo)
        return [
            card_html(session.case, session.language, problem),
            messages(session),
            "",
            gr.update() if problem else gr.update(value=None),
        ]

    def _on_upload(self, paths: Sequence[str], request: gr.Request) -> list[Any]:
        session = self._session(request)
        problem = self._open(session, take(paths, session.folder))
        shown = [card_html(session.case, session.language, problem), messages(session), ""]
        picked = gr.update() if problem else gr.update(value=None)
        return [*shown, gr.update(value=None), picked, picked]

    def _on_stop(self, request: gr.Request) -> None:
        self._session(request).stop.set()

    def _on_new(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        with session.turn() as free:
            if free:
                self._new_thread(session)
                return [messages(session), ""]
        return [gr.update(), notice("busy", session.language)]

    def _on_ask(self, question: str, request: gr.Request) -> Iterator[list[Any]]:
        session = self._session(request)
        if self._stale(session, request):
            yield [gr.update(), question, gr.update(), gr.update(), notice("stale_page", session.language)]
            return
        if not question.strip():
            yield [gr.update(), question, gr.update(), gr.update(), notice("empty_question", session.language)]
            return
        with session.turn() as free:
            if not free:
                yield [gr.update(), question, gr.update(), gr.update(), notice("busy", session.language)]
                return
            turn = Turn(question.strip(), about=session.case.name if session.case is not None else None)
            session.turns.append(turn)
            yield [messages(session), "", gr.update(interactive=False), gr.update(interactive=True), ""]
            try:
                for _ in self._events(session, turn):
                    yield [messages(session), gr.update(), gr.update(), gr.update(), gr.update()]
            except ROOM_ERRORS as error:
                turn.error = text("failed", session.language, reason=str(error))
            finally:
                session.stop.set()
            failed = turn.error is not None
            back: Any = question if failed else gr.update()
            yield [messages(session), back, gr.update(interactive=True), gr.update(interactive=False), ""]

    @staticmethod
    def _stale(session: Session, request: gr.Request) -> bool:
        """Whether the page that asks shows another case than the one that is open here."""
        shown = request.headers.get("x-medmpt-case")
        return shown is not None and (session.case is None or session.case.handle != shown)

    def _on_failure(self, request: gr.Request) -> list[Any]:
        """A bug has risen inside a turn: say so, give the question back, and make the page usable again."""
        session = self._session(request)
        turn = session.turns[-1] if session.turns else None
        if turn is not None and turn.answer is None:
            turn.error = text("failed", session.language, reason=text("internal", session.language))
        question = turn.question if turn is not None else ""
        return [messages(session), question, gr.update(interactive=True), gr.update(interactive=False), ""]

    def _events(self, session: Session, turn: Turn) -> Iterator[None]:
        """Run the turn and keep its record; yields after each event."""
        case = session.case.handle if session.case is not None else None
        asked = self._assistant.ask(turn.question, thread=session.thread, case=case, session=session.id, stop=session.stop, llm=session.llm)
        for event in asked:
            match event:
                case StepStarted() | StepFinished():
                    turn.steps[event.call_id] = event
                case Sentence():
                    turn.sentences.append((event.claim.text, event.claim.evidence, event.claim.support))
                case Done():
                    turn.answer = event.answer
            yield
        turn.stopped = session.stop.is_set()


def messages(session: Session) -> list[dict[str, str]]:
    """The conversation as the chat component takes it."""
    shown = []
    for turn in session.turns:
        shown.append({"role": "user", "content": question_html(turn)})
        shown.append({"role": "assistant", "content": turn_html(turn, session.language)})
    return shown


def _label(label: str) -> str:
    return label


def _preferred(request: gr.Request) -> Language:
    accepted = str(request.headers.get("accept-language", "")).lower()
    return "zh" if accepted.startswith("zh") else "en"
