"""What a thread carries from turn to turn: the subject, what was named, what was asked; and how a message refers to it.

Derived from the person's messages alone, so that any chat model's thread has it. `followup` says how a message takes up what stands before
it; the words by which it asks for a language or a length are in `data/dialogue.toml`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.reading.followup import Kind, kinds_of, pattern
from agent.reading.intents import Intent, Reading
from agent.reading.lexicon import Term, concepts, language_of
from agent.reading.patches import supposes
from agent.reading.thread.focus import has_facet, lacks_drug, lacks_partner, led_with, only_names, unknown_drug
from agent.reading.takeup import after_subject, changed, likeness
from agent.reading.understand import IN_SCOPE, understand
from retrieval.guidelines.sentences import split_sentences
from tools.evidence import Language

About = Literal["shorter", "translate", "sources", "why"]
# A longer message that speaks of a source or of English asks something else.
_LONGEST_ABOUT = 90
_LONGEST_SUPPOSITION = 45
# A message whose tool is this sure needs nothing before it.
_CLEAR = 0.7
# From this probability on a message goes on from the one before; from the lower one where its form says so too.
_GOES = 0.5
_MAY_GO = 0.25
# The fitted model alone names what is wanted of the answer from here on.
_SURE_ABOUT = 0.6
# Words shared with an earlier question from which a message goes back to it.
_ALIKE = 0.12
# What a bare continuation goes on asking after a message of several parts.
_GOES_ON: frozenset[Intent] = frozenset({"guideline", "drug_facts", "drug_rank", "med_check"})
_SUBJECT = frozenset({"disease", "drug", "drug_class", "score", "organism", "finding", "action"})
# Kinds of message that ask something of their own, which the next message may go on from.
_TASKS: frozenset[Kind] = frozenset({"new", "next", "correct", "back", "among"})


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


def _says(word: str, text: str) -> bool:
    return bool(pattern("words", word).search(text))


def about(reading: Reading) -> About | None:
    """What a message wants of the answer before it: shorter, in another language, its sources, its reasons."""
    text = reading.text
    if reading.why:
        return "why"
    if len(text) > _LONGEST_ABOUT or (reading.kind != "about_answer" and any(t.kind in IN_SCOPE for t in reading.terms)):
        return None
    names: tuple[About, ...] = ("translate", "shorter", "sources", "why")
    found = [n for n in names if pattern("about", n).search(text)]
    return found[0] if found else None


def asked_language(text: str) -> Language | None:
    """The language that a short message asks for."""
    if len(text) > _LONGEST_ABOUT or (not pattern("about", "translate").search(text) and not _says("english", text)):
        return None
    return "zh" if _says("chinese", text) else "en" if _says("english", text) else None


def sentences_asked(text: str) -> int | None:
    """How many sentences a message about length asks for, where it says."""
    return next((n for n, word in enumerate(("one", "two", "three"), start=1) if _says(word, text)), None)


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


def last_real(turns: Sequence[Turn]) -> Reading | None:
    """The last question that asked for something."""
    return next((t.reading for t in reversed(turns) if t.reading is not None), None)


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
    if kind in ("shorter", "translate", "sources"):
        return Turn(text, None, about=kind, kind=kind)
    if kind == "why":
        words = f"{before.words} {text}"
        whole = replace(before.reading, parts=())
        return Turn(text, whole, about="why", kind=kind, words=before.words, wordings=(words, before.words))
    if kind == "back":
        before = _resumed(reading, turns) or before
    elif kind in ("detail", "next") and read is not None and (missing := _missing(reading, before, turns, answer)):
        return _completed(reading, missing, read)
    elif kind in ("detail", "correct"):
        before = next((t for t in reversed(turns) if t.reading is not None and t.kind in _TASKS), before)
    spoken = dict.fromkeys(d for t in reversed(turns) if t.reading for d in reversed(t.reading.asked) if d.kind == "drug")
    return _joined(reading, before, kind, assumed, answer, tuple(spoken)[:2])


def _missing(reading: Reading, before: Turn, turns: Sequence[Turn], answer: str) -> tuple[Term, ...]:
    """The medicines that the message leaves unsaid and that the question before it does not name as its subject anyway."""
    assert before.reading is not None
    own = {t.id for t in reading.asked}
    spoken = next((named for t in reversed(turns) if t.reading and (named := _drugs(t.reading.asked))), ())
    if lacks_partner(reading):
        return tuple(t for t in spoken if t.id not in own)[-1:]
    if lacks_drug(reading) and not _drugs(before.reading.terms):
        return led_with(answer)
    return ()


def _drugs(named: Sequence[Term]) -> tuple[Term, ...]:
    return tuple(t for t in named if t.kind == "drug")


def _completed(reading: Reading, missing: Sequence[Term], read: Callable[[str], Reading]) -> Turn:
    """The message with the medicines that it leaves unsaid in front, read as one question of its own."""
    language = language_of(reading.text)
    words = f"{', '.join(t.name(language) for t in missing)} {reading.text}"
    whole = read(words)
    return Turn(reading.text, replace(whole, asked=reading.asked), kind="next", words=words, wordings=(words, reading.text))


def _same_score(reading: Reading, turns: Sequence[Turn]) -> Reading:
    """Where a score is asked for and none is named, the one that the thread spoke of last."""
    if "score" not in reading.intents or any(t.kind == "score" for t in reading.terms):
        return reading
    spoken = next((t.reading.scores for t in reversed(turns) if t.reading and any(x.kind == "score" for x in t.reading.terms)), ())
    return replace(reading, scores=spoken or reading.scores)


def _joined(reading: Reading, before: Turn, kind: Kind, assumed: Sequence[str], answer: str, both: tuple[Term, ...]) -> Turn:
    """The turn of a message that goes on from `before`; `both` are the medicines that the thread's questions named last."""
    assert before.reading is not None
    text = reading.text
    if kind == "correct":
        joined = _corrected(reading, before.reading, before.words)
        return Turn(text, joined, kind=kind, words=joined.text, wordings=(text, joined.text))
    if kind == "among":
        reading = _with_drugs(reading, both) if len(both) == 2 and _says("both", text) else pointed_at(reading, answer)
    bare = _only_supposes(reading, assumed) or (kind == "back" and not reading.proposed)
    joined = _join(reading, before.reading, before.words, kind, bare=bare)
    full = f"{before.words} {reading.text}"
    wordings = (full, joined.text, text) if bare else (text, joined.text, full)
    return Turn(text, joined, kind=kind, words=joined.text, wordings=tuple(dict.fromkeys(wordings)))


def kind_of(reading: Reading, turns: Sequence[Turn]) -> Kind:
    """How a message takes up what stands before it, by the fitted model and what the message itself names."""
    if last_real(turns) is None:
        return "new"
    told = kinds_of(reading.text)
    wanted = about(reading)
    if wanted is not None and told["new"] < 1 - _MAY_GO:
        return wanted
    going: list[Kind] = [k for k in told if k != "new" and (k not in ("shorter", "translate", "sources") or told[k] >= _SURE_ABOUT)]
    going.remove("undo")  # what it would take back is gone already (`thread.unwind`)
    if not _says("these", reading.text):
        going.remove("among")
    best = max(going, key=lambda k: told[k])
    goes = 1 - told["new"]
    if _says("correction", reading.text) and goes >= _MAY_GO:
        return "correct"
    if _says("back", reading.text) and goes >= _MAY_GO:
        return "back"
    if lacks_partner(reading) and not reading.about_patient and any(_drugs(t.reading.asked) for t in turns if t.reading):
        return "next"
    own = any(t.kind in _SUBJECT for t in reading.asked)
    if own and only_names(reading.text):
        return "detail"
    if goes >= _GOES or (goes >= _MAY_GO and _continues(reading)) or _continues(reading, strictly=True):
        return "next" if best == "detail" and not own and not supposes(reading.text) and has_facet(reading.text) else best
    return "new"


def _only_supposes(reading: Reading, assumed: Sequence[str]) -> bool:
    """`If her eGFR were 25?`: nothing but a supposition; what is asked is what was asked before."""
    if not assumed or len(reading.text) > _LONGEST_SUPPOSITION:
        return False
    others = [t for t in reading.terms if t.kind not in ("population", "allergy") and not any(t.id.startswith(k) for k in assumed)]
    return not [t for t in others if t.kind not in ("vital", "analyte", "drug", "drug_class") or not assumed]


def _resumed(reading: Reading, turns: Sequence[Turn]) -> Turn | None:
    """The earlier question that a message goes back to: the first, the one most like it, or the last about the real patient."""
    real = [t for t in turns if t.reading is not None and t.kind in _TASKS]
    if not real:
        return None
    if _says("first", reading.text):
        return real[0]
    alike = [likeness(reading.text, t.words) for t in real]
    best = max(range(len(real)), key=lambda i: (alike[i], i))
    if alike[best] >= _ALIKE:
        return real[best]
    return next((t for t in reversed(real) if not supposes(t.question)), None)


def _continues(reading: Reading, strictly: bool = False) -> bool:
    """Whether a message goes on from the one before by its form: it says so, or it names no subject of its own."""
    own = any(t.kind == "disease" for t in reading.terms)
    if reading.elliptic or _says("these", reading.text) or (reading.kind == "follow_up" and not strictly):
        return not own or not set(reading.intents) - {"guideline", "drug_facts", "med_check", "drug_rank"}
    if strictly:
        return False
    return not any(t.kind in _SUBJECT for t in reading.terms) and not reading.about_patient and len(reading.text) < 60


def _corrected(reading: Reading, before: Reading, words: str) -> Reading:
    """`No, I meant PSI`: the question before with what is named now in place of what it named of the same kind."""
    if reading.scores and any(t.kind == "score" for t in reading.terms):
        return replace(reading, intents={**reading.intents, "score": 0})
    kinds = {t.kind for t in reading.terms}
    kept = tuple(t for t in before.terms if t.kind not in kinds)
    return _join(reading, replace(before, terms=kept, drugs=tuple(d for d in before.drugs if d.kind not in kinds)), words, "detail")


def _join(reading: Reading, before: Reading, words: str, kind: Kind, bare: bool = False) -> Reading:
    """A continuation that says nothing of its own task takes that of the question before, and its topic and drugs."""
    if bare:
        intents: dict[Intent, int] = dict(before.intents)
    elif kind == "detail" and not reading.proposed:
        intents = {i: p for i, p in before.intents.items() if i in _GOES_ON} or dict(before.intents)
    else:
        intents = dict(reading.intents)
    intents = intents or dict(before.intents) or {"guideline": 0}
    own = any(t.kind == "disease" for t in reading.terms) and not _says("points", reading.text)
    # Another medicine takes the place of the one before, unless the two were asked about together.
    other = any(t.kind == "drug" for t in reading.terms) and before.kind not in ("interaction", "comparison")
    gone = frozenset(k for k, replaced in (("disease", own), ("drug", other), ("action", _names_action(reading))) if replaced)
    inherited = tuple(t for t in before.terms if t.kind not in gone)
    merged = tuple(dict.fromkeys((*reading.terms, *inherited)))
    scores = before.scores if "score" in intents and not any(t.kind == "score" for t in reading.terms) else reading.scores
    drugs = tuple(dict.fromkeys((*reading.drugs, *(d for d in before.drugs if d.kind not in gone))))
    text = changed(words, reading) if kind == "detail" else after_subject(words, reading, gone)
    return replace(reading, text=text, intents=intents, scores=scores or reading.scores, terms=merged, drugs=drugs)


def _names_action(reading: Reading) -> bool:
    return any(t.kind == "action" for t in reading.asked)


def pointed_at(reading: Reading, answer: str) -> Reading:
    """`Which of these is safest with warfarin?`: the medicines that the last answer offered join the question."""
    offered = " ".join(s for s in split_sentences(answer) if not _says("against", s))
    return _with_drugs(reading, [t for t in concepts(offered, "drug") if t not in reading.terms][:6])


def _with_drugs(reading: Reading, named: Sequence[Term]) -> Reading:
    """The message with medicines that it points to in front."""
    if not named:
        return reading
    language = language_of(reading.text)
    text = f"{', '.join(t.name(language) for t in named)}: {reading.text}"
    return replace(reading, text=text, drugs=(*reading.drugs, *named), terms=(*reading.terms, *named))


def unresolved(reading: Reading, turns: Sequence[Turn]) -> bool:
    """Whether a message points to something and nothing before it says what."""
    if last_real(turns) is not None or reading.terms or reading.about_patient:
        return False
    pointing = pattern("words", "points").search(reading.text) is not None or reading.elliptic or reading.why
    refers = reading.elliptic or reading.kind in ("follow_up", "about_answer", "why", "what_if")
    clear = max(reading.tools.values(), default=0.0) >= _CLEAR
    return pointing and refers and not clear and len(reading.text) < 60
