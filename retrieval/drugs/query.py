"""Understanding a free question about drugs (English or Chinese) and picking the facts that answer it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal, cast

from retrieval.drugs.check import severity_order
from retrieval.drugs.edges import FactGraph
from retrieval.drugs.facts import ChildPugh, DrugFact, Relation
from retrieval.drugs.names import normalise
from retrieval.messages.catalogue import Pair, messages
from retrieval.messages.patterns import patterns

pair = messages("retrieval.drugs").pair

_WORDS = patterns("retrieval.drugs")

QueryStatus = Literal["ok", "partial", "empty"]
# Words of a question and the relation they ask for, in order of precedence.
INTENTS: tuple[tuple[Relation, re.Pattern[str]], ...] = (
    ("cross_reacts_with", _WORDS.regex("asks_cross_reacts_with", 0)),
    ("lactation", _WORDS.regex("asks_lactation", 0)),
    ("pregnancy", _WORDS.regex("asks_pregnancy", 0)),
    (
        "adjusts_for",
        _WORDS.regex("asks_adjusts_for", 0),
    ),
    ("same_class", _WORDS.regex("asks_same_class", 0)),
    ("inhibits", _WORDS.regex("asks_inhibits", 0)),
    ("induces", _WORDS.regex("asks_induces", 0)),
    ("substrate_of", _WORDS.regex("asks_substrate_of", 0)),
    ("monitors", _WORDS.regex("asks_monitors", 0)),
    ("causes", _WORDS.regex("asks_causes", 0)),
    (
        "interacts_with",
        _WORDS.regex("asks_interacts_with", 0),
    ),
    ("contraindicated_in", _WORDS.regex("asks_contraindicated_in", 0)),
    (
        "treats",
        _WORDS.regex("asks_treats", 0),
    ),
)
KIDNEY_VALUE = _WORDS.regex("query_kidney_value", 0)
CHILD_PUGH = _WORDS.regex("query_child_pugh", 0)
# Conditions that ask for a dose rule, and the adverse effect that is named by its abbreviation.
ORGANS = frozenset({"renal-impairment", "severe-renal-impairment", "hepatic-impairment", "severe-hepatic-impairment", "cirrhosis"})
QT = _WORDS.regex("query_qt", 0)
SMOKING = "smoking-cessation"
ALLERGY_AFTER = _WORDS.regex("query_allergy_after", 0)
ALLERGY_BEFORE = re.compile(r"(?:allerg\w*|anaphyla\w*|hypersensitiv\w*|reaction|reacted) (?:to|after|with)$")
OVERVIEW: tuple[Relation, ...] = ("treats", "contraindicated_in", "adjusts_for", "pregnancy", "monitors", "causes")


@dataclass(frozen=True)
class UnderstoodQuery:
    """What the question was read as.

    Attributes:
        drugs: Drug ids, in order of mention.
        classes: Class or group ids.
        conditions: Condition ids.
        effects: Ids of adverse effects.
        targets: Enzymes and transporters.
        relations: Relations asked for; empty means an overview.
        allergens: Drug ids that the question names as the allergy.
        unknown: Names that look like drugs and are not in the graph.
        suggestions: Unknown name to a close known one.
        crcl: Creatinine clearance or eGFR in the question, mL/min.
        child_pugh: Child-Pugh class in the question.
    """

    drugs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()
    allergens: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    suggestions: dict[str, str] = field(default_factory=dict)
    crcl: float | None = None
    child_pugh: ChildPugh | None = None


@dataclass(frozen=True)
class QueryResult:
    """Facts that answer the question, most severe first, and why there may be none."""

    facts: tuple[DrugFact, ...]
    understood: UnderstoodQuery
    status: QueryStatus
    reason: Pair | None = None
    warnings: tuple[Pair, ...] = ()


def understand(graph: FactGraph, question: str) -> UnderstoodQuery:
    """Names, relations and numbers of a question."""
    found: dict[str, list[str]] = {"drug": [], "class": [], "condition": [], "target": [], "effect": []}
    for mention in graph.scan(question):
        found["drug" if mention.kind == "combination" else mention.kind] += mention.ids
    flat = normalise(question)
    kidney, child = KIDNEY_VALUE.search(flat), CHILD_PUGH.search(flat)
    unknown = graph.unknown_names(question)
    relations = [relation for relation, pattern in INTENTS if pattern.search(flat)]
    if found["drug"] and SMOKING in found["condition"]:  # stopping to smoke changes the levels that smoke lowered
        found["condition"] = [c for c in found["condition"] if c != SMOKING]
        found["drug"].append("tobacco-smoke")
    if ORGANS & set(found["condition"]) and "adjusts_for" not in relations:
        relations.append("adjusts_for")
    if QT.search(flat):
        found["effect"].append("qt-prolongation")
    suggestions = {name: close for name in unknown if (close := graph.suggest(name))}
    return UnderstoodQuery(
        drugs=tuple(dict.fromkeys(found["drug"])),
        classes=tuple(dict.fromkeys(found["class"])),
        conditions=tuple(dict.fromkeys(found["condition"])),
        targets=tuple(dict.fromkeys(found["target"])),
        effects=tuple(dict.fromkeys(found["effect"])),
        relations=tuple(relations),
        allergens=_allergens(graph, question, flat),
        unknown=unknown,
        suggestions=suggestions,
        crcl=float(kidney.group(1)) if kidney else None,
        child_pugh=cast(ChildPugh, (child.group(1) or child.group(2)).upper()) if child else None,
    )


def _allergens(graph: FactGraph, question: str, flat: str) -> tuple[str, ...]:
    """Drugs named as the allergy: right before `allergy`, `allergic` (or its Chinese), or right after `allergic to`."""
    found: list[str] = []
    for mention in graph.scan(question):
        before, after = flat[: mention.start].rstrip(), flat[mention.end :].lstrip()
        if mention.kind in ("drug", "class", "combination") and (ALLERGY_AFTER.match(after) or ALLERGY_BEFORE.search(before)):
            found += [d.id for d in graph.members(mention.ids[0])] if mention.kind == "class" else mention.ids
    return tuple(dict.fromkeys(found))


def answer(graph: FactGraph, question: str) -> QueryResult:
    """Facts that answer the question; empty with a reason when a name is unknown or the graph holds nothing."""
    q = understand(graph, question)
    if q.unknown and len(q.drugs) + len(q.classes) < 2:
        return QueryResult((), q, "empty", _unknown_reason(q))
    if not (q.drugs or q.classes or q.targets or q.conditions or q.effects):
        return QueryResult((), q, "empty", pair("no drug, class, enzyme or condition of the graph is named in the question"))
    facts = _facts(graph, q)
    warnings = (_unknown_reason(q),) if q.unknown else ()
    if not facts:
        reason = _unknown_reason(q) if q.unknown else _nothing(graph, q)
        return QueryResult((), q, "empty", reason)
    return QueryResult(tuple(sorted(dict.fromkeys(facts), key=severity_order)), q, "partial" if q.unknown else "ok", None, warnings)


def _unknown_reason(q: UnderstoodQuery) -> Pair:
    """Names that the graph does not know, with the nearest it knows."""
    parts = [
        pair("{name} is not in the graph (did you mean {close}?)", name=repr(n), close=q.suggestions[n])
        if n in q.suggestions
        else pair("{name} is not in the graph", name=repr(n))
        for n in q.unknown
    ]
    return pair("{what}. Not in the graph does not mean safe", what=("; ".join(p[0] for p in parts), "; ".join(p[1] for p in parts)))


def _nothing(graph: FactGraph, q: UnderstoodQuery) -> Pair:
    named = [graph.name(d) for d in q.drugs] + [graph.group_name(c) for c in q.classes]
    both = [(n.en, n.zh) for n in named] + [(c.name, c.name_zh) for c in map(graph.condition, q.conditions)] + [(t, t) for t in q.targets]
    names = (", ".join(en for en, _ in both), ", ".join(zh for _, zh in both))
    checked = _checked(graph, q)
    if checked is None:
        return pair("the drug graph lists nothing on {names}. Not in the graph does not mean safe", names=names)
    return pair(
        "the drug graph lists nothing on {names} (none found for {pairs} pair(s) among {listed} listed interactions of these drugs, "
        "shared enzymes and adverse effects). Not in the graph does not mean safe",
        names=names, pairs=checked[0], listed=checked[1],
    )  # fmt: skip


def _checked(graph: FactGraph, q: UnderstoodQuery) -> tuple[int, int] | None:
    """What a pair without a finding was checked against: pairs, and interactions listed for their drugs."""
    if len(q.drugs) + len(q.classes) < 2:
        return None
    sides = [(d,) for d in q.drugs] + [tuple(m.id for m in graph.members(c)) for c in q.classes]
    listed = {f.key for side in sides for f in graph.facts(side, ("interacts_with",))}
    return sum(len(a) * len(b) for a, b in combinations(sides, 2)), len(listed)


def _facts(graph: FactGraph, q: UnderstoodQuery) -> list[DrugFact]:
    """Facts by the shape of the question: allergy, pair, drug and condition, condition, enzyme, class, one drug."""
    if "cross_reacts_with" in q.relations and len(q.drugs) + len(q.classes) >= 1:
        return _allergy(graph, q)
    if q.targets:
        return _targets(graph, q)
    if q.effects and (len(q.drugs) + len(q.classes) < 2):
        return _effects(graph, q)
    drugs = q.drugs or tuple(d.id for c in q.classes for d in graph.members(c))
    special = [r for r in q.relations if r in ("pregnancy", "lactation", "adjusts_for", "monitors", "causes", "same_class")]
    if drugs and special:
        return _special(graph, replace(q, drugs=drugs), special)
    if len(q.drugs) + len(q.classes) >= 2:
        return _pairs(graph, q)
    if q.conditions:
        return _conditions(graph, q, drugs)
    if "interacts_with" in q.relations:
        return [f for f in graph.facts(drugs, ("interacts_with",)) if f.subjects[0] in drugs or f.subjects[1] in drugs]
    relations = tuple(q.relations) or OVERVIEW
    return list(graph.facts(drugs, relations))


def _pairs(graph: FactGraph, q: UnderstoodQuery) -> list[DrugFact]:
    sides = [[d] for d in q.drugs] + [[d.id for d in graph.members(c) if d.id not in q.drugs] for c in q.classes]
    facts = [f for left, right in combinations(sides, 2) for a in left for b in right if a != b for f in graph.interactions(a, b)]
    if q.conditions:
        facts += _conditions(graph, q, q.drugs)
    return facts


def _conditions(graph: FactGraph, q: UnderstoodQuery, drugs: tuple[str, ...]) -> list[DrugFact]:
    held = graph.with_parents(q.conditions)
    if drugs:
        facts = graph.facts(drugs, ("contraindicated_in", "treats"))
        return [f for f in facts if graph.condition_of(f) in held]
    names = [graph.condition(c).name.lower() for c in q.conditions]
    relation: Relation = "contraindicated_in" if "contraindicated_in" in q.relations else "treats"
    return list(graph.facts(names, (relation,)))


def _allergy(graph: FactGraph, q: UnderstoodQuery) -> list[DrugFact]:
    sides = [[d] for d in q.drugs] + [[d.id for d in graph.members(c)] for c in q.classes]
    if len(sides) == 1:
        facts = [f for drug in sides[0] for f in graph.facts((drug,), ("cross_reacts_with",)) if f.subjects[0] == drug]
        return facts + list(graph.facts(sides[0], ("allergy_class",)))
    pairs = [(a, b) for left, right in combinations(sides, 2) for a in left for b in right if a != b]
    facts = [f for a, b in pairs for f in (*graph.cross_reactions(a, b), *graph.cross_reactions(b, a))]
    return [f for f in facts if not q.allergens or f.subjects[0] in q.allergens]


def _targets(graph: FactGraph, q: UnderstoodQuery) -> list[DrugFact]:
    wanted: tuple[Relation, ...] = tuple(r for r in q.relations if r in ("inhibits", "induces", "substrate_of"))
    facts = graph.facts(q.targets, wanted or ("inhibits", "induces", "substrate_of"))
    return [f for f in facts if not q.drugs or f.subjects[0] in q.drugs]


def _effects(graph: FactGraph, q: UnderstoodQuery) -> list[DrugFact]:
    """Drugs that cause the effect, or whether the named drugs do; with a condition of that name also what it forbids."""
    names = [graph.effect(e).name.lower() for e in q.effects]
    drugs = q.drugs or tuple(d.id for c in q.classes for d in graph.members(c))
    facts = [f for f in graph.facts(names, ("causes",)) if not drugs or f.subjects[0] in drugs]
    return facts + (_conditions(graph, q, drugs) if q.conditions and (drugs or "contraindicated_in" in q.relations) else [])


def _special(graph: FactGraph, q: UnderstoodQuery, relations: Sequence[Relation]) -> list[DrugFact]:
    facts: list[DrugFact] = []
    for drug in q.drugs:
        if "same_class" in relations:
            facts += graph.same_class(drug)
        if "adjusts_for" in relations and (q.crcl is not None or q.child_pugh is not None):
            facts += graph.dose_rules(drug, crcl=q.crcl, hepatic=q.child_pugh)
        elif "adjusts_for" in relations:
            facts += graph.facts((drug,), ("adjusts_for",))
        rest: tuple[Relation, ...] = tuple(r for r in relations if r not in ("adjusts_for", "same_class"))
        if rest:
            facts += graph.facts((drug,), rest)
    if q.conditions:
        facts += _conditions(graph, q, q.drugs)
    if len(q.drugs) >= 2 and "interacts_with" in q.relations:
        facts += _pairs(graph, q)
    return facts
