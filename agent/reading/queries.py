"""Tool calls for what a question asks, and the words to search with."""

import re
import tomllib
from importlib.resources import files

from pydantic import JsonValue

from agent.reading.inputs import analytes_asked, inputs_for
from agent.reading.intents import Intent, Reading
from agent.reading.lexicon import Term, concepts, language_of, narrower, terms
from agent.reading.severity import SEVERITY_WORDS, stated
from agent.turn.prompts import CaseCard
from retrieval.messages.patterns import patterns
from tools.bedside.subject import treated
from tools.evidence import Language, ToolName
from tools.labs.analytes import find_analyte
from tools.spec import specs

_WORDS = patterns("agent.reading")

Args = dict[str, JsonValue]
TOOL_OF: dict[Intent, ToolName] = {s.intent: s.name for s in specs().values()}
_EDITIONS = _WORDS.regex("queries_editions")
# Scores whose bands are the severities that guidelines treat by.
PNEUMONIA = frozenset({"curb_65", "crb_65"})
_GIVE = re.compile(SEVERITY_WORDS["give"], re.IGNORECASE)
_QUERIES: dict[str, dict[Language, dict[str, str]]] = tomllib.loads(
    files("agent").joinpath("data/queries.toml").read_text(encoding="utf-8")
)


def score_topic(name: str) -> str | None:
    """The disease that a score is about; None where the table says none."""
    term = terms().get(name)
    return term.about or None if term is not None else None


# Diseases other than pneumonia that an antibiotic may be for.
_INFECTED = frozenset({"copd", "tb", "bronchiectasis", "ntm", "sepsis", "cystic_fibrosis", "aspergillosis", "pjp"})
# Kinds of terms that a treatment can be for.
_SUBJECTS = frozenset({"disease", "finding", "respiratory", "organism", "symptom", "drug", "drug_class"})


def calls_for(intent: Intent, reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> list[tuple[ToolName, Args]]:
    """The calls of the first round for one intent."""
    if intent == "score":
        return [("calculate_score", _score_args(name, reading, card)) for name in reading.scores]
    if intent == "guideline":
        queries = [*_for_severity(reading, card), first_query(reading, card, topic)]
        return [("search_guidelines", search_args(query, reading)) for query in queries]
    return [(TOOL_OF[intent], _args(intent, reading, card, topic))]


def _for_severity(reading: Reading, card: CaseCard | None) -> list[str]:
    """What to search first where the message states the result of a pneumonia score and asks what to give: its severity's treatment."""
    told = stated(reading.text, PNEUMONIA) if card is None and _GIVE.search(reading.text) else None
    return [] if told is None else [topic_query(frozenset({"cap"}), told[1], language_of(reading.text), None)]


def _score_args(name: str, reading: Reading, card: CaseCard | None) -> Args:
    """Inputs that the question gives (those that it supposes stand in the patched record); an explanation where that is asked."""
    supposed = card.assumed_keys if card else ()
    given: dict[str, JsonValue] = {k: v for k, v in inputs_for(name, reading.text, card is None).items() if k not in supposed}
    args: Args = {"name": name, "inputs": given} if given else {"name": name}
    return args | {"explain": True} if reading.explains and not given and not supposed and not reading.about_patient else args


def _args(intent: Intent, reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> Args:
    if intent == "labs":
        named = list(dict.fromkeys(t.measured for t in reading.terms if t.kind == "analyte"))
        general = re.search(_WORDS.text("queries_general"), reading.text, re.IGNORECASE)
        if named and not general:
            return {"analytes": list(named)}
        system = set(analytes_asked(reading.text)) if len(set(reading.intents)) == 1 else set()
        recorded = [a.id for n in (card.analytes if card else ()) if (a := find_analyte(n)) is not None and a.id in system]
        return {"analytes": list(dict.fromkeys(recorded))} if recorded else {}
    if intent == "report_check":
        return {"text": _quoted_text(reading.text), "study": _study(reading.text, card)}
    if intent in ("ct_measure", "ct_findings", "ct_encode", "report_draft", "similar"):
        return {"study": _study(reading.text, card)}
    if intent == "med_check":
        own = {m.lower() for m in card.medications} if card else set()
        # A medicine that the thread speaks of is checked alone, also where the patient takes it.
        asked = {t.id for t in reading.asked}
        medicines = [t for t in reading.drugs if t.kind == "drug"]
        added: list[JsonValue] = [t.en[0] for t in medicines if t.id not in asked or not {n.lower() for n in (*t.en, *t.zh)} & own]
        return {"add": added} if added else {}
    if intent == "drug_facts":
        return {"question": reading.text}
    if intent == "drug_rank":
        # An antibiotic is for an infection, whatever else the case is about.
        infection = [t for t in ("cap", "hap") if t in topic] or ([] if any(({t} | narrower(t)) & topic for t in _INFECTED) else ["cap"])
        if infection and any(t.id == "antibiotic" for t in reading.terms):
            return {"condition": terms()[infection[0]].en[0]}
        return ranked_for(reading, card, topic)
    return {}


def ranked_for(reading: Reading, card: CaseCard | None, topic: frozenset[str]) -> Args:
    """The condition that medicines are ranked for: of several the one that is named first, in the question before the record."""
    named = concepts(f"{reading.text}; {card.topic_text() if card else ''}", "disease")
    chosen = next((t.id for t in named if t.id in topic), min(topic, default=None))
    return {} if chosen is None else {"condition": terms()[chosen].en[0]}


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
    """What to search before anything is known: the question in the person's own words, what it is about in front where it does not say."""
    language = language_of(reading.text)
    if treated(reading.text) is not None and not any(t.kind in _SUBJECTS for t in reading.terms):
        return reading.text  # it names what is to be treated, and that is no disease that is known here
    names = [terms()[t].name(language) for t in sorted(topic)]
    # Without a case, too, a question that names its subject goes as it stands: a topic in front of it drowns what it asks.
    only_guidance = card is None or set(reading.intents) <= {"guideline", "drug_rank"}
    if only_guidance and (_asked_terms(reading) or any(t.kind == "disease" for t in reading.terms)):
        missing = [n for n in names if n.lower() not in reading.text.lower() and not any(t.id in topic for t in reading.terms)]
        return " ".join([*missing, reading.text])
    several = len(set(reading.intents)) > 1  # labs, score and "what the guideline says": its own words name no subject
    context = topic_query(topic, "first", language, card) if names and several else " ".join(names) or (card.subject_text() if card else "")
    return f"{context} {reading.text}".strip()


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
    skipped = {"score", "other", "respiratory"} | ({"analyte", "vital", "symptom"} if {"labs", "score"} & reading.intents.keys() else set())
    return [t for t in reading.terms if t.kind not in skipped and t.kind != "disease"]
