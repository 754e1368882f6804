"""The pieces of a message, and which of them asks something of its own beside what it wants of the conversation."""

import re

from agent.reading.features import Message
from agent.reading.reader import opinion_of

_BETWEEN = re.compile(r"(?<=[?？!！])\s*|[,，:：;；。\n—]+|\.(?:\s|$)|\s-\s")
# A piece asks something of its own from this probability of a tool on.
_ASKS = 0.3


def pieces(text: str) -> list[str]:
    """What stands between marks of punctuation, a question with its mark."""
    return [p for piece in _BETWEEN.split(text) if (p := piece.strip())]


def asks(piece: str, least: float = _ASKS) -> bool:
    """Whether the trained reader sees a question in a piece."""
    told = opinion_of(Message(piece, True))
    return max(told.tools.values()) >= least and told.none < 1 - least


def from_piece(text: str, piece: str) -> str:
    """The message from a piece on, with its punctuation."""
    return text[text.index(piece) :].strip()
