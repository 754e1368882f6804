"""What may be cited in a thread: every `Evidence` that its tools returned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage

from tools.evidence import Evidence, ToolResult


@dataclass(frozen=True)
class ToolStep:
    """One finished tool call with its typed result."""

    call_id: str
    args: dict[str, Any]
    seconds: float
    result: ToolResult


@dataclass(frozen=True)
class Ledger:
    """Evidence by key, newest reading of a key last; `steps` are the tool steps of the present turn."""

    evidence: dict[str, Evidence] = field(default_factory=dict)
    steps: tuple[ToolStep, ...] = ()

    def get(self, key: str) -> Evidence | None:
        """Evidence of `key`, None when no tool returned it."""
        return self.evidence.get(key)


def results_of(messages: Iterable[AnyMessage]) -> list[ToolStep]:
    """Typed results of the tool messages; artifacts come back from a checkpointer as dicts and are validated here."""
    steps = []
    for message in messages:
        if isinstance(message, ToolMessage) and isinstance(message.artifact, dict):
            extra = message.additional_kwargs
            steps.append(
                ToolStep(
                    call_id=message.tool_call_id,
                    args=dict(extra.get("args", {})),
                    seconds=float(extra.get("seconds", 0.0)),
                    result=ToolResult.model_validate(message.artifact),
                )
            )
    return steps


def this_turn(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """Messages from the last question on; an objection is not a question."""
    for i in range(len(messages) - 1, -1, -1):
        if isinstance(messages[i], HumanMessage) and not is_aside(messages[i]):
            return list(messages[i:])
    return list(messages)


def before_last(messages: Sequence[AnyMessage], turns: int) -> list[AnyMessage]:
    """Messages that stand before the last `turns` questions."""
    asked = [i for i, m in enumerate(messages) if isinstance(m, HumanMessage) and not is_aside(m)]
    return list(messages[: asked[-turns]]) if len(asked) > turns else []


def is_aside(message: AnyMessage) -> bool:
    """Whether the graph (and not the person) wrote this human message."""
    return bool(message.additional_kwargs.get("aside"))


def read_ledger(messages: Sequence[AnyMessage]) -> Ledger:
    """Ledger of a thread."""
    evidence: dict[str, Evidence] = {}
    for step in results_of(messages):
        for item in step.result.evidence:
            evidence[item.key] = item
    return Ledger(evidence=evidence, steps=tuple(results_of(this_turn(messages))))
