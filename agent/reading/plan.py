"""From a question as understood to tool calls: first round, second round, or a notice."""

import re
from dataclasses import dataclass, field, replace

from agent.answering.draft import Notice
from agent.reading.intents import Intent, Reading, read_question
from agent.reading.lexicon import concepts, language_of
from agent.reading.queries import SCORE_TOPIC, Args, calls_for, search_args, topic_query
from agent.reading.severity import severity_of
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from tools.evidence import ToolName

_NEED_CASE: frozenset[Intent] = frozenset(
    {"labs", "summary", "ct_measure", "ct_findings", "ct_encode", "report_draft", "report_check", "similar", "med_check"}
)
_IN_SCOPE = frozenset(
    {"disease", "finding", "score", "respiratory", "drug", "drug_class", "enzyme", "action", "organism", "symptom", "analyte", "vital"}
)
# Diseases that a study shows or does not show.
_SEEN_ON_CT = frozenset({"emphysema", "bronchiectasis", "pneumothorax", "pleural_effusion", "fibrosis", "lung_nodule", "nodule"})
_STRONG = re.compile(
    r"\b(guid\w+|recommend\w*|advis\w+|treat\w*|manag\w*|therap\w*|first[- ]line|"
    r"empiric\w*|indicat\w*|diagnos\w*|admi(t|ss)\w*|discharg\w*|hospitali\w*|icu|follow[- ]?up|"
    r"vaccin\w*|next steps?|home or hospital)\b|指南|共识|规范|推荐|治疗|首选|住院|出院|诊断|疗程|随访|处理|处置|下一步|接种|方案",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Plan:
    """What to do for a turn.

    Attributes:
        reading: The question as understood (for a follow-up, joined with the one before).
        topic: Ids of the diseases it is about.
        detail: Give the reasons too.
        notice: Say this instead of asking tools.
        calls: Tool calls of the first round.
    """

    reading: Reading
    topic: frozenset[str] = frozenset()
    detail: bool = False
    notice: Notice | None = None
    calls: tuple[tuple[ToolName, Args], ...] = field(default=())


def make_plan(question: str, card: CaseCard | None, earlier: list[str]) -> Plan:
    """Plan the turn.

    Args:
        question: The question as asked.
        card: The open case, None without one.
        earlier: Questions before it in the thread, oldest first.

    Returns:
        The plan; the same question, card and history give the same plan.
    """
    case_topic = case_diseases(card)
    reading = read_question(question, case_topic)
    notice = _social(reading)
    if notice:
        return Plan(reading, notice=notice)
    before = _last_real(earlier, case_topic)
    detail = reading.why
    if reading.why and before:
        reading = before
    elif before and _continues(reading):
        reading = _join(reading, before)
    reading = _complete(reading, card)
    if not reading.intents:
        return Plan(reading, notice="out_of_scope")
    if card is None and "med_check" in reading.intents and reading.drugs:
        intents: dict[Intent, int] = {("drug_facts" if i == "med_check" else i): p for i, p in reading.intents.items()}
        reading = replace(reading, intents=intents)
    if card is None and not set(reading.intents) - _NEED_CASE:
        return Plan(reading, notice="no_case")
    if card is None:
        reading = replace(reading, intents={i: p for i, p in reading.intents.items() if i not in _NEED_CASE})
    topic = _topic(reading, case_topic)
    calls = tuple(call for intent in ordered(reading) for call in calls_for(intent, reading, card, topic))
    return Plan(reading, topic, detail, None, calls)


def ordered(reading: Reading) -> list[Intent]:
    """Intents in the order in which the question raises them."""
    return sorted(reading.intents, key=lambda i: (reading.intents[i], i))


def _social(reading: Reading) -> Notice | None:
    if reading.thanks:
        return "thanks"
    if reading.greeting and not reading.terms:
        return "greeting"
    if reading.identity and not set(reading.intents) - {"summary"}:
        return "identifiers"
    return None


def _last_real(earlier: list[str], topic: frozenset[str]) -> Reading | None:
    """The last question that asked for something, with continuations joined to what they continue."""
    before: Reading | None = None
    for text in earlier:
        reading = read_question(text, topic)
        if _social(reading) or reading.why:
            continue
        if before and _continues(reading):
            before = _join(reading, before)
        elif reading.intents or _kinds(reading) & _IN_SCOPE:
            before = reading
    return before


def _continues(reading: Reading) -> bool:
    if any(t.kind == "other" for t in reading.terms):
        return False
    if not reading.elliptic:
        return False
    return not (set(reading.intents) - {"guideline", "drug_facts", "med_check"}) or not any(t.kind == "disease" for t in reading.terms)


def _join(reading: Reading, before: Reading) -> Reading:
    """A continuation takes its intents from the question before where it has none, and its topic and drugs."""
    kept: tuple[Intent, ...] = ("guideline", "drug_facts", "drug_rank", "med_check")
    intents = dict(reading.intents) or {i: p for i, p in before.intents.items() if i in kept} or dict(before.intents) or {"guideline": 0}
    own = any(t.kind == "disease" for t in reading.terms)
    inherited = tuple(t for t in before.terms if not (own and t.kind == "disease"))
    merged = tuple(dict.fromkeys((*reading.terms, *inherited)))
    scores = reading.scores or (before.scores if "score" in intents else ())
    drugs = tuple(dict.fromkeys((*reading.drugs, *(before.drugs if not reading.intents or "drug_facts" in intents else ()))))
    subject = " ".join(t.name(language_of(reading.text)) for t in inherited if t.kind not in ("score", "respiratory"))
    text = f"{subject} {reading.text}".strip()
    return replace(reading, text=text, intents=intents, scores=scores, terms=merged, drugs=drugs)


def _kinds(reading: Reading) -> set[str]:
    return {t.kind for t in reading.terms}


def _complete(reading: Reading, card: CaseCard | None) -> Reading:
    """Intents for a question that names a subject but no task; none for one outside respiratory medicine."""
    kinds = _kinds(reading)
    in_scope = bool(kinds & _IN_SCOPE)
    if "other" in kinds and not kinds & (_IN_SCOPE - {"analyte", "vital", "symptom"}):
        return replace(reading, intents={})
    if set(reading.intents) == {"guideline"} and not in_scope and not _clinical(reading, card):
        return replace(reading, intents={})
    if reading.intents:
        return reading
    if card and card.studies and _about_the_scan(reading):
        return replace(reading, intents={"ct_measure": 1, "ct_findings": 0})
    if reading.drugs and not any(t.kind == "disease" for t in reading.terms):
        return replace(reading, intents={"drug_facts": 0})
    if "analyte" in kinds and card and not kinds & {"disease", "drug", "action"}:
        return replace(reading, intents={"labs": 0})
    if kinds & {"disease", "finding", "action", "organism", "drug", "drug_class", "respiratory", "symptom", "analyte"}:
        return replace(reading, intents={"guideline": 0})
    if reading.about_patient and card:
        return replace(reading, intents={"summary": 0})
    return reading


def _about_the_scan(reading: Reading) -> bool:
    """Whether a question that names no task asks what the open study shows, or whether a finding is on it."""
    if _kinds(reading) & {"drug", "drug_class", "action", "organism", "analyte", "vital", "score"}:
        return False
    return reading.seen or (reading.presence and any(t.kind == "finding" or t.id in _SEEN_ON_CT for t in reading.terms))


def _clinical(reading: Reading, card: CaseCard | None) -> bool:
    if reading.guideline_named:
        return True
    return bool(card and (reading.about_patient or _STRONG.search(reading.text)))


def case_diseases(card: CaseCard | None) -> frozenset[str]:
    """Diseases that the case is about; fever with cough, sputum or pleuritic pain is worked up as pneumonia."""
    if card is None:
        return frozenset()
    text = card.topic_text()
    found = {t.id for t in concepts(text)}
    infection = "temperature" in found and found & {"cough", "sputum", "chest_pain"}
    return _diseases(text) | (frozenset({"cap"}) if infection else frozenset())


def _diseases(text: str) -> frozenset[str]:
    return frozenset(t.id for t in concepts(text, "disease"))


def _topic(reading: Reading, case_topic: frozenset[str]) -> frozenset[str]:
    named = frozenset(t.id for t in reading.terms if t.kind == "disease")
    asked = (*reading.scores, *(t.id for t in reading.terms if t.kind == "score"))
    scored = frozenset(SCORE_TOPIC[s] for s in asked if s in SCORE_TOPIC)
    return named or scored or case_topic


def second_round(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> tuple[tuple[ToolName, Args], ...]:
    """Guidance that depends on the score: asked once the score is known."""
    unranked = [s for s in steps if s.result.tool == "rank_drugs" and not s.result.evidence]
    if unranked and "guideline" not in plan.reading.intents:
        return (("search_guidelines", search_args(plan.reading.text, plan.reading)),)
    if "guideline" not in plan.reading.intents or not plan.reading.scores:
        return ()
    asked = {str(s.args.get("query")) for s in steps if s.result.tool == "search_guidelines"}
    language = language_of(plan.reading.text)
    calls: list[tuple[ToolName, Args]] = []
    for step in steps:
        topic = SCORE_TOPIC.get(str(step.args.get("name", "")))
        severity = severity_of(step.result)
        if severity is None or topic is None:
            continue
        query = topic_query(frozenset({topic}), severity, language, card)
        if query not in asked:
            calls.append(("search_guidelines", search_args(query, plan.reading)))
    return tuple(calls)
