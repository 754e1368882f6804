"""What a message that goes on leaves unsaid: which kind of thing it needs, and the thing of that kind that was spoken of last.

An interaction has two medicines, a dose has one: where the trained reader sees such a question and the message names fewer, the missing
one is the medicine that the thread's questions named last, else the one that the last answer leads with. A medicine that nobody here
knows is never taken for one that was spoken of.
"""

import re
from collections.abc import Sequence
from functools import cache

from agent.reading.followup import pattern, table
from agent.reading.intents import Reading
from agent.reading.lexicon import DRUG_KINDS, Term, concepts, members, mentions
from retrieval.concepts.lexicon import normalise
from retrieval.guidelines.sentences import split_sentences
from retrieval.guidelines.strange import DRUG_ENDING, DRUG_ENDING_HAN, is_general
from retrieval.index.selector import lexicon
from tools.evidence import ToolName

# Kinds of question that are asked of a medicine, and how sure the reader must be of one of them or of a tool for medicines.
_OF_DRUGS = ("dose", "adverse_effect", "interaction", "check_drug")
_DRUG_TOOLS: tuple[ToolName, ...] = ("query_drug_graph", "check_medications")
_OF_PAIRS = ("interaction", "check_drug", "adverse_effect")
_SURE = 0.5
_PAIR = 0.4
# Characters around "with warfarin" in which nothing else can be asked.
_BARE = 8
# More medicines than these in the first sentence of an answer are a list, not a subject.
MOST_LED = 4
# Endings of Chinese medicines that end everyday words too (song, relaxed; bo, platinum).
_ALSO_WORDS = ("\u677e", "\u94c2")


def lacks_drug(reading: Reading) -> bool:
    """Whether the message asks something of a medicine and names none."""
    if any(t.kind in DRUG_KINDS for t in reading.asked):
        return False
    kinds = sum(reading.kinds.get(k, 0.0) for k in _OF_DRUGS)
    return kinds >= _SURE or max((reading.tools.get(t, 0.0) for t in _DRUG_TOOLS), default=0.0) >= _SURE


def lacks_partner(reading: Reading) -> bool:
    """Whether the message asks about two medicines together and names one."""
    named = [m for m in mentions(reading.text) if m.term.kind in DRUG_KINDS]
    if len(named) != 1:
        return False
    before, after = reading.text[: named[0].start], reading.text[named[0].end :]
    told = pattern("words", "with").search(before) or pattern("words", "together").search(after)
    if told is not None and len(before.strip()) <= _BARE and len(after.strip()) <= _BARE:
        return True  # "with warfarin?" asks of nothing else
    return told is not None and sum(reading.kinds.get(k, 0.0) for k in _OF_PAIRS) >= _PAIR


def has_facet(text: str) -> bool:
    """Whether a message asks a question of its own about what was spoken of: its dose, its side effects, whether it is safe."""
    asked = {name for name, _, _ in lexicon().find(normalise(text), question=True)}
    return bool(asked & set(table()["facets"]["concepts"])) or pattern("words", "facet").search(text) is not None


def only_names(text: str) -> bool:
    """Whether a message is hardly more than names: `moxifloxacin?`."""
    found = mentions(text)
    left = "".join(c for i, c in enumerate(text) if not any(m.start <= i < m.end for m in found))
    return bool(found) and re.search(r"[A-Za-z0-9\u4e00-\u9fff]", left) is None


def led_with(answer: str) -> tuple[Term, ...]:
    """The medicines of an answer's first sentence, where they are few."""
    first = next(iter(split_sentences(next(iter(answer.splitlines()), ""))), "")
    found = concepts(first, "drug")
    return found if len(found) <= MOST_LED else ()


def unknown_drug(text: str) -> bool:
    """Whether a message names a medicine, by its ending, that is none of ours, and none that is."""
    known = [(m.start, m.end) for m in mentions(text)]
    if any(m.term.kind in DRUG_KINDS for m in mentions(text)):
        return False
    return any(not any(a < end and start < b for a, b in known) for start, end in _like_drugs(text))


def _like_drugs(text: str) -> list[tuple[int, int]]:
    words = [(m.start(), m.end()) for m in re.finditer(r"[a-z]{6,}", text.lower())]
    latin = [(a, b) for a, b in words if DRUG_ENDING.search(text.lower()[a:b]) and not is_general(text.lower()[a:b])]
    return latin + [m.span() for m in _ending_han().finditer(text)]


@cache
def _ending_han() -> re.Pattern[str]:
    """A Chinese drug ending of two characters, or of one that ends hardly anything else, inside a text, with two characters before it."""
    endings = [e for e in DRUG_ENDING_HAN.pattern.removeprefix("(?:").removesuffix(")$").split("|") if len(e) > 1 or e not in _ALSO_WORDS]
    return re.compile(rf"[\u4e00-\u9fff]{{2}}(?:{'|'.join(endings)})")


@cache
def classes_of(drug: str) -> frozenset[str]:
    """Groups that a medicine belongs to."""
    return frozenset(group for group, drugs in members().items() if drug in drugs)


def likest(term: Term, others: Sequence[Term]) -> Term | None:
    """Which of several medicines is of a group with `term`, the last of them; None where none is."""
    mine = classes_of(term.id)
    alike = [len(mine & classes_of(o.id)) for o in others]
    best = max(alike, default=0)
    return next((o for o, n in zip(reversed(others), reversed(alike), strict=True) if n == best), None) if best else None
