"""One call of a language model within a turn: counted, bounded, sent again shorter where it was too long.

Imported only where a language model is used: the planner needs none of it.
"""

from collections.abc import Sequence
from typing import Any

from langchain.agents.middleware import ModelCallLimitMiddleware
from langchain.agents.middleware.model_call_limit import ModelCallLimitExceededError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, SystemMessage
from langgraph.runtime import Runtime

from agent.models.calling import ContextOverflow, ModelFailed, call
from agent.models.shortening import sendable
from agent.safety.outgoing import sent
from agent.turn.state import ThreadState, TurnContext

# A model that has no answer after so many calls in a turn is stopped and the planner finishes.
MAX_MODEL_CALLS = 8


class Asking:
    """A model with the tools it is offered and its limits."""

    def __init__(self, model: BaseChatModel, offered: Sequence[Any], seconds: float, room: int) -> None:
        """`seconds` bound one call, `room` the tokens of the conversation that is sent with it."""
        self._model, self._offered, self._seconds, self._room = model, offered, seconds, room
        self._limit: ModelCallLimitMiddleware[Any, Any] = ModelCallLimitMiddleware(run_limit=MAX_MODEL_CALLS, exit_behavior="error")

    def ask(self, state: ThreadState, prompt: SystemMessage, runtime: Runtime[TurnContext]) -> tuple[AIMessage, dict[str, int]]:
        """The model's message, and what the turn has cost with it (entries of the state).

        Raises:
            ModelFailed: No usable answer, or too many calls in this turn.
            Stopped: The person pressed stop.
        """
        counted: Any = state
        try:
            self._limit.before_model(counted, runtime)
        except ModelCallLimitExceededError as over:
            raise ModelFailed(f"{MAX_MODEL_CALLS} calls without an answer") from over
        message = self._fitting(state, prompt, runtime.context)
        spent = message.usage_metadata["total_tokens"] if message.usage_metadata else 0
        return message, {"tokens": state["tokens"] + spent, **(self._limit.after_model(counted, runtime) or {})}

    def plain(self, messages: Sequence[AnyMessage], context: TurnContext) -> AIMessage:
        """One more call without tools: another draft, or a second reading.

        Raises:
            ModelFailed: No usable answer.
            Stopped: The person pressed stop.
        """
        return call(self._model, (), sent(messages, context.case, context.free_text), context.stop, self._seconds)

    def _fitting(self, state: ThreadState, prompt: SystemMessage, context: TurnContext) -> AIMessage:
        overflow: ContextOverflow | None = None
        for messages in sendable(self._model, state["messages"], self._room):
            try:
                outgoing = sent([prompt, *messages], context.case, context.free_text)
                return call(self._model, self._offered, outgoing, context.stop, self._seconds)
            except ContextOverflow as too_long:
                overflow = too_long
        assert overflow is not None
        raise overflow
