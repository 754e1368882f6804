"""Sentences out of typed evidence: what answers the question, in the order it was asked, each with its key."""

import re
from typing import Any

from agent.answering.draft import Draft, DraftSentence, split_sentences
from agent.answering.patient import bedside, patient_notes
from agent.reading.intents import Intent
from agent.reading.lexicon import DRUG_KINDS, ids, terms
from agent.reading.plan import Plan, ordered
from agent.reading.queries import TOOLS_OF
from agent.reading.severity import severities, severity_of
from agent.turn.ledger import ToolStep
from agent.turn.prompts import CaseCard
from agent.verify.check import covered
from tools.evidence import Evidence, Language

# How many statements of a tool an answer shows.
_MOST: dict[Intent, int] = {
    "guideline": 3,
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
# What the bedside judgements stand for: where they answer, single drugs ranked and sentences for other patients (another size, another
# severity) only mislead.
_JUDGED: frozenset[Intent] = frozenset({"drug_rank", "drug_facts", "med_check", "summary", "guideline"})
_SHOWN_DRUGS = 3
_SHOWN_FINDINGS = 8
_SINGLED_OUT = frozenset({"population", "comorbidity", "history", "organism", "drug", "drug_class"})
_GENERIC = frozenset({"antibiotic", "bronchodilator", "adults", "smoking"})
# A passage of more sentences is cut down to the ones that fit.
_SHORT = 2
_INFERRED: dict[Language, str] = {"en": "Inference: ", "zh": "推断："}
_OLD: dict[Language, str] = {"en": "Superseded edition: ", "zh": "旧版（已被取代）："}
# Words that grade the patient a passage is for; "high-flow" or "low-dose" do not.
_SEVERE = re.compile(
    r"\b(?:high|moderate|intermediate|low)[- ](?:severity|risk|probability)\b|\bsevere\b|\bmild\b|"
    r"[高中低]危|[高中低]风险|重症|轻症|[重中轻高低]度",
    re.IGNORECASE,
)
_CT_SUBJECTS = {
    "emphysema": ("emphysema", "laa", "perc15", "low attenuation", "low-attenuation"),
    "laa950": ("laa", "emphysema"),
    "ground_glass": ("ground",),
    "consolidation": ("consolidation",),
    "lung_volume": ("volume", "total"),
    "mean_density": ("mean", "density", "attenuation"),
    "perc15": ("perc15",),
}


def compose(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None, language: Language, banned: frozenset[str]) -> Draft:
    """The answer of the turn out of its tool results.

    Args:
        plan: The question as understood.
        steps: Tool steps of this turn.
        card: The case.
        language: Language of the answer.
        banned: Sentences that were objected to.

    Returns:
        Draft whose sentences are evidence texts with their keys; the notice `no_evidence` when there is nothing to say.
    """
    judged = bedside(steps)
    sentences: list[DraftSentence] = [DraftSentence(text=say(e, language), evidence=(e.key,)) for e in judged]
    sentences = [s for s in sentences if s.text not in banned]
    seen: set[str] = {e.key for e in judged}
    for intent in ordered(plan.reading):
        if judged and intent in _JUDGED:
            continue
        chosen = _select(intent, plan, steps, card)
        chosen = [e for e in chosen if not e.key.startswith(("B-", "P-"))]
        for item in chosen[: _MOST.get(intent, 6)]:
            texts = _parts(item, plan, steps, card, language) if intent == "guideline" and not plan.detail else [say(item, language)]
            fresh = [t for t in texts if t not in banned] if item.key not in seen else []
            seen.add(item.key)
            sentences += [DraftSentence(text=t, evidence=(item.key,)) for t in fresh]
    ledger = {e.key: e for s in steps for e in s.result.evidence}
    shown = [ledger[k] for s in sentences for k in s.evidence if k in ledger]
    sentences += [DraftSentence(text=say(e, language), evidence=(e.key,)) for e in patient_notes(shown, ledger)]
    return Draft(sentences=tuple(sentences), notice=None if sentences else "no_evidence")


def _parts(item: Evidence, plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None, language: Language) -> list[str]:
    """The sentences of a long passage that fit the patient's severity, allergies and the question; all of a short one."""
    whole = say(item, language)
    pieces = split_sentences(whole)
    if len(pieces) <= _SHORT:
        return [whole]
    severity = next((s for step in steps if (s := severity_of(step.result))), None)
    wanted = {t.id for t in plan.reading.terms if t.kind not in ("disease", "respiratory", "score")}
    wanted |= {i for a in (card.allergies if card else ()) for i in ids(a)} | ({"allergy"} if card and card.allergies else set())
    scores = [_piece_score(p, severity, wanted) for p in pieces]
    best = sorted(range(len(pieces)), key=lambda i: (-scores[i], i))[:_SHORT]
    floor = 0.0 if max(scores) > 0.0 else -1.0
    return [pieces[i] for i in sorted(best) if scores[i] > floor]


def _piece_score(piece: str, severity: str | None, wanted: set[str]) -> float:
    grades = {g for words in _SEVERE.findall(piece) for g in severities(words)}
    fits = 0.0 if severity is None or not grades else (2.0 if severity in grades else -2.0)
    return fits + len(wanted & ids(piece)) + 0.3 * len(ids(piece, "drug", "drug_class"))


def say(item: Evidence, language: Language) -> str:
    """A piece of evidence as a sentence of the answer; inference and superseded editions are marked."""
    text = (item.text_zh if language == "zh" else None) or item.text
    if item.inferred and not re.match(r"\s*(inference|inferred|推断)", text, re.IGNORECASE):
        text = _INFERRED[language] + text
    return text if item.current else _OLD[language] + text


def _select(intent: Intent, plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> list[Evidence]:
    mine = [s for s in steps if s.result.tool in TOOLS_OF[intent]]
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
        return _asked_findings(found, plan)
    if intent == "ct_measure":
        return _asked_measures(found, plan)
    return found


# Terms that a detector answers under another name.
_DETECTED_AS = {
    "nodule": ("lung nodule",),
    "mass": ("lung mass", "mass", "lung nodule"),
    "ground_glass": ("ground-glass opacity", "ground glass", "lung opacity"),
    "fibrosis": ("pulmonary fibrotic sequela", "fibrotic sequela", "reticulation"),
    "ipf": ("honeycombing", "reticulation", "pulmonary fibrotic sequela"),
    "bronchiectasis": ("bronchiectasis",),
}


def _named_findings(plan: Plan) -> set[str]:
    """Names under which detectors would speak about what the question names."""
    named = [
        t for t in plan.reading.asked if t.kind == "finding" or t.id in ("emphysema", "pneumothorax", "pleural_effusion", *_DETECTED_AS)
    ]
    return {n for t in named for n in (t.id.replace("_", " "), *t.en, *_DETECTED_AS.get(t.id, ()))}


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
        normal = {
            str(row.get("analyte")) for row in _rows(step.result.data.get("observations")) if row.get("flag") in ("normal", "unknown")
        }
        out += [e for e in step.result.evidence if not e.quantities or e.quantities[0].name not in normal or e.inferred]
    return sorted(out, key=lambda e: not e.inferred)


def _with_rejected(steps: list[ToolStep], found: list[Evidence]) -> list[Evidence]:
    """The verdict, the best candidates with what speaks against each and the model's score, then why others were ruled out."""
    by_key = {e.key: e for e in found}
    keys: list[str] = [e.key for e in found if e.key == "D-rank"]
    reasons: list[str] = []
    for step in steps:
        for row in _rows(step.result.data.get("ranked"))[:_SHOWN_DRUGS]:
            against = [str(w.get("key")) for w in _rows(row.get("warnings"))]
            own = row.get("evidence")
            support = [str(k) for k in own if k not in against] if isinstance(own, list) else []
            keys += [*support[:1], *against[:2]]
            keys += [k for k in (str(row.get("model_key")),) if k in by_key]
        reasons += [str(row.get("because")) for row in _rows(step.result.data.get("rejected"))]
    # Only the reason itself: that a rejected drug is usually first line must not stand in the answer.
    ruled_out = [e for e in found if e.text in reasons or e.text_zh in reasons]
    return [*(by_key[k] for k in dict.fromkeys(keys) if k in by_key), *ruled_out[:4]]


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _about_drugs(found: list[Evidence], plan: Plan) -> list[Evidence]:
    named = {t.id for t in plan.reading.drugs}
    if not named:
        return found
    count = {e.key: len(named & (set(e.subjects) | ids(e.text, "drug", "drug_class"))) for e in found}
    best = max(count.values(), default=0)
    return [e for e in found if count[e.key] == best] if best else []


def _asked_measures(found: list[Evidence], plan: Plan) -> list[Evidence]:
    asked = [w for t in plan.reading.terms for w in _CT_SUBJECTS.get(t.id, ())]
    if not asked:
        return [] if plan.reading.presence and _named_findings(plan) else found
    chosen = [e for e in found if any(w in " ".join((e.text, *e.subjects, *(q.name for q in e.quantities))).lower() for w in asked)]
    return chosen or found


def relevant_passages(plan: Plan, steps: tuple[ToolStep, ...], card: CaseCard | None) -> list[Evidence]:
    """Guideline passages that fit topic, patient and severity, best first; a neighbour of another topic is not one."""
    severity = next((s for step in steps if (s := severity_of(step.result))), None)
    scored: dict[str, tuple[float, Evidence]] = {}
    for step in steps:
        if step.result.tool != "search_guidelines":
            continue
        for rank, item in enumerate(step.result.evidence):
            fit = _fit(item, plan, card, severity)
            if fit is None:
                continue
            value = fit + 1.0 / (1 + 0.3 * rank)
            if item.key not in scored or scored[item.key][0] < value:
                scored[item.key] = (value, item)
    best = sorted(scored.values(), key=lambda pair: (-pair[0], pair[1].key))
    return _on_the_point([item for _, item in best], plan)


def _on_the_point(found: list[Evidence], plan: Plan) -> list[Evidence]:
    """Passages that speak of what the question singles out (a drug, a group of patients, a germ), when it singles anything out."""
    wanted = [t.id for t in plan.reading.asked if t.kind in _SINGLED_OUT and t.id not in _GENERIC]
    if not wanted or set(plan.reading.intents) - {"guideline", "drug_rank"}:
        return found
    return [e for e in found if any(covered(t, ids(_words(e)) | frozenset(e.subjects)) for t in wanted)]


def _words(item: Evidence) -> str:
    return f"{item.text} ; {' ; '.join(item.subjects)} ; {item.population or ''}"


def _fit(item: Evidence, plan: Plan, card: CaseCard | None, severity: str | None) -> float | None:
    have = ids(_words(item)) | frozenset(item.subjects)
    about = {t for t in have if t in terms() and terms()[t].kind == "disease"} | ids(item.source, "disease")
    if plan.topic and about and not about & plan.topic:
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
    said = _SEVERE.findall(item.text)
    grades = {g for words in said for g in severities(words)}
    if severity and grades:
        return score + 0.8 if severity in grades else None
    return score


def _for_this_patient(have: frozenset[str], plan: Plan, card: CaseCard | None) -> bool:
    asked = {t.id for t in plan.reading.terms}
    adult = card is None or card.age_years is None or card.age_years >= 18
    if "children" in have and "adults" not in have and "children" not in asked and adult:
        return False
    return not ("pregnancy" in have and "pregnancy" not in asked and card is not None and not card.pregnant and "adults" not in have)
