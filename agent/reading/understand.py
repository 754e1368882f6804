"""A message as understood: what the patterns find in it, and what the trained reader makes of it.

The reader decides which tools are asked; the patterns say in which order the message raises them, which scores and drugs it names, and
are among what the reader sees.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.reading.features import Message, sentence_vector, sentence_vectors
from agent.reading.inputs import complete
from agent.reading.intents import COMPUTE, Intent, Reading, read_question
from agent.reading.lexicon import terms
from agent.reading.reader import Opinion, opinion_of, shipped
from retrieval.messages.patterns import patterns
from tools.evidence import ToolName
from tools.spec import specs

_WORDS = patterns("agent.reading")

INTENT_OF: dict[ToolName, Intent] = {s.name: s.intent for s in specs().values()}
NEED_CASE: frozenset[Intent] = frozenset(s.intent for s in specs().values() if s.needs_case)
# Without a case every local tool of at least this probability is asked: it costs milliseconds.
_PLAUSIBLE = 0.15
IN_SCOPE = frozenset({"disease", "finding", "score", "respiratory", "drug", "drug_class", "enzyme", "action", "organism"})
# A part of a message adds a tool that the whole does not show only where it is sure (tried across authors: 0.6 to 0.85).
_SURE_OF_A_PART = 0.85
_LONGEST_IN_PARTS = 160
# A message whose tool is this sure by itself, and that is hardly a follow-up, stands alone.
_STANDS_ALONE = 0.7
_BETWEEN = _WORDS.regex("understand_between")
_NEAR = 0.6
# The same for a patient, beside another tool (a question on ventilation has 0.13 with a bleeding score, one on clots 0.42 with its own).
_BESIDE = 0.3
# From this probability a message asks for a figure; calculators nearest in meaning that are then tried on its numbers.
_COMPUTES, _FORMULAS = 0.25, 8
# A calculator farther off is meant where the message gives so many inputs that are no age and no sex.
_OWN_INPUTS = 3
_SMALL_TALK = ("social", "about_answer", "harm")
# Kinds of question whose answer lies in knowledge, not in a patient's record.
_KNOWLEDGE = frozenset(
    {"definition", "criteria", "cutoff", "dose", "duration", "next_step", "comparison", "interaction", "adverse_effect", "monitoring",
     "differential", "sign", "why", "choose_drug", "what_if", "follow_up", "emergency", "procedure", "teach"}
)  # fmt: skip


def understand(text: str, topic: frozenset[str], case: bool, before: str = "") -> Reading:
    """Read a message.

    Args:
        text: As typed.
        topic: Ids of diseases the case is about.
        case: A case is open.
        before: The person's message before it in the thread.

    Returns:
        The reading; `intents` are those of the tools to ask, none where no tool is needed.
    """
    found = read_question(text, topic)
    opinion = _opinion(found, case, before)
    away = elsewhere(found)
    wanted = () if away else _chosen(text, opinion, found, case)
    if not case and not away:
        wanted = _plausible(wanted, opinion, found)
    if not case and away and opinion.tools["search_guidelines"] >= _PLAUSIBLE:
        wanted = ("search_guidelines",)  # a word of another field does not decide alone: what is found does
    intents = {INTENT_OF[t]: found.intents.get(INTENT_OF[t], len(text) + i) for i, t in enumerate(wanted)}
    scores = found.scores or (_meant_scores(text, case, alone=len(intents) == 1) if "score" in intents else ())
    computed = _computed(text, found, opinion) if not case else None
    if computed is not None:
        intents, scores = {**intents, "score": 0}, (computed,)
    if "score" in intents and not scores:
        del intents["score"]
    return replace(
        found, intents=intents, scores=scores, tools=opinion.tools, kinds=opinion.kinds, no_tool=opinion.none, parts=parts_of(text)
    )


def _opinion(found: Reading, case: bool, before: str) -> Opinion:
    """The reader's opinion; it is told the message before only where this one does not stand alone."""
    alone = opinion_of(Message(found.text, case))
    stands = max(alone.tools.values()) >= _STANDS_ALONE and alone.kinds["follow_up"] < 1 - _STANDS_ALONE
    return alone if not before or (stands and not found.elliptic) else opinion_of(Message(found.text, case, before))


def elsewhere(found: Reading) -> bool:
    """Whether all that the message names lies outside this field of medicine (the vocabulary's kind `other`)."""
    kinds = {t.kind for t in found.terms}
    return "other" in kinds and not kinds & IN_SCOPE


def _chosen(text: str, opinion: Opinion, found: Reading, case: bool) -> tuple[ToolName, ...]:
    """What the reader chooses for the message and, surely, for its parts; a score that is named to be computed is computed."""
    wanted = list(shipped().choose(opinion, case))
    if wanted:
        for part in parts_of(text):
            told = opinion_of(Message(part, case))
            sure = [t for t, p in told.tools.items() if p >= _SURE_OF_A_PART and told.none < 1 - _SURE_OF_A_PART]
            best = max(told.tools, key=lambda t: told.tools[t])
            if told.tools[best] >= _PLAUSIBLE and INTENT_OF[best] in found.proposed:
                sure.append(best)  # what the patterns see in the whole, and no tool answers better in the part
            wanted += [t for t in sure if t not in wanted]
    named = any(t.kind == "score" for t in found.terms)
    if named and "score" in found.proposed and COMPUTE.search(text) and "calculate_score" not in wanted:
        wanted.append("calculate_score")
    return tuple(wanted)


def parts_of(text: str) -> tuple[str, ...]:
    """The parts of a message that asks several things; none where it is one."""
    if len(text) > _LONGEST_IN_PARTS:
        return ()
    found = tuple(p for piece in _BETWEEN.split(text) if piece and len(p := piece.strip()) >= (4 if p.isascii() else 2))
    return found if 1 < len(found) <= 4 else ()


def _plausible(wanted: tuple[ToolName, ...], opinion: Opinion, found: Reading) -> tuple[ToolName, ...]:
    """What to ask without a case: the chosen tools and every other local one that may hold something."""
    if small_talk(opinion, found):
        return ()
    more: list[ToolName] = ["search_guidelines"]
    if found.drugs and opinion.tools["query_drug_graph"] >= _PLAUSIBLE:
        more.append("query_drug_graph")
    if found.scores and opinion.tools["calculate_score"] >= _PLAUSIBLE:
        more.append("calculate_score")
    if "search_guidelines" not in wanted and not _knowledge(opinion, found) and any(INTENT_OF[t] in NEED_CASE for t in wanted):
        more.remove("search_guidelines")  # "interpret the labs" asks for a case, not for a passage on laboratory tests
    more = [t for t in more if t not in wanted]
    return tuple(sorted((*wanted, *more), key=lambda t: -opinion.tools[t]))


def _knowledge(opinion: Opinion, found: Reading) -> bool:
    return opinion.kind in _KNOWLEDGE or opinion.tools["search_guidelines"] >= _PLAUSIBLE


def small_talk(opinion: Opinion, found: Reading) -> bool:
    """Whether the message surely asks for nothing that a tool could find."""
    if any(t.kind in IN_SCOPE for t in found.terms) and opinion.kind not in _SMALL_TALK:
        return False
    return opinion.none > 0.5 and opinion.none > max(opinion.tools.values())


def _meant_scores(text: str, case: bool, *, alone: bool) -> tuple[str, ...]:
    """The calculator nearest in meaning; without a patient only where it is near: a score of something else explains nothing.

    For a patient it need not be near where nothing else is asked (`alone`); beside another tool one that is far off is noise.
    """
    name, near = nearest_score(text)
    least = _NEAR if not case else -1.0 if alone else _BESIDE
    return (name,) if near >= least else ()


def _computed(text: str, found: Reading, opinion: Opinion) -> str | None:
    """The calculator for which the message gives every input: the one it names, or one near in meaning where it asks for a figure."""
    asked = (*found.scores, *(t.id for t in found.terms if t.kind == "score"))
    named = next((name for name in asked if complete(name, text)), None)
    if named is not None or opinion.kinds["compute"] + opinion.kinds["interpret"] < _COMPUTES or not any(c.isdigit() for c in text):
        return named
    names, vectors = _named_scores()
    order = [names[i] for i in np.argsort(-(vectors @ sentence_vector(text)))]
    near = next((name for name in order[:_FORMULAS] if complete(name, text)), None)
    return near or next((name for name in order[_FORMULAS:] if complete(name, text, _OWN_INPUTS)), None)


def nearest_score(text: str) -> tuple[str, float]:
    """The calculator whose name is nearest to the message in meaning, where the message names none, and their cosine."""
    names, vectors = _named_scores()
    cosines = vectors @ sentence_vector(text)
    return names[int(np.argmax(cosines))], float(cosines.max())


@lru_cache(maxsize=1)
def _named_scores() -> tuple[tuple[str, ...], NDArray[np.float32]]:
    from tools.scores.registry import calculators

    names = tuple(sorted(calculators()))
    told = [f"{terms()[n].en[0]}; {terms()[n].zh[0]}" if n in terms() else f"{calculators()[n].en}; {calculators()[n].zh}" for n in names]
    return names, sentence_vectors(told)
