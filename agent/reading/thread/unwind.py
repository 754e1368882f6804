"""Taking back: `forget that assumption` unwinds the conversation to before it, and what stood there is asked again.

A message takes something back where the fitted model of follow-ups says so; what else it asks is asked of the conversation that is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.reading.followup import kinds_of, pattern
from agent.reading.lexicon import concepts, spelt
from agent.reading.patches import supposes
from agent.reading.thread.pieces import asks, from_piece, pieces

# From this probability on a message takes back; from the lower one where it holds a word for it too.
_TAKES_BACK = 0.7
_MAY_TAKE_BACK = 0.2
# A message goes on from the one before from this probability on.
_GOES_ON = 0.5
_LONGEST = 120


@dataclass(frozen=True)
class Spoken:
    """A message that still counts.

    Attributes:
        index: Where it stands in the whole conversation.
        text: Its words, medicines that are misspelt by one letter written out; of one that takes something back, what else it asks.
    """

    index: int
    text: str


def standing(messages: Sequence[str]) -> tuple[Spoken, ...]:
    """The messages that still count, oldest first; the last of them is what is asked now."""
    out: list[Spoken] = []
    for i, text in enumerate(messages):
        rest = taken_back(text) if out else None
        kept = _without(out, text) if rest is not None else out
        if rest or rest is None or not kept:
            kept = [*kept, Spoken(i, spelt(rest or text))]
        out = kept
    return tuple(out)


def taken_back(text: str) -> str | None:
    """What a message that takes something back asks besides, empty where nothing; None for any other message."""
    if len(text) > _LONGEST:
        return None
    found = pieces(text)
    backs = [_takes_back(p) for p in found]
    if not any(backs):
        return "" if _takes_back(text) else None
    asking = [p for p in found[backs.index(True) + 1 :] if _asks(p)]
    return from_piece(text, asking[0]) if asking else ""


def _takes_back(text: str) -> bool:
    said = bool(pattern("words", "undo").search(text))
    if pattern("words", "back").search(text) and not said:
        return False  # it goes back to a subject
    told = kinds_of(text)["undo"]
    return told >= _TAKES_BACK or (told >= _MAY_TAKE_BACK and said)


def _asks(text: str) -> bool:
    if pattern("words", "all").search(text) or _takes_back(text):
        return False
    told = kinds_of(text)
    return asks(text) or told["detail"] + told["next"] + told["among"] >= _GOES_ON


def _without(out: Sequence[Spoken], text: str) -> list[Spoken]:
    """The conversation without what the message takes back: what it names, everything supposed, or the last supposition."""
    goes_on = [k for k, s in enumerate(out) if k and (supposes(s.text) or kinds_of(s.text)["detail"] >= _GOES_ON)]
    if not goes_on:
        return list(out[:-1])
    named = {t.id for t in concepts(text)}
    mine = [k for k in goes_on if named & {t.id for t in concepts(out[k].text)}]
    if mine and mine[-1] != goes_on[-1]:
        return [s for k, s in enumerate(out) if k != mine[-1]]
    if pattern("words", "all").search(text):
        return list(out[: goes_on[0]])
    return list(out[: goes_on[-1]])
