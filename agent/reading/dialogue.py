"""What a thread carries from turn to turn: the subject, what was named, what was asked; and how a message refers to it.

Derived from the person's messages alone, so that any chat model's thread has it; the words are in `data/dialogue.toml`.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

from agent.reading.intents import Intent, Reading
from agent.reading.lexicon import Term, concepts, language_of
from agent.reading.understand import IN_SCOPE, understand
from tools.evidence import Language

About = Literal["shorter", "translate", "sources", "why"]
# A longer message that speaks of a source or of English asks something else.
_LONGEST_ABOUT = 90
_LONGEST_SUPPOSITION = 45
# A message whose tool is this sure needs nothing before it.
_CLEAR = 0.7
# What a bare continuation goes on asking after a message of several parts.
_GOES_ON: frozenset[Intent] = frozenset({"guideline", "drug_facts", "drug_rank", "med_check"})
_SUBJECT = frozenset({"disease", "drug", "drug_class", "score", "organism", "finding", "action"})


@dataclass(frozen=True)
class Turn:
    """One earlier message.

    Attributes:
        question: As typed.
        reading: As understood, with what it continues; None for small talk.
        about: What it wanted of the answer before it; None for a question of its own.
    """

    question: str
    reading: Reading | None
    about: About | None = None


@cache
def _pattern(*path: str) -> re.Pattern[str]:
    table = tomllib.loads(files("agent").joinpath("data/dialogue.toml").read_text(encoding="utf-8"))
    return re.compile("|".join(table[path[0]][path[1]]), re.IGNORECASE | re.ASCII)


def _says(word: str, text: str) -> bool:
    return bool(_pattern("words", word).search(text))


def about(reading: Reading) -> About | None:
    """What a message wants of the answer before it: shorter, in another language, its sources, its reasons."""
    text = reading.text
    if reading.why:
        return "why"
    if len(text) > _LONGEST_ABOUT or (reading.kind != "about_answer" and any(t.kind in IN_SCOPE for t in reading.terms)):
        return None
    names: tuple[About, ...] = ("translate", "shorter", "sources", "why")
    found = [n for n in names if _pattern("about", n).search(text)]
    return found[0] if found else None


def asked_language(text: str) -> Language | None:
    """The language that a short message asks for."""
    if len(text) > _LONGEST_ABOUT or (not _pattern("about", "translate").search(text) and not _says("english", text)):
        return None
    return "zh" if _says("chinese", text) else "en" if _says("english", text) else None


def sentences_asked(text: str) -> int | None:
    """How many sentences a message about length asks for, where it says."""
    return next((n for n, word in enumerate(("one", "two", "three"), start=1) if _says(word, text)), None)


def history(earlier: Sequence[str], topic: frozenset[str], case: bool) -> list[Turn]:
    """Earlier messages as understood, each with what it continues."""
    turns: list[Turn] = []
    for text in earlier:
        reading = understand(text, topic, case, turns[-1].question if turns else "")
        wanted = about(reading) if turns else None
        if wanted:
            turns.append(Turn(text, None, wanted))
        elif not reading.intents and not any(t.kind in IN_SCOPE for t in reading.terms):
            turns.append(Turn(text, None))
        else:
            turns.append(Turn(text, continued(reading, turns)))
    return turns


def last_real(turns: Sequence[Turn]) -> Reading | None:
    """The last question that asked for something."""
    return next((t.reading for t in reversed(turns) if t.reading is not None), None)


def continued(reading: Reading, turns: Sequence[Turn], assumed: Sequence[str] = ()) -> Reading:
    """The reading with what it takes over from the thread; itself where it stands alone.

    Args:
        reading: The message.
        turns: Those before it.
        assumed: Values that it supposes otherwise (`CaseCard.assumed_keys`).
    """
    before = _resumed(reading, turns) or last_real(turns)
    if before is None:
        return reading
    if _says("correction", reading.text):
        return _corrected(reading, before)
    if _only_supposes(reading, assumed):
        return _join(reading, before, bare=True)
    if _says("back", reading.text) or _continues(reading):
        return _join(reading, before)
    return reading


def _only_supposes(reading: Reading, assumed: Sequence[str]) -> bool:
    """`If her eGFR were 25?`: nothing but a supposition; what is asked is what was asked before."""
    if not assumed or len(reading.text) > _LONGEST_SUPPOSITION:
        return False
    others = [t for t in reading.terms if t.kind not in ("population", "allergy") and not any(t.id.startswith(k) for k in assumed)]
    return not [t for t in others if t.kind not in ("vital", "analyte", "drug", "drug_class") or not assumed]


def _resumed(reading: Reading, turns: Sequence[Turn]) -> Reading | None:
    """The earlier question that a message goes back to: the first, or the last that shares something named."""
    real = [t.reading for t in turns if t.reading is not None]
    if not real or not _says("back", reading.text):
        return None
    if _says("first", reading.text):
        return real[0]
    mine = {t.id for t in reading.terms}
    return next((r for r in reversed(real) if mine & {t.id for t in r.terms}), None)


def _continues(reading: Reading) -> bool:
    """Whether a message goes on from the one before: it says so, the reader says so, or it names no subject of its own."""
    if any(t.kind == "other" for t in reading.terms):
        return False
    own = any(t.kind == "disease" for t in reading.terms)
    if reading.elliptic or reading.kind == "follow_up" or _says("these", reading.text):
        return not own or not set(reading.intents) - {"guideline", "drug_facts", "med_check", "drug_rank"}
    return not any(t.kind in _SUBJECT for t in reading.terms) and not reading.about_patient and len(reading.text) < 60


def _corrected(reading: Reading, before: Reading) -> Reading:
    """`No, I meant PSI`: the question before with what is named now in place of what it named of the same kind."""
    if reading.scores and any(t.kind == "score" for t in reading.terms):
        return replace(reading, intents={**reading.intents, "score": 0})
    kinds = {t.kind for t in reading.terms}
    kept = tuple(t for t in before.terms if t.kind not in kinds)
    return _join(reading, replace(before, terms=kept, drugs=tuple(d for d in before.drugs if d.kind not in kinds)))


def _join(reading: Reading, before: Reading, bare: bool = False) -> Reading:
    """A continuation that says nothing of its own task takes that of the question before, and its topic and drugs."""
    if bare:
        intents: dict[Intent, int] = dict(before.intents)
    elif reading.elliptic and not reading.proposed:
        intents = {i: p for i, p in before.intents.items() if i in _GOES_ON} or dict(before.intents)
    else:
        intents = dict(reading.intents)
    intents = intents or dict(before.intents) or {"guideline": 0}
    own = any(t.kind == "disease" for t in reading.terms)
    # Another medicine takes the place of the one before, unless the two were asked about together.
    other = any(t.kind == "drug" for t in reading.terms) and before.kind not in ("interaction", "comparison")
    gone = {k for k, replaced in (("disease", own), ("drug", other)) if replaced}
    inherited = tuple(t for t in before.terms if t.kind not in gone)
    merged = tuple(dict.fromkeys((*reading.terms, *inherited)))
    scores = before.scores if "score" in intents and not any(t.kind == "score" for t in reading.terms) else reading.scores
    drugs = tuple(dict.fromkeys((*reading.drugs, *(d for d in before.drugs if d.kind not in gone))))
    return replace(reading, text=_with_subject(reading.text, inherited), intents=intents, scores=scores, terms=merged, drugs=drugs)


def _with_subject(text: str, inherited: Sequence[Term]) -> str:
    """The person's words in full, what they go on from in front."""
    language = language_of(text)
    names = [t.name(language) for t in inherited if t.kind not in ("score", "respiratory")]
    return " ".join([*(n for n in dict.fromkeys(names) if n.lower() not in text.lower()), text])


def pointed_at(reading: Reading, answer: str) -> Reading:
    """`Which of these is safest with warfarin?`: the medicines that the last answer named join the question."""
    if not _says("these", reading.text):
        return reading
    named = [t for t in concepts(answer, "drug") if t not in reading.terms][:6]
    if not named:
        return reading
    language = language_of(reading.text)
    text = f"{', '.join(t.name(language) for t in named)}: {reading.text}"
    return replace(reading, text=text, drugs=(*reading.drugs, *named), terms=(*reading.terms, *named))


def unresolved(reading: Reading, turns: Sequence[Turn]) -> bool:
    """Whether a message points to something and nothing before it says what."""
    if last_real(turns) is not None or reading.terms or reading.about_patient:
        return False
    pointing = _pattern("words", "points").search(reading.text) is not None or reading.elliptic or reading.why
    refers = reading.elliptic or reading.kind in ("follow_up", "about_answer", "why", "what_if")
    clear = max(reading.tools.values(), default=0.0) >= _CLEAR
    return pointing and refers and not clear and len(reading.text) < 60
