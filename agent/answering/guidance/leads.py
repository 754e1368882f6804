"""The sentence that answers each part of a question of several parts, from the part's own search."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from agent.answering.guidance.limits import fits
from agent.answering.guidance.passages import relevant_passages
from agent.reading.plan import Plan
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from retrieval.guidelines.sentences import split_sentences
from retrieval.index.selector import selector
from tools.evidence import Evidence, Language

# Passages of a part's search whose sentences may lead, and what each further one has to be better by (log-odds of the selector).
_READ, _STEP = 3, 0.9
# A statement of the drug graph stands beside the second passage.
_FACT = 0.5
# The selector's probability and the share of a part's words below which a part is not answered by its best sentence.
_LEAST, _SHARED = 0.1, 0.25


@dataclass(frozen=True)
class Lead:
    """The sentence that answers one part, with the evidence that it stands in."""

    part: str
    text: str
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
        lead = _best(part.own, part.whole, passages, facts, language)
        if lead is not None and lead.text not in {f.text for f in found}:
            found.append(lead)
    return found


def _best(own: str, whole: str, passages: Sequence[Evidence], facts: Sequence[Evidence], language: Language) -> Lead | None:
    rated = [
        (value - _STEP * rank, probability, sentence, item)
        for rank, item in enumerate(passages)
        for value, probability, sentence in _rated(whole, split_sentences(_text(item, language)))
    ]
    rated += [
        (value - _FACT, probability, sentence, item)
        for item in facts
        for value, probability, sentence in _rated(whole, [_text(item, language)])
    ]
    rated = [r for r in rated if fits(whole, r[2])]
    if not rated:
        return None
    _, probability, sentence, item = max(rated, key=lambda r: r[0])
    if probability < _LEAST and selector().shared(whole, [sentence]) < _SHARED:
        return None
    return Lead(own, sentence, item)


def _rated(question: str, sentences: Sequence[str]) -> list[tuple[float, float, str]]:
    """Log-odds and probability that each sentence answers."""
    scores = [min(max(p, 1e-6), 1 - 1e-6) for p in selector().score(question, sentences)]
    return [(math.log(p / (1 - p)), p, s) for p, s in zip(scores, sentences, strict=True)]


def _text(item: Evidence, language: Language) -> str:
    return (item.text_zh if language == "zh" else None) or item.text
