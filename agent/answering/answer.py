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


class ReportSentence(_Model):
    """One sentence of a report draft that passed the check, with where it comes from."""

    text: str
    origin: Literal["measured", "model", "metadata", "template"]
    evidence: str


class ReportSection(_Model):
    """One section of a report draft: `technique`, `comparison`, `measurements`, `findings`, `impression`, `recommendation` or `limits`."""

    name: str
    sentences: tuple[ReportSentence, ...]


class DrugWarning(_Model):
    """What speaks against a drug in this patient."""

    text: str
    severity: str
    evidence: str


class DrugRow(_Model):
    """One candidate of a drug ranking; `because` holds why a rejected one was rejected."""

    name: str
    line: str
    score: float
    dose: str = ""
    because: str | None = None
    model_score: float | None = None
    model_rank: int | None = None
    warnings: tuple[DrugWarning, ...] = ()


class Sections(_Model):
    """The answer's text by part; `evidence` also holds what the answer had no room for."""

    headline: str = ""
    patient: str = ""
    evidence: str = ""
    missing: str = ""


class Answer(_Model):
    """A verified answer; `answer` is its claims in order, with numbered citations `[1]` into `evidence`.

    `sections` is the same text by part, and what the answer had no room for; `unanswered` are the parts of the question left open and
    `followups` questions that the evidence would answer next.

    `patient` says in a few words whom it is about; None without a case.
    `report` shows the claims of a drafted report by section, `withheld` what the detectors contradicted; `drugs` is a ranking with what
    speaks against each drug beside it. Neither holds a sentence that is not also a claim or a statement of the drug graph.
    """

    schema_version: Literal[1] = 1
    status: AnswerStatus
    reason: str | None = None
    id: str | None = None
    question: str
    patient: str | None = None
    language: Language
    answer: str
    claims: tuple[Claim, ...] = ()
    removed: tuple[Removed, ...] = ()
    missing: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    emergencies: tuple[str, ...] = ()
    sections: Sections = Sections()
    unanswered: tuple[str, ...] = ()
    followups: tuple[str, ...] = ()
    model: str
    thread: str
    warnings: tuple[str, ...] = ()
    report: tuple[ReportSection, ...] = ()
    withheld: tuple[Removed, ...] = ()
    drugs: tuple[DrugRow, ...] = ()
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
