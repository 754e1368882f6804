"""The words of a message that goes on from another, made whole: with what it takes over in front, or put in place of what it replaces."""

import re
from collections.abc import Sequence

from agent.reading.followup import pattern, table
from agent.reading.intents import Reading
from agent.reading.lexicon import Term, language_of, mentions
from agent.reading.thread.focus import likest
from retrieval.concepts.lexicon import normalise
from retrieval.guidelines.question import ENTITY_KINDS
from retrieval.index.selector import lexicon, tokens_of

# What a message names in place of something of the same kind that stood in the question before.
_REPLACES = frozenset({"disease", "drug", "drug_class", "score", "organism", "finding", "analyte"})
_SUBJECT = frozenset({"disease", "drug", "drug_class", "organism", "finding", "action", "analyte", "population"})
# The end of a long chain is what counts.
_LONGEST = 360
_GLUE = " "
_QUANTITY = re.compile(rf"\d+(?:\.\d+)?\s*(?P<unit>{'|'.join(table()['quantities']['units'])})(?![a-z/])", re.IGNORECASE)
_SIZES = frozenset(table()["quantities"]["sizes"])
# A number behind the name of what it is a value of.
_VALUE = re.compile(rf"\s*(?:{'|'.join(table()['quantities']['between'])})?\s*\d+(?:\.\d+)?")


def subject_words(anchor: str, reading: Reading, gone: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """What the earlier question is about, in its own words, where the message does not say it itself.

    Args:
        anchor: The earlier question in full.
        reading: The message.
        gone: Kinds of terms that the message replaces.
    """
    language = language_of(reading.text)
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, str]] = []
    for m in mentions(anchor):
        taken.append((m.start, m.end))
        if m.term.kind in _SUBJECT and m.term.kind not in gone:
            found.append((m.start, m.term.name(language)))
    text = normalise(anchor)
    for name, start, end in lexicon().find(text, question=True):
        if lexicon().concepts[name].kind in ENTITY_KINDS and not any(a < end and start < b for a, b in taken):
            found.append((start, text[start:end]))
    names = dict.fromkeys(name for _, name in sorted(found))
    return tuple(n for n in names if n.lower() not in reading.text.lower())


def after_subject(anchor: str, reading: Reading, gone: frozenset[str] = frozenset()) -> str:
    """The message with its subject in front; with the whole earlier question where nothing in that is known by name."""
    names = subject_words(anchor, reading, gone)
    own = any(t.kind in ("drug", "disease") for t in reading.asked)
    front = _GLUE.join(names) if names or gone or own else anchor
    return f"{front}{_GLUE}{reading.text}".strip()[-_LONGEST:]


def changed(anchor: str, reading: Reading) -> str:
    """The earlier question with what the message names in place of its like, then the message."""
    text = anchor
    for term in reading.asked:
        text = _put(text, term, reading.asked, reading.text)
    text = _with_quantities(text, reading.text)
    return f"{text}{_GLUE}{reading.text}".strip()[-_LONGEST:]


def replaces(anchor: str, reading: Reading) -> bool:
    """Whether the message names something in place of its like in the earlier question."""
    named = {t.kind for t in reading.asked if t.kind in _REPLACES}
    return any(m.term.kind in named for m in mentions(anchor))


def sized(text: str) -> bool:
    """Whether a text gives a size."""
    return any(m["unit"].lower() in _SIZES for m in _QUANTITY.finditer(text))


def _with_quantities(text: str, message: str) -> str:
    """`what about 2.5 mg?`: a quantity of the message in place of the last one of the same unit."""
    for new in _QUANTITY.finditer(message):
        like = [m for m in _QUANTITY.finditer(text) if m["unit"].lower() == new["unit"].lower()]
        if like and not pattern("words", "growth").search(message[: new.start()]):
            text = text[: like[-1].start()] + new.group() + text[like[-1].end() :]
    return text


def _put(text: str, term: Term, named: Sequence[Term], said: str) -> str:
    """`text` with the last mention of another term of the same kind replaced by `term`."""
    if term.kind not in _REPLACES:
        return text
    if term.kind == "disease" and (pattern("words", "points").search(said) or pattern("words", "beside").search(said)):
        return text  # "if it is secondary in COPD", "if he has COPD": what was spoken of stays
    ours = {t.id for t in named}
    like = [m for m in mentions(text) if m.term.kind == term.kind and m.term.id not in ours]
    if not like or any(m.term.id == term.id for m in mentions(text)):
        return text
    alike = likest(term, [m.term for m in like])
    last = next(m for m in reversed(like) if alike is None or m.term == alike)
    return text[: last.start] + term.name(language_of(text)) + text[last.end :]


def without_values(anchor: str, assumed: Sequence[str]) -> str:
    """An earlier question without the values in it that are supposed otherwise by now."""
    for m in reversed(mentions(anchor)):
        number = _VALUE.match(anchor, m.end) if m.term.measured in assumed else None
        anchor = anchor[: m.end] + anchor[number.end() :] if number else anchor
    return anchor


def likeness(text: str, other: str) -> float:
    """How many words and concepts of a message stand in another one, as a share of its own."""
    mine = tokens_of(normalise(text))
    return len(mine & tokens_of(normalise(other))) / max(len(mine), 1)
