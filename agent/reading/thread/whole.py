"""A message made whole: with the question it goes on from, with what it leaves unsaid, or as a correction of what stood before."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.reading.followup import Kind, table
from agent.reading.intents import Intent, Reading
from agent.reading.lexicon import Term, concepts, language_of, narrower
from agent.reading.patches import supposes
from agent.reading.takeup import after_subject, changed, likeness, replaces, without_values
from agent.reading.thread.focus import MOST_LED, lacks_drug, lacks_partner, led_with, only_names
from agent.reading.thread.kinds import CLEAR
from agent.reading.thread.turn import SUBJECT, TASKS, Turn, drugs_of, says
from retrieval.guidelines.sentences import split_sentences

_LONGEST_SUPPOSITION = 45
# Words shared with an earlier question from which a message goes back to it.
_ALIKE = 0.12
_CITED = re.compile(r"\s*\[\d+\]")
# What a bare continuation goes on asking after a message of several parts.
_GOES_ON: frozenset[Intent] = frozenset({"guideline", "drug_facts", "drug_rank", "med_check"})


def missing(reading: Reading, before: Turn, turns: Sequence[Turn], answer: str) -> tuple[Term, ...]:
    """The medicines that the message leaves unsaid and that the question before it does not name as its subject anyway."""
    assert before.reading is not None
    own = {t.id for t in reading.asked}
    spoken = next((named for t in reversed(turns) if t.reading and (named := drugs_of(t.reading.asked))), ())
    if says("instead", before.question) and not drugs_of(reading.asked) and (says("points", reading.text) or lacks_drug(reading)):
        return tuple(t for t in offered(answer) if t not in before.reading.terms)[:MOST_LED]
    if lacks_partner(reading):
        return tuple(t for t in spoken if t.id not in own)[-1:]
    instead = says("instead", reading.text)
    pointing = not any(t.kind in SUBJECT for t in reading.asked) and (says("points", reading.text) or instead)
    bare = pointing and (instead or not any(t.kind in SUBJECT for t in before.reading.terms))
    if (lacks_drug(reading) or bare) and not drugs_of(before.reading.terms):
        return led_with(answer)
    return ()


def completed(reading: Reading, unsaid: Sequence[Term], read: Callable[[str], Reading]) -> Turn:
    """The message with the medicines that it leaves unsaid in front, read as one question of its own."""
    language = language_of(reading.text)
    drugs = ", ".join(t.name(language) for t in unsaid)
    front = table()["whole"]["instead"][language == "zh"].format(drugs=drugs) if says("instead", reading.text) else drugs
    words = f"{front} {reading.text}"
    whole = read(words)
    return Turn(
        reading.text,
        replace(whole, asked=reading.asked),
        kind="next",
        words=words,
        wordings=tuple(dict.fromkeys((front, words, reading.text)) if front != drugs else (words, reading.text)),
    )


def chosen(classes: Sequence[Term], rest: str) -> str:
    """What is asked about a group of medicines that was not spoken of yet: first of all which of them."""
    language = language_of(rest)
    front = [table()["whole"]["choice"][language == "zh"].format(drugs=t.name(language)) for t in classes[:1]]
    return " ".join((*front, rest))


def joined(reading: Reading, before: Turn, kind: Kind, assumed: Sequence[str], answer: str, both: tuple[Term, ...]) -> Turn:
    """The turn of a message that goes on from `before`; `both` are the medicines that the thread's questions named last."""
    text = reading.text
    before = replace(before, words=without_values(before.words, assumed))
    assert before.reading is not None
    if kind == "correct":
        whole = _corrected(reading, before.reading, before.words)
        return Turn(text, whole, kind=kind, words=whole.text, wordings=(text, whole.text))
    if kind == "among":
        reading = _with_drugs(reading, both) if len(both) == 2 and says("both", text) else pointed_at(reading, answer)
    bare = _only_supposes(reading, assumed) or (kind == "back" and not reading.proposed)
    whole = _join(reading, before.reading, before.words, kind, bare=bare)
    full = f"{before.words} {reading.text}"
    wordings: tuple[str, ...] = (full, whole.text, text) if bare else (text, whole.text, full)
    if kind == "among":
        wordings = (reading.text, *wordings)  # the medicines that it points to are what is asked about
    return Turn(text, whole, kind=kind, words=whole.text, wordings=tuple(dict.fromkeys(wordings)))


def _only_supposes(reading: Reading, assumed: Sequence[str]) -> bool:
    """`If her eGFR were 25?`: nothing but a supposition; what is asked is what was asked before."""
    if not assumed or len(reading.text) > _LONGEST_SUPPOSITION:
        return False
    others = [t for t in reading.terms if t.kind not in ("population", "allergy") and not any(t.id.startswith(k) for k in assumed)]
    return not [t for t in others if t.kind not in ("vital", "analyte", "drug", "drug_class") or not assumed]


def resumed(where: str, turns: Sequence[Turn]) -> Turn | None:
    """The earlier question that words point back to: the first, one about the same, the one most like them, the last of the patient."""
    real = [t for t in turns if t.reading is not None and t.kind in TASKS]
    if not real:
        return None
    if says("first", where):
        return real[0]
    named = {t.id for t in concepts(where)}
    wide = named | {i for n in named for i in narrower(n)}
    about_it = [t for t in real if t.reading and wide & {x.id for x in t.reading.asked}]
    if about_it:
        return about_it[-1]
    alike = [likeness(where, t.words) for t in real]
    best = max(range(len(real)), key=lambda i: (alike[i], i))
    if alike[best] >= _ALIKE:
        return real[best]
    if named - {t.id for x in real if x.reading for t in x.reading.terms}:
        return None  # it leads to something new
    return next((t for t in reversed(real) if not supposes(t.question)), None)


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
    own = any(t.kind == "disease" for t in reading.terms) and not says("points", reading.text)
    # Another medicine takes the place of the one before, unless the two were asked about together.
    other = any(t.kind == "drug" for t in reading.terms) and before.kind not in ("interaction", "comparison")
    stands = kind == "detail" and _stands(reading, words)
    replaced = (("disease", own), ("drug", other), ("action", stands or _names_action(reading)), ("finding", stands))
    gone = frozenset(k for k, put in replaced if put)
    inherited = tuple(t for t in before.terms if t.kind not in gone)
    merged = tuple(dict.fromkeys((*reading.terms, *inherited)))
    scores = before.scores if "score" in intents and not any(t.kind == "score" for t in reading.terms) else reading.scores
    drugs = tuple(dict.fromkeys((*reading.drugs, *(d for d in before.drugs if d.kind not in gone))))
    if kind == "detail" and not stands:
        text = changed(words, reading)
    else:
        text = after_subject(words, reading, gone)
    return replace(reading, text=text, intents=intents, scores=scores or reading.scores, terms=merged, drugs=drugs)


def _stands(reading: Reading, words: str) -> bool:
    """`And metformin, still to be given?` after a question on intensive care: it asks of its own subject, which takes no other's place."""
    own = any(t.kind in ("drug", "disease") for t in reading.asked) and not only_names(reading.text)
    return own and max(reading.tools.values(), default=0.0) >= CLEAR and not replaces(words, reading)


def _names_action(reading: Reading) -> bool:
    return any(t.kind == "action" for t in reading.asked)


def pointed_at(reading: Reading, answer: str) -> Reading:
    """`Which of these is safest with warfarin?`: the medicines that the last answer offered join the question."""
    return _with_drugs(reading, [t for t in offered(answer) if t not in reading.terms][:6])


def offered(answer: str) -> tuple[Term, ...]:
    """The medicines that an answer names and does not speak against."""
    said = [s for line in _CITED.sub("", answer).splitlines() for s in split_sentences(line)]
    return concepts(" ".join(s for s in said if not says("against", s)), "drug")


def _with_drugs(reading: Reading, named: Sequence[Term]) -> Reading:
    """The message with medicines that it points to in front."""
    if not named:
        return reading
    language = language_of(reading.text)
    text = f"{', '.join(t.name(language) for t in named)}: {reading.text}"
    return replace(reading, text=text, drugs=(*reading.drugs, *named), terms=(*reading.terms, *named))
