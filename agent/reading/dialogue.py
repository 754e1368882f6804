"""What a thread carries from turn to turn: the subject, what was named, what was asked; and how a message refers to it.

Derived from the person's messages alone, so that any chat model's thread has it. `thread.kinds` says how a message takes up what stands
before it, `thread.whole` puts it together with that; the words by which it asks for a language or a length are in `data/dialogue.toml`.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.reading.followup import pattern
from agent.reading.intents import Reading
from agent.reading.lexicon import concepts
from agent.reading.takeup import sized
from agent.reading.thread.focus import unknown_drug
from agent.reading.thread.kinds import CLEAR, LONGEST_ABOUT, about, kind_of
from agent.reading.thread.pieces import asks, from_piece, pieces
from agent.reading.thread.turn import SUBJECT, TASKS, About, Turn, last_real, says
from agent.reading.thread.whole import chosen, completed, joined, missing, resumed
from agent.reading.understand import IN_SCOPE, understand
from tools.evidence import Language

__all__ = ["About", "Turn", "about", "asked_language", "history", "kind_of", "last_real", "sentences_asked", "taken_up", "unresolved"]

# Beside another form of the answer a message asks something from this probability of a tool on.
_ASKS_BESIDES = 0.5


def asked_language(text: str) -> Language | None:
    """The language that a short message asks for."""
    if len(text) > LONGEST_ABOUT or (not pattern("about", "translate").search(text) and not says("english", text)):
        return None
    return "zh" if says("chinese", text) else "en" if says("english", text) else None


def sentences_asked(text: str) -> int | None:
    """How many sentences a message about length asks for, where it says."""
    return next((n for n, word in enumerate(("one", "two", "three"), start=1) if says(word, text)), None)


def history(earlier: Sequence[str], topic: frozenset[str], case: bool, answers: Sequence[str] = ()) -> list[Turn]:
    """Earlier messages as understood, each with what it continues; `answers` are those to the first of them."""
    turns: list[Turn] = []
    for i, text in enumerate(earlier):
        reading = understand(text, topic, case, turns[-1].question if turns else "")
        if not reading.intents and not any(t.kind in IN_SCOPE for t in reading.terms) and not last_real(turns):
            turns.append(Turn(text, None))
        else:
            last = answers[i - 1] if 0 < i <= len(answers) else ""
            turns.append(taken_up(reading, turns, answer=last, read=lambda words: understand(words, topic, case)))
    return turns


def taken_up(
    reading: Reading, turns: Sequence[Turn], assumed: Sequence[str] = (), answer: str = "", read: Callable[[str], Reading] | None = None
) -> Turn:
    """The message with what it takes over from the thread.

    Args:
        reading: The message.
        turns: Those before it.
        assumed: Values that it supposes otherwise (`CaseCard.assumed_keys`).
        answer: The last answer.
        read: Reads words that were put together of several messages; None keeps what was read of the message alone.
    """
    text = reading.text
    before = next((t for t in reversed(turns) if t.reading is not None), None)
    kind = kind_of(reading, turns)
    if before is not None and kind != "new" and unknown_drug(text):
        return Turn(text, replace(reading, intents={"guideline": 0}), words=text, wordings=(text,))
    if before is None or before.reading is None or kind == "new":
        return Turn(text, _same_score(reading, turns), words=text, wordings=(text,))
    if kind in ("shorter", "translate", "sources") and read is not None and (rest := _asked_besides(text)):
        return replace(taken_up(read(rest), turns, assumed, answer, read), question=text)
    if kind in ("shorter", "translate", "sources"):
        return Turn(text, None, about=kind, kind=kind)
    if kind == "why":
        whole = replace(before.reading, parts=())
        asked = () if before.kind == "among" else (f"{before.words} {text}", before.words)
        wordings = tuple(dict.fromkeys((*asked, *before.wordings)))
        return Turn(text, whole, about="why", kind=kind, words=before.words, wordings=wordings)
    if kind == "back":
        return _back(reading, turns, before, assumed, read)
    if kind in ("detail", "next") and read is not None and (unsaid := missing(reading, before, turns, answer)):
        return completed(reading, unsaid, read)
    if kind in ("detail", "correct"):
        tasks = [t for t in turns if t.reading is not None and t.kind in TASKS]
        about_size = [t for t in tasks if sized(t.words)] if sized(text) and not any(k.kind in SUBJECT for k in reading.asked) else []
        before = (about_size or tasks or [before])[-1]
    spoken = dict.fromkeys(d for t in reversed(turns) if t.reading for d in reversed(t.reading.asked) if d.kind == "drug")
    return joined(reading, before, kind, assumed, answer, tuple(spoken)[:2])


def _asked_besides(text: str) -> str:
    """What a message asks beside another form of the answer: `In English: which of her tablets caused this?`."""
    names: tuple[About, ...] = ("translate", "shorter", "sources")
    found = pieces(text)
    own = [p for p in found if not any(pattern("about", n).search(p) for n in names) and asks(p, _ASKS_BESIDES)]
    return from_piece(text, own[0]) if own and own[0] != found[0] else ""


def _back(reading: Reading, turns: Sequence[Turn], before: Turn, assumed: Sequence[str], read: Callable[[str], Reading] | None) -> Turn:
    """A message that goes back: what it goes back to, and what it asks of that; the whole of it again where it asks nothing."""
    text = reading.text
    found = pieces(text)
    pointing = next((i for i, p in enumerate(found) if says("back", p)), None)
    rest = from_piece(text, found[pointing + 1]) if pointing is not None and pointing + 1 < len(found) else ""
    where = found[pointing] if rest and pointing is not None else text
    earlier = resumed(where, turns)
    if rest and read is not None and earlier is not None:
        turn = taken_up(read(rest), turns[: turns.index(earlier) + 1], assumed, "", read)
        if turn.reading is not None:
            return replace(turn, question=text, kind="back", wordings=tuple(dict.fromkeys((turn.words, *turn.wordings, text))))
    if earlier is None and any(t.kind in SUBJECT for t in reading.asked):
        words = chosen(concepts(where, "drug_class"), rest) if rest else text
        return Turn(text, replace(read(words), asked=reading.asked) if read else reading, kind="back", words=words, wordings=(words, text))
    return joined(reading, earlier or before, "back", assumed, "", ())


def _same_score(reading: Reading, turns: Sequence[Turn]) -> Reading:
    """Where a score is asked for and none is named, the one that the thread spoke of last."""
    if "score" not in reading.intents or any(t.kind == "score" for t in reading.terms):
        return reading
    spoken = next((t.reading.scores for t in reversed(turns) if t.reading and any(x.kind == "score" for x in t.reading.terms)), ())
    return replace(reading, scores=spoken or reading.scores)


def unresolved(reading: Reading, turns: Sequence[Turn]) -> bool:
    """Whether a message points to something and nothing before it says what."""
    if last_real(turns) is not None or reading.terms or reading.about_patient:
        return False
    pointing = pattern("words", "points").search(reading.text) is not None or reading.elliptic or reading.why
    refers = reading.elliptic or reading.kind in ("follow_up", "about_answer", "why", "what_if")
    clear = max(reading.tools.values(), default=0.0) >= CLEAR
    return pointing and refers and not clear and len(reading.text) < 60
