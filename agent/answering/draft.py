"""What a chat model hands in as its answer, before verification: `Draft`.

A model may call the `give_answer` tool (structured) or write prose whose sentences end in evidence keys (`... [G-03f524][L-urea]`).
Both become a `Draft` here; both go through the same `verify`.
"""

import json
import re
from typing import Literal

from langchain_core.messages import AIMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from retrieval.guidelines.sentences import split_sentences as sentences_of

ANSWER_TOOL = "give_answer"
NOTICES = ("greeting", "out_of_scope", "identifiers", "no_case", "no_evidence", "thanks", "which_one", "declined")
Notice = Literal["greeting", "out_of_scope", "identifiers", "no_case", "no_evidence", "thanks", "which_one", "declined"]
# Where a sentence of the answer stands; `more` is verified and folded away for want of room.
Part = Literal["headline", "patient", "evidence", "more"]

_KEYS = re.compile(r"\s*((?:\[[A-Z]{1,2}-[^\[\]\s]+(?:\s*[,;]\s*[A-Z]{1,2}-[^\[\]\s,;]+)*\]\s*)+)([.。!！?？;；]?)")
_ONE_KEY = re.compile(r"[A-Z]{1,2}-[^\[\]\s,;]+")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s+|^#+\s*|\*\*")


class DraftSentence(BaseModel):
    """One sentence and the keys of the evidence that carries it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(description="One sentence, without citation keys; empty where the cited records are to speak for themselves.")
    evidence: tuple[str, ...] = Field(default=(), description="Keys of tool results that support the sentence, for example L-urea.")
    part: Part | None = None


class Draft(BaseModel):
    """An answer before verification; `notice` replaces sentences where there is nothing to claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentences: tuple[DraftSentence, ...] = Field(default=(), description="The answer, direct statement first.")
    notice: Notice | None = Field(default=None, description="Set when the question cannot be answered from evidence.")


def answer_tool_schema() -> dict[str, object]:
    """OpenAI tool definition of `give_answer`; strict, so that a server with constrained decoding cannot break it."""
    sentence = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "One sentence, without citation keys; empty to show the cited records as they are."},
            "evidence": {"type": "array", "items": {"type": "string"}, "description": "Keys of the tool results that support it."},
        },
        "required": ["text", "evidence"],
        "additionalProperties": False,
    }
    parameters = {
        "type": "object",
        "properties": {
            "sentences": {"type": "array", "items": sentence},
            "notice": {"type": ["string", "null"], "enum": [*NOTICES, None]},
        },
        "required": ["sentences", "notice"],
        "additionalProperties": False,
    }
    description = "Hand in the final answer: sentences in order, each with the keys of the evidence that supports it."
    return {"type": "function", "function": {"name": ANSWER_TOOL, "description": description, "parameters": parameters, "strict": True}}


def read_draft(message: AIMessage) -> Draft | None:
    """The draft in `message`, or None when it holds none (empty, or a broken `give_answer` call)."""
    for call in message.tool_calls:
        if call["name"] == ANSWER_TOOL:
            try:
                return Draft.model_validate(call["args"])
            except ValidationError:
                return None
    text = message.text if isinstance(message.text, str) else str(message.text)
    return _from_text(text.strip())


def _from_text(text: str) -> Draft | None:
    if not text:
        return None
    if text.startswith("{"):
        try:
            return Draft.model_validate(json.loads(text))
        except (json.JSONDecodeError, ValidationError):
            return None
    return Draft(sentences=tuple(keyed_sentences(text)))


def keyed_sentences(text: str) -> list[DraftSentence]:
    """Sentences of keyed prose; a key group belongs to the sentence before it, a sentence without one has no evidence."""
    out: list[DraftSentence] = []
    for line in text.splitlines():
        start = 0
        for match in _KEYS.finditer(line):
            keys = tuple(dict.fromkeys(_ONE_KEY.findall(match.group(1))))
            pieces = split_sentences(line[start : match.start()])
            out += [DraftSentence(text=p) for p in pieces[:-1]]
            # Keys alone: the records speak for themselves.
            out.append(DraftSentence(text=_end(pieces[-1], match.group(2)) if pieces else "", evidence=keys))
            start = match.end()
        out += [DraftSentence(text=p) for p in split_sentences(line[start:])]
    return out


def _end(text: str, stop: str) -> str:
    return text if not stop or text[-1:] in ".。!！?？;；" else text + stop


def split_sentences(text: str) -> list[str]:
    """Sentences of `text` (English and Chinese), without bullets and headings marks; decimals and abbreviations stay whole."""
    cleaned = _BULLET.sub("", text).strip()
    return sentences_of(cleaned)
