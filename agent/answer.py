"""What the agent gives to the page and to programs: `Answer` (the `medmpt ask` object) and the stream of `Event`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from tools.evidence import Evidence, Language, Status, ToolName

AnswerStatus = Literal["answered", "partial", "refused", "error"]
Support = Literal["quoted", "calculated", "measured", "verified", "inferred"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Claim(_Model):
    """One sentence of an answer with the evidence that carries it."""

    text: str
    evidence: tuple[str, ...]
    support: Support


class Removed(_Model):
    """A sentence that was taken out, and why."""

    text: str
    because: str


class ToolCall(_Model):
    """One tool step as it happened."""

    name: ToolName
    args: dict[str, JsonValue] = Field(default_factory=dict)
    status: Status
    seconds: float


class Answer(_Model):
    """A verified answer; `answer` is its claims in order, with numbered citations `[1]` into `evidence`."""

    schema_version: Literal[1] = 1
    status: AnswerStatus
    reason: str | None = None
    id: str | None = None
    question: str
    language: Language
    answer: str
    claims: tuple[Claim, ...] = ()
    removed: tuple[Removed, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    emergencies: tuple[str, ...] = ()
    model: str
    thread: str
    warnings: tuple[str, ...] = ()
    tokens: int = 0
    seconds: float = 0.0


class StepStarted(_Model):
    """A tool began to run."""

    type: Literal["step_started"] = "step_started"
    call_id: str
    name: ToolName
    args: dict[str, JsonValue] = Field(default_factory=dict)


class StepFinished(_Model):
    """A tool ended; `summary` is one line for the person."""

    type: Literal["step_finished"] = "step_finished"
    call_id: str
    name: ToolName
    status: Status
    summary: str
    seconds: float


class Sentence(_Model):
    """A verified sentence, streamed in order after the steps."""

    type: Literal["sentence"] = "sentence"
    claim: Claim


class Done(_Model):
    """The end of a turn."""

    type: Literal["done"] = "done"
    answer: Answer


Event = StepStarted | StepFinished | Sentence | Done
