"""Which statements of each tool answer the question, and in what order."""

import re
from collections import Counter

from agent.answering.guidance.passages import relevant_passages
from agent.reading.intents import Intent
from agent.reading.lexicon import ids, language_of
from agent.reading.plan import Plan
from agent.reading.queries import TOOL_OF
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from retrieval.index.selector import selector
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.drugs.payload import RankingData
from tools.evidence import Evidence, Language
from tools.imaging.marks.words import asks_growth, asks_of_marks, number_named
from tools.labs.payload import LabsData

each = messages("agent.answering").each
_WORDS = patterns("agent.answering")

_SHOWN_DRUGS = 3
_SHOWN_FINDINGS = 8
_INFERRED: dict[Language, str] = each("Inference: ")
_OLD: dict[Language, str] = each("Superseded edition: ")
_CT_SUBJECTS = {
    "emphysema": ("emphysema", "laa", "perc15", "low attenuation", "low-attenuation"),
    "laa950": ("laa", "emphysema"),
    "ground_glass": ("ground",),
    "consolidation": ("consolidation", "dense lung"),
    "pleural_effusion": ("effusion", "pleural fluid"),
    "pneumothorax": ("pneumothorax", "air in the pleural space"),
    "lung_volume": ("volume", "total"),
    "mean_density": ("mean", "density", "attenuation"),
    "perc15": ("perc15",),
}


def say(item: Evidence, language: Language) -> str:
    """A piece of evidence as a sentence of the answer; inference and superseded editions are marked."""
    text = (item.text_zh if language == "zh" else None) or item.text
    if item.inferred and not re.match(_WORDS.text("selection_say"), text, re.IGNORECASE):
        text = _INFERRED[language] + text
    return text if item.current else _OLD[language] + text


def select(intent: Intent, plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> list[Evidence]:
    """What answers one intent of the question, in order."""
    mine = [s for s in steps if s.result.tool == TOOL_OF[intent]]
    if intent == "guideline" or (intent == "drug_rank" and not any(s.result.evidence for s in mine)):
        return relevant_passages(plan, steps, card)
    found = [e for s in mine for e in s.result.evidence]
    if intent == "labs":
        return found if any(s.args.get("analytes") for s in mine) else _abnormal(mine) or found[:6]
    if intent == "drug_rank":
        return _with_rejected(mine, found)
    if intent == "drug_facts":
        return _about_drugs(found, plan)
    if intent == "ct_findings":
        instead = [] if "ct_measure" in plan.reading.intents else [s for s in steps if s.result.tool == "quantify_ct"]
        said, measured = _asked_findings(found, plan), _asked_measures([e for s in instead for e in s.result.evidence], plan)
        # What was measured leads; that the model gives no opinion stands behind it.
        silent = [e for e in said if e.key.endswith("-abstains")] if measured else []
        return [*(e for e in said if e not in silent), *measured, *silent]
    if intent == "ct_measure":
        return _asked_measures(found, plan)
    return found


def _named_findings(plan: Plan) -> set[str]:
    """Names under which detectors would speak about what the question names."""
    named = [t for t in plan.reading.asked if t.kind == "finding" or t.detected_as]
    return {n for t in named for n in (t.id.replace("_", " "), *t.en, *t.detected_as)}


def _asked_findings(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """What the model finds, then the one sentence of what it does not; of a question about one finding, that finding alone."""
    silent = [e for e in found if e.key.endswith("-abstains")]
    asked = _named_findings(plan)
    if asked and plan.reading.presence:
        return [e for e in found if asked & set(e.subjects) and not e.key.endswith("-absent")] + silent
    told = [e for e in found if e.present is True or (e.present is None and "-" in e.key and e.quantities and not _undecided(e))]
    return [*told, *(e for e in found if e.key.endswith("-absent")), *silent]


def _undecided(item: Evidence) -> bool:
    """Whether a detector's statement decides nothing (outside a known domain)."""
    return item.card is not None and item.card.threshold is not None


def _abnormal(steps: list[ToolStep]) -> list[Evidence]:
    """What the values mean together, then the values outside their interval; the tool says which they are in its payload."""
    out: list[Evidence] = []
    for step in steps:
        data = step.result.payload(LabsData)
        normal = {row.analyte for row in (data.observations if data else ()) if row.flag in ("normal", "unknown")}
        out += [e for e in step.result.evidence if not e.quantities or e.quantities[0].name not in normal or e.inferred]
    return sorted(out, key=lambda e: not e.inferred)


def _with_rejected(steps: list[ToolStep], found: list[Evidence]) -> list[Evidence]:
    """The verdict, the best candidates with what speaks against each and the model's score, then why others were ruled out."""
    by_key = {e.key: e for e in found}
    keys: list[str] = [e.key for e in found if e.key == "D-rank"]
    reasons: list[str] = []
    for step in steps:
        data = step.result.payload(RankingData) or RankingData()
        for row in data.ranked[:_SHOWN_DRUGS]:
            against = [w.key for w in row.warnings]
            support = [k for k in row.evidence if k not in against]
            keys += [*support[:1], *against[:2]]
            keys += [row.model_key] if row.model_key in by_key else []
        reasons += [row.because for row in data.rejected if row.because is not None]
    # Only the reason itself: that a rejected drug is usually first line must not stand in the answer.
    ruled_out = [e for e in found if e.text in reasons or e.text_zh in reasons]
    return [*(by_key[k] for k in dict.fromkeys(keys) if k in by_key), *ruled_out[:4]]


def _about_drugs(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """Facts about the drugs that are named: those about most of them, the likeliest answers first, the drugs in turn."""
    named = {t.id for t in plan.reading.drugs}
    if named:
        count = {e.key: len(named & (set(e.subjects) | ids(e.text, "drug", "drug_class"))) for e in found}
        best = max(count.values(), default=0)
        found = [e for e in found if count[e.key] == best] if best else []
    zh = language_of(plan.reading.text) == "zh"
    scores = selector().score(plan.reading.text, [(e.text_zh if zh else None) or e.text for e in found])
    ranked = [found[i] for i in sorted(range(len(found)), key=lambda i: -scores[i])]
    met: Counter[str] = Counter()
    turn: dict[str, int] = {}
    for item in ranked:
        subject = item.subjects[0] if item.subjects else ""
        turn[item.key], met[subject] = met[subject], met[subject] + 1
    return sorted(ranked, key=lambda e: turn[e.key])


def _of_marks(found: list[Evidence], text: str) -> list[Evidence]:
    """Marks and their growth, the newest first; of a mark that is named by its number, that one."""
    marks = [e for e in found if e.key.split("-")[-2] in ("mark", "growth")]
    number = number_named(text)
    own = [e for e in marks if e.key.endswith(f"-{number}")] or marks
    growth = [e for e in own if e.key.split("-")[-2] == "growth"]
    return [*growth, *(e for e in reversed(own) if e not in growth)] if asks_growth(text) else own[::-1]


def _asked_measures(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """Marks where they are asked for, what is measured as an experiment where that is, else the figures."""
    asked_for = [e for e in found if "-experimental-" in e.key]
    if asked_for:
        return asked_for
    marks = _of_marks(found, plan.reading.text)
    if marks and asks_of_marks(plan.reading.text):
        return marks
    found = [e for e in found if e not in marks]
    rest = _asked_figures(found, plan)
    return [*marks, *rest] if rest == found else rest


def _asked_figures(found: list[Evidence], plan: Plan) -> list[Evidence]:
    asked = [w for t in plan.reading.terms for w in _CT_SUBJECTS.get(t.id, ())]
    if not asked:
        return [] if plan.reading.presence and _named_findings(plan) else found
    chosen = [e for e in found if any(w in " ".join((e.text, *e.subjects, *(q.name for q in e.quantities))).lower() for w in asked)]
    return chosen or found
