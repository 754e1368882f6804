"""One message of a thread as understood, and the last that asked for something."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agent.reading.followup import Kind, pattern
from agent.reading.intents import Reading
from agent.reading.lexicon import Term

About = Literal["shorter", "translate", "sources", "why"]
# What a message can be about.
SUBJECT = frozenset({"disease", "drug", "drug_class", "score", "organism", "finding", "action"})
# Kinds of message that ask something of their own, which the next message may go on from.
TASKS: frozenset[Kind] = frozenset({"new", "next", "correct", "back", "among"})


@dataclass(frozen=True)
class Turn:
    """One message.

    Attributes:
        question: As typed.
        reading: As understood, with what it continues; None for small talk.
        about: What it wanted of the answer before it; None for a question of its own.
        kind: How it takes up what stands before it.
        words: The question in full: with what it goes on from.
        wordings: In which words its subject should be looked for at the bedside; the first that raises anything counts.
    """

    question: str
    reading: Reading | None
    about: About | None = None
    kind: Kind = "new"
    words: str = ""
    wordings: tuple[str, ...] = ()


def says(word: str, text: str) -> bool:
    """Whether a text holds one of the words of a list of `data/dialogue.toml`."""
    return bool(pattern("words", word).search(text))


def last_real(turns: Sequence[Turn]) -> Reading | None:
    """The last question that asked for something."""
    return next((t.reading for t in reversed(turns) if t.reading is not None), None)


def drugs_of(named: Sequence[Term]) -> tuple[Term, ...]:
    """The medicines among terms."""
    return tuple(t for t in named if t.kind == "drug")
