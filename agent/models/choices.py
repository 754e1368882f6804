"""The chat models of an assistant: which may be chosen, a quick trial, and the graph with each.

A model that the settings name (`MEDMPT_LLM`, `MEDMPT_LLM_CHOICES`) was chosen by whoever runs the server. A model that is typed into the
page makes the server connect to an address of the visitor's choice, or read a folder of it: that is for the owner of the computer, not for
visitors, and no key is ever sent there.
"""

import hashlib
import re
import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import urlsplit

from langchain_core.language_models import BaseChatModel
from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.errors import BadInput, Forbidden
from agent.models.factory import make_model, shown_name
from agent.parts import Parts
from agent.sessions.views import ModelChoice, ModelTrial, TrialStep
from agent.settings import Settings
from agent.turn.graph import Graph, build_graph

PLANNER = "planner"
_TYPED = re.compile(r"(?:openai|vllm):[^@\s]+@(?P<url>https?://\S+)|transformers:\S.*")
_LONGEST = 300
# A model in this process holds its weights as long as its graph is kept.
_KEPT_GRAPHS = 4


class Models:
    """The models of the settings, and those that were typed where that is allowed."""

    def __init__(self, settings: Settings, parts: Parts, saver: BaseCheckpointSaver[Any]) -> None:
        """The planner can always be chosen."""
        self._settings, self._parts, self._saver = settings, parts, saver
        self._specs = {_id(spec): spec for spec in dict.fromkeys((settings.llm, *settings.llm_choices, PLANNER))}
        self._graphs: OrderedDict[str, Graph] = OrderedDict()
        self._lock = threading.Lock()

    def listed(self) -> tuple[ModelChoice, ...]:
        """Models of the settings; the default is the first."""
        return tuple(ModelChoice(id=key, name=shown_name(spec)) for key, spec in self._specs.items())

    def may_type(self, local: bool) -> bool:
        """Whether the page takes other models: where it is served on loopback (`local`) and the settings list no choices."""
        return local and not self._settings.llm_choices

    def spec_of(self, wanted: str | None, local: bool) -> str:
        """The specification of a listed model's id, or of what was typed; None is the default.

        Raises:
            Forbidden: Typed where only listed models may be used.
            BadInput: Not understood, or a folder without a model.
        """
        if wanted is None:
            return self._settings.llm
        spec = self._specs.get(wanted, wanted.strip())
        if wanted in self._specs or spec == PLANNER:
            return spec
        if not self.may_type(local):
            raise Forbidden("this server offers only the models that its settings list (MEDMPT_LLM_CHOICES)")
        typed = _TYPED.fullmatch(spec) if len(spec) <= _LONGEST else None
        if typed is None:
            raise BadInput("not understood: give vllm:MODEL@URL, openai:MODEL@URL, transformers:PATH or planner")
        if typed["url"] and _has_secret(typed["url"]):
            raise BadInput("an address with a user name, password or query is not taken here: keys come only from the server's environment")
        self._made(spec)
        return spec

    def trial(self, spec: str) -> ModelTrial:
        """Try a model for a few seconds: does it answer, call a tool, hand in an answer.

        Raises:
            BadInput, Unavailable: There is no such model to try.
        """
        from agent.evaluation.qualify import QUICK, offered, qualify

        model = self._made(spec)
        if not offered(model):
            return ModelTrial(name=spec, ok=True)
        probes = qualify(model, self._parts.tools(), self._settings.llm_seconds, only=QUICK)
        steps = tuple(TrialStep(name=p.name, ok=p.ok, detail=p.detail) for p in probes)
        return ModelTrial(name=shown_name(spec), ok=all(s.ok for s in steps), steps=steps, seconds=round(sum(p.seconds for p in probes), 2))

    def graph(self, spec: str) -> Graph:
        """The graph with the chat model of `spec`; the few that were used last are kept."""
        with self._lock:
            graph = self._graphs.pop(spec, None)
            if graph is None:
                seconds, room = self._settings.llm_seconds, self._settings.llm_context // 2
                graph = build_graph(self._made(spec), self._parts.tools(), self._saver, shown_name(spec), seconds, room)
            self._graphs[spec] = graph
            while len(self._graphs) > _KEPT_GRAPHS:
                self._graphs.popitem(last=False)
            return graph

    def _made(self, spec: str) -> BaseChatModel:
        """A server that the settings do not name is sent no key."""
        named = spec in self._specs.values()
        return make_model(spec, self._settings.llm_seconds, None if named else {})


def _has_secret(url: str) -> bool:
    place = urlsplit(url)
    return "@" in place.netloc or bool(place.query or place.fragment)


def _id(spec: str) -> str:
    return f"m-{hashlib.sha256(spec.encode()).hexdigest()[:12]}"
