"""Sentences out of typed evidence, part by part: what answers the question, what is about this patient, why, and what is left open."""

import re
from collections.abc import Iterable, Sequence

from agent.answering.draft import Draft, DraftSentence, Notice, Part, split_sentences
from agent.answering.guidance.leads import Lead, leads
from agent.answering.guidance.passages import pieces_of, severity_at
from agent.answering.labs import by_system
from agent.answering.patient import bedside, patient_notes
from agent.answering.selection import select
from agent.reading.intents import Intent
from agent.reading.lexicon import ids
from agent.reading.plan import Plan, ordered
from agent.reading.understand import elsewhere
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.bedside.judging import stands_beside
from tools.drugs.payload import FactsData
from tools.evidence import Evidence, Language, ToolResult
from tools.guidelines.search import HitsData

each = messages("agent.answering").each
_WORDS = patterns("agent.answering")

# Characters of an answer before the rest is folded away; `[12]` behind every sentence counts.
ROOM = 1150
_MARK = 5
# A passage is cut to fit only where this much of it still stands.
_LEAST_ROOM = 60
_MOST_HEADLINE = 2
# Of the room below the headline, what is about the patient takes at most this much where evidence follows.
_PATIENT_SHARE = 0.55
# How many statements of a tool an answer shows.
_MOST: dict[Intent, int] = {
    "labs": 24,
    "score": 4,
    "summary": 10,
    "ct_measure": 8,
    "drug_facts": 6,
    "med_check": 8,
    "drug_rank": 16,
    "report_draft": 40,
    "ct_findings": 14,
}
# Passages of a search that are read.
_PASSAGES = 5
# What is computed leads; then what the question raises first.
_LEADS: tuple[Intent, ...] = ("score",)
# What speaks of the open case; the rest says why.
_OF_THE_PATIENT: frozenset[Intent] = frozenset(
    {"labs", "score", "summary", "ct_measure", "ct_findings", "ct_encode", "med_check", "similar", "drug_rank", "report_check"}
)
# What the bedside judgements stand for: where they answer, single drugs ranked and sentences for other patients (another size of nodule,
# another severity) only mislead.
_JUDGED: frozenset[Intent] = frozenset({"drug_rank", "drug_facts", "med_check", "summary", "guideline"})
# Intents about drugs that a message names.
_OF_DRUGS: frozenset[Intent] = frozenset({"med_check", "drug_facts"})
# What tools say of the open case alone.
_OF_THE_CASE: frozenset[Intent] = frozenset(
    {"labs", "summary", "ct_measure", "ct_findings", "ct_encode", "report_draft", "report_check", "similar"}
)
# The reader's probability from which a question without a direct answer is one of another field.
_OUTSIDE = 0.3
# The same where it names a medicine of the graph.
_OUTSIDE_OF_DRUGS = 0.7
_INFERRED: dict[Language, str] = each("Inference: ")
_OLD: dict[Language, str] = each("Superseded edition: ")


def say(item: Evidence, language: Language) -> str:
    """A piece of evidence as a sentence of the answer; inference and superseded editions are marked."""
    return marked((item.text_zh if language == "zh" else None) or item.text, item, language)


def marked(text: str, item: Evidence, language: Language) -> str:
    """A part of a piece of evidence, marked as inference or as of a superseded edition where it is."""
    if item.inferred and not re.match(_WORDS.text("compose_marked"), text, re.IGNORECASE):
        text = _INFERRED[language] + text
    return text if item.current else _OLD[language] + text


def compose(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None, language: Language, banned: frozenset[str]) -> Draft:
    """The answer of the turn out of its tool results.

    Args:
        plan: The question as understood.
        steps: Tool steps of this turn.
        card: The case.
        language: Language of the answer.
        banned: Sentences that were objected to.

    Returns:
        Draft whose sentences are evidence texts with their keys, in parts; the notice `no_evidence` when there is nothing to say.
    """
    judged = bedside(steps)
    told = [e for e in judged if not stands_beside(e.key)]
    # Of a patient who is only told of, guidance stands below.
    decided = told if card is not None else []
    silence = None if told else _silence(plan, steps, card)
    if silence:
        return Draft(notice=silence)
    said = [_sentence(e, language, "headline" if e.key.endswith("-0") else "patient") for e in judged]
    said = list({s.text: s for s in reversed(said)}.values())[::-1]  # two tools may judge the same
    answering = [] if decided else _leads(plan, steps, card, language)
    for intent in sorted(_raised(plan, steps), key=lambda i: i not in _LEADS):
        if decided and intent in _JUDGED and not (intent in _OF_DRUGS and _unjudged_drug(decided, plan)):
            continue
        if intent == "guideline" and pair_answered(steps):
            continue  # passages that do not speak of the two medicines only lead away from what the graph says of them
        if intent == "labs" and (any(e.key.startswith("B-review-") for e in judged) or (decided and not _names_values(plan))):
            continue  # "at this kidney function" asks of the medicines, not for the sheet
        mine = _of_intent(intent, plan, steps, card, language, frozenset(t for lead in answering for t in lead.sentences))
        seen = {k for s in said for k in s.evidence}
        seen |= {f"S-{e.key.removeprefix('B-formula-').removesuffix('-0')}" for e in judged if e.key.startswith("B-formula-")}
        said += [s for s in mine if not set(s.evidence) & seen]
    said = [s for s in _led_by(answering, said, language) if s.text not in banned]
    ledger = {e.key: e for s in steps for e in s.result.evidence}
    shown = [ledger[k] for s in said for k in s.evidence if k in ledger]
    said += [_sentence(e, language, "patient") for e in patient_notes(shown, ledger)]
    arranged = _arranged(said, bool({"report_draft", "report_check"} & plan.reading.intents.keys()), max(_MOST_HEADLINE, len(answering)))
    return Draft(sentences=tuple(arranged), notice=None if arranged else "no_evidence")


def _leads(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None, language: Language) -> list[Lead]:
    """What answers each part of a question of several parts."""
    facts = select("drug_facts", plan, steps, card) if "drug_facts" in plan.reading.intents else []
    return leads(plan, steps, card, facts, language) if plan.parts else []


def _led_by(answering: Sequence[Lead], said: Sequence[DraftSentence], language: Language) -> list[DraftSentence]:
    """The parts' answers first, in the question's order; what else would lead stands among the reasons, a statement once."""
    if not answering:
        return list(said)
    first = [DraftSentence(text=marked(a.text, a.evidence, language), evidence=(a.evidence.key,), part="headline") for a in answering]
    rest = [s.model_copy(update={"part": "evidence"}) if s.part == "headline" else s for s in said]
    told = {f.text for f in first} | {t for a in answering for t in a.sentences}
    return [*first, *(s for s in rest if s.text not in told)]


def _raised(plan: Plan, steps: Sequence[ToolStep]) -> list[Intent]:
    """Intents of the question in its order; guidelines last where they were asked because the drug graph was silent."""
    raised = ordered(plan.reading)
    silent = "drug_facts" in raised and not any(s.result.evidence for s in steps if s.result.tool == "query_drug_graph")
    searched = any(s.result.tool == "search_guidelines" for s in steps)
    return [*raised, "guideline"] if silent and searched and "guideline" not in raised else raised


def pair_answered(steps: Sequence[ToolStep]) -> bool:
    """Whether the drug graph holds the interaction of two medicines asked about, and no passage answers directly."""
    found = [s.result.payload(HitsData) for s in steps if s.result.tool == "search_guidelines"]
    known = any(_holds_pair(s.result) for s in steps if s.result.tool == "query_drug_graph" and s.result.status == "ok")
    return known and bool(found) and not any(data is None or data.direct for data in found)


def _holds_pair(result: ToolResult) -> bool:
    data, named = result.payload(FactsData), result.query.get("drugs")
    if data is None or not isinstance(named, list):
        return False
    pairs = {f.key for f in data.facts if f.relation == "interacts_with"}
    asked = {str(name).lower() for name in named}
    return any(e.key in pairs and set(e.subjects) <= asked for e in result.evidence)


def _names_values(plan: Plan) -> bool:
    """Whether the message asks for laboratory values by a word of its own; what the reader only thinks likely gives way to a judgement."""
    return "labs" in plan.reading.proposed or any(t.kind == "analyte" for t in plan.reading.terms)


def _unjudged_drug(judged: Sequence[Evidence], plan: Plan) -> bool:
    """Whether the message names a drug of which the bedside judgements say nothing: they answer another of its parts."""
    told = {i for e in judged for i in (*e.subjects, *ids(f"{e.text} {' '.join(e.subjects)}", "drug", "drug_class"))}
    return bool(plan.reading.drugs) and not any(t.id in told for t in plan.reading.drugs)


def _silence(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> Notice | None:
    """The notice for a question about a name that nobody knows, or about another field, whatever a tool brought beside it.

    What tools say of the case itself is not silenced: a question may have several parts.
    """
    searches = [s.result for s in steps if s.result.tool == "search_guidelines"]
    if not searches or (card is not None and _OF_THE_CASE & plan.reading.intents.keys()) or any(map(_computed, steps)):
        return None
    found = [data for r in searches if (data := r.payload(HitsData)) is not None]
    if any(data.unknown for data in found):
        return "no_evidence"
    direct = any(data.direct for data in found)
    known = bool(plan.reading.drugs) and any(s.result.tool == "query_drug_graph" and s.result.evidence for s in steps)
    outside = plan.reading.kinds.get("outside", 0.0) >= (_OUTSIDE_OF_DRUGS if known else _OUTSIDE) or elsewhere(plan.reading)
    return "out_of_scope" if not direct and outside else None


def _computed(step: ToolStep) -> bool:
    """Whether a step computed something from figures that the message gives."""
    return step.result.tool == "calculate_score" and bool(step.args.get("inputs")) and bool(step.result.evidence)


def _of_intent(
    intent: Intent, plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None, language: Language, told: frozenset[str]
) -> list[DraftSentence]:
    """What one intent of the question brings: its first sentence for the headline, the rest for the part where it belongs."""
    chosen = [e for e in select(intent, plan, steps, card) if not e.key.startswith(("B-", "P-"))]
    part: Part = "patient" if card is not None and intent in _OF_THE_PATIENT else "evidence"
    if intent in ("report_draft", "report_check"):
        return [_sentence(e, language, "evidence") for e in chosen[: _MOST.get(intent, 40)]]
    if intent == "guideline" or (intent == "drug_rank" and all(e.kind in ("guideline", "document") for e in chosen)):
        return _of_passages(chosen[:_PASSAGES], plan, steps, language, told)
    kept = chosen[: _MOST.get(intent, 6)]
    if intent == "labs":
        kept = by_system(kept)
    sentences = [_sentence(e, language, "headline" if i == 0 else part) for i, e in enumerate(kept)]
    return [*_first_alone(sentences[0], part), *sentences[1:]] if intent == "score" and sentences else sentences


def _first_alone(sentence: DraftSentence, part: Part) -> list[DraftSentence]:
    """The result in the headline, what it is made of below."""
    pieces = split_sentences(sentence.text)
    if len(pieces) < 2:
        return [sentence]
    glue = "" if re.search(r"[。！？]", sentence.text) else " "
    rest = sentence.model_copy(update={"text": glue.join(pieces[1:]), "part": part})
    return [sentence.model_copy(update={"text": pieces[0]}), rest]


def _of_passages(
    found: Sequence[Evidence], plan: Plan, steps: tuple[ToolStep, ...], language: Language, told: frozenset[str]
) -> list[DraftSentence]:
    severity = severity_at(plan, steps)
    pieces = pieces_of(found, plan.reading.text, severity, language, plan.detail, told)
    return [
        DraftSentence(text=marked(p.text, p.evidence, language), evidence=(p.evidence.key,), part="headline" if p.lead else "evidence")
        for p in pieces
    ]


def _sentence(item: Evidence, language: Language, part: Part) -> DraftSentence:
    return DraftSentence(text=say(item, language), evidence=(item.key,), part=part)


def _arranged(said: Iterable[DraftSentence], whole: bool, most: int = _MOST_HEADLINE) -> list[DraftSentence]:
    """Headline (at most `most` sentences), patient, evidence in this order; what does not fit into the room is marked as more."""
    placed = {name: [s for s in said if s.part == name] for name in ("headline", "patient", "evidence")}
    late = [s.model_copy(update={"part": "patient" if _typed(s) else "evidence"}) for s in placed["headline"][most:]]
    head = placed["headline"][:most]
    patient = [s for s in late if s.part == "patient"] + placed["patient"]
    evidence = [s for s in late if s.part == "evidence"] + placed["evidence"]
    if whole:
        return [*head, *patient, *evidence]
    room = ROOM - _length(head)
    patient = _fitted(patient, room * _PATIENT_SHARE if evidence else room)
    room -= _length(s for s in patient if s.part != "more")
    return [*head, *patient, *_fitted(evidence, room)]


def _length(sentences: Iterable[DraftSentence]) -> int:
    return sum(len(s.text) + _MARK for s in sentences)


def _fitted(sentences: Iterable[DraftSentence], room: float) -> list[DraftSentence]:
    """The sentences of one part, those without room marked as more."""
    out: list[DraftSentence] = []
    for sentence in sentences:
        for piece in _cut(sentence, room):
            fits = len(piece.text) + _MARK <= room
            room -= len(piece.text) + _MARK if fits else 0
            out.append(piece if fits else piece.model_copy(update={"part": "more"}))
    return out


def _typed(sentence: DraftSentence) -> bool:
    """Whether a sentence is one of the patient's own data."""
    return not sentence.evidence[0].startswith(("G-", "X-", "D-"))


def _cut(sentence: DraftSentence, room: float) -> list[DraftSentence]:
    """A run of sentences in two where only its beginning fits."""
    if len(sentence.text) + _MARK <= room or room < _LEAST_ROOM:
        return [sentence]
    glue = "" if re.search(r"[。！？]", sentence.text) else " "
    pieces, first = split_sentences(sentence.text), 0
    while first < len(pieces) and len(glue.join(pieces[: first + 1])) + _MARK <= room:
        first += 1
    if first in (0, len(pieces)):
        return [sentence]
    return [sentence.model_copy(update={"text": glue.join(part)}) for part in (pieces[:first], pieces[first:])]
