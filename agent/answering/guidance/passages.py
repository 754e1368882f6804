"""Guideline passages of a turn: which of them are on the point, and which of their sentences lead, stay and go."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.answering.guidance.limits import fits
from agent.reading.lexicon import DRUG_KINDS, ids, kin, terms
from agent.reading.plan import Plan
from agent.reading.queries import PNEUMONIA
from agent.reading.severity import SEVERITY_WORDS, severities, severity_of, stated
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from agent.verify.facts.named import covered
from retrieval.guidelines.sentences import split_sentences
from retrieval.index.selector import selector
from retrieval.messages.patterns import patterns
from tools.evidence import Evidence, Language
from tools.guidelines.search import HitsData

_WORDS = patterns("agent.answering")

_SINGLED_OUT = frozenset({"population", "comorbidity", "history", "organism", "drug", "drug_class"})
_GENERIC = frozenset({"antibiotic", "bronchodilator", "adults", "smoking"})
# Words that grade the patient a passage is for; "high-flow" or "low-dose" do not.
_SEVERE = _WORDS.regex("passages_severe")
_NOT_SEVERE = re.compile(SEVERITY_WORDS["not_severe"], re.IGNORECASE)
# The selector's probability below which a sentence of a passage that does not lead is left out.
_LEAST = 0.08
# The second sentence of a headline is at least this likely an answer, measured by the first.
_NEXT, _ALIKE = 0.2, 0.5
# A further passage speaks of at least this much of what the best one before it speaks of, in words of the question.
_SHARE = 0.4
# Characters before the first such sentence that are shown with it.
_SHORT_BEGINNING = 160
# What a search loses against one before it: of two first hits the earlier search's leads.
_LATER = 0.001
# A passage whose odds of answering are this many times below the best one's is not shown beside it.
_FAR_BELOW = 30.0


@dataclass(frozen=True)
class Piece:
    """A run of sentences of one piece of evidence that stand side by side in it; `lead` when it is the one that answers best."""

    text: str
    evidence: Evidence
    lead: bool = False


def pieces_of(
    found: Sequence[Evidence],
    question: str,
    severity: str | None,
    language: Language,
    detail: bool = False,
    said: frozenset[str] = frozenset(),
) -> list[Piece]:
    """The pieces to show of passages, best passage first.

    The sentence that answers best leads; the rest of its passage follows whole, because what surrounds an answer is mostly part of it; of
    every further passage only sentences that may answer are kept (all with `detail`). Sentences that were `said` are left out, and then
    none leads.
    """
    shown: list[Piece] = []
    on_point = 0.0
    for rank, item in enumerate(found):
        whole = (item.text_zh if language == "zh" else None) or item.text
        sentences = split_sentences(whole)
        scores = selector().score(question, sentences)
        if not sentences:
            continue
        shares = selector().shared(question, sentences)
        on_point = max(on_point, shares)
        if rank and not detail and shares < _SHARE * on_point:
            continue
        fit = [i for i, s in enumerate(sentences) if _fits(s, severity) and fits(question, s)]
        if not fit:
            continue
        best = max(fit, key=lambda i: (scores[i], -i))
        kept = list(range(len(sentences))) if rank == 0 or detail else _span(sentences, scores)
        kept = [i for i in kept if i in fit and sentences[i] not in said]
        if rank == 0 and len(sentences) > 1 and not said:
            leading = _leading(fit, scores, best)
            shown += [Piece(text, item, lead=True) for text in _runs(sentences, leading, language)]
            kept = [i for i in kept if i not in leading]
        shown += [Piece(text, item, lead=rank == 0 and len(sentences) == 1 and not said) for text in _runs(sentences, kept, language)]
    return shown


def _leading(fit: Sequence[int], scores: Sequence[float], best: int) -> list[int]:
    """The sentence that answers best, and the next best where it comes near: in the passage's order where neighbours or nearly alike."""
    rest = [i for i in fit if i != best]
    second = max(rest, key=lambda i: (scores[i], -i), default=None)
    if second is None or scores[second] < _NEXT * scores[best]:
        return [best]
    alike = abs(best - second) == 1 or scores[second] >= _ALIKE * scores[best]
    return sorted((best, second)) if alike else [best, second]


def _span(sentences: Sequence[str], scores: Sequence[float]) -> list[int]:
    """From the first to the last sentence that may answer, with a short beginning: a sentence torn out of its passage misleads."""
    likely = [i for i, score in enumerate(scores) if score >= _LEAST]
    if not likely:
        return []
    first = 0 if sum(map(len, sentences[: likely[0]])) <= _SHORT_BEGINNING else likely[0]
    return list(range(first, likely[-1] + 1))


def _runs(sentences: Sequence[str], kept: Sequence[int], language: Language) -> list[str]:
    """The kept sentences, neighbours joined."""
    runs: list[list[int]] = []
    for i in kept:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return [("" if language == "zh" else " ").join(sentences[i] for i in run) for run in runs]


def _fits(sentence: str, severity: str | None) -> bool:
    """Whether a sentence is not about another severity than the patient's."""
    grades = _grades(sentence)
    return severity is None or not grades or severity in grades


def _grades(text: str) -> set[str]:
    """The severities a text speaks of; what is not severe is low or moderate."""
    spared = _NOT_SEVERE.sub(" ", text)
    grades = {g for words in _SEVERE.findall(spared) for g in severities(words)}
    return grades | ({"low", "moderate"} if spared != text else set())


def relevant_passages(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> list[Evidence]:
    """Passages that fit topic, patient and severity, best first; a neighbour of another topic is not one."""
    severity = severity_at(plan, steps)
    scored: dict[str, tuple[float, Evidence]] = {}
    for turn, step in enumerate(steps):
        if step.result.tool != "search_guidelines":
            continue
        far = _far_below(step)
        rank = -1
        for item in (e for e in step.result.evidence if e.key not in far):
            fit = _fit(item, plan, card, severity) if card else _fit_alone(item, plan, severity)
            rank += card is not None or fit is not None
            if fit is None:
                continue
            value = fit + 1.0 / (1 + 0.3 * rank) - _LATER * turn
            if item.key not in scored or scored[item.key][0] < value:
                scored[item.key] = (value, item)
    best = [item for _, item in sorted(scored.values(), key=lambda pair: (-pair[0], pair[1].key))]
    return _on_the_point(best, plan) if card else _on_topic(best, plan)


def _far_below(step: ToolStep) -> frozenset[str]:
    """Keys of hits that a search found far less likely to answer than its best."""
    data = step.result.payload(HitsData)
    scores = {hit.key: hit.score for hit in (data.hits if data else ())}
    odds = {key: s / max(1 - s, 1e-6) for key, s in scores.items()}
    return frozenset(key for key, o in odds.items() if o * _FAR_BELOW < max(odds.values()))


def _on_the_point(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """Passages that speak of what the question singles out (a drug, a group of patients, a germ), when it singles anything out."""
    wanted = [t.id for t in plan.reading.asked if t.kind in _SINGLED_OUT and t.id not in _GENERIC]
    if not wanted or set(plan.reading.intents) - {"guideline", "drug_rank"}:
        return found
    return [e for e in found if any(covered(t, ids(_words(e)) | frozenset(e.subjects)) for t in wanted)]


def _on_topic(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """Without those that speak of other diseases only, where any speaks of the one that is asked about."""
    named = frozenset(t.id for t in plan.reading.terms if t.kind == "disease")
    on = [e for e in found if not named or not (about := _diseases(e)) or about & _all_kin(named)]
    return on or found


def _all_kin(named: frozenset[str]) -> frozenset[str]:
    """The diseases, those that they are kinds of, and their kinds."""
    return frozenset(k for t in named for k in kin(t))


def _words(item: Evidence) -> str:
    return f"{item.text} ; {' ; '.join(item.subjects)} ; {item.population or ''}"


def _diseases(item: Evidence) -> frozenset[str]:
    have = ids(_words(item)) | frozenset(item.subjects)
    return frozenset(t for t in have if t in terms() and terms()[t].kind == "disease") | ids(item.source, "disease")


def severity_at(plan: Plan, steps: tuple[ToolStep, ...]) -> str | None:
    """The severity that a score of this turn found, or that the message states (`CURB-65 3`)."""
    found = next((s for step in steps if (s := severity_of(step.result))), None)
    told = stated(plan.reading.text, PNEUMONIA) if found is None else None
    return told[1] if told is not None else found


def _fit_alone(item: Evidence, plan: Plan, severity: str | None) -> float | None:
    """Without a case the search's order stands; a passage that is for another severity is none."""
    grades = _grades(item.text)
    if severity and grades and severity not in grades:
        return None
    return 0.0 if _for_this_patient(ids(_words(item)) | frozenset(item.subjects), plan, None) else None


def _fit(item: Evidence, plan: Plan, card: CaseCard | None, severity: str | None) -> float | None:
    have = ids(_words(item)) | frozenset(item.subjects)
    about = _diseases(item)
    if plan.topic and about and not about & _all_kin(plan.topic):
        return None
    if not _for_this_patient(have, plan, card):
        return None
    asked = {t.id for t in plan.reading.terms if t.kind not in ("disease", "respiratory")}
    score = 0.5 * len(asked & have)
    if not asked - set(plan.reading.scores) and any(t in terms() and terms()[t].kind in DRUG_KINDS for t in have):
        score += 0.6  # "what does the guideline recommend" means treatment
    if card and any(ids(a) & have for a in card.allergies):
        score += 0.4
    if plan.topic and not about:
        score -= 0.5
    grades = _grades(item.text)
    if severity and grades:
        return score + 0.8 if severity in grades else None
    return score


def _for_this_patient(have: frozenset[str], plan: Plan, card: CaseCard | None) -> bool:
    asked = {t.id for t in plan.reading.terms}
    adult = card is None or card.age_years is None or card.age_years >= 18
    if "children" in have and "adults" not in have and "children" not in asked and adult:
        return False
    return not ("pregnancy" in have and "pregnancy" not in asked and card is not None and not card.pregnant and "adults" not in have)
