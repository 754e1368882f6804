"""The sentence that answers each part of a question of several parts, from the part's own search."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.answering.guidance.limits import fits
from agent.answering.guidance.passages import relevant_passages
from agent.reading.plan import Plan
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from retrieval.guidelines.parts import Part
from retrieval.guidelines.sentences import split_sentences
from retrieval.index.selector import selector
from tools.evidence import Evidence, Language

# Passages of a part's search whose sentences may lead, and what each further one has to be better by (log-odds of the selector).
_READ, _STEP = 3, 0.9
# A statement of the drug graph stands beside the second passage.
_FACT = 0.5
# The selector's probability and the share of a part's words below which a part is not answered by its best sentence.
_LEAST, _SHARED = 0.1, 0.25
# Weight of what a sentence is worth to the whole question. A second sentence of the same evidence stands beside the best one where it is
# at most this much worse, and where both fit into a part's share of the room.
_WHOLE, _GAP, _ROOM = 0.3, 6.0, 840


@dataclass(frozen=True)
class Lead:
    """What answers one part: a sentence, or two of one piece of evidence in its order."""

    part: str
    sentences: tuple[str, ...]
    evidence: Evidence

    @property
    def text(self) -> str:
        """The sentences together."""
        return ("" if re.search(r"[。！？]$", self.sentences[0]) else " ").join(self.sentences)


@dataclass(frozen=True)
class _Rated:
    """A sentence that may lead: what it is worth, the selector's probability, and where it stands."""

    worth: float
    probability: float
    text: str
    place: int
    evidence: Evidence


def leads(plan: Plan, steps: Sequence[ToolStep], card: CaseCard | None, facts: Sequence[Evidence], language: Language) -> list[Lead]:
    """The best sentence for each part of the question, in its order; parts for which nothing was found have none.

    Args:
        plan: The question with its parts.
        steps: The tool steps of the turn, among them a search for each part.
        card: The open case, None without one.
        facts: Statements of the drug graph on the medicines that the question names.
        language: Of the answer.
    """
    found: list[Lead] = []
    for part in plan.parts:
        step = next((s for s in steps if s.result.tool == "search_guidelines" and s.args.get("query") == part.whole), None)
        passages = relevant_passages(plan, (step,), card)[:_READ] if step is not None else []
        lead = _best(part, plan, passages, facts, language)
        told = {s for f in found for s in f.sentences}
        if lead is not None and not set(lead.sentences) <= told:
            found.append(replace(lead, sentences=tuple(s for s in lead.sentences if s not in told)))
    return found


def _best(part: Part, plan: Plan, passages: Sequence[Evidence], facts: Sequence[Evidence], language: Language) -> Lead | None:
    rated = [
        replace(r, worth=r.worth - _STEP * rank)
        for rank, item in enumerate(passages)
        for r in _rated(part.whole, plan.reading.text, split_sentences(_text(item, language)), item)
    ]
    rated += [replace(r, worth=r.worth - _FACT) for e in facts for r in _rated(part.whole, plan.reading.text, [_text(e, language)], e)]
    rated = [r for r in rated if fits(part.whole, r.text)]
    if not rated:
        return None
    first = max(rated, key=lambda r: r.worth)
    if first.probability < _LEAST and selector().shared(part.whole, [first.text]) < _SHARED:
        return None
    room = _ROOM // len(plan.parts) - len(first.text)
    beside = [r for r in rated if r.evidence == first.evidence and r is not first and len(r.text) <= room and first.worth - r.worth <= _GAP]
    both = sorted([first, *sorted(beside, key=lambda r: -r.worth)[:1]], key=lambda r: r.place)
    return Lead(part.own, tuple(r.text for r in both), first.evidence)


def _rated(part: str, whole: str, sentences: Sequence[str], item: Evidence) -> list[_Rated]:
    """What each sentence is worth as an answer to the part, and a little as one to the whole question."""
    of_part, of_whole = ([min(max(p, 1e-6), 1 - 1e-6) for p in selector().score(q, sentences)] for q in (part, whole))
    return [
        _Rated(_log_odds(p) + _WHOLE * _log_odds(w), p, s, i, item)
        for i, (p, w, s) in enumerate(zip(of_part, of_whole, sentences, strict=True))
    ]


def _log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def _text(item: Evidence, language: Language) -> str:
    return (item.text_zh if language == "zh" else None) or item.text
