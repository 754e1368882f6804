"""From a question as understood to tool calls: first round, second round, or a notice."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from importlib.resources import files

from pydantic import JsonValue

from agent.draft import Notice
from agent.ledger import ToolStep
from agent.lexicon import Term, concepts, language_of, terms
from agent.planner.intents import Intent, Reading, read_question
from agent.prompts import CaseCard
from tools.evidence import Language, ToolName, ToolResult

Args = dict[str, JsonValue]
_TOOLS: dict[Intent, tuple[ToolName, ...]] = {
    "labs": ("interpret_labs",),
    "score": ("calculate_score",),
    "guideline": ("search_guidelines",),
    "summary": ("summarize_case",),
    "ct_measure": ("quantify_ct",),
    "ct_findings": ("classify_ct",),
    "ct_encode": ("encode_ct",),
    "report_draft": ("draft_report",),
    "report_check": ("check_report",),
    "similar": ("find_similar_cases",),
    "med_check": ("check_medications",),
    "drug_facts": ("query_drug_graph",),
    "drug_rank": ("rank_drugs",),
}
_NEED_CASE: frozenset[Intent] = frozenset(
    {"labs", "summary", "ct_measure", "ct_findings", "ct_encode", "report_draft", "report_check", "similar", "med_check"}
)
_IN_SCOPE = frozenset(
    {"disease", "finding", "score", "respiratory", "drug", "drug_class", "action", "organism", "symptom", "analyte", "vital"}
)
_STRONG = re.compile(
    r"\b(guid\w+|recommend\w*|advis\w+|treat\w*|manag\w*|therap\w*|first[- ]line|"
    r"empiric\w*|indicat\w*|diagnos\w*|admi(t|ss)\w*|discharg\w*|hospitali\w*|icu|follow[- ]?up|"
    r"vaccin\w*|next steps?|home or hospital)\b|指南|共识|规范|推荐|治疗|首选|住院|出院|诊断|疗程|随访|处理|处置|下一步|接种|方案",
    re.IGNORECASE,
)
_EDITIONS = re.compile(
    r"\b(19|20)\d{2}\b|\b(old(er)?|previous|earlier|superseded|former|editions?|versions?|changed|history)\b|旧版|以前|版本|变化|更新",
    re.IGNORECASE,
)
SCORE_TOPIC = {
    "curb_65": "cap",
    "crb_65": "cap",
    "psi": "cap",
    "smart_cop": "cap",
    "wells_pe": "pe",
    "perc": "pe",
    "pesi": "pe",
    "spesi": "pe",
    "pf_ratio": "respiratory_failure",
    "bode": "copd",
    "gap_ipf": "ipf",
}
_SEVERITY = (
    ("high", re.compile(r"\b(high|severe|serious)\b|重度|重症|高危|高度|高风险|严重", re.I)),
    ("moderate", re.compile(r"\b(moderate|intermediate)\b|中度|中危|中等", re.I)),
    ("low", re.compile(r"\b(low|mild|unlikely)\b|轻度|轻症|低危|低度|低风险|可能性小", re.I)),
)
_QUERIES: dict[str, dict[Language, dict[str, str]]] = tomllib.loads(
    files("agent").joinpath("data/queries.toml").read_text(encoding="utf-8")
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
    if card is None and not set(reading.intents) - _NEED_CASE:
        return Plan(reading, notice="no_case")
    if card is None:
        reading = replace(reading, intents={i: p for i, p in reading.intents.items() if i not in _NEED_CASE})
    topic = _topic(reading, case_topic)
    calls = tuple(call for intent in ordered(reading) for call in _calls(intent, reading, card, topic))
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
    if reading.drugs and not any(t.kind == "disease" for t in reading.terms):
        return replace(reading, intents={"drug_facts": 0})
    if "analyte" in kinds and card and not kinds & {"disease", "drug", "action"}:
        return replace(reading, intents={"labs": 0})
    if kinds & {"disease", "finding", "action", "organism", "drug", "drug_class", "respiratory", "symptom", "analyte"}:
        return replace(reading, intents={"guideline": 0})
    if reading.about_patient and card:
        return replace(reading, intents={"summary": 0})
    return reading


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


def _calls(intent: Intent, reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> list[tuple[ToolName, Args]]:
    if intent == "score":
        return [("calculate_score", {"name": name}) for name in reading.scores]
    if intent == "guideline":
        return [("search_guidelines", search_args(first_query(reading, card, topic), reading))]
    return [(tool, _args(intent, reading, card, topic)) for tool in _TOOLS[intent]]


def _args(intent: Intent, reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> Args:
    if intent == "labs":
        named = [t.id for t in reading.terms if t.kind == "analyte"]
        general = re.search(
            r"\b(labs?|blood|bloods|laborator\w+|tests?|panel)\b|化验|检验|血常规|生化|指标|血气", reading.text, re.IGNORECASE
        )
        return {"analytes": list(named)} if named and not general else {}
    if intent == "report_check":
        return {"text": _quoted_text(reading.text), "study": _study(reading.text, card)}
    if intent in ("ct_measure", "ct_findings", "ct_encode", "report_draft", "similar"):
        return {"study": _study(reading.text, card)}
    if intent == "med_check":
        own = {m.lower() for m in card.medications} if card else set()
        added: list[JsonValue] = [t.en[0] for t in reading.drugs if t.kind == "drug" and not {n.lower() for n in (*t.en, *t.zh)} & own]
        return {"add": added} if added else {}
    if intent == "drug_facts":
        return {"question": reading.text}
    if intent == "drug_rank":
        infection = [t for t in ("cap", "hap") if t in topic]
        chosen = infection if infection and any(t.id == "antibiotic" for t in reading.terms) else sorted(topic)
        return {"condition": terms()[chosen[0]].en[0]} if chosen else {}
    return {}


def _study(text: str, card: CaseCard | None) -> str:
    named = re.search(r"\bct-\d+\b", text, re.IGNORECASE)
    if named:
        return named.group(0).lower()
    return card.studies[0] if card and card.studies else "ct-1"


def _quoted_text(text: str) -> str | None:
    match = re.search(r"[:：]\s*(.{12,})$|[\"“「](.{12,})[\"”」]", text, re.DOTALL)
    return (match.group(1) or match.group(2)).strip() if match else None


def search_args(query: str, reading: Reading) -> Args:
    """Arguments of a guideline search: current editions unless the question is about editions."""
    return {"query": query} if _EDITIONS.search(reading.text) else {"query": query, "current_only": True}


def first_query(reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> str:
    """What to search before anything is known: the question where it is only about guidance, else its subject and the case's."""
    language = language_of(reading.text)
    names = [terms()[t].name(language) for t in sorted(topic)]
    extra = _asked_terms(reading)
    if set(reading.intents) <= {"guideline", "drug_rank"} and (extra or any(t.kind == "disease" for t in reading.terms)):
        missing = [n for n in names if n.lower() not in reading.text.lower() and not any(t.id in topic for t in reading.terms)]
        return " ".join([*missing, reading.text])
    about = [t.name(language) for t in extra]
    if not names and card:
        about.append(card.topic_text())
    return " ".join(dict.fromkeys([topic_query(topic, "first", language, card), *about])).strip()


def topic_query(topic: frozenset[str], stage: str, language: Language, card: CaseCard | None) -> str:
    """The query of `data/queries.toml` for a topic at a stage (`first`, or a severity)."""
    known = next((t for t in sorted(topic) if t in _QUERIES), "default")
    table = _QUERIES[known][language]
    allergies = " ".join(dict.fromkeys(_allergy_name(a, language) for a in card.allergies)) if card else ""
    allergy = table.get("allergy", "").format(what=allergies) if allergies else ""
    return table[stage].format(topic=" ".join(terms()[t].name(language) for t in sorted(topic)), allergy=allergy).strip()


def _allergy_name(substance: str, language: Language) -> str:
    known = concepts(substance, "drug", "drug_class")
    return known[0].name(language) if known else substance


def _asked_terms(reading: Reading) -> list[Term]:
    skipped = {"score", "other", "respiratory"} | ({"analyte"} if "labs" in reading.intents else set())
    return [t for t in reading.terms if t.kind not in skipped and t.kind != "disease"]


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


def severity_of(result: ToolResult) -> str | None:
    """Severity band of a score result: `high`, `moderate`, `low`, or None while it is open."""
    if result.tool != "calculate_score" or result.status not in ("ok", "partial"):
        return None
    band = result.data.get("band")
    texts = [band] if isinstance(band, str) else [e.text for e in result.evidence[:1]]
    for text in texts:
        found = severities(text)
        if len(found) == 1:
            return found[0]
    return None


def severities(text: str) -> list[str]:
    """Severity words of a text."""
    return [name for name, pattern in _SEVERITY if pattern.search(text)]
