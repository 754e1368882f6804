"""The widgets of the page and what happens when they are used."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from retrieval.messages.patterns import patterns
from tools.evidence import Language
from ui.chart.bar import bar_html
from ui.door import Assistant
from ui.i18n import text
from ui.opening.switch import new_thread, open_source
from ui.page.chrome import footer_html, header_html, notice, starters_html, tabs_html, talk_head_html, welcome_html
from ui.page.model_panel import ModelPanel
from ui.page.turns import asked, fallen, messages, refused
from ui.restore import moved, remember, restore
from ui.session import Session, SessionStore

REFRESH = "() => window.medmpt && window.medmpt.refresh()"
LANGUAGES = patterns("ui.page").table("languages")
_NAMES = {code: name for name, code in LANGUAGES.items()}
SET_LANGUAGE = f"(name) => {{ window.medmpt && window.medmpt.language(name === '{_NAMES['zh']}' ? 'zh' : 'en'); }}"
NO_API: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
ASK: dict[str, Any] = {**NO_API, "concurrency_limit": 4, "concurrency_id": "ask"}


class Page:
    """Layout and handlers; one instance serves all sessions and holds none of their state.

    Tabs, the dialog that opens a case and the panels beside the conversation are drawn by the page's script out of the server's routes;
    Gradio keeps the conversation, the question box and their queue.
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
        with gr.Blocks(title="MedMPT Assistant", analytics_enabled=False, fill_width=True) as self.blocks:
            self._lay_out()
            self._connect()

    # Layout

    def _lay_out(self) -> None:
        with gr.Row(elem_id="top"):
            self.header = _plain(header_html("en"), elem_id="header")
            self.language = gr.Radio(
                list(LANGUAGES), value=_NAMES["en"], label=patterns("ui.page").text("language"), elem_id="language", container=False
            )
        self.bar = _plain(bar_html(None, None, "en"), elem_id="patient-bar")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="talk-column", min_width=300):
                self.talk_tabs = _plain(tabs_html("talk", "en"), elem_id="talk-tabs")
                with gr.Column(elem_id="panel-chat"):
                    self._lay_out_chat()
                for name in ("report", "summary"):
                    _plain(f'<div id="{name}-host"></div>', elem_id=f"panel-{name}")
                _plain('<div id="teaching"></div>', elem_id="panel-teach")
            with gr.Column(elem_id="work-column", min_width=300):
                self.work_tabs = _plain(tabs_html("work", "en"), elem_id="work-tabs")
                _plain('<div id="viewer"></div>', elem_id="panel-ct")
                for name in ("labs", "drugs", "timeline", "evidence"):
                    _plain(f'<div id="{name}-host" class="host"></div>', elem_id=f"panel-{name}")
                with gr.Column(elem_id="panel-settings"):
                    self.model = ModelPanel(self._assistant.models, self._session, self._local)
                    _plain('<div id="settings-host" class="host"></div>')
        self.phone_tabs = _plain(tabs_html("phone", "en"), elem_id="phone-tabs")
        self.footer = _plain(footer_html("en"), elem_id="page-footer")
        # The script presses it after a case or a conversation was changed through a route.
        self.sync = gr.Button("sync", elem_id="sync")

    def _lay_out_chat(self) -> None:
        with gr.Row(elem_id="chat-head"):
            self.talk_head = _plain(talk_head_html("en"), elem_id="talk-head")
            self.new = gr.Button(text("new", "en"), size="sm", elem_id="new-conversation")
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
        self.starters = _plain(starters_html("en", with_case=False), elem_id="starters")
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
        self.notice = _plain("", elem_id="notice")

    # Events

    def _connect(self) -> None:
        shown = [*self._language_outputs(), self.chat, self.notice]
        busy = {**NO_API, "show_progress": "full", "show_progress_on": self.bar}
        self.blocks.load(self._on_load, outputs=[self.language, *shown], **busy).then(None, self.language, js=SET_LANGUAGE, **NO_API).then(
            None, js=REFRESH, **NO_API
        )
        self.sync.click(self._on_sync, outputs=shown, **NO_API).then(None, js=REFRESH, **NO_API)
        self.language.input(self._on_language, self.language, shown, **NO_API).then(None, self.language, js=SET_LANGUAGE, **NO_API)
        outputs = [self.chat, self.question, self.send, self.stop, self.notice]
        for trigger in (self.question.submit, self.send.click):
            trigger(self._on_ask, self.question, outputs, **ASK).failure(self._on_failure, outputs=outputs, **NO_API)
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
        stale = bool(session.thread) and moved(session)
        if (stale or not session.thread) and not restore(session, self._assistant, self._local):
            session.language = _preferred(request)
            new_thread(self._assistant, session)
            if self._first_case:
                session.problem = open_source(self._assistant, session, self._first_case)
        self._launch(session, request)
        return [_NAMES[session.language], *self._in_language(session)]

    def _launch(self, session: Session, request: gr.Request) -> None:
        """Open the case that an electronic record sent this page to."""
        ticket = request.query_params.get("opened")
        place = self._take_ticket(ticket, session.folder) if ticket and self._take_ticket is not None else None
        if place is not None:
            session.problem = open_source(self._assistant, session, place)

    def _on_sync(self, request: gr.Request) -> list[Any]:
        return self._in_language(self._session(request))

    def _on_language(self, name: str, request: gr.Request) -> list[Any]:
        session = self._session(request)
        session.language = "zh" if LANGUAGES[name] == "zh" else "en"
        remember(session)
        return self._in_language(session)

    def _language_outputs(self) -> list[Any]:
        tabs = [self.talk_tabs, self.work_tabs, self.phone_tabs, self.talk_head]
        return [
            self.header,
            self.footer,
            self.bar,
            *tabs,
            self.starters,
            self.question,
            self.send,
            self.stop,
            self.new,
            *self.model.outputs,
        ]

    def _in_language(self, session: Session) -> list[Any]:
        language = session.language
        say = partial(text, language=language)
        problem, session.problem = session.problem, None
        bar = self._bar(session, problem)
        return [
            header_html(language),
            footer_html(language),
            bar,
            *(tabs_html(group, language) for group in ("talk", "work", "phone")),
            talk_head_html(language),
            starters_html(
                language, with_case=session.case is not None, with_images=session.case is not None and bool(session.case.studies)
            ),
            gr.update(placeholder=say("placeholder"), label=say("placeholder")),
            gr.update(value=say("send"), interactive=not session.running.locked()),
            *(gr.update(value=say(key)) for key in ("stop", "new")),
            *self.model.shown(session),
            gr.update(value=messages(session, self._known(session)), placeholder=welcome_html(language)),
            "",
        ]

    def _bar(self, session: Session, problem: str | None) -> str:
        if session.case is None:
            return bar_html(None, None, session.language, problem)
        chart = self._assistant.chart(session.case.handle, session.id)
        return bar_html(session.case.handle, chart.bar(session.language), session.language, problem)

    def _known(self, session: Session) -> tuple[str, ...]:
        """What the patient bar calls urgent: an answer does not say it a second time."""
        if session.case is None:
            return ()
        chart = self._assistant.chart(session.case.handle, session.id)
        return (*chart.bar("en").emergencies, *chart.bar("zh").emergencies)

    def _on_stop(self, request: gr.Request) -> None:
        self._session(request).stop.set()

    def _on_new(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        with session.turn() as free:
            if free:
                new_thread(self._assistant, session)
                return [messages(session), ""]
        return [gr.update(), notice("busy", session.language)]

    def _on_ask(self, question: str, request: gr.Request) -> Iterator[list[Any]]:
        session = self._session(request)
        if self._stale(session, request):
            yield refused(question, "stale_page", session)
        elif not question.strip():
            yield refused(question, "empty_question", session)
        else:
            yield from asked(self._assistant, session, question, self._known(session))

    @staticmethod
    def _stale(session: Session, request: gr.Request) -> bool:
        """Whether the page that asks shows another case than the one that is open here."""
        shown = request.headers.get("x-medmpt-case")
        return shown is not None and (session.case is None or session.case.handle != shown)

    def _on_failure(self, request: gr.Request) -> list[Any]:
        session = self._session(request)
        return fallen(session, self._known(session))


def _plain(value: str, elem_id: str | None = None) -> gr.HTML:
    """HTML that only our own style sheets dress."""
    return gr.HTML(value, elem_id=elem_id, apply_default_css=False)


def _preferred(request: gr.Request) -> Language:
    accepted = str(request.headers.get("accept-language", "")).lower()
    return "zh" if accepted.startswith("zh") else "en"
