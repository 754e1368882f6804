"""Requests and replies of the OpenAI-compatible endpoint, as far as they are served, and the documented extra field `medmpt`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from agent.answering.answer import Answer
from tools.evidence import Language

MODEL = "medmpt"


class Part(BaseModel):
    """One part of a message; only text is read."""

    model_config = ConfigDict(extra="allow")

    type: str
    text: str = ""


class Message(BaseModel):
    """One message of the client's history."""

    model_config = ConfigDict(extra="allow")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def words(self) -> str:
        """Its text."""
        if isinstance(self.content, list):
            return "\n".join(p.text for p in self.content if p.type in ("text", "input_text"))
        return self.content or ""


class Asked(BaseModel):
    """The extra field of a request: what OpenAI's own fields cannot say.

    Attributes:
        case: A case that this server offers; the model name `medmpt@CASE` says the same.
        language: Of the answer; None takes the question's.
    """

    model_config = ConfigDict(extra="forbid")

    case: str | None = None
    language: Language | None = None


class StreamOptions(BaseModel):
    """`include_usage` asks for a last chunk with the tokens."""

    model_config = ConfigDict(extra="allow")

    include_usage: bool = False


class Request(BaseModel):
    """`POST /v1/chat/completions`; fields that change nothing here are named in the reply's warnings."""

    model_config = ConfigDict(extra="allow")

    model: str = MODEL
    messages: list[Message] = Field(min_length=1, max_length=400)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = None
    user: str | None = Field(default=None, max_length=200)
    medmpt: Asked = Asked()

    def ignored(self) -> list[str]:
        """Fields that were sent and change nothing."""
        known = {"metadata", "store"}
        return sorted(k for k, v in (self.model_extra or {}).items() if v not in (None, [], {}) and k not in known)


class ModelEntry(BaseModel):
    """One line of `GET /v1/models`."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "medmpt"
    description: str = ""


class ModelList(BaseModel):
    """`GET /v1/models`."""

    object: Literal["list"] = "list"
    data: list[ModelEntry]


def extra_of(answer: Answer, warnings: list[str]) -> dict[str, JsonValue]:
    """The extra field of a reply: the whole `medmpt ask` object but its text, which is the message."""
    record: dict[str, Any] = answer.model_dump(mode="json", exclude={"answer", "id"})
    record["warnings"] = [*record["warnings"], *warnings]
    return record


def usage_of(answer: Answer) -> dict[str, int]:
    """Tokens that a language model has used for the turn; the planner uses none."""
    return {"prompt_tokens": 0, "completion_tokens": answer.tokens, "total_tokens": answer.tokens}
