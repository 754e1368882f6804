"""The settings panel of the chat model: which one answers, choose another, try it.

What is chosen lives in the session of one browser. The browser is sent names and opaque ids of listed models, never an address with a
password or a path; keys can be neither entered nor seen.
"""

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import gradio as gr

from agent.sessions.views import ModelTrial
from tools.evidence import Language
from ui.door import Models
from ui.i18n import html, named_or_same, text
from ui.page.marks import lines
from ui.page.render import model_name
from ui.restore import ROOM_ERRORS, remember
from ui.session import Session

OWN = "own"
EXAMPLE = "vllm:MODEL@http://127.0.0.1:8000/v1"
# A trial takes a worker for seconds: visitors wait for each other rather than fill the server.
TRIALS: dict[str, Any] = {"concurrency_limit": 2, "concurrency_id": "model-trial"}


class ModelPanel:
    """Widgets and handlers; like the page it holds no session's state."""

    def __init__(self, models: Models, session_of: Callable[[gr.Request], Session], local: bool) -> None:
        """Lay the panel out in the block that is open."""
        self._models, self._session_of, self._local = models, session_of, local
        self._typing = models.may_type(local)
        with gr.Column(elem_id="model-panel"):
            # The page's script opens and closes the body. Gradio's accordion draws its contents when it is opened and, some frames later,
            # sets every value back to the one that it had: what a person has chosen meanwhile is lost.
            self.toggle = gr.Button(text("model", "en", name=self._name(None, "en")), size="sm", elem_id="model-toggle")
            with gr.Column(elem_id="model-body"):
                self._lay_out_body()
        self.outputs: list[Any] = [self.toggle, self.pick, self.spec, self.use, self.test, self.status, self.hint]

    def _lay_out_body(self) -> None:
        self.pick = gr.Radio(self._choices("en"), label=text("model_pick", "en"), elem_id="model-pick", interactive=False)
        self.spec = gr.Textbox(
            label=text("model_spec", "en"), placeholder=EXAMPLE, max_lines=1, elem_id="model-spec", visible=False, max_length=300
        )
        with gr.Row(elem_id="model-buttons"):
            self.use = gr.Button(text("model_use", "en"), size="sm", elem_id="model-use", visible=False)
            self.test = gr.Button(text("model_test", "en"), size="sm", elem_id="model-test")
        self.status = gr.HTML("", elem_id="model-status")
        self.hint = gr.HTML(self._hint("en"), elem_id="model-hint")

    def connect(self, quiet: dict[str, Any]) -> None:
        """Bind the handlers; `quiet` are the options that all events of the page share."""
        changed = [self.toggle, self.spec, self.use, self.status]
        self.pick.input(self._on_pick, self.pick, changed, **quiet)
        for trigger in (self.use.click, self.spec.submit):
            trigger(self._on_use, self.spec, changed, **quiet)
        self.test.click(self._on_test, [self.pick, self.spec], [self.status, self.test], **quiet, **TRIALS)

    def shown(self, session: Session) -> list[Any]:
        """Values of `outputs` for a session."""
        language = session.language
        own = self._typing and session.llm_choice is not None and session.llm_choice not in self._ids()
        picked = OWN if own else session.llm_choice or self._models.listed()[0].id
        return [
            self._title(session),
            gr.update(choices=self._choices(language), value=picked, label=text("model_pick", language), interactive=True),
            gr.update(value=session.llm_choice if own else "", label=text("model_spec", language), visible=own),
            gr.update(value=text("model_use", language), visible=own),
            gr.update(value=text("model_test", language)),
            "",
            self._hint(language),
        ]

    def _ids(self) -> list[str]:
        return [choice.id for choice in self._models.listed()]

    def _choices(self, language: Language) -> list[tuple[str, str]]:
        listed = [(model_name(choice.name, language), choice.id) for choice in self._models.listed()]
        return [*listed, (text("model_own", language), OWN)] if self._typing else listed

    def _title(self, session: Session) -> Any:
        return gr.update(value=text("model", session.language, name=self._name(session.llm_choice, session.language)))

    def _name(self, choice: str | None, language: Language) -> str:
        """Name of a chosen model: a listed one's is safe to show, a typed one's is what its person typed."""
        listed = self._models.listed()
        found = next((c.name for c in listed if c.id == choice), listed[0].name if choice is None else choice)
        return model_name(found, language)

    def _hint(self, language: Language) -> str:
        more = text("model_typed" if self._typing else "model_listed", language)
        return f'<p class="note">{html("model_hint", language)} {escape(more)}</p>'

    def _on_pick(self, picked: str, request: gr.Request) -> list[Any]:
        session = self._session_of(request)
        if picked == OWN and self._typing:
            return [gr.update(), gr.update(visible=True), gr.update(visible=True), ""]
        return self._choose(session, picked, own=False)

    def _on_use(self, typed: str, request: gr.Request) -> list[Any]:
        return self._choose(self._session_of(request), typed.strip(), own=True)

    def _choose(self, session: Session, choice: str, own: bool) -> list[Any]:
        """Take a choice over into the session, or say why not; nothing changes then."""
        language = session.language
        row = [gr.update(visible=own), gr.update(visible=own)]
        try:
            spec = self._models.spec_of(choice, self._local)
        except ROOM_ERRORS as error:
            return [
                self._title(session),
                *row,
                _failure(_refused(error, language)),
            ]
        session.llm, session.llm_choice = spec, choice
        remember(session)
        return [self._title(session), *row, _said(text("model_now", language, name=self._name(choice, language)))]

    def _on_test(self, picked: str | None, typed: str, request: gr.Request) -> Iterator[list[Any]]:
        """Try what is picked or typed, whether or not it is in use."""
        session = self._session_of(request)
        language = session.language
        choice = typed.strip() if picked == OWN else picked
        try:
            spec = self._models.spec_of(choice, self._local)
            yield [_said(text("model_testing", language, name=self._name(choice, language))), gr.update(interactive=False)]
            yield [trial_html(self._models.trial(spec), language), gr.update(interactive=True)]
        except ROOM_ERRORS as error:
            yield [
                _failure(_refused(error, language)),
                gr.update(interactive=True),
            ]


def trial_html(trial: ModelTrial, language: Language) -> str:
    """The outcome of a trial."""
    if not trial.steps:
        return _said(text("model_planner_ok", language))
    first = trial.steps[0]
    if not first.ok:
        return _failure(text("model_dead", language, name=trial.name, reason=named_or_same("reason", first.detail, language)))
    head = text("model_works" if trial.ok else "model_partly", language, name=trial.name, seconds=f"{trial.seconds:.1f}")
    rows = "".join(
        f"<li>{'✓' if step.ok else '✗'} {html(f'trial_{step.name}', language)}{'' if step.ok else ': ' + escape(step.detail)}</li>"
        for step in trial.steps
    )
    return f'<div class="trial" role="status"><p>{escape(head)}</p><ul>{rows}</ul></div>'


def _said(words: str) -> str:
    return f'<p role="status">{escape(words)}</p>'


def _failure(words: str) -> str:
    return f'<div class="box failure" role="alert"><p>{lines(words)}</p></div>'


def _refused(error: Exception, language: Language) -> str:
    return text("model_refused", language, reason=named_or_same("reason", str(error), language))
