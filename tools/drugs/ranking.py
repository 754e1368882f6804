"""Ranking of the drugs listed for a condition: `treats` edges scored, facts that speak against a drug subtracted or decisive.

The score is transparent and not calibrated: the place in treatment gives the start, every fact against the drug takes a fixed part off.
"""

import re
from dataclasses import dataclass, field

from pydantic import JsonValue

from retrieval.concepts.context import statuses
from retrieval.drugs.check import duplicates, patient_facts
from retrieval.drugs.facts import Drug, DrugFact
from retrieval.drugs.graph import DrugGraph
from retrieval.drugs.names import normalise
from retrieval.drugs.tables import TreatsRow
from retrieval.messages.catalogue import messages
from retrieval.messages.patterns import patterns
from tools.case.record import Case
from tools.drugs.patient import DrugPatient
from tools.evidence import Language

say = messages("tools.drugs").say

# Own convention, shown with every result: the start by place in treatment and the deduction per fact by severity.
LINE_SCORE = {"first": 1.0, "alternative": 0.7, "add_on": 0.5, "second": 0.4, "prophylaxis": 0.3}
DEDUCTION = {"contraindicated": 0.5, "major": 0.3, "moderate": 0.1, "minor": 0.03, "unknown": 0.05}
_INFERRED_SHARE = 0.5
_DECISIVE = frozenset({"contraindicated_in", "cross_reacts_with", "pregnancy", "adjusts_for"})
# Symptoms and settings that a case text names in passing: they are treated only when asked for by name.
_NOT_FROM_TEXT = frozenset({"dry-cough", "dyspnoea-palliation", "icu-sedation", "smoking-cessation", "pneumonia"})
# A condition that is denied, or that a relative has, is not treated.
_OTHERWISE = frozenset({"negated", "family"})


# Which kind of a disease a record names, in the order in which they decide; the ids of the wide disease that they refine.
_WORDS = patterns("tools.drugs")
_KINDS = {
    "interstitial": tuple((k, _WORDS.regex(f"kind_{k}")) for k in ("ctd-ild", "sarcoidosis", "ppf")),
    "lung_cancer": tuple((k, _WORDS.regex(f"kind_{k}")) for k in ("nsclc-egfr", "nsclc-alk", "nsclc-kras", "sclc")),
}
_WIDE = {"interstitial": frozenset({"ild"}), "lung_cancer": frozenset({"nsclc"})}


@dataclass(frozen=True)
class Choice:
    """One candidate with what speaks for and against it."""

    drug: Drug
    score: float
    parts: dict[str, float]
    line: str
    setting: str
    dose: str
    facts: tuple[DrugFact, ...]
    because: str = ""


@dataclass(frozen=True)
class Ranking:
    """Ranked and rejected candidates for the conditions found."""

    conditions: list[JsonValue]
    found_in: str
    ranked: tuple[Choice, ...] = ()
    rejected: tuple[Choice, ...] = field(default=())
    conditions_zh: tuple[str, ...] = ()


def rank(graph: DrugGraph, patient: DrugPatient, case: Case | None, condition: str | None, language: Language) -> Ranking | str:
    """Rank candidates, or say in words why there are none."""
    found = _from_argument(graph, condition, case, language) if condition else _from_case(graph, case, patient.context.conditions, language)
    if isinstance(found, str):
        return found
    ids, where = found
    rows: dict[str, list[TreatsRow]] = {}
    for row in graph.tables.treats:
        if row.condition in ids:
            for drug in graph.members(row.drug[1:]) if row.drug.startswith("@") else (graph.drug(row.drug),):
                rows.setdefault(drug.id, []).append(row)
    choices = [_judge(graph, patient, graph.drug(drug), uses, language) for drug, uses in rows.items()]
    return Ranking(
        conditions=[graph.condition(i).name for i in ids],
        found_in=where,
        ranked=tuple(sorted((c for c in choices if not c.because), key=lambda c: (-c.score, c.drug.id))),
        rejected=tuple(sorted((c for c in choices if c.because), key=lambda c: c.drug.id)),
        conditions_zh=tuple(graph.condition(i).name_zh for i in ids),
    )


def _treatable(graph: DrugGraph, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The conditions that have treats edges; where one has none, its kinds that have."""
    with_edges = {row.condition for row in graph.tables.treats}
    kinds = {
        c.id: [k.id for k in graph.conditions() if c.id in graph.with_parents((k.id,)) and k.id in with_edges] for c in graph.conditions()
    }
    found = [i for condition in ids for i in ([condition] if condition in with_edges else kinds[condition])]
    return tuple(dict.fromkeys(found))


def _of_this_case(ids: tuple[str, ...], case: Case | None) -> tuple[str, ...]:
    """The kind of the disease that the record names: the driver of a lung cancer, what an interstitial disease comes with."""
    if case is None:
        return ids
    seen = case.presentation
    texts = [seen.question or "", *seen.findings, *(c.name for c in case.patient.conditions), *(n.text for n in case.notes)]
    written = "; ".join([*texts, *(s.report or "" for s in case.studies)])
    for wide, kinds in _KINDS.items():
        if set(ids) & _WIDE[wide]:
            kind = next((k for k, named in kinds if named.search(written)), None)
            return (kind,) if kind is not None else ids
    return ids


def _from_argument(graph: DrugGraph, condition: str, case: Case | None, language: Language) -> tuple[tuple[str, ...], str] | str:
    ids = _of_this_case(graph.match_conditions(condition), case)
    # An interstitial disease of no known kind is not all of them.
    treatable = _treatable(graph, ids) if not case or not set(ids) & _WIDE["interstitial"] else ()
    if not ids:
        return say(language, "condition {name!r} is not in the drug graph", name=condition)
    return (treatable, "argument") if treatable else say(language, "the drug graph lists no treatment for {name!r}", name=condition)


def _from_case(graph: DrugGraph, case: Case | None, conditions: tuple[str, ...], language: Language) -> tuple[tuple[str, ...], str] | str:
    if case is None:
        return say(language, "no case is open and no condition was named")
    acute = [i for i in _treatable(graph, conditions) if i.endswith("-exacerbation")]
    if acute:
        return (acute[0],), "conditions"
    texts = [("question", case.presentation.question or "")]
    texts += [("notes", note.text) for note in case.notes]
    texts += [("report", study.report or "") for study in case.studies]
    texts += [("conditions", c.name) for c in case.patient.conditions]
    for where, text in texts:
        named = tuple(i for sentence in re.split(r"[.;。；\n]", text) for i in _asserted(graph, sentence))
        ids = _treatable(graph, _of_this_case(named, case))
        if ids:
            return ids[:1], where
    return say(language, "no condition with a treatment edge is named in the case; name the condition")


def _asserted(graph: DrugGraph, text: str) -> tuple[str, ...]:
    flat = normalise(text)
    found: list[str] = []
    for mention in graph.scan(text):
        wanted = mention.kind == "condition" and mention.ids[0] not in _NOT_FROM_TEXT
        if wanted and not statuses(flat, mention.start, mention.end) & _OTHERWISE:
            found += mention.ids
    return tuple(found)


def _judge(graph: DrugGraph, patient: DrugPatient, drug: Drug, uses: list[TreatsRow], language: Language) -> Choice:
    best = max(uses, key=lambda row: LINE_SCORE[row.line])
    names = {graph.condition(row.condition).name.lower() for row in uses}
    support = tuple(f for f in graph.facts((drug.id,), ("treats",)) if f.subjects[1] in names)
    against = list(patient_facts(graph, drug, patient.context, patient.current))
    against += [f for other in (*patient.current, *patient.exposures) if other != drug for f in graph.interactions(drug.id, other.id)]
    against += [f for other in patient.current if other != drug for f in duplicates(graph, drug, other)]
    against = [f for f in dict.fromkeys(against) if f.severity is not None]
    parts = {"place_in_treatment": LINE_SCORE[best.line]}
    for fact in against:
        share = _INFERRED_SHARE if fact.inferred else 1.0
        parts[fact.relation] = parts.get(fact.relation, 0.0) - share * DEDUCTION[fact.severity or "unknown"]
    decisive = [f for f in against if _decisive(f)]
    chinese = language == "zh"
    return Choice(
        drug=drug,
        score=max(0.0, sum(parts.values())),
        parts=parts,
        line=best.line,
        setting=best.setting_zh if chinese else best.setting,
        dose=best.dose_zh if chinese else best.dose,
        facts=(*support, *against),
        because=" ".join(f.text_zh if chinese else f.text for f in decisive),
    )


def _decisive(fact: DrugFact) -> bool:
    """Whether one fact alone rejects a drug: a listed contraindication, an allergy, or a reason to avoid it."""
    if fact.inferred:
        return False
    if fact.severity == "contraindicated":
        return True
    return fact.severity == "major" and fact.relation in _DECISIVE
