"""The topic that a question about an open case most likely means, and what it says of this record."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations

from retrieval.concepts.lexicon import Lexicon
from retrieval.drugs.graph import DrugGraph
from tools.bedside.asks.general import written_out
from tools.bedside.judging import judge, see_also
from tools.bedside.matching.ranking import chances, strengths
from tools.bedside.record.view import Record
from tools.bedside.topics import topics
from tools.case.record import Case
from tools.evidence import Evidence

# From this number of medicines on a question is about their combination.
_SEVERAL = 3
# Chance of the two likeliest topics from which a message is about one of them.
_ANY = 0.79
# Log-odds from which a topic stands below an answer that another gave: its title shares a concept with the question, with the answer,
# with neither; the last in a message that goes on from another and so names little; how many are looked at.
_NEAR, _NEAR_ANSWER, _NEAR_ALONE, _NEAR_GOING_ON, _MOST_NEAR = 0.0, 1.0, 3.0, 2.0, 2


@lru_cache(maxsize=8)
def record_of(case: Case, graph: DrugGraph, question: str) -> Record:
    """One record for all tools of a turn: what is read once is not read again."""
    return written_out(Record(case, graph, question))


@lru_cache(maxsize=64)
def likely(question: str) -> str | None:
    """The likeliest of all topics, whatever the record says, where it or its neighbour is meant with a chance of `_ANY`; else None.

    Of 157 messages of another field or of courtesy none reaches it (highest: 0.78), of those about a next step, a dose, a duration or
    monitoring three of five do.
    """
    ranked = chances(question, (t.id for t in topics().values() if t.ask))
    return ranked[0][1] if ranked and sum(chance for chance, _ in ranked[:2]) >= _ANY else None


def meant(record: Record, least: float) -> list[Evidence]:
    """What the likeliest topic says of this record from a chance of `least` on; never one that is silent on a medicine asked about."""
    found = _meant(record.case, record.graph, record.question)
    return found[1] if found is not None and found[0] >= least else []


def near(record: Record, least: float) -> list[Evidence]:
    """The likeliest topic from a chance of `least` on, under its title: below passages that were found for the question itself."""
    found = chances(record.question, _able(record.case, record.graph, record.question))[:1]
    return [e for chance, name in found if chance >= least and topics()[name].aside for e in see_also(topics()[name], record)]


def beside(record: Record, told: Iterable[Evidence], goes_on: bool) -> list[Evidence]:
    """What the next likeliest topics say of this record, below an answer that others (`told`) gave, each under its title.

    They belong to "for this patient": the follow-up of a nodule beside its malignancy, the monitoring beside the dose. A topic whose
    title shares no concept with the question has to be the likelier.
    """
    said = list(told)
    asked, answered = _concepts(record.question), _concepts(" ".join(e.text for e in said))
    done = {e.key.removeprefix("B-").rpartition("-")[0] for e in said}
    able = [name for name in _able(record.case, record.graph, record.question) if name not in done and topics()[name].aside]

    def least(name: str) -> float:
        title = _concepts(" ".join(topics()[name].title))
        if title & asked:
            return _NEAR
        return _NEAR_ANSWER if title & answered else _NEAR_GOING_ON if goes_on else _NEAR_ALONE

    near = [name for odds, name in strengths(record.question, able)[:_MOST_NEAR] if odds >= least(name)]
    return [e for name in near for e in see_also(topics()[name], record)]


@lru_cache(maxsize=1024)
def _concepts(text: str) -> frozenset[str]:
    return frozenset(Lexicon.load().concepts_in(text))


@lru_cache(maxsize=32)
def _able(case: Case, graph: DrugGraph, question: str) -> dict[str, list[Evidence]]:
    """Topics that say something of this record."""
    record = record_of(case, graph, question)
    return {t.id: lines for t in topics().values() if t.ask and (lines := judge(t, record))}


@lru_cache(maxsize=32)
def _meant(case: Case, graph: DrugGraph, question: str) -> tuple[float, list[Evidence]] | None:
    named = {d.id for d in graph.mentions(question)}
    if len(named) >= _SEVERAL:
        return None  # a combination is checked drug by drug
    if any(graph.interactions(a, b) for a, b in combinations(sorted(named), 2)):
        return None  # what two do together is known by itself
    able = _able(case, graph, question)
    if named:
        # Of two medicines it has to speak of both.
        able = {name: lines for name, lines in able.items() if named <= {d.id for e in lines for d in graph.mentions(e.text)}}
    ranked = chances(question, able)
    return (ranked[0][0], able[ranked[0][1]]) if ranked else None
