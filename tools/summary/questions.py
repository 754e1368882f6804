"""What is open: the question asked, what is pending or not recorded, what could not be checked, and CTs without a report."""

import re
from collections.abc import Iterator

from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.bedside.record.said import clauses
from tools.case.words import allergen_name, as_recorded, condition_name, drug_name
from tools.drugs.patient import read_patient
from tools.evidence import Evidence
from tools.scores.payload import ScoreData
from tools.summary.gather import Gathered
from tools.summary.record import Pair, SummaryLine, joined, line, words
from tools.wording import in_language

_WORDS = patterns("tools.summary")

pair = messages("tools.summary").pair

_PENDING = _WORDS.regex("questions_pending")
_GAPS = messages("tools.summary").table("questions_gaps")
_LONGEST = 150
_SCORES = ("curb_65", "psi")


def questions(g: Gathered) -> list[SummaryLine]:
    """Everything that is open."""
    asked = g.case.presentation.question
    first = (
        [line(words("asked", question=(as_recorded(asked, "en"), as_recorded(asked, "zh"))), "C-presentation")]
        if asked and g.basics.evidence
        else []
    )
    return [*first, *pending(g), *_scores(g), *_unreported(g), *_missing(g), *_unchecked(g)]


def pending(g: Gathered) -> list[SummaryLine]:
    """Clauses of the notes that say that something is pending or was not done."""
    found = [(w.key, c) for w in g.texts for c in clauses(w.text) if _PENDING.search(c)]
    return [line(words("written", text=c[:_LONGEST]), key, level="watch") for key, c in found]


def _scores(g: Gathered) -> Iterator[SummaryLine]:
    """A score of pneumonia that lacks an input, where pneumonia stands in question."""
    if not g.record.notion("pneumonia"):
        return
    for name in _SCORES:
        score = g.score(name)
        data = score.payload(ScoreData)
        if score.status == "partial" and score.evidence and data is not None and None not in data.range:
            low, high = (f"{bound:g}" for bound in data.range)
            missing = ", ".join(score.missing), "、".join(g.score_zh(name).missing)
            yield line(words("score_open", name=_name(score.evidence[0]), missing=missing, low=low, high=high), score.evidence[0].key)


def _name(item: Evidence) -> Pair:
    """A score's name out of its sentence."""
    zh = item.text_zh or item.text
    return re.split(r" is (?:between )?\d", item.text)[0], re.split(_WORDS.text("questions_name"), zh)[0]


def _unreported(g: Gathered) -> Iterator[SummaryLine]:
    """A CT without a report, or one that cannot be measured."""
    if g.study is None or not g.basics.evidence:
        return
    if not g.study.report:
        yield line(words("unreported", study=g.study.id), "C-studies")
    if g.ct is not None and g.ct.status in ("out_of_domain", "error") and g.ct.reason:
        told = (g.ct.reason, in_language(g.ct.reason, "zh"))
        yield line(words("unread", study=g.study.id, reason=told), "C-studies", level="watch")


def _missing(g: Gathered) -> Iterator[SummaryLine]:
    if not g.basics.evidence:
        return
    gaps = [gap for gap in g.basics.missing if gap not in pair("allergies")]
    if not g.case.patient.allergies:
        yield line(words("no_allergy"), "C-allergies", level="watch")
    if gaps:
        english = {zh: en for en, zh in _GAPS.items()}
        items = joined([(english.get(x, x), _GAPS.get(x, x)) for x in gaps], (", ", "、"))
        yield line(words("not_recorded", items=items), "C-demographics")


def _unchecked(g: Gathered) -> Iterator[SummaryLine]:
    """Names that the drug graph does not know."""
    seen = read_patient(g.graph, g.case)
    names = [*seen.unknown_drugs, *seen.unknown_allergies, *seen.unknown_conditions]
    chinese = [
        *(drug_name(n, g.graph, "zh") for n in seen.unknown_drugs),
        *(allergen_name(n, g.graph, "zh") for n in seen.unknown_allergies),
        *(condition_name(n, None, g.graph, "zh") for n in seen.unknown_conditions),
    ]
    if names:
        yield line(words("unchecked", names=(", ".join(names), "、".join(chinese))), "C-medications", "C-conditions", "C-allergies")
